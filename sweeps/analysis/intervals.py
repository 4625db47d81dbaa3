"""How sure a test rmse is: a bootstrap of the test rows, the same draws for all finalists."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
MOST_GROUPS = 2000
"""More rows are put into so many random groups, which are drawn instead of rows: as good, and fast."""


class Judged(NamedTuple):
    """What the bootstrap says of one finalist."""

    low: float
    high: float
    wins: float
    """Share of the draws on which it has the lowest rmse; equals share a win."""


def bootstrap(squared: Sequence[NDArray[np.float64]], seed: int = 0) -> list[Judged]:
    """Give the 95 % interval of the rmse of several models on the same rows, and how often each is the best.

    Rows are drawn with replacement. That answers for the rows, not for the luck of the search. The finalists
    were chosen on other rows, which flatters none of them here. The winner among them is chosen on these very
    rows: its rmse and its interval are somewhat too low, by what ``selection.optimism`` estimates.

    Args:
        squared: for each model its squared errors, (rows,); at least one row.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    grouped, sizes = _groups(np.stack(squared, axis=1), rng)
    drawn = rng.integers(0, len(sizes), (RESAMPLES, len(sizes)))
    rows = sizes[drawn].sum(axis=1)
    figures = np.stack([np.sqrt(column[drawn].sum(axis=1) / rows) for column in grouped.T], axis=1)
    best = figures == figures.min(axis=1, keepdims=True)
    wins = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    bounds = np.quantile(figures, (0.025, 0.975), axis=0)
    return [Judged(float(low), float(high), float(won)) for low, high, won in zip(*bounds, wins, strict=True)]


def _groups(
    squared: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum the squared errors in random groups, (groups, models), with the groups' sizes."""
    rows = len(squared)
    if rows <= MOST_GROUPS:
        return squared, np.ones(rows)
    group = rng.permutation(np.arange(rows) % MOST_GROUPS)
    sums = [np.bincount(group, column, MOST_GROUPS) for column in squared.T]
    return np.stack(sums, axis=1), np.bincount(group, minlength=MOST_GROUPS).astype(float)
