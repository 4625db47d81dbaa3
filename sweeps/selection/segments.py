"""Is the challenger worse than the champion somewhere, though better on the whole?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_ROWS = 30
"""Segments of fewer rows say nothing; they are told as one, ``the rest``."""


@dataclass(frozen=True)
class Segment:
    """Rows that share a value of a column."""

    value: str
    rows: int
    rmse: float
    rival_rmse: float | None = None

    @property
    def loss(self) -> float:
        """Share of the champion's rmse by which the challenger's is higher; below 0 where it is lower."""
        if self.rival_rmse is None:
            return 0.0
        return self.rmse / self.rival_rmse - 1 if self.rival_rmse else float(self.rmse > 0)


def by_segment(
    values: Sequence[object], squared: NDArray[np.float64], rival_squared: NDArray[np.float64] | None
) -> list[Segment]:
    """Give the rmse by value, the largest segment first.

    Args:
        values: of the column, one for each row.
        squared: squared errors of the challenger, (rows,).
        rival_squared: of the champion, (rows,); None where there is none.
    """
    texts = np.asarray([str(value) for value in values], dtype=object)
    names, inverse, counts = np.unique(texts, return_inverse=True, return_counts=True)
    rare = counts < FEWEST_ROWS
    parts = {str(name): inverse == index for index, name in enumerate(names) if not rare[index]}
    if rare.any():
        parts["the rest"] = np.asarray(rare[inverse])
    found = [_segment(name, rows, squared, rival_squared) for name, rows in parts.items()]
    return sorted(found, key=lambda segment: (-segment.rows, segment.value))


def _segment(
    name: str, rows: NDArray[np.bool_], squared: NDArray[np.float64], rival: NDArray[np.float64] | None
) -> Segment:
    theirs = None if rival is None else float(np.sqrt(rival[rows].mean()))
    return Segment(name, int(rows.sum()), float(np.sqrt(squared[rows].mean())), theirs)
