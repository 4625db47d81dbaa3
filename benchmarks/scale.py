"""What a long sweep costs per trial: ``python -m benchmarks.scale``.

Sweeps of 100, 1 000 and 10 000 trials that do nothing, through the real loop with TPE, the serial engine and
an SQLite store. On the store that each leaves: reading it back as a resumed sweep does, further asks, and the
commands that show it.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.command import seconds_of, sweeps
from benchmarks.processes import python, run
from benchmarks.scale_steps import ANSWER
from benchmarks.stores import URI, Stores
from benchmarks.table import Table, parser, publish, spread

FEWEST_LAST = 50
"""Of fewer trials the end of a sweep says little, since records are written in batches."""
MOST_SWEEPS = 5
ENOUGH = 2000
"""Trials; shorter sweeps are run several times, at most so often, and the median counts."""
SHOWN = {
    "list": ("list",),
    "show": ("show", "last"),
    "show --json": ("show", "last", "--json"),
    "best": ("best", "last"),
    "export": ("export", "last"),
    "diff": ("diff", "0", "last:best"),
}


@dataclass(frozen=True)
class Scale:
    """What a sweep of so many trials costs."""

    trials: int
    whole_ms: float
    """Wall per trial, from the first one's training to the last one's record."""
    last_ms: float | None
    """The same over the last tenth of the trials, or the last 50; None where that is all of them."""
    ask_ms: float
    """Median of further asks with that history."""
    resume_seconds: float
    """To read the sweep, tell the searcher, and ask once."""
    sweep_mb: float
    """Peak memory of the process that ran the sweep."""
    resume_mb: float
    """Peak memory of the process that read it back."""


MEASURED = [one.name for one in fields(Scale) if one.name != "trials"]


def measure(trials: int, algo: str, folder: Path, stores: Stores) -> Scale:
    """Run a sweep in a folder, then read it back; each in a process of its own. Short ones beside it, too.

    Raises:
        RuntimeError: the store does not hold all its trials.
    """
    print(f"{trials} trials", file=sys.stderr)
    times = max(1, min(MOST_SWEEPS, ENOUGH // trials))
    places = [*(folder.with_name(f"{trials}-{again}") for again in range(1, times)), folder]
    found = [_measure_once(trials, algo, place, stores) for place in places]
    return Scale(trials, *(_median([asdict(one)[name] for one in found]) for name in MEASURED))


def _measure_once(trials: int, algo: str, folder: Path, stores: Stores) -> Scale:
    folder.mkdir()
    stores.put("ours", folder)
    swept, resumed = (step(name, trials, algo, folder) for name in ("sweep", "resume"))
    if resumed["read"] != trials:
        raise RuntimeError(f"{resumed['read']} trials in the store, not {trials}")
    written, last = swept["written"], max(FEWEST_LAST, trials // 10)
    return Scale(
        trials,
        1000 * (written[-1] - swept["started"]) / trials,
        1000 * (written[-1] - written[-1 - last]) / last if trials > last else None,
        1000 * statistics.median(resumed["asks"]),
        statistics.median(resumed["seconds"]),
        swept["peak_mb"],
        resumed["peak_mb"],
    )


def _median(found: Sequence[Any]) -> Any:
    return None if None in found else statistics.median(found)


def step(name: str, trials: int, algo: str, folder: Path) -> dict[str, Any]:
    """Run a step in a process of its own and give its figures."""
    run(python("-m", "benchmarks.scale_steps", name, str(trials), algo), folder)
    figures: dict[str, Any] = json.loads((folder / ANSWER).read_text("utf-8"))
    return figures


def time_commands(
    folders: Mapping[int, Path], repeats: int, shown: Mapping[str, Sequence[str]] = SHOWN
) -> dict[str, dict[int, list[float]]]:
    """Give the seconds of each command on each store, the stores in turn.

    Args:
        folders: with a store each, by the trials of its sweeps.
        repeats: of each command on each store.
        shown: the words of the commands, by the names they have in a table.
    """
    found: dict[str, dict[int, list[float]]] = {name: {trials: [] for trials in folders} for name in shown}
    for name, words in shown.items():
        for _ in range(repeats):
            for trials, folder in folders.items():
                found[name][trials].append(seconds_of(sweeps(*words, "--tracking-uri", URI), folder))
    return found


def cost_table(scales: Sequence[Scale]) -> Table:
    """Show time and memory by the number of trials."""
    rows = [
        [
            one.trials,
            one.whole_ms,
            one.last_ms,
            one.ask_ms,
            one.resume_seconds,
            1000 * one.resume_seconds / one.trials,
            one.sweep_mb,
            one.resume_mb,
        ]
        for one in scales
    ]
    return Table(
        "Sweeps of trials that do nothing",
        [
            "trials",
            "ms per trial",
            "of the last tenth, at least 50",
            "ms per ask",
            "to resume, s",
            "ms per trial",
            "MB",
            "MB to resume",
        ],
        rows,
        [
            "ms per trial: ask, run, record and tell; from the first one's training to the last record.",
            "To resume: read the sweep from MLflow, tell the searcher, ask once. MB: peak memory.",
            *growth(scales),
        ],
    )


def growth(scales: Sequence[Scale]) -> list[str]:
    """Say how the cost of a trial grew from the shortest sweep to the longest."""
    first, last = scales[0], scales[-1]
    if len(scales) == 1:
        return []
    cost = (last.last_ms or last.whole_ms) / (first.last_ms or first.whole_ms)
    return [
        f"A trial at the end of {last.trials} costs {cost:.2f} times one at the end of {first.trials}, "
        f"an ask {last.ask_ms / first.ask_ms:.2f} times."
    ]


def command_table(found: Mapping[str, Mapping[int, list[float]]], sizes: Sequence[int]) -> Table:
    """Show the seconds of the commands beyond those they take on a sweep of one trial."""
    bases = {name: statistics.median(seconds[1]) for name, seconds in found.items()}
    rows = [
        [size, *(spread([s - bases[name] for s in seconds[size]]) for name, seconds in found.items())]
        for size in sizes
    ]
    shown = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in bases.items())
    return Table(
        "Seconds of the commands after start-up",
        ["trials", *SHOWN],
        rows,
        [f"Start-up is the same command on a store with a sweep of one trial: {shown}. Median (range)."],
    )


def options() -> argparse.Namespace:
    """Read the command line."""
    given = parser(__doc__)
    given.add_argument("--sizes", default="100,1000,10000", metavar="N,N", help="trials of the sweeps")
    given.add_argument("--algo", default="tpe", help="of the searches")
    given.add_argument("--repeats", type=int, default=5, help="of the commands that show a sweep")
    return given.parse_args()


def main() -> None:
    """Measure, print and publish."""
    given = options()
    sizes = [int(size) for size in given.sizes.split(",")]
    with TemporaryDirectory(prefix="scale-") as scratch:
        stores = Stores(Path(scratch) / "stores")
        folders = {size: Path(scratch) / str(size) for size in (1, *sizes)}
        scales = [measure(size, given.algo, folder, stores) for size, folder in folders.items()][1:]
        commands = time_commands(folders, given.repeats)
    publish(
        "scale",
        str(__doc__).partition("\n\n")[2].strip(),
        [cost_table(scales), command_table(commands, sizes)],
        {"scales": [asdict(one) for one in scales], "commands": commands},
        folder=given.out,
    )


if __name__ == "__main__":
    main()
