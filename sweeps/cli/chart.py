"""Curves in a terminal, drawn with letters: no colour is needed to tell them apart."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from sweeps.wording import figures

HEIGHT = 12
EARLY = 0.25
"""Of a curve's length to this power: what came before is cut off at the top."""

SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Steps = Sequence[tuple[int, float]]
"""Pairs of a place, ascending, and the figure from there on."""


class Curve(NamedTuple):
    """What one letter draws."""

    steps: Steps
    last: int
    """The place where it ends."""


def chart(curves: Sequence[Curve], width: int, *, begin: int = 1, log: bool = True) -> list[str]:
    """Draw curves that hold each figure until the next; where two meet stands ``*``.

    Args:
        curves: one for each letter.
        width: columns in all.
        begin: the first place.
        log: whether places are spread by their logarithm.

    Returns:
        Lines: the chart, then the axis with its first, middle and last place.
    """
    end = max(curve.last for curve in curves)
    low, high = _limits(curves, begin, end)
    labels = figures([high, (low + high) / 2, low])
    if any(value > high for curve in curves for _, value in curve.steps):
        labels[0] = f"≥ {labels[0]}"
    margin = max(map(len, labels)) + 2
    places = _places(begin, end, max(width - margin, 10), log=log)
    rows = [[" "] * len(places) for _ in range(HEIGHT)]
    for sign, curve in zip(SIGNS, curves, strict=False):
        for column, value in enumerate(_sampled(curve, places)):
            if value is not None:
                row = rows[_row(value, low, high)]
                row[column] = sign if row[column] in (" ", sign) else "*"
    named = dict(zip((0, HEIGHT // 2, HEIGHT - 1), labels, strict=True))
    lines = [f"{named.get(n, ''):>{margin - 2}} ┤{''.join(row)}".rstrip() for n, row in enumerate(rows)]
    return [*lines, *_axis(places, margin)]


def _limits(curves: Sequence[Curve], begin: int, end: int) -> tuple[float, float]:
    """Give the lowest figure, and the highest that matters: the first ones of a curve dwarf all others."""
    early = [max(begin, 1), round((end - begin + 1) ** EARLY) + begin]
    lows = [value for curve in curves for _, value in curve.steps]
    highs = [v for curve in curves for v in _sampled(curve, early)[1:] if v is not None]
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _places(begin: int, end: int, width: int, *, log: bool) -> list[int]:
    width = min(width, max(end - begin + 1, 2))
    shares = [column / (width - 1) for column in range(width)]
    if not log or begin < 1:
        return [round(begin + share * (end - begin)) for share in shares]
    return [round(begin * (end / begin) ** share) for share in shares]


def _sampled(curve: Curve, places: Sequence[int]) -> list[float | None]:
    values, position, now = list[float | None](), 0, None
    for place in places:
        while position < len(curve.steps) and curve.steps[position][0] <= place:
            now = curve.steps[position][1]
            position += 1
        values.append(now if place <= curve.last else None)
    return values


def _row(value: float, low: float, high: float) -> int:
    return min(max(math.floor((high - value) / (high - low) * (HEIGHT - 1) + 0.5), 0), HEIGHT - 1)


def _axis(places: Sequence[int], margin: int) -> list[str]:
    width = len(places)
    line = [" "] * (width + 12)
    for column in (0, width // 2, width - 1):
        text = f"{places[column]:,}"
        begin = max(0, min(column - len(text) // 2, width - len(text)))
        if not "".join(line[max(begin - 1, 0) : begin + len(text) + 1]).strip():
            line[begin : begin + len(text)] = text
    return [f"{'':{margin - 1}}└{'─' * width}", f"{'':{margin}}{''.join(line).rstrip()}"]
