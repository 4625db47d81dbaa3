"""Validation rows that no tree can tell apart, each once."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sweeps.models.onehot import Folding
from sweeps.trial import Fold

_SORTED_BY = 4
"""Columns; numbers first."""


class Distinct(NamedTuple):
    """Validation rows, each once."""

    rows: Any
    """With the columns of the fold."""
    y: NDArray[Any]
    """The target of one of the rows that are equal."""
    place: NDArray[np.int64]
    """By validation row of the fold, its row in ``rows``."""


def distinct(fold: Fold, folding: Folding) -> Distinct:
    """Each validation row once, beside rows of similar values: neighbours take the same way through a tree.

    Deep trees predict them two to three times faster, since branches are foreseen and stay in cache. Rows are
    equal where all that a tree can see of them is.
    """
    folded = folding.fold(fold.X_valid)
    numbers_first = np.argsort([kind == "c" for kind in folding.kinds], kind="stable")[:_SORTED_BY]
    order = np.lexsort([_column(folded, feature) for feature in numbers_first[::-1]])
    new = np.ones(len(order), bool)
    new[1:] = _differs(folded[order])
    place = np.empty_like(order)
    place[order] = np.cumsum(new) - 1
    chosen = order[new]
    return Distinct(fold.X_valid[chosen], np.asarray(fold.y_valid)[chosen], place)


def _column(rows: Any, number: int) -> NDArray[np.float64]:
    """A column with NaN for missing values; a stored zero is none."""
    column, entries = np.full(rows.shape[0], np.nan), rows[:, [number]].tocoo()
    column[entries.row] = entries.data
    return column


def _differs(rows: Any) -> NDArray[np.bool_]:
    """By row after the first: whether it differs from the one before. A missing value is no stored zero."""
    lengths = np.diff(rows.indptr)
    row = np.repeat(np.arange(len(lengths)), lengths)
    like = np.concatenate([[False], lengths[1:] == lengths[:-1]])
    here = np.flatnonzero(like[row])
    there = here - lengths[row[here]]
    unlike = (rows.indices[here] != rows.indices[there]) | (rows.data[here] != rows.data[there])
    return ~like[1:] | (np.bincount(row[here], unlike, minlength=len(lengths))[1:] > 0)
