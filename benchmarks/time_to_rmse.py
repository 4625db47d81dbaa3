"""How long a search takes to a given rmse: ``python -m benchmarks.time_to_rmse``.

The course's XGBoost space and features on green taxi trips (January 2023, validated on February 2023). Each
contender has the same cores, the same seeds and the same minutes, logs its trials to an MLflow store of its
own, and is stopped when its time is over; the clock starts with its process. What it had then is read from
the store. A trial counts when it has ended.

Ours begins with the two points that ``xgboost_course`` names (``FIRST``). What they alone are worth shows the
row of Optuna that begins with the same two.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.contenders import Contender, able, turned
from benchmarks.data import DATA, require
from benchmarks.processes import run
from benchmarks.races import (
    Race,
    arrival_text,
    arrivals,
    median_best,
    own_best,
    pace,
    slower,
    targets,
)
from benchmarks.stores import Stores, best_so_far, read_trials
from benchmarks.table import PACKAGES, Table, cores, environment, parser, publish, spread

OPTUNA = ("optuna", "optuna_integration")
PEERS = ("optuna", "optuna-integration", "ray")
CONTENDERS = {
    "course": Contender("the course's loop", "course"),
    "optuna": Contender("Optuna, TPE, median pruner", "optuna_tpe", ("--option", "median"), OPTUNA),
    "optuna-first": Contender(
        "Optuna, beginning as ours", "optuna_tpe", ("--option", "median::first"), OPTUNA
    ),
    "ray": Contender("Ray Tune, HyperOptSearch, ASHA", "ray_tune", needs=("ray",)),
    "ours": Contender("ours, forecast", "ours", ("--option", "forecast")),
    "ours-auto": Contender(
        "ours, forecast, automatic features", "ours", ("--option", "forecast:xgboost_course:auto")
    ),
    "ours-own": Contender("ours, our own xgboost space", "ours", ("--option", "forecast:xgboost")),
    "ours-asha": Contender("ours, ASHA", "ours", ("--option", "asha")),
    "ours-unpruned": Contender("ours, no pruning", "ours", ("--option", "none")),
    "ours-median": Contender("ours, median", "ours", ("--option", "median")),
    "optuna-halving": Contender("Optuna, successive halving", "optuna_tpe", ("--option", "halving"), OPTUNA),
    "optuna-hyperband": Contender("Optuna, Hyperband", "optuna_tpe", ("--option", "hyperband"), OPTUNA),
    "optuna-threads": Contender(
        "Optuna, median pruner, one job", "optuna_tpe", ("--option", "median:1"), OPTUNA
    ),
}
OTHER_JOBS = "ours-auto", "ours-own"
"""They have other features, or another space, and so no part in what the others are measured by."""
USUAL = "course,optuna,optuna-first,ray,ours,ours-auto,ours-own"
ABOVE = {"1 %": 0.01, "0.5 %": 0.005, "0.1 %": 0.001}


def race(name: str, seed: int, given: argparse.Namespace, stores: Stores, folder: Path) -> Race:
    """Run one contender with one seed in a fresh folder.

    Raises:
        ContenderError: it failed.
    """
    contender: Contender = CONTENDERS[name]
    folder.mkdir()
    stores.put(contender.store, folder)
    told = {"--seed": seed, "--data": given.data, "--cores": cores(), "--trials": given.trials}
    words = [str(word) for pair in told.items() for word in pair]
    # A cache of its own: ours reads and encodes the months anew, as everybody does.
    private = {"SWEEPS_CACHE_DIR": str(folder / "cache")}
    ran = run(
        contender.command("xgboost", *words), folder, limit=60 * given.minutes, variables=private, every=1.0
    )
    trials = read_trials(folder)
    return Race(
        name,
        seed,
        given.data,
        given.minutes,
        round(ran.seconds, 3),
        round(ran.cpu_seconds, 2),
        sum(trial.ended is not None for trial in trials),
        best_so_far(trials, ran.started),
        environment((*PACKAGES, *PEERS)),
    )


def run_races(given: argparse.Namespace, races: list[Race]) -> None:
    """Run what is missing in ``races``, seed by seed, contenders in turn; publish after each."""
    names = list(able(CONTENDERS, given.only))
    done = {(one.contender, one.seed) for one in races}
    with TemporaryDirectory(prefix="race-") as scratch:
        stores = Stores(Path(scratch) / "stores")
        for turn, seed in enumerate(given.seeds):
            for name in turned(names, turn):
                if (name, seed) in done:
                    continue
                print(f"{name}, seed {seed}, {given.minutes:g} minutes", file=sys.stderr)
                races.append(race(name, seed, given, stores, Path(scratch) / f"{name}-{seed}"))
                show(races, given, quiet=True)


def earlier(given: argparse.Namespace) -> list[Race]:
    """Read the races that are already in the JSON file.

    Raises:
        SystemExit: they were run on other data or for another time.
    """
    file = given.out / "time_to_rmse.json"
    if not given.append or not file.exists():
        return []
    races = [Race(**one) for one in json.loads(file.read_text("utf-8"))["raw"]]
    if odd := {(one.data, one.minutes) for one in races} - {(given.data, given.minutes)}:
        raise SystemExit(f"error: --append: {file.name} holds races over {sorted(odd)} (data, minutes)")
    return races


def tables(races: Sequence[Race]) -> list[Table]:
    """Make the tables; every contender has a row."""
    names = [name for name in CONTENDERS if any(one.contender == name for one in races)]
    factors = [factor_table(races, names, base) for base in ("ours", "ours-auto") if base in names]
    return [reach_table(races, names), *factors, equal_time_table(races, names)]


def wanted_of(races: Sequence[Race]) -> dict[str, dict[int, float]]:
    """Give the targets: by seed, so much above the best that was found on the course's features."""
    there = [one for one in races if one.contender not in OTHER_JOBS]
    return {text: targets(there or races, share) for text, share in ABOVE.items()}


