"""A long sweep made by hand: two families, pruned, failed and lost trials, written as a real one is."""

import random
from collections.abc import Iterator
from pathlib import Path

from sweeps.environment import environment
from sweeps.tracking.change import Entry
from sweeps.tracking.store import open_store
from sweeps.tracking.writer import Origin, SweepWriter
from sweeps.trial import Outcome, Params, Proposal, State

BEGAN = 1_760_000_000.0
SETTINGS = {
    "space": "any_regressor",
    "data": {"name": "diabetes", "target": None},
    "stop": {"trials": 300, "seconds": None},
    "algo": "tpe",
    "prune": "asha",
}


def entries(trials: int, seed: int, floor: float) -> Iterator[Entry]:
    """Give trials whose rmse falls towards ``floor``."""
    draw = random.Random(seed)
    for number in range(trials):
        params = _params(draw)
        proposal = Proposal(number, {"family": number % 2}, params, seed=number)
        began = BEGAN + 2.0 * number
        yield Entry(proposal, began, _outcome(draw, number, floor), began + 1.0 + draw.random())


def _params(draw: random.Random) -> Params:
    if draw.random() < 0.3:
        return {"model": "Ridge", "alpha": 10 ** draw.uniform(-3, 2), "note": "=1+1"}
    tree = {"max_depth": draw.randint(2, 12), "learning_rate": 10 ** draw.uniform(-2, -0.5)}
    return {"model": "XGBRegressor", **tree, "objective": "reg:squarederror"}


def _outcome(draw: random.Random, number: int, floor: float) -> Outcome:
    rmse = floor + draw.expovariate(0.2) + 20 / (1 + number / 20)
    kind = draw.random()
    if kind < 0.05:
        return Outcome(State.FAILED, error=f"Traceback\nValueError: depth {draw.random():.6f} is no good")
    if kind < 0.07:
        return Outcome(State.LOST, error="worker died: signal 9")
    curve = tuple((step, rmse + 30 / (step + 1)) for step in (0, 1, 3, 7, 15, 31))
    if kind < 0.25:
        return Outcome(
            State.PRUNED, rmse + 1, {"fit_seconds": 0.5}, curve[:4], error=f"pruned at round {number % 9}"
        )
    figures = {"mae": 0.8 * rmse, "r2": 0.5, "fit_seconds": 0.9, "best_iteration": 31.0}
    return Outcome(State.COMPLETE, rmse, figures, curve)


def write_large(
    folder: Path, name: str, trials: int, *, seed: int = 0, floor: float = 50.0, data_digest: str = "e" * 36
) -> str:
    """Write such a sweep to the SQLite store of a folder; give its run id."""
    store = open_store(f"sqlite:///{folder / 'mlflow.db'}")
    names = "any_regressor", "SPACE = {}\n", "d" * 64, "diabetes", data_digest
    origin = Origin(*names, environment=environment(1))
    settings = {**SETTINGS, "seed": seed, "stop": {"trials": trials, "seconds": None}}
    writer = SweepWriter.open(store, "diabetes", name, settings=settings, origin=origin)
    made = list(entries(trials, seed, floor))
    for begin in range(0, trials, 500):
        writer.write(made[begin : begin + 500])
    writer.close("COMPLETE", metrics={"overhead": 0.02})
    return writer.run_id
