"""What many draws of a space look like, one hyperparameter at a time."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.preview.branches import option_name
from sweeps.space.hyperparameters import Hyperparameter
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Point

BINS = 24


@dataclass(frozen=True)
class Marginal:
    """The values of one hyperparameter over many draws."""

    label: str
    active: float
    """The share of the draws in which it is active."""
    log: bool = False
    """Whether the bins are equally wide by magnitude."""
    low: float | None = None
    median: float | None = None
    high: float | None = None
    counts: tuple[int, ...] = ()
    """Draws in each bin from low to high; empty for a choice."""
    shares: tuple[tuple[str, float], ...] = ()
    """Of the options of a choice, in their order."""


def marginals(space: SearchSpace, draws: Sequence[Point]) -> list[Marginal]:
    """Describe every hyperparameter that any of the draws has.

    Args:
        space: where the points were drawn.
        draws: at least one; each holds the labels that are active in it.
    """
    known = {found.label: found for found in space.hyperparameters}
    values = {label: [point[label] for point in draws if label in point] for label in known}
    return [_marginal(known[label], vs, len(draws)) for label, vs in values.items() if vs]


def _marginal(found: Hyperparameter, values: Sequence[float], draws: int) -> Marginal:
    active = len(values) / draws
    if found.options:
        counted = Counter(int(value) for value in values)
        names = [option_name(found, index) for index in range(len(found.options))]
        shares = tuple((name, counted[index] / len(values)) for index, name in enumerate(names))
        return Marginal(found.label, active, shares=shares)
    low, high = float(min(values)), float(max(values))
    log = "log" in found.distribution and 0 < low < high
    counts = _count(values, low, high, log)
    return Marginal(found.label, active, log, low, float(statistics.median(values)), high, counts)


def _count(values: Sequence[float], low: float, high: float, log: bool) -> tuple[int, ...]:
    """Count the values in bins; whole numbers that are few get a bin each."""
    whole = all(value == int(value) for value in values) and high - low < BINS and not log
    if whole:
        counted = Counter(int(value) for value in values)
        return tuple(counted[number] for number in range(int(low), int(high) + 1))
    places = [_place(value, low, high, log) for value in values]
    binned = Counter(min(int(place * BINS), BINS - 1) for place in places)
    return tuple(binned[index] for index in range(BINS))


def _place(value: float, low: float, high: float, log: bool) -> float:
    """Where a value lies between the bounds, from 0 to 1."""
    if low == high:
        return 0.0
    if log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)
