"""One-hot columns folded into the categories they came from, so that trees grow on a few columns.

The trees are the same (``docs/decisions/0013-one-hot-columns-are-trained-as-categories.md``): XGBoost's
one-hot split of a category feature looks at the same two sides with the same sums as a split of the
category's own column, and prefers the lower one of equals in both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.int64]


@dataclass(frozen=True)
class Layout:
    """Which columns of a matrix make one feature."""

    features: tuple[Columns, ...]
    """Ascending and apart from one another: one column where it is a number, several where they are one-hot.
    Columns without an entry in the training rows are in none: no tree can split them."""
    counts: Columns
    """Entries of every column in the training rows."""

    @property
    def folded(self) -> int:
        """How many columns become categories."""
        return sum(len(columns) for columns in self.features if len(columns) > 1)

    def takes(self, X: Any) -> bool:
        """Whether rows fit: no two categories of a feature in one row, and nothing but 1.0 for a category."""
        return bool(X.has_canonical_format) and all(
            _entries(X, columns).max(initial=0) <= 1 and (X.data[_inside(X, columns)] == 1).all()
            for columns in self.features
            if len(columns) > 1
        )


def find_layout(X: Any) -> Layout | None:
    """Find the one-hot groups among the columns of a CSR matrix.

    A group is a range of columns that hold nothing but 1.0, of which every row has exactly one; columns
    that are empty in these rows may lie between.

    Args:
        X: the training rows.

    Returns:
        None where there is no group.
    """
    if not X.has_canonical_format:
        return None
    counts = np.bincount(X.indices, minlength=X.shape[1])
    used = np.flatnonzero(counts)
    ends = _possible_ends(X, counts, used)
    features, at = [], 0
    while at < len(used):
        columns = used[at : ends[at]]
        if len(columns) > 1 and not (_entries(X, columns) == 1).all():
            columns = columns[:1]
        features.append(columns)
        at += len(columns)
    return Layout(tuple(features), counts) if len(features) < len(used) else None


def _possible_ends(X: Any, counts: Columns, used: Columns) -> Columns:
    """For each used column, the end of the group that may begin there; the next column where none can.

    The columns of a group have as many entries as there are rows, and the numbers of their rows add up to
    those of all rows: two sums that few other ranges of columns reach.
    """
    rows, starts = X.shape[0], np.arange(len(used))
    numbers = np.repeat(np.arange(rows), np.diff(X.indptr))
    entries = _running(counts[used])
    places = _running(np.bincount(X.indices, numbers, minlength=X.shape[1])[used])
    others = _running(np.bincount(X.indices, X.data != 1, minlength=X.shape[1])[used])
    ends = np.searchsorted(entries, entries[:-1] + rows).clip(max=len(used))
    possible = (
        (entries[ends] == entries[starts] + rows)
        & (places[ends] == places[starts] + rows * (rows - 1) // 2)
        & (others[ends] == others[starts])
    )
    return np.where(possible, ends, starts + 1)


def _running(values: Any) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])


def _inside(X: Any, columns: Columns) -> NDArray[np.bool_]:
    """Which stored entries lie in a feature's columns."""
    member = np.zeros(X.shape[1], bool)
    member[columns] = True
    return np.asarray(member[X.indices])


def _entries(X: Any, columns: Columns) -> Columns:
    """How many entries each row has in a feature's columns."""
    entries: Columns = np.diff(np.concatenate([[0], np.cumsum(_inside(X, columns))])[X.indptr])
    return entries


@dataclass(frozen=True)
class Folding:
    """A layout with codes for its categories.

    Args:
        layout: of the training rows.
        rare: categories of fewer training rows may share a code, as long as fewer than ``rare`` rows have
            the code: for params under which no tree can split off so few rows.
    """

    layout: Layout
    rare: float = 0

    @cached_property
    def codes(self) -> tuple[Columns, ...]:
        """By feature: the code of each of its columns; frequent categories first, in their columns' order."""
        return tuple(_codes(self.layout.counts[columns], self.rare) for columns in self.layout.features)

    @cached_property
    def columns(self) -> tuple[Columns, ...]:
        """By feature: the column of each code that a tree can split off."""
        frequent = self.layout.counts >= self.rare
        return tuple(
            columns[frequent[columns]] if len(columns) > 1 else columns for columns in self.layout.features
        )

    @property
    def kinds(self) -> list[str]:
        """XGBoost's types of the features."""
        return ["c" if len(columns) > 1 else "q" for columns in self.layout.features]

    @cached_property
    def sizes(self) -> list[int]:
        """By feature: the number of codes in the training rows; 1 for a number."""
        return [int(codes.max()) + 1 for codes in self.codes]

    def fold(self, X: Any) -> Any:
        """Rows that the layout takes, as CSR with a column for each feature.

        A row without a category of the training rows has the code after the last. It is in no tree, so the
        row goes where one-hot columns send a row that lacks them all; a missing value would go where each
        split learned to send one.
        """
        import scipy.sparse as sp

        feature, code = self._by_column
        rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        values = np.where(code[X.indices] < 0, X.data, code[X.indices])
        known = feature[X.indices] >= 0
        found = [(values[known], rows[known], feature[X.indices][known]), *self._without(X)]
        data, rows, columns = (np.concatenate(pieces) for pieces in zip(*found, strict=True))
        return sp.csr_matrix((data, (rows, columns)), shape=(X.shape[0], len(self.sizes)))

    @cached_property
    def _by_column(self) -> tuple[Columns, Columns]:
        """Each column's feature, -1 for none, and its code there, -1 where it is a number."""
        feature, code = np.full((2, len(self.layout.counts)), -1)
        for number, columns in enumerate(self.layout.features):
            feature[columns] = number
            code[columns] = self.codes[number] if len(columns) > 1 else -1
        return feature, code

    def _without(self, X: Any) -> Iterator[tuple[NDArray[Any], ...]]:
        """For each group the values, rows and numbers of the rows that have none of its categories."""
        for number, columns in enumerate(self.layout.features):
            if len(columns) > 1:
                rows = np.flatnonzero(_entries(X, columns) == 0)
                yield np.full(len(rows), self.sizes[number]), rows, np.full(len(rows), number)


def _codes(counts: Columns, rare: float) -> Columns:
    frequent = counts >= rare
    codes = np.cumsum(frequent) - 1
    seldom = np.flatnonzero(~frequent)
    seldom = seldom[np.argsort(counts[seldom], kind="stable")]
    for code, members in enumerate(_shared(counts[seldom], rare), start=int(frequent.sum())):
        codes[seldom[members]] = code
    return codes


def _shared(counts: Columns, rare: float) -> Iterator[list[int]]:
    """Positions in ascending counts, in bundles with a sum below ``rare``: a large one, filled with small."""
    low, high = 0, len(counts) - 1
    while low <= high:
        bundle, total = [high], counts[high]
        high -= 1
        while low <= high and total + counts[low] < rare:
            bundle.append(low)
            total += counts[low]
            low += 1
        yield bundle
