"""Which best values sit at the edge of their range, and which range to try next.

A range is judged by its best trials (a tenth of those in which it was active, 5 to 20). It is cut off where
so many of them lie in its outer fifth as chance would put there in one of a hundred sweeps. It is too wide
where they all lie in a part of it. A hyperparameter that cannot be told from chance keeps its range.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sweeps.analysis.axes import Array, Axis
from sweeps.analysis.figures import Figures
from sweeps.analysis.importance import Importance

FEWEST = 10
OUTER = 0.2
SURE = 0.01
WIDEN = 0.5
"""Of the range, on its own scale: by how much it is moved over an edge."""
MARGIN = 0.1
NARROW = 0.6
"""A range is narrowed where the best trials and their margins take less of it."""


@dataclass(frozen=True)
class Move:
    """What to do with a range next."""

    axis: Axis
    kind: str
    """``widen``, ``narrow``, or ``keep`` where an edge is a natural bound."""
    edge: str
    """``lower`` or ``upper``; empty for one that is narrowed."""
    low: float
    high: float
    """The range to try next."""
    best: float
    """The value in the best trial."""
    near: int
    """Of the best trials that lie at the edge, or in the narrower range."""
    judged: int
    """The best trials looked at."""


def moves(figures: Figures, found: Importance | None) -> list[Move]:
    """Give the ranges that should change, or would but for a natural bound, weightiest first."""
    certain = {w.axis.label: w.certain for w in found.weights} if found else {}
    order = list(certain) or [axis.label for axis in figures.axes]
    axes = sorted(enumerate(figures.axes), key=lambda pair: order.index(pair[1].label))
    judged = (_move(figures, i, certain.get(axis.label, False)) for i, axis in axes if _is_range(axis))
    return [move for move in judged if move is not None]


def _is_range(axis: Axis) -> bool:
    return axis.bounded and not axis.options


def _move(figures: Figures, index: int, certain: bool) -> Move | None:
    active = int(np.isfinite(figures.raw[:, index]).sum())
    if active < FEWEST or not certain:
        return None
    rows = figures.best(index, min(max(5, active // 10), 20))
    axis, places = figures.axes[index], figures.places[rows, index]
    best = float(figures.raw[rows[0], index])
    for edge, near in (("upper", places >= 1 - OUTER), ("lower", places <= OUTER)):
        if _is_sure(int(near.sum()), len(rows), _share_outside(axis, edge)):
            return _widened(axis, edge, places, best, int(near.sum()))
    return _narrowed(axis, places, best)


def _share_outside(axis: Axis, edge: str) -> float:
    """How much of a range lies in its outer fifth; of one with few values more than a fifth may."""
    if not axis.q or (axis.high - axis.low) / axis.q > 50:
        return OUTER
    grid = axis.place(np.arange(axis.low, axis.high + axis.q / 2, axis.q))
    inside = grid >= 1 - OUTER if edge == "upper" else grid <= OUTER
    return float(inside.mean())


def _is_sure(near: int, judged: int, share: float) -> bool:
    """Whether chance alone puts so many there in fewer than one of a hundred sweeps (binomial)."""
    tail = sum(math.comb(judged, k) * share**k * (1 - share) ** (judged - k) for k in range(near, judged + 1))
    return tail < SURE


def _widened(axis: Axis, edge: str, places: Array, best: float, near: int) -> Move:
    start, end = max(0.0, float(places.min()) - MARGIN), min(1.0, float(places.max()) + MARGIN)
    low, high = rounded(axis, axis.value(start), axis.value(end))
    kind = "keep" if _is_natural(axis, edge) else "widen"
    if kind == "widen" and edge == "upper":
        high = rounded(axis, low, axis.value(1 + WIDEN))[1]
    elif kind == "widen":
        low = rounded(axis, _floored(axis, axis.value(-WIDEN)), high)[0]
    return Move(axis, kind, edge, low, high, best, near, len(places))


def _narrowed(axis: Axis, places: Array, best: float) -> Move | None:
    start, end = float(places.min()) - MARGIN, float(places.max()) + MARGIN
    if end - start > NARROW:
        return None
    low, high = rounded(axis, axis.value(max(0.0, start)), axis.value(min(1.0, end)))
    if low >= high or (low <= axis.low and high >= axis.high):
        return None
    return Move(axis, "narrow", "", low, high, best, len(places), len(places))


def _is_natural(axis: Axis, edge: str) -> bool:
    """Whether a bound is one of nature: a share ends at 1, a strength at 0, a count of things at 1."""
    if axis.is_log:
        return edge == "lower" and axis.q is not None and axis.low <= axis.q
    if edge == "upper":
        return axis.high == 1.0 and axis.low >= 0.0 and axis.q is None
    return axis.low in (0.0, axis.q)


def _floored(axis: Axis, low: float) -> float:
    """Keep a widened range of positive values above zero, or at one step."""
    return max(low, axis.q or 0.0) if axis.low > 0 else low


def rounded(axis: Axis, low: float, high: float) -> tuple[float, float]:
    """Round a range outwards: to multiples of ``q``, else to two digits; inwards never."""
    if axis.q:
        first, last = math.floor(low / axis.q + 1e-9), math.ceil(high / axis.q - 1e-9)
        return max(first, 1 if axis.low > 0 else first) * axis.q, last * axis.q
    step = 10.0 ** (math.floor(math.log10(high - low)) - 1) if high > low and not axis.is_log else 0.0
    if step:
        return _tidy(math.floor(low / step + 1e-9) * step), _tidy(math.ceil(high / step - 1e-9) * step)
    return _two_digits(low, math.floor), _two_digits(high, math.ceil)


def _two_digits(value: float, towards: Callable[[float], int]) -> float:
    if value <= 0:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    near = round(value / step)
    return _tidy((near if math.isclose(near * step, value) else towards(value / step)) * step)


def _tidy(value: float) -> float:
    return float(f"{value:.6g}")
