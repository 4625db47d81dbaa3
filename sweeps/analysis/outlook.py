"""Whether more trials are likely to help, and how sure that is.

Method: peaks over threshold. The best 30 % of the later half of the trials (those the searcher proposes now)
are taken for a sample of the tail from which further trials come. A generalised Pareto distribution is fitted
to how far they lie under the rest: by Bayes' rule on a grid of shapes, from a tail that thins out like an
exponential to one that ends abruptly, and of scales, all equally probable at first. Each of them says how
probable a trial is that beats the best by half a percent; together they say how sure that is. It takes the
searcher to go on as it does: one that is about to find a new region does better, one that repeats itself
worse. (Coles, An Introduction to Statistical Modeling of Extreme Values, 2001, chapters 4 and 9.)
"""

from dataclasses import dataclass

import numpy as np

from sweeps.analysis.axes import Array
from sweeps.analysis.figures import Figures

FEWEST = 20
TAIL = 0.3
GAIN = 0.005
"""The smallest gain worth having, as a share of the best rmse."""
LIKELY, UNLIKELY = 0.6, 0.2
SHAPES = np.linspace(0.01, 1.0, 34)
"""From the exponential to the uniform distribution; a smooth optimum in d dimensions has 2 / d."""
SCALES = np.exp(np.linspace(-1.5, 2.0, 71))
"""As multiples of the mean excess."""


@dataclass(frozen=True)
class Outlook:
    """What as many trials again would bring."""

    trials: int
    """So many more are meant."""
    seconds: float
    """That they take, at the pace so far."""
    chance: float
    """That one of them has an rmse at least half a percent under the best."""
    low: float
    high: float
    """90 % interval of the chance."""
    last_gain: int
    """Number of the trial that last lowered the best rmse by half a percent."""
    since: int
    """Trials with an rmse after that one."""

    @property
    def verdict(self) -> str:
        """``likely``, ``open`` or ``unlikely``.

        In simulated searches with smooth and noisy optima the half with a chance under 0.3 gained in 1 case
        of 5, those with more than 0.5 in 2 of 5: the chance leans to optimism where it is high.
        """
        if self.chance >= LIKELY:
            return "likely"
        return "unlikely" if self.chance < UNLIKELY else "open"


def outlook(figures: Figures, ended: int, seconds: float) -> Outlook | None:
    """Judge whether as many trials again would help; None where fewer than 20 have an rmse.

    Args:
        figures: the COMPLETE trials.
        ended: trials that ended in any way: the next ones fail and are pruned as these did.
        seconds: that they took.
    """
    y = figures.rmse
    if len(y) < FEWEST:
        return None
    recent, target = y[-max(FEWEST, len(y) // 2) :], float(y.min()) - GAIN * abs(float(y.min()))
    low, chance, high = tail_chance(np.sort(recent), target, len(y))
    last = _last_gain(y)
    numbers = [t.number for t in figures.trials]
    return Outlook(ended, seconds, chance, low, high, numbers[last], len(y) - 1 - last)


def tail_chance(ascending: Array, target: float, more: int) -> tuple[float, float, float]:
    """Give the probability that one of ``more`` further figures lies at or under a target.

    Args:
        ascending: figures known, (figures,), ascending.
        target: under all of them.
        more: how many are to come.

    Returns:
        The 5 % quantile, the mean and the 95 % quantile of the posterior; the mean is the probability.
    """
    count = max(5, int(TAIL * len(ascending)))
    threshold = float(ascending[count])
    excess = threshold - ascending[:count]
    if not excess.mean() > 0:
        return 0.0, 0.0, 0.0
    shapes, scales = (grid.ravel() for grid in np.meshgrid(SHAPES, SCALES * excess.mean()))
    weights = _likelihood(excess, shapes, scales)
    beyond = np.maximum(1 - shapes * (threshold - target) / scales, 0.0) ** (1 / shapes)
    chances = 1 - (1 - count / len(ascending) * beyond) ** more
    order = np.argsort(chances)
    reached = np.cumsum(weights[order])
    low, high = (float(chances[order[np.searchsorted(reached, q)]]) for q in (0.05, 0.95))
    return low, float((weights * chances).sum()), high


def _likelihood(excess: Array, shapes: Array, scales: Array) -> Array:
    """Give the posterior weight of each pair of shape and scale; they sum up to just over 1."""
    inside = 1 - np.outer(shapes / scales, excess)
    logs = np.log(np.where(inside > 0, inside, 1e-300)).sum(axis=1) * (1 / shapes - 1)
    logs -= len(excess) * np.log(scales)
    logs[(inside <= 0).any(axis=1)] = -np.inf
    weights: Array = np.exp(logs - logs.max())
    weights *= (1 + 1e-9) / weights.sum()
    return weights


def _last_gain(y: Array) -> int:
    best, last = float(y[0]), 0
    for i, value in enumerate(y):
        if value < best - GAIN * abs(best):
            best, last = float(value), i
    return last
