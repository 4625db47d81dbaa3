"""Seconds from Enter: ``python -m benchmarks.startup``.

How long until the first trial of a sweep trains, on a store that exists and with data read before; and how
long the commands take that should answer at once. The first run of each command is not counted.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.command import seconds_of, sweeps
from benchmarks.data import DATA, require
from benchmarks.stores import URI, Stores, read_trials
from benchmarks.table import Table, parser, publish, spread

AT_ONCE = {
    "sweeps --help": (("--help",), 0),
    "sweeps run --help": (("run", "--help"), 0),
    "sweeps spaces": (("spaces",), 0),
    "sweeps run xgboost --trials many": (("run", "xgboost", "--trials", "many"), 2),
    "sweeps run xgbost --data diabetes": (("run", "xgbost", "--data", "diabetes"), 3),
    "sweeps run xgboost --data diabetis": (("run", "xgboost", "--data", "diabetis"), 4),
}
"""Commands that should answer at once, with their exit codes."""


@dataclass(frozen=True)
class Start:
    """Seconds from Enter of one ``sweeps run``."""

    data: str
    run: float
    """Until the first trial's MLflow run began."""
    training: float
    """Until the first trial began to train."""


def start_once(data: str, folder: Path) -> Start:
    """Run a sweep of one trial in a folder whose store is there already."""
    known = len(read_trials(folder))
    entered = time.time()
    words = ["run", "xgboost", "--data", DATA[data], "--trials", "1", "--seed", "1", "--no-register"]
    seconds_of(sweeps(*words, "--tracking-uri", URI), folder)
    trial = read_trials(folder)[known]
    training = (trial.ended or trial.started) - (trial.fit_seconds or 0.0)
    return Start(data, trial.started - entered, training - entered)


def starts(names: Sequence[str], repeats: int, folder: Path) -> list[Start]:
    """Start a sweep on each data so often, after one that warms up."""
    found = []
    for name in names:
        print(f"sweeps run on {name}", file=sys.stderr)
        found += [start_once(name, folder) for _ in range(repeats + 1)][1:]
    return found


def start_table(found: Sequence[Start]) -> Table:
    """Show medians and ranges."""
    rows = []
    for data in dict.fromkeys(one.data for one in found):
        own = [one for one in found if one.data == data]
        rows.append([data, spread([one.run for one in own]), spread([one.training for one in own])])
    return Table(
        "Seconds from Enter to the first trial of sweeps run xgboost",
        ["data", "its MLflow run begins", "it trains"],
        rows,
        ["On a store with earlier sweeps. It trains: fit_seconds before its end. Median (range)."],
    )


def answers(repeats: int, folder: Path) -> dict[str, list[float]]:
    """Time the commands that should answer at once, after one run of each that warms up."""
    return {
        shown: [seconds_of(sweeps(*words), folder, code) for _ in range(repeats + 1)][1:]
        for shown, (words, code) in AT_ONCE.items()
    }


def answer_table(found: dict[str, list[float]]) -> Table:
    """Show medians and ranges."""
    rows = [[shown, spread(seconds)] for shown, seconds in found.items()]
    return Table("Seconds from Enter to the answer", ["command", "s"], rows, ["Median (range)."])


def options() -> argparse.Namespace:
    """Read the command line."""
    given = parser(__doc__)
    given.add_argument("--repeats", type=int, default=5, help="of every command")
    given.add_argument("--data", default="diabetes,green-taxi", metavar="A,B", help=", ".join(DATA))
    return given.parse_args()


def main() -> None:
    """Measure, print and publish."""
    given = options()
    require(given.data.split(","))
    with TemporaryDirectory(prefix="startup-") as scratch:
        folder = Path(scratch)
        Stores(folder / "stores").put("ours", folder)
        found, answered = (
            starts(given.data.split(","), given.repeats, folder),
            answers(given.repeats, folder),
        )
    publish(
        "startup",
        str(__doc__).partition("\n\n")[2].strip(),
        [start_table(found), answer_table(answered)],
        {"starts": [asdict(one) for one in found], "answers": answered},
        folder=given.out,
    )


if __name__ == "__main__":
    main()
