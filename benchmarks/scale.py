"""What a long sweep costs per trial: ``python -m benchmarks.scale``.

Sweeps of 100, 1 000 and 10 000 trials that do nothing, through the real loop with TPE, the serial engine and
an SQLite store. On the store that each leaves: reading it back as a resumed sweep does, further asks, further
trials, and the commands that show it.
"""

import argparse
import json
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.command import seconds_of, sweeps
from benchmarks.processes import python, run
from benchmarks.scale_steps import ANSWER, FURTHER, WARM
from benchmarks.stores import URI, Stores
from benchmarks.table import Table, parser, publish, spread

TURNS = 9
"""How often each sweep is gone on with, all sizes in turn: so a processor that is fast in one minute and slow
in the next, as those of shared machines are, counts for all alike."""
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
    ask_ms: float
    """Median of further asks with that history."""
    resume_seconds: float
    """To read the sweep, tell the searcher, and ask once."""
    sweep_mb: float
    """Peak memory of the process that ran the sweep."""
    resume_mb: float
    """Peak memory of the process that read it back."""


def measure(trials: int, algo: str, folder: Path, stores: Stores) -> Scale:
    """Run a sweep in a folder, then read it back; each in a process of its own.

    Raises:
        RuntimeError: the store does not hold all its trials.
    """
    print(f"{trials} trials", file=sys.stderr)
    folder.mkdir()
    stores.put("ours", folder)
    swept, resumed = (step(name, trials, algo, folder) for name in ("sweep", "resume"))
    if resumed["read"] != trials:
        raise RuntimeError(f"{resumed['read']} trials in the store, not {trials}")
    return Scale(
        trials,
        1000 * (swept["written"][-1] - swept["started"]) / trials,
        1000 * statistics.median(resumed["asks"]),
        statistics.median(resumed["seconds"]),
        swept["peak_mb"],
        resumed["peak_mb"],
    )


def time_further(folders: Mapping[int, Path], algo: str, turns: int) -> dict[int, list[float]]:
    """Give the ms that a further trial costs after so many, of each turn; the sizes one after the other.

    Each time a copy of the store is gone on with, so that all turns find the same history.
    """
    found: dict[int, list[float]] = {trials: [] for trials in folders}
    for turn in range(turns):
        for trials, folder in folders.items():
            print(f"on from {trials} trials, {turn + 1} of {turns}", file=sys.stderr)
            with TemporaryDirectory(prefix="further-") as scratch:
                shutil.copytree(folder, scratch, dirs_exist_ok=True)
                written = step("further", trials, algo, Path(scratch))["written"]
            found[trials].append(1000 * (written[-1] - written[0]) / (len(written) - 1))
    return found


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


def cost_table(scales: Sequence[Scale], further: Mapping[int, Sequence[float]]) -> Table:
    """Show time and memory by the number of trials."""
    rows = [
        [
            one.trials,
            one.whole_ms,
            spread(further[one.trials]),
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
            "ms per further trial",
            "ms per ask",
            "to resume, s",
            "ms per trial",
            "MB",
            "MB to resume",
        ],
        rows,
        [
            "ms per trial: ask, run, record and tell; from the first one's training to the last record.",
            f"Further: {FURTHER} trials of the sweep gone on with, after {WARM} of them; median (range).",
            "To resume: read the sweep from MLflow, tell the searcher, ask once. MB: peak memory.",
            *growth(scales, further),
        ],
    )


def growth(scales: Sequence[Scale], further: Mapping[int, Sequence[float]]) -> list[str]:
    """Say how the cost of a trial grew from the shortest sweep to the longest: the median over the turns."""
    first, last = scales[0], scales[-1]
    if len(scales) == 1:
        return []
    ratios = [late / early for early, late in zip(further[first.trials], further[last.trials], strict=True)]
    return [
        f"A trial after {last.trials} costs {spread(ratios)} times one after {first.trials} in its turn, "
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
    given.add_argument("--turns", type=int, default=TURNS, help="of the sweeps that are gone on with")
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
        further = time_further({size: folders[size] for size in sizes}, given.algo, given.turns)
        commands = time_commands(folders, given.repeats)
    publish(
        "scale",
        str(__doc__).partition("\n\n")[2].strip(),
        [cost_table(scales, further), command_table(commands, sizes)],
        {"scales": [asdict(one) for one in scales], "further": further, "commands": commands},
        folder=given.out,
    )


if __name__ == "__main__":
    main()
