"""The searched hyperparameters as axes: what a trial's coordinate means, and where it stands in its range."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeps.ranges import Range, by_label
from sweeps.record import SweepRecord
from sweeps.trial import Finished

Array = NDArray[np.float64]

LOG_DECADES = 2.0
"""Where no range is known, positive values over so many decades are taken for a logarithmic scale."""


@dataclass(frozen=True)
class Axis:
    """One searched hyperparameter."""

    label: str
    low: float
    high: float
    """Of the range where it is known and bounded, else of the trials."""
    is_log: bool = False
    q: float | None = None
    options: tuple[str, ...] = ()
    """Of a choice; a trial's coordinate is an index into them."""
    bounded: bool = False
    """Whether low and high are the range's own."""
    branch: tuple[tuple[str, int], ...] = ()

    def place(self, values: Array) -> Array:
        """Give where values stand in the range, 0 to 1 on its own scale; NaN stays NaN."""
        low, high = self._scaled(np.array([self.low, self.high]))
        places: Array = (self._scaled(values) - low) / (high - low if high > low else 1.0)
        return places

    def value(self, place: float) -> float:
        """Give the value at a place; the reverse of ``place``, off the grid of ``q``."""
        low, high = (float(v) for v in self._scaled(np.array([self.low, self.high])))
        found = low + place * (high - low)
        return math.exp(min(found, 700.0)) if self.is_log else found

    def text(self, value: float) -> str:
        """Show a value as a reader knows it."""
        if self.options and 0 <= value < len(self.options):
            return self.options[int(value)]
        return f"{value:.4g}"

    def _scaled(self, values: Array) -> Array:
        return np.log(np.maximum(values, 1e-300)) if self.is_log else values


def axes_of(record: SweepRecord) -> list[Axis]:
    """Give the axes of a sweep that took more than one value, in the order of its search space."""
    known = by_label(record.ranges)
    seen = dict.fromkeys(label for t in record.trials for label in t.trial.proposal.point)
    labels = [*(label for label in known if label in seen), *(label for label in seen if label not in known)]
    axes = (_axis(label, column(record.trials, label), known.get(label)) for label in labels)
    return [axis for axis in axes if axis is not None]


def column(trials: Iterable[Finished], label: str) -> Array:
    """Give the raw coordinates of a label, (trials,); NaN where it was not active."""
    points = (t.trial.proposal.point for t in trials)
    return np.array([float(point.get(label, math.nan)) for point in points])


def matrix(trials: Sequence[Finished], axes: Sequence[Axis]) -> Array:
    """Give the raw coordinates, (trials, axes)."""
    return np.stack([column(trials, axis.label) for axis in axes], axis=1)


def _axis(label: str, values: Array, known: Range | None) -> Axis | None:
    present = values[np.isfinite(values)]
    if not len(present) or present.min() == present.max():
        return None
    low, high = float(present.min()), float(present.max())
    if known is None:
        return Axis(label, low, high, is_log=_spreads(low, high, present))
    if known.options:
        texts = tuple(option.text for option in known.options)
        return Axis(label, 0, len(texts) - 1, options=texts, bounded=True, branch=known.branch)
    bounded = known.low is not None and known.high is not None
    low, high = (low if known.low is None else known.low), (high if known.high is None else known.high)
    is_log = known.is_log and low > 0
    return Axis(label, low, high, is_log, known.q, bounded=bounded, branch=known.branch)


def _spreads(low: float, high: float, values: Array) -> bool:
    whole = bool(np.all(values == np.round(values)))
    return low > 0 and not whole and math.log10(high / low) > LOG_DECADES
