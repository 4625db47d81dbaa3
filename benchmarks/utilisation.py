"""How busy many slots are kept: ``python -m benchmarks.utilisation``.

Trials that sleep for a second, in real processes, one per slot, through the real loop with TPE and an SQLite
store: with the local engine, and with a Dask cluster on this machine that has a worker for each slot.
Utilisation is the time slept, of the time that all slots have from the first trial's start to the last one's
end, once every slot has its process. The bar is 95 % at 64 slots.
"""

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.naps import Nap, read_naps, variables
from benchmarks.processes import python, run
from benchmarks.scale_steps import ANSWER
from benchmarks.stores import Stores, read_trials
from benchmarks.table import Table, parser, publish

BAR_SLOTS, BAR = 64, 0.95


@dataclass(frozen=True)
class Use:
    """How a sweep used its slots."""

    engine: str
    slots: int
    trials: int
    utilisation: float
    pause_ms: float
    """Median time of a slot between two trials."""
    long_pause_ms: float
    """That nineteen of twenty stay below."""
    asks_per_second: float
    """As many trials started and ended."""
    commits_per_second: float
    cpu_ms: float
    """Of the driver, per trial."""
    ready_seconds: float
    """Until every slot had a process that could train."""
    peak_mb: float
    """Of the driver."""


def measure(engine: str, slots: int, given: argparse.Namespace, folder: Path, stores: Stores) -> Use:
    """Run a sweep in a fresh folder.

    Raises:
        ContenderError: it failed.
        RuntimeError: its store holds another number of finished trials.
    """
    trials = slots * given.rounds
    print(f"{engine}, {slots} slots, {trials} trials", file=sys.stderr)
    folder.mkdir()
    stores.put("ours", folder)
    words = python("-m", "benchmarks.utilisation_sweep", str(trials), str(slots), engine)
    ran = run(words, folder, variables=variables(folder, slots, given.seconds), every=5.0)
    logged = [one for one in read_trials(folder) if one.rmse is not None and one.ended is not None]
    if len(logged) != trials:
        raise RuntimeError(f"{len(logged)} trials in its store, not {trials}")
    naps = read_naps(folder)[:trials]  # a finalist without a model may be trained again
    figures = json.loads((folder / ANSWER).read_text("utf-8"))
    return use(engine, slots, given.seconds, naps, figures, ran.started)


def use(
    engine: str, slots: int, seconds: float, naps: Sequence[Nap], figures: Mapping[str, Any], started: float
) -> Use:
    """Work out the shares from the notes of trials and driver.

    Args:
        engine: where the trials ran.
        slots: of the engine.
        seconds: that a trial is to sleep; that it woke late is not counted as use.
        naps: one for each trial, by start.
        figures: from ``utilisation_sweep``.
        started: when its process began, Unix time.
    """
    first, last = naps[0].began, max(one.ended for one in naps)
    wall = last - first
    gaps = sorted(pauses(naps))
    written = [one for one in figures["written"] if first <= one[0] <= last]
    cpu = (written[-1][1] - written[0][1]) / (len(written) - 1) if len(written) > 1 else 0.0
    return Use(
        engine,
        slots,
        len(naps),
        len(naps) * seconds / (slots * wall),
        1000 * statistics.median(gaps) if gaps else 0.0,
        1000 * gaps[len(gaps) * 19 // 20] if gaps else 0.0,
        len(naps) / wall,
        sum(first <= moment <= last for moment in figures["commits"]) / wall,
        1000 * cpu,
        first - started,
        figures["peak_mb"],
    )


def pauses(naps: Sequence[Nap]) -> list[float]:
    """Give the seconds between each nap and the next one of the same process."""
    own = defaultdict[int, list[Nap]](list)
    for one in naps:
        own[one.process].append(one)
    return [after.began - before.ended for many in own.values() for before, after in pairwise(many)]


def table(found: Sequence[Use], seconds: float) -> Table:
    """Show a row for each number of slots."""
    rows = [
        [
            one.engine,
            one.slots,
            one.trials,
            100 * one.utilisation,
            one.pause_ms,
            one.long_pause_ms,
            one.asks_per_second,
            one.commits_per_second,
            one.cpu_ms,
            one.ready_seconds,
            one.peak_mb,
        ]
        for one in found
    ]
    columns = ["engine", "slots", "trials", "utilisation, %", "pause, ms", "19 of 20 below, ms", "asks per s"]
    columns += ["commits per s", "driver's CPU, ms per trial", "ready after, s", "driver, MB"]
    notes = [
        f"pause: between two trials of a slot; a trial sleeps {seconds:g} s.",
        "ready after: from Enter until every slot had a process; most of it are the imports of the workers.",
        *(verdict(one) for one in found if (one.engine, one.slots) == ("local", BAR_SLOTS)),
    ]
    return Table("How busy the slots are kept", columns, rows, notes)


def verdict(one: Use) -> str:
    """Say whether the bar is met."""
    word = "met" if one.utilisation >= BAR else "missed"
    return f"The bar of {100 * BAR:g} % at {BAR_SLOTS} slots is {word}."


def options() -> argparse.Namespace:
    """Read the command line."""
    given = parser(__doc__)
    given.add_argument("--local", type=sizes, default=[2, 16, 64, 128], metavar="N,N", help="slots")
    given.add_argument("--dask", type=sizes, default=[16], metavar="N,N", help="slots; '': none")
    given.add_argument("--rounds", type=int, default=60, help="trials for each slot")
    given.add_argument("--seconds", type=float, default=1.0, help="that a trial sleeps")
    return given.parse_args()


def sizes(text: str) -> list[int]:
    """Read whole numbers between commas."""
    return [int(word) for word in text.split(",") if word]


def main() -> None:
    """Measure, print and publish."""
    given = options()
    with TemporaryDirectory(prefix="utilisation-") as scratch:
        stores = Stores(Path(scratch) / "stores")
        cases = [("local", slots) for slots in given.local] + [("dask", slots) for slots in given.dask]
        found = [
            measure(engine, slots, given, Path(scratch) / f"{engine}-{slots}", stores)
            for engine, slots in cases
        ]
    publish(
        "utilisation",
        str(__doc__).partition("\n\n")[2].strip(),
        [table(found, given.seconds)],
        [asdict(one) for one in found],
        packages=("distributed",),
        folder=given.out,
    )


if __name__ == "__main__":
    main()
