"""Record the tables: ``python -m benchmarks.recorded.record [NAME ...]``.

Trains 2048 points of one XGBoost space (``space.py``) on each data set, one thread each: about ten minutes
of one core. The points are a scrambled Sobol sequence: random, but without holes and clusters. Each trial
has its own seed, as in a sweep, stops early after 30 rounds without a better validation rmse, and is kept
with its curve at 40 log-spaced rounds, the number of rounds it took, its best rmse and the CPU seconds of its
training.

- ``diabetes``: scikit-learn's, 295 rows to train on and 147 to validate. Noisy: a few dozen rounds are
  enough, and the best point is as much luck as merit.
- ``friedman``: ``make_friedman1``, 2000 and 1000 rows, 10 features of which 5 matter, noise 2. Smooth: slow
  learning rates win after hundreds of rounds, so that the curves cross.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.recorded.space import LABELS, MOST_ROUNDS, PATIENCE, ROUNDS, params_at

FOLDER = Path(__file__).parent
NAMES = ("diabetes", "friedman")
POINTS = 2048


class _Trial(NamedTuple):
    curve: np.ndarray
    rounds: int
    best: float
    seconds: float


def record(name: str, points: int = POINTS, folder: Path = FOLDER) -> Path:
    """Train the points on a data set and write ``folder/name.npz``.

    The file holds ``unit`` (points, 6), ``curves`` (points, 40; NaN once the trial had stopped), ``rounds``,
    ``best`` and ``seconds`` (points,).
    """
    from scipy.stats import qmc

    matrices = _matrices(name)
    unit = qmc.Sobol(len(LABELS), seed=0).random(points)
    trials = [_train(matrices, place, seed) for seed, place in enumerate(unit)]
    path = folder / f"{name}.npz"
    np.savez_compressed(
        path,
        unit=unit.astype(np.float32),
        curves=np.array([t.curve for t in trials], np.float32),
        rounds=np.array([t.rounds for t in trials], np.int16),
        best=np.array([t.best for t in trials], np.float32),
        seconds=np.array([t.seconds for t in trials], np.float32),
    )
    return path


def _matrices(name: str) -> tuple[object, object]:
    """Training and validation rows: two thirds and one third, drawn once."""
    import xgboost
    from sklearn.datasets import load_diabetes, make_friedman1

    made = {"n_samples": 3000, "n_features": 10, "noise": 2.0, "random_state": 0}
    X, y = load_diabetes(return_X_y=True) if name == "diabetes" else make_friedman1(**made)
    order = np.random.default_rng(0).permutation(len(y))
    valid, train = np.split(order, [len(y) // 3])
    return tuple(xgboost.DMatrix(X[rows], y[rows], nthread=1) for rows in (train, valid))


def _train(matrices: tuple[object, object], unit: np.ndarray, seed: int) -> _Trial:
    import xgboost

    train, valid = matrices
    log: dict[str, dict[str, list[float]]] = {}
    started = time.thread_time()
    xgboost.train(
        {**params_at(unit), "nthread": 1, "seed": seed, "eval_metric": "rmse"},
        train,
        MOST_ROUNDS,
        evals=[(valid, "valid")],
        early_stopping_rounds=PATIENCE,
        evals_result=log,
        verbose_eval=False,
    )
    seconds = time.thread_time() - started
    values = log["valid"]["rmse"]
    curve = [values[n - 1] if n <= len(values) else np.nan for n in ROUNDS]
    return _Trial(np.array(curve), len(values), min(values), seconds)


def main() -> None:
    """Record the tables that are named, by default both."""
    parser = argparse.ArgumentParser(description="Record the tables of benchmarks/recorded.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; by default both")
    for name in parser.parse_args().names or NAMES:
        started = time.process_time()
        path = record(name)
        kib, minutes = path.stat().st_size / 1024, (time.process_time() - started) / 60
        print(f"{path.name}: {POINTS} trials, {kib:.0f} KiB, {minutes:.1f} CPU minutes")


if __name__ == "__main__":
    main()
