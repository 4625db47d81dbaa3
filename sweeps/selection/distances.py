"""How far two samples are apart, as a share of rows, and whether chance explains it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_EXPECTED = 5.0
"""Rows of a category to be expected in the smaller sample; rarer ones are taken together."""
FEWEST_OF_THE_REST = 1.0
KOLMOGOROV = math.sqrt(math.pi / 2) * math.log(2)
"""Mean of Kolmogorov's distribution."""


@dataclass(frozen=True)
class Distance:
    """Between two samples."""

    distance: float
    """Share of rows that would have to be others, at least."""
    by_chance: float
    """What it would be on average if nothing differed."""
    p: float
    """How often chance alone gives such a distance."""

    @property
    def beyond_chance(self) -> float:
        """What is left of the distance without chance: the two add up as squares do."""
        return math.sqrt(max(0.0, self.distance**2 - self.by_chance**2))


def kolmogorov_smirnov(
    values: NDArray[np.float64], known: NDArray[np.float64]
) -> tuple[Distance, float, bool]:
    """Compare two samples of numbers by the two-sample test of Kolmogorov and Smirnov.

    Ties make its p larger than it need be, never smaller.

    Returns:
        The distance, the place where the distribution functions differ most, and whether ``values`` are the
        higher ones there.
    """
    from scipy.stats import ks_2samp

    found = ks_2samp(values, known, method="asymp")
    by_chance = KOLMOGOROV * math.sqrt(1 / len(values) + 1 / len(known))
    distance = Distance(float(found.statistic), by_chance, float(found.pvalue))
    return distance, float(found.statistic_location), int(found.statistic_sign) < 0


def total_variation(counts: NDArray[np.int64]) -> Distance:
    """Compare two samples of categories: half the sum of the differences of shares, and a chi-square test.

    Args:
        counts: of each category in both samples, (2, categories).
    """
    groups = lumped(counts)
    rows = groups.sum(axis=1)
    shares, pooled = groups / rows[:, None], groups.sum(axis=0) / groups.sum()
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / rows[0] + 1 / rows[1]))
    return Distance(distance, float(spread.sum() / math.sqrt(2 * math.pi)), _p(groups))


def between_shares(here: int, rows: int, there: int, known: int, *, only_more: bool = False) -> Distance:
    """Compare the share of some rows in two samples.

    Args:
        here: how many of ``rows`` they are.
        rows: of the one sample.
        there: how many of ``known`` they are.
        known: rows of the other sample.
        only_more: whether a smaller share here is no distance.
    """
    if only_more and here / rows <= there / known:
        return Distance(0.0, 0.0, 1.0)
    return total_variation(np.array([[here, rows - here], [there, known - there]]))


def lumped(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take rare categories together, (2, groups): of a few rows no share is known."""
    counts = counts[:, counts.sum(axis=0) > 0]
    smaller = counts.sum(axis=1).min() / counts.sum()
    expected = counts.sum(axis=0) * smaller
    rare = expected < FEWEST_EXPECTED
    if not rare.any() or counts.shape[1] <= 2:
        return counts
    kept, rest = counts[:, ~rare], counts[:, rare].sum(axis=1, keepdims=True)
    if kept.shape[1] > 1 and rest.sum() * smaller < FEWEST_OF_THE_REST:
        kept[:, [int(np.argmin(kept.sum(axis=0)))]] += rest
        return kept
    return np.hstack([kept, rest])


def _p(groups: NDArray[np.int64]) -> float:
    """Chi-square, or Fisher's exact test where a table of four has few rows in a cell."""
    from scipy.stats import chi2_contingency, fisher_exact

    if groups.shape[1] < 2:
        return 1.0
    least = groups.sum(axis=0).min() * groups.sum(axis=1).min() / groups.sum()
    if groups.shape[1] == 2 and least < FEWEST_EXPECTED:
        return float(fisher_exact(groups).pvalue)
    return float(chi2_contingency(groups, correction=False).pvalue)
