"""Histograms in one line of text."""

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = ".:-=+*%#"
BAR = 10


def histogram(counts: Sequence[int], *, utf8: bool) -> str:
    """Draw counts as a row of bars, the highest full; a blank is none at all."""
    signs, most = BLOCKS if utf8 else ASCII, max(counts, default=0)
    top = len(signs) - 1
    return "".join(signs[round(top * count / most)] if count else " " for count in counts)


def coarser(counts: Sequence[int], most: int) -> list[int]:
    """Join neighbours until no more than so many bins are left."""
    joined = list(counts)
    while len(joined) > most:
        joined = [sum(joined[i : i + 2]) for i in range(0, len(joined), 2)]
    return joined


def bar(share: float, *, utf8: bool) -> str:
    """Draw a share as a bar; any share at all is seen."""
    return ("█" if utf8 else "#") * max(round(BAR * share), 1)


def size(count: float) -> str:
    """Format bytes: ``540 kB``, ``12 MB``."""
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= bytes_:
            return f"{count / bytes_:.3g} {unit}"
    return f"{count:.0f} B"
