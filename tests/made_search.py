"""Sweeps of a known landscape, made in memory: what explanations, next spaces and reports are tested on."""

import math
from pathlib import Path

import numpy as np

from sweeps.ranges import Option, Range
from sweeps.record import Finalist, ModelVersion, Predictions, SweepRecord
from sweeps.selection import pick
from sweeps.trial import Finished, Outcome, Proposal, State, Trial

SOURCE = '''"""Two families, made for tests."""

from math import log

from hyperopt import hp
from hyperopt.pyll import scope
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

SPACE = hp.choice(
    "model",
    [
        {
            "model": HistGradientBoostingRegressor,
            # The step of each tree.
            "learning_rate": hp.loguniform("rate", log(0.01), log(0.1)),
            "max_depth": scope.int(hp.quniform("depth", 2, 12, 1)),
            "l2_regularization": hp.uniform("l2", 0, 1),
        },
        {"model": Ridge, "alpha": hp.loguniform("alpha", log(0.001), log(1000))},
    ],
)
'''

OPTIONS = (
    Option("HistGradientBoostingRegressor", "HistGradientBoostingRegressor", True),
    Option("Ridge", "Ridge", True),
)
RANGES = [
    Range("model", "choice", options=OPTIONS),
    Range("rate", "loguniform", 0.01, 0.1, branch=(("model", 0),)),
    Range("depth", "quniform", 2, 12, 1, branch=(("model", 0),)),
    Range("l2", "uniform", 0, 1, branch=(("model", 0),)),
    Range("alpha", "loguniform", 0.001, 1000, branch=(("model", 1),)),
]
SETTINGS = {
    "space": "two_families",
    "data": {"name": "diabetes", "target": None},
    "stop": {"trials": 300, "seconds": None},
    "seed": 7,
    "algo": "tpe",
    "prune": "asha",
    "workers": 2,
}


def search(trials: int, seed: int = 7, name: str = "searched") -> SweepRecord:
    """A sweep of two families: boosting is better, the faster it learns; deep trees fail; some are pruned.

    The true optimum of ``rate`` lies above its range; ``l2`` does nothing.
    """
    rng = np.random.default_rng(seed)
    made = [_finished(number, rng) for number in range(trials)]
    best = sorted((t for t in made if t.outcome.state is State.COMPLETE), key=lambda t: t.outcome.rmse or 0)[
        :5
    ]
    finalists = [_finalist(t, rank) for rank, t in enumerate(best)]
    return SweepRecord(
        run_id="b7" + "0" * 30, name=name, experiment="diabetes", experiment_id="1", state="COMPLETE",
        started=1000.0, ended=1000.0 + 1.1 * trials, settings={**SETTINGS, "stop": {"trials": trials}},
        trials=made, finalists=finalists,
        model=ModelVersion("diabetes-regressor", 1, "champion", "the first version of this model"),
        extra={"overhead": 0.02, "space": "two_families", "data": "diabetes"}, ranges=RANGES,
        predictions=_predictions(pick(finalists).number, rng) if best else None,
    )  # fmt: skip


def _finished(number: int, rng: np.random.Generator) -> Finished:
    point = _point(rng)
    start = 1000.0 + 1.1 * (number // 2 * 2) + (number % 2) * 0.3
    outcome = _outcome(point, rng)
    return Finished(
        Trial(Proposal(number, point, _params(point), number), f"{number:032x}", start), outcome, start + 1.6
    )


def _point(rng: np.random.Generator) -> dict[str, float | int]:
    if rng.random() < 0.3:
        return {"model": 1, "alpha": float(math.exp(rng.uniform(math.log(0.001), math.log(1000))))}
    rate = float(math.exp(rng.uniform(math.log(0.01), math.log(0.1))))
    return {"model": 0, "rate": rate, "depth": float(rng.integers(2, 13)), "l2": float(rng.random())}


def _params(point: dict[str, float | int]) -> dict[str, object]:
    if point["model"] == 1:
        return {"model": "Ridge", "alpha": point["alpha"]}
    rest = {"max_depth": int(point["depth"]), "l2_regularization": point["l2"]}
    return {"model": "HistGradientBoostingRegressor", "learning_rate": point["rate"], **rest}


def rmse_at(point: dict[str, float | int]) -> float:
    """The landscape, without its noise."""
    if point["model"] == 1:
        return 58.0 + 0.1 * (math.log10(point["alpha"]) - 0.5) ** 2
    return 53.0 + 3.0 * (math.log10(0.2) - math.log10(point["rate"])) ** 2 + 0.08 * (point["depth"] - 5) ** 2


def _outcome(point: dict[str, float | int], rng: np.random.Generator) -> Outcome:
    if point.get("depth", 0) >= 11:
        return Outcome(State.FAILED, error="Traceback\nMemoryError: the tree is too deep")
    rmse = rmse_at(point) + 0.15 * float(rng.standard_normal())
    curve = tuple((step, rmse + 12 * math.exp(-step / 6)) for step in range(0, 40, 2))
    if rmse > 58.4:
        return Outcome(State.PRUNED, error="stopped at step 9: it did not survive the rung", curve=curve[:5])
    return Outcome(State.COMPLETE, rmse, {"mae": rmse * 0.8, "r2": 0.4, "fit_seconds": 0.4}, curve=curve)


def _finalist(finished: Finished, rank: int) -> Finalist:
    rmse = finished.outcome.rmse or 0.0
    test = rmse * 1.04 + 0.1 * (1 - rank)
    return Finalist(finished.number, rmse, test, test - 4.5, test + 4.9, 0.4 if rank else 0.3)


def _predictions(trial: int, rng: np.random.Generator) -> Predictions:
    true = rng.uniform(30, 340, 89)
    predicted = 150 + 0.5 * (true - 150) + 40 * rng.standard_normal(89)
    return Predictions(trial, "test", 89, list(range(89)), true.round(1).tolist(), predicted.tolist())


def write_store(folder: Path, made: SweepRecord) -> tuple[str, str]:
    """Write the sweep to a new SQLite store in a folder; give the store's URI and the sweep's run id."""
    from sweeps.tracking.change import Entry
    from sweeps.tracking.store import open_store
    from sweeps.tracking.writer import Origin, SweepWriter

    uri = f"sqlite:///{folder / 'mlflow.db'}"
    origin = Origin("two_families", SOURCE, "d" * 64, "diabetes", "e" * 36, ranges=made.ranges)
    writer = SweepWriter.open(
        open_store(uri), made.experiment, made.name, settings=made.settings, origin=origin
    )
    for start in range(0, len(made.trials), 500):
        batch = made.trials[start : start + 500]
        writer.write([Entry(t.trial.proposal, t.trial.started, t.outcome, t.ended) for t in batch])
    writer.log_finalists(made.finalists)
    if made.predictions is not None:
        writer.log_predictions(made.predictions)
    writer.close("COMPLETE", metrics={"overhead": 0.02})
    return uri, writer.run_id
