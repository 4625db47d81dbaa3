"""The trials that have an rmse, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sweeps.analysis.axes import Array, Axis, axes_of, matrix
from sweeps.record import SweepRecord
from sweeps.trial import Finished, State

FENCE = 3.0
"""Interquartile ranges above the upper quartile from where a figure is wild."""


@dataclass(frozen=True)
class Figures:
    """COMPLETE trials by number, with their coordinates."""

    trials: Sequence[Finished]
    axes: Sequence[Axis]

    @cached_property
    def rmse(self) -> Array:
        """(trials,)."""
        return np.array([float(t.outcome.rmse or 0.0) for t in self.trials])

    @cached_property
    def raw(self) -> Array:
        """Raw coordinates, (trials, axes); NaN where inactive."""
        return matrix(self.trials, self.axes) if self.axes else np.empty((len(self.trials), 0))

    @cached_property
    def places(self) -> Array:
        """The same as places in the ranges, 0 to 1."""
        columns = [axis.place(self.raw[:, i]) for i, axis in enumerate(self.axes)]
        return np.stack(columns, axis=1) if columns else self.raw

    @cached_property
    def ceiling(self) -> float:
        """The rmse above which a figure is wild: far from the others, and silent on the good ones."""
        if len(self.rmse) < 5:
            return float(self.rmse.max(initial=0.0))
        low, high = np.quantile(self.rmse, (0.25, 0.75))
        return float(self.rmse[self.rmse <= high + FENCE * (high - low)].max())

    @cached_property
    def tame(self) -> Array:
        """The rmse, wild figures put down to the ceiling."""
        return np.minimum(self.rmse, self.ceiling)

    @cached_property
    def order(self) -> list[int]:
        """Rows from the lowest rmse to the highest, the earlier of equals first."""
        return [int(i) for i in np.argsort(self.rmse, kind="stable")]

    def best(self, axis: int, count: int) -> list[int]:
        """Give the rows of the best trials in which an axis is active."""
        active = [i for i in self.order if np.isfinite(self.raw[i, axis])]
        return active[:count]


def figures_of(record: SweepRecord) -> Figures:
    """Give the figures of a sweep."""
    complete = [t for t in record.trials if t.outcome.state is State.COMPLETE]
    return Figures(sorted(complete, key=lambda t: t.number), axes_of(record))
