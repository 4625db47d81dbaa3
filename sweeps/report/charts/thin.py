"""Fewer trials where a chart would be too crowded or too heavy."""

from collections.abc import Sequence

from sweeps.analysis.figures import Figures

MOST_POINTS = 2000
MOST_LINES = 240
MOST_CURVES = 40


def thinned(figures: Figures, rows: Sequence[int], most: int) -> list[int]:
    """Keep the best third and an even choice of the others, by rank.

    Args:
        figures: the trials.
        rows: of those that could be shown.
        most: to keep.
    """
    wanted = set(rows)
    ranked = [row for row in figures.order if row in wanted]
    if len(ranked) <= most:
        return ranked
    best, rest = ranked[: most // 3], ranked[most // 3 :]
    step = len(rest) / (most - len(best))
    return [*best, *(rest[int(i * step)] for i in range(most - len(best)))]


def thin_note(shown: int, of: int, what: str = "trials") -> str:
    """Say that some are left out; empty where none is."""
    return (
        ""
        if shown >= of
        else f"Of {of:,} {what} {shown:,} are drawn: the best ones and an even choice of the rest."
    )
