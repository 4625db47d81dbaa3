"""What a sweep costs beside the training: ``python -m benchmarks.overhead``.

Trials that do nothing, with 7 params and one metric, recorded in SQLite: by ours, by the course's loop, by
Optuna and by Ray Tune. Then real sweeps of ours: the share of time in which no worker trains.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders import Contender, able, turned
from benchmarks.data import require
from benchmarks.idle import Idle, measure_idle
from benchmarks.marks import read_marks
from benchmarks.processes import MARKS, run
from benchmarks.stores import Stores, read_trials
from benchmarks.table import Table, parser, publish, spread

CONTENDERS = {
    "ours": Contender("ours, local engine, 1 worker", "ours", ("--option", "local")),
    "ours-serial": Contender("ours, serial engine", "ours", ("--option", "serial")),
    "course": Contender("the course's loop", "course"),
    "optuna": Contender("Optuna, MLflow callback", "optuna_tpe", needs=("optuna", "optuna_integration")),
    "ray": Contender("Ray Tune, MLflow callback", "ray_tune", needs=("ray",)),
}


@dataclass(frozen=True)
class Cost:
    """One run of a contender."""

    contender: str
    wall_ms: float
    """Per trial, from the first one's training to the last one's record."""
    cpu_ms: float
    """Per trial over the same time, of all processes."""
    total_seconds: float
    """From the start of the process to its end."""


def measure(name: str, contender: Contender, trials: int, seed: int, folder: Path, stores: Stores) -> Cost:
    """Run a contender once in a fresh folder.

    Raises:
        ContenderError: it failed.
        RuntimeError: its store holds another number of finished trials.
    """
    folder.mkdir()
    stores.put(contender.store, folder)
    ran = run(contender.command("nothing", "--trials", str(trials), "--seed", str(seed)), folder)
    logged = [trial for trial in read_trials(folder) if trial.rmse is not None and trial.ended is not None]
    if len(logged) != trials:
        raise RuntimeError(f"{name}: {len(logged)} trials in its store, not {trials}")
    marks = read_marks(folder / MARKS)
    cpu = ran.cpu_at(marks["end"]) - ran.cpu_at(marks["start"])
    wall = marks["end"] - marks["start"]
    return Cost(name, 1000 * wall / trials, 1000 * cpu / trials, ran.seconds)


def measure_all(contenders: dict[str, Contender], trials: int, repeats: int) -> list[Cost]:
    """Run all contenders in turn, so often, each time in another order."""
    costs = []
    with TemporaryDirectory(prefix="overhead-") as scratch:
        stores = Stores(Path(scratch) / "stores")
        for repeat in range(repeats):
            for name in turned(list(contenders), repeat):
                print(f"{name}, repeat {repeat + 1} of {repeats}", file=sys.stderr)
                folder = Path(scratch) / f"{name}-{repeat}"
                costs.append(measure(name, contenders[name], trials, repeat + 1, folder, stores))
    return costs


def cost_table(costs: Sequence[Cost], trials: int) -> Table:
    """Show medians and ranges over the repeats."""
    rows = []
    for name in dict.fromkeys(cost.contender for cost in costs):
        own = [cost for cost in costs if cost.contender == name]
        total = statistics.median(cost.total_seconds for cost in own)
        wall, cpu = spread([cost.wall_ms for cost in own]), spread([cost.cpu_ms for cost in own])
        rows.append([CONTENDERS[name].label, wall, cpu, total])
    return Table(
        f"{trials} trials that do nothing",
        ["", "wall ms per trial", "CPU ms per trial", "in all, s"],
        rows,
        [
            "Per trial: from the first one's training to the last record; median (range) of the repeats.",
            "CPU: of all processes. In all: from the start of the process to its end, so with imports.",
        ],
    )


def idle_table(idle: Sequence[Idle]) -> Table:
    """Show the share of time in which no worker trained."""
    return Table(
        "Real sweeps: time in which nobody trains",
        [
            "sweep",
            "workers",
            "trials",
            "wall, s",
            "no worker trains, %",
            "a worker does not train, %",
            "Enter to exit, s",
            "no worker trains, %",
        ],
        [
            [
                one.sweep,
                one.workers,
                one.trials,
                one.seconds,
                100 * one.none_trains,
                100 * one.slot_idle,
                one.whole_seconds,
                100 * one.none_trains_of_all,
            ]
            for one in idle
        ],
        [
            "Wall: from the first trial's start to the last one's end; the next two are of it.",
            "Enter to exit: with imports, reading the data, finalists and report; the last column is of it.",
            "Training: fit_seconds up to the end of each trial; building matrices counts, scoring does not.",
        ],
    )


def options() -> argparse.Namespace:
    """Read the command line."""
    given = parser(__doc__)
    given.add_argument("--trials", type=int, default=300, help="that do nothing")
    given.add_argument("--repeats", type=int, default=3, help="of every contender")
    given.add_argument("--only", metavar="A,B", help=f"of {', '.join(CONTENDERS)}")
    given.add_argument("--real-trials", type=int, default=30, help="of the real sweeps; 0: none")
    given.add_argument(
        "--data",
        default="diabetes,green-taxi",
        metavar="A,B",
        help="of the real sweeps: diabetes, green-taxi",
    )
    return given.parse_args()


def main() -> None:
    """Measure, print and publish."""
    given = options()
    if given.real_trials:
        require(given.data.split(","))
    contenders = able(CONTENDERS, given.only)
    costs = measure_all(contenders, given.trials, given.repeats)
    idle = measure_idle(given.data.split(","), given.real_trials) if given.real_trials else []
    tables = [cost_table(costs, given.trials), *([idle_table(idle)] if idle else [])]
    publish(
        "overhead",
        "What a sweep costs beside the training of its models.",
        tables,
        {"costs": [asdict(cost) for cost in costs], "idle": [asdict(one) for one in idle]},
        packages=("optuna", "optuna-integration", "ray"),
        folder=given.out,
    )


if __name__ == "__main__":
    main()