def reach_table(races: Sequence[Race], names: Sequence[str]) -> Table:
    """Show the seconds until each target."""
    limit = 60 * races[0].minutes
    wanted = wanted_of(races)
    rows = [
        [
            CONTENDERS[name].label,
            *(arrival_text(arrivals(races, name, goal), limit) for goal in wanted.values()),
            sum(one.contender == name for one in races),
        ]
        for name in names
    ]
    return Table(
        f"Seconds to an rmse of so much above the best found on the course's features, of {limit:.0f}",
        ["", *ABOVE, "seeds"],
        rows,
        ["The best is taken per seed. Median over the seeds (range); '>': not reached in time."],
    )


def factor_table(races: Sequence[Race], names: Sequence[str], base: str) -> Table:
    """Show how many times longer than one of ours the others took."""
    wanted = wanted_of(races)
    rows = [
        [
            CONTENDERS[name].label,
            *(slower(races, name, base, goal) for goal in wanted.values()),
            slower(races, name, base, own_best(races, name)),
        ]
        for name in names
        if name != base
    ]
    return Table(
        f"How many times longer than {CONTENDERS[base].label} they took to the same rmse",
        ["", *ABOVE, "to the best they found"],
        rows,
        [
            "Median over the seeds of their seconds divided by its seconds.",
            "'>': they did not arrive in time, so at least; '<': it did not, so at most; a dash: nobody did.",
        ],
    )


def equal_time_table(races: Sequence[Race], names: Sequence[str]) -> Table:
    """Show what each had found at the same times, and what it used."""
    shares = {1 / 4: "a quarter", 1 / 2: "half", 1.0: "all"}
    rows = [
        [
            CONTENDERS[name].label,
            *(spread(median_best(races, name, share), 5) for share in shares),
            pace(races, name),
            spread([one.cpu_seconds for one in races if one.contender == name]),
        ]
        for name in names
    ]
    return Table(
        "Best rmse at equal wall time",
        ["", *(f"after {text} of the time" for text in shares.values()), "trials per minute", "CPU, s"],
        rows,
        ["Validation rmse; for the trips in minutes of their duration. Median over the seeds (range)."],
    )


def show(races: Sequence[Race], given: argparse.Namespace, quiet: bool = False) -> None:
    """Publish the tables and the plot of what has been run."""
    given.out.mkdir(parents=True, exist_ok=True)
    plot(races, given.out / "time_to_rmse.png")
    publish(
        "time_to_rmse",
        str(__doc__).partition("\n\n")[2].strip(),
        tables(races),
        [asdict(one) for one in races],
        packages=PEERS,
        folder=given.out,
        images=["time_to_rmse.png"],
        quiet=quiet,
    )


def plot(races: Sequence[Race], file: Path) -> None:
    """Draw the best rmse so far over wall time: a colour for each contender, a line for each seed."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    names = [name for name in CONTENDERS if any(one.contender == name for one in races)]
    colours: dict[str, Any] = {name: f"C{index}" for index, name in enumerate(names)}
    for name in names:
        axes.plot([], [], color=colours[name], label=CONTENDERS[name].label)
    for one in races:
        if one.series:
            points = [*one.series, (one.seconds, one.best)]
            axes.step(*zip(*points, strict=True), where="post", color=colours[one.contender], linewidth=1)
    axes.set(xlabel="seconds since the start", ylabel="best rmse so far", xscale="log")
    ends = [one.best for one in races if one.series] or [1.0]
    axes.set_ylim(0.99 * min(ends), 1.03 * max(ends))  # the first trials may lie far above
    figure.legend(frameon=False, loc="outside upper center", ncols=2)
    figure.savefig(file, dpi=120)
    plt.close(figure)


def options() -> argparse.Namespace:
    """Read the command line."""
    given = parser(__doc__)
    given.add_argument("--minutes", type=float, default=10.0, help="for each contender and seed")
    given.add_argument("--seeds", type=numbers, default=[1, 2, 3], metavar="S,S", help="of the searches")
    given.add_argument("--only", default=USUAL, metavar="A,B", help=f"of {', '.join(CONTENDERS)}")
    given.add_argument("--data", choices=DATA, default="green-taxi", help="to train on")
    given.add_argument("--trials", type=int, default=100_000, help="at most, where time is not over first")
    given.add_argument("--append", action="store_true", help="keep what was run before, run what is missing")
    return given.parse_args()


def numbers(text: str) -> list[int]:
    """Read whole numbers between commas."""
    return [int(word) for word in text.split(",")]


def main() -> None:
    """Run what is missing, print and publish."""
    given = options()
    require([given.data])
    races = earlier(given)
    run_races(given, races)
    show(races, given)


if __name__ == "__main__":
    main()
