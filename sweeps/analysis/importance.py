"""Which hyperparameters mattered: how much worse a surrogate predicts once one of them is shuffled.

Method: forests of extremely randomised trees learn the rmse from the coordinates, each on trials drawn with
replacement, and are judged on the trials that were not drawn. There one column at a time is shuffled among
the trials in which it is active, and the rise of the squared error is the column's weight. The weights of the
forests give the interval. A column of chance numbers goes through all of it: what weighs no more than that
one cannot be told from chance. Permutation importance: Breiman, Random Forests, 2001; the chance column:
Kursa and Rudnicki, Feature Selection with the Boruta Package, 2010.

A hyperparameter that is active in one branch only can matter in that branch only: its weight counts over all
trials, so that it is small where the branch is rare.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps.analysis.axes import Array, Axis
from sweeps.analysis.figures import Figures

Mask = NDArray[np.bool_]

FORESTS = 16
TREES = 24
SHUFFLES = 3
WORTH = 0.01
"""The smallest share worth a word."""
FEWEST = 20
"""COMPLETE trials below which nothing is said."""
MOST = 1500
"""COMPLETE trials learned from; of more the best and a sample of the others are taken."""
INACTIVE = 0.5
"""Stands for a place in a range that is not active: in the middle, so that only the choice tells it."""


@dataclass(frozen=True)
class Weight:
    """How much a hyperparameter mattered."""

    axis: Axis
    share: float
    """Of the weights of all, 0 to 1."""
    low: float
    high: float
    """90 % interval of the share over the forests."""
    active: float
    """Share of the trials in which it was active."""
    certain: bool
    """Whether it weighs more than chance, in nearly all forests."""


@dataclass(frozen=True)
class Importance:
    """The weights, heaviest first, and how far they can be trusted."""

    weights: tuple[Weight, ...]
    explained: float
    """Share of the variance of rmse that the forests explain on trials they have not seen; at least 0."""
    chance: float
    """Share that the column of chance numbers gets: the level of noise."""
    trials: int
    """Learned from."""


def importance(figures: Figures, seed: int = 0) -> Importance | None:
    """Weigh the hyperparameters; None where there are too few trials, or nothing varies."""
    if len(figures.trials) < FEWEST or not figures.axes or np.ptp(figures.tame) == 0:
        return None
    rng = np.random.default_rng(seed)
    rows = _sampled(figures, rng)
    X, y = encoded(figures)[rows], figures.tame[rows]
    X = np.column_stack([X, rng.random(len(X))])
    active = np.column_stack([np.isfinite(figures.raw[rows]), np.ones(len(X), dtype=bool)])
    runs = [_forest(X, y, active, rng) for _ in range(FORESTS)]
    rises = np.array([rise for rise, _ in runs if rise is not None])
    if not len(rises):
        return None
    explained = max(0.0, float(np.median([share for rise, share in runs if rise is not None])))
    shares = _shares(rises)
    weights = [_weight(figures, i, shares) for i in range(len(figures.axes))]
    ranked = tuple(sorted(weights, key=lambda w: -w.share))
    return Importance(ranked, explained, float(np.median(shares[:, -1])), len(rows))


def encoded(figures: Figures) -> Array:
    """Give the coordinates as the forests see them: places in the ranges, the middle for inactive."""
    return np.nan_to_num(figures.places, nan=INACTIVE)


def grow(X: Array, y: Array, seed: int, trees: int = TREES) -> Any:
    """Grow a forest of extremely randomised trees."""
    from sklearn.ensemble import ExtraTreesRegressor

    forest = ExtraTreesRegressor(trees, max_features=1.0, min_samples_leaf=2, random_state=seed)
    return forest.fit(X, y)


def _sampled(figures: Figures, rng: np.random.Generator) -> list[int]:
    if len(figures.order) <= MOST:
        return figures.order
    best, rest = figures.order[: MOST // 3], figures.order[MOST // 3 :]
    return [*best, *(int(i) for i in rng.choice(rest, MOST - len(best), replace=False))]


def _forest(X: Array, y: Array, active: Mask, rng: np.random.Generator) -> tuple[Array | None, float]:
    """Give the rise of the squared error by column, and the explained share; None without spare rows."""
    drawn = rng.integers(0, len(X), len(X))
    spare = np.setdiff1d(np.arange(len(X)), drawn)
    if len(spare) < 3 or np.ptp(y[drawn]) == 0 or np.ptp(y[spare]) == 0:
        return None, 0.0
    forest = grow(X[drawn], y[drawn], int(rng.integers(2**31)))
    columns = [i for i in range(X.shape[1]) for _ in range(SHUFFLES)]
    shuffled = [_shuffled(X[spare], i, np.flatnonzero(active[spare, i]), rng) for i in columns]
    predicted = forest.predict(np.vstack([X[spare], *shuffled])).reshape(-1, len(spare))
    errors = np.square(predicted - y[spare]).mean(axis=1)
    rises = errors[1:].reshape(X.shape[1], SHUFFLES).mean(axis=1) - errors[0]
    return np.maximum(rises, 0.0), 1 - errors[0] / float(np.var(y[spare]))


def _shuffled(X: Array, index: int, active: NDArray[np.intp], rng: np.random.Generator) -> Array:
    """Shuffle a column among the rows in which it is active."""
    changed = X.copy()
    changed[active, index] = X[rng.permutation(active), index]
    return changed


def _shares(rises: Array) -> Array:
    total = rises.sum(axis=1, keepdims=True)
    shares: Array = np.divide(rises, total, out=np.full_like(rises, 1 / rises.shape[1]), where=total > 0)
    return shares


def _weight(figures: Figures, index: int, shares: Array) -> Weight:
    own, chance = shares[:, index], shares[:, -1]
    low, high = (float(v) for v in np.quantile(own, (0.05, 0.95)))
    active = float(np.isfinite(figures.raw[:, index]).mean())
    certain = bool(np.mean(own > np.quantile(chance, 0.9)) >= 0.95) and float(np.median(own)) >= WORTH
    return Weight(figures.axes[index], float(np.median(own)), low, high, active, certain)
