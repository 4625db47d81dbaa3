"""Is one model better than another on the same rows, or was it luck? A paired bootstrap of squared errors."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
MOST_GROUPS = 2048
"""Of more rows random groups are resampled: the spread of a mean is the same, the time is not."""
AT_ONCE = 512
"""Resamples drawn together; bounds the memory."""

Errors = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Challenger and champion on the same rows; a positive gain is in favour of the challenger."""

    rows: int
    rmse: float
    """The challenger's."""
    rival_rmse: float
    """The champion's."""
    low: float
    """Lower end of the interval of the gain in rmse."""
    high: float
    probability: float
    """That the challenger is better: the share of resamples in which it was."""
    confidence: float
    resamples: int

    @property
    def gain(self) -> float:
        """By how much the challenger's rmse is lower."""
        return self.rival_rmse - self.rmse


def compare(
    squared: Errors,
    rival_squared: Errors,
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two models by their squared errors on the same rows.

    Rows are drawn with replacement, both errors of a row together, which takes out how hard a row is. The
    percentile interval is widened for few rows as a t interval is (T. Hesterberg, What Teachers Should Know
    About the Bootstrap, The American Statistician 69, 2015).

    Args:
        squared: of the challenger, (rows,).
        rival_squared: of the champion, (rows,), of the same rows in the same order.
        confidence: of the two-sided interval.
        resamples: how many.
        seed: of the draws.

    Raises:
        ValueError: the errors are not of the same rows, or there are fewer than two.
    """
    if squared.shape != rival_squared.shape or squared.size < 2:
        raise ValueError(f"errors of the same rows are needed, got {squared.shape} and {rival_squared.shape}")
    draw = np.random.default_rng(seed)
    pairs = grouped(np.stack([squared, rival_squared]), draw)
    gains = _resampled(pairs, resamples, draw)
    low, high = np.quantile(gains, _tails(confidence, squared.size))
    better = float(np.mean(gains > 0) + np.mean(gains == 0) / 2)
    own, rival = (float(np.sqrt(np.mean(errors))) for errors in (squared, rival_squared))
    return Comparison(squared.size, own, rival, float(low), float(high), better, confidence, resamples)


def seed_of(digest: str) -> int:
    """Give a seed from the digest of rows: the same rows are drawn the same way, whoever judges."""
    return int(digest[:8] or "0", 16)


def grouped(squared: Errors, draw: np.random.Generator) -> Errors:
    """Give means of random groups of rows, (models, groups); the rows themselves where they are few."""
    models, rows = squared.shape
    if rows <= MOST_GROUPS:
        return squared
    size = -(-rows // MOST_GROUPS)
    whole = draw.permutation(rows)[: rows // size * size]
    return np.asarray(squared[:, whole].reshape(models, -1, size).mean(axis=2))


def _resampled(pairs: Errors, resamples: int, draw: np.random.Generator) -> Errors:
    """Give the gain in rmse of each resample, (resamples,)."""
    columns = pairs.shape[1]
    gains = np.empty(resamples)
    for start in range(0, resamples, AT_ONCE):
        times = min(AT_ONCE, resamples - start)
        picked = draw.integers(columns, size=(times, columns))
        own, rival = (np.sqrt(errors[picked].mean(axis=1)) for errors in pairs)
        gains[start : start + times] = rival - own
    return gains


def _tails(confidence: float, rows: int) -> tuple[float, float]:
    """Give the two quantiles of the widened interval."""
    from scipy.stats import norm, t

    tail = (1 - confidence) / 2
    low = float(norm.cdf(np.sqrt(rows / (rows - 1)) * t.ppf(tail, rows - 1)))
    return low, 1 - low
