"""How figures read: every part that shows them to people writes them alike."""

import math
from collections.abc import Sequence

SPREAD = 50
"""Figures that differ by a larger factor do not share their decimals: the small ones would lose theirs."""


def figure(value: float | None, digits: int = 6) -> str:
    """Format a figure; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def figures(values: Sequence[float | None], digits: int = 6) -> list[str]:
    """Format a column of figures: with equally many decimals where they are of about one size."""
    sizes = [abs(v) for v in values if v is not None and v and math.isfinite(v)]
    if not sizes or max(sizes) >= 10**digits or max(sizes) > SPREAD * min(sizes):
        return [figure(v, digits) for v in values]
    decimals = min(max(0, digits - 1 - math.floor(math.log10(max(sizes)))), 9)
    needed = max(_decimals(v, decimals) for v in values if v is not None and math.isfinite(v))
    return [figure(v) if v is None or not math.isfinite(v) else f"{v:.{needed}f}" for v in values]


def _decimals(value: float, most: int) -> int:
    """Count the decimals of a figure that are not noughts at its end."""
    return len(f"{value:.{most}f}".rstrip("0").partition(".")[2])


def seconds(value: float | None) -> str:
    """Format a time span: ``0.4 s``, ``12 s``, ``3m 05s``, ``2h 10m``, ``3d 04h``."""
    if value is None:
        return "–"
    if value < 59.5:
        return f"{value:.1f} s" if value < 9.95 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02d}m" if hours < 72 else f"{hours // 24}d {hours % 24:02d}h"


def per_time(per_second: float | None) -> str:
    """Format a rate of trials in the unit that leaves a figure of at least 1."""
    if per_second is None:
        return "–"
    for unit, length in (("s", 1), ("min", 60), ("h", 3600)):
        if per_second * length >= 9.95:
            return f"{per_second * length:.0f} trials/{unit}"
        if per_second * length >= 1:
            return f"{per_second * length:.1f} trials/{unit}"
    return f"{per_second * 86400:.2g} trials/day"


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 trial``, ``1,200 trials``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
