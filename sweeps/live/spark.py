"""A curve in one line of text."""

from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], low: float | None = None, high: float | None = None) -> str:
    """Draw figures as bars, the lowest figure as the lowest bar; a blank where there is none.

    Args:
        values: one for each column.
        low: the figure of the lowest bar; of the values by default.
        high: the figure of the highest bar; likewise.
    """
    known = [v for v in values if v is not None]
    if not known:
        return " " * len(values)
    low, high = min(known) if low is None else low, max(known) if high is None else high
    scale = (len(BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if v is None else BARS[_level(v, low, scale)] for v in values)


def _level(value: float, low: float, scale: float) -> int:
    return min(max(round((value - low) * scale), 0), len(BARS) - 1)


def stepped(points: Sequence[tuple[int, float]], length: int, width: int) -> list[float | None]:
    """Spread a curve that holds each figure until the next over some columns.

    Args:
        points: pairs of a place, from 0, and the figure from there on; places ascending.
        length: how many places there are.
        width: most columns.

    Returns:
        The figure at the end of each column's places; None before the first point.
    """
    width = min(width, length)
    values, position, now = list[float | None](), 0, None
    for column in range(width):
        last = (column + 1) * length // width - 1
        while position < len(points) and points[position][0] <= last:
            now = points[position][1]
            position += 1
        values.append(now)
    return values
