"""Where failures concentrate: the one option or half-range that holds most more of them than chance would.

Fisher's exact test (one-sided, by the hypergeometric distribution) over every option of every choice and 16
cuts of every range; a finding must hold after dividing by the number of places looked at.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweeps.analysis.axes import Array, Axis, axes_of, column
from sweeps.causes import Cause, Causes
from sweeps.record import SweepRecord
from sweeps.trial import State

FEWEST = 3
CUTS = 16
SURE = 0.01


class Region(NamedTuple):
    """A part of the search space that holds failures."""

    axis: Axis
    words: str
    """Such as ``max_depth ≥ 9``."""
    failed: int
    """Of the trials in it, and how many there are."""
    trials: int
    failed_elsewhere: int
    trials_elsewhere: int
    p: float
    """Probability of so many failures there by chance, times the number of places looked at."""


class Failures(NamedTuple):
    """What went wrong, and where."""

    failed: int
    trials: int
    """That ended as COMPLETE, PRUNED or FAILED."""
    causes: list[Cause]
    """Of the FAILED trials, the commonest first."""
    region: Region | None


def failures_of(record: SweepRecord) -> Failures:
    """Group the FAILED trials by cause and find where they concentrate."""
    ended = [t for t in record.trials if t.outcome.state is not State.LOST]
    failed = np.array([t.outcome.state is State.FAILED for t in ended], dtype=bool)
    found = None
    if FEWEST <= failed.sum() < len(ended):
        found = _region([(axis, column(ended, axis.label)) for axis in axes_of(record)], failed)
    return Failures(int(failed.sum()), len(ended), Causes(ended).ranked, found)


def _region(columns: list[tuple[Axis, Array]], failed: NDArray[np.bool_]) -> Region | None:
    from scipy.stats import hypergeom

    places = [(axis, *place) for axis, values in columns for place in _places(axis, values)]
    inside = np.array([mask for _, _, mask in places])
    if not len(inside):
        return None
    sizes, hits = inside.sum(axis=1), (inside & failed).sum(axis=1)
    logs = hypergeom.logsf(hits - 1, len(failed), int(failed.sum()), sizes)  # of many trials p is 0 at once
    best = int(np.argmin(logs))
    p = float(np.exp(logs[best])) * len(places)
    if p >= SURE or hits[best] < FEWEST:
        return None
    axis, words, _ = places[best]
    size, hit = int(sizes[best]), int(hits[best])
    rest = int(failed.sum()) - hit, len(failed) - size
    return Region(axis, words, hit, size, *rest, p)


def _places(axis: Axis, values: Array) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    if axis.options:
        yield from ((f"{axis.label} = {text}", values == i) for i, text in enumerate(axis.options))
        return
    present = values[np.isfinite(values)]
    for cut in np.unique(np.quantile(present, np.linspace(0, 1, CUTS + 2)[1:-1], method="nearest")):
        yield f"{axis.label} ≥ {cut:.4g}", values >= cut
        yield f"{axis.label} ≤ {cut:.4g}", values <= cut
