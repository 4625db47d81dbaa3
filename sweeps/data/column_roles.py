"""Decide what each column is good for: category, number, date, or nothing. Pure; sees training rows only."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sweeps.data.columns import kind_of

PARTS = ("year", "month", "day", "day_of_week", "hour")
VARIES = 0.005
"""A part of a date is kept where more than this share of the rows differs from the commonest value: a few
stray dates in a month of trips make neither the year nor the month a feature."""
_ID_NAME = re.compile(
    r"(?i)(.*[_ .-])?(id|uuid|guid|key|index|idx|row|rowid|row_number)|.*[a-z]I[dD]|unnamed: \d+"
)


@dataclass(frozen=True)
class Roles:
    """Columns by use, each in the table's order."""

    text: tuple[str, ...]
    """Categories that are text."""
    codes: tuple[str, ...]
    """Categories that are numbers."""
    numbers: tuple[str, ...]
    parts: tuple[tuple[str, tuple[str, ...]], ...]
    """Part of a date, and the columns it is taken from."""
    left_out: tuple[str, ...]
    """One line for each column left out: which, and why."""


def assign_roles(frame: pd.DataFrame, categorical: Sequence[str]) -> Roles:
    """Roles of all columns of normalised training rows."""
    reasons = {name: _useless(frame[name], name in categorical) for name in frame.columns}
    kept = {name: kind_of(frame[name]) for name, reason in reasons.items() if reason is None}
    dates = [name for name, kind in kept.items() if kind == "dates"]
    left_out = tuple(f"column {name!r} left out: {reason}" for name, reason in reasons.items() if reason)
    return Roles(
        text=tuple(n for n, kind in kept.items() if kind == "text"),
        codes=tuple(n for n, kind in kept.items() if kind == "numbers" and n in categorical),
        numbers=tuple(n for n, kind in kept.items() if kind == "numbers" and n not in categorical),
        parts=_parts(frame, dates),
        left_out=left_out,
    )


def names_rows(column: "pd.Series[Any]", declared: bool) -> bool:
    """Whether a column of normalised training rows tells rows apart rather than describes them.

    Args:
        column: the values.
        declared: whether the user calls it a category.
    """
    kind = kind_of(column)
    if declared or kind not in ("text", "numbers"):
        return False
    return (_text_identifier(column) if kind == "text" else _number_identifier(column)) is not None


def _useless(column: "pd.Series[Any]", declared: bool) -> str | None:
    kind = kind_of(column)
    if kind == "nothing":
        return "it has no values among the training rows"
    if column.nunique(dropna=False) == 1:
        return f"it is constant ({column.iloc[0]})"
    if kind == "dates":
        return None if _useful_parts(column) else "its dates hardly differ"
    if declared:
        return None
    return _text_identifier(column) if kind == "text" else _number_identifier(column)


def _text_identifier(column: "pd.Series[Any]") -> str | None:
    distinct, present = column.nunique(), int(column.notna().sum())
    if distinct == present:
        return "an identifier, every row has its own text"
    # With fewer than two rows to a category, most categories met later were never seen in training.
    return f"nearly unique text ({distinct} texts in {present} rows)" if distinct > present / 2 else None


def _number_identifier(column: "pd.Series[Any]") -> str | None:
    if column.dtype.kind != "i" or column.nunique() < len(column):
        return None
    # A share of the rows of a table numbered 0, 1, 2 ... still starts near 0 and is dense.
    low, span, rows = int(column.min()), int(column.max()) - int(column.min()) + 1, len(column)
    numbered = 0 <= low <= 5 + rows // 50 and span <= 2.5 * rows and rows >= 30
    named = _ID_NAME.fullmatch(str(column.name)) is not None
    return "an identifier, every row has its own number" if numbered or named else None


def _parts(frame: pd.DataFrame, dates: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    useful = {name: _useful_parts(frame[name]) for name in dates}
    taken = ((part, tuple(name for name in dates if part in useful[name])) for part in PARTS)
    return tuple((part, names) for part, names in taken if names)


def _useful_parts(column: "pd.Series[Any]") -> set[str]:
    varying = {part for part in PARTS if _varies(_part(column, part))}
    # Within one month the day is the date itself: it does not come back, and trees learn it by heart
    # (green taxi, one XGBoost model: validation 4.481 with the day, 4.386 without).
    return varying if "month" in varying else varying - {"day"} or varying


def _part(column: "pd.Series[Any]", part: str) -> "pd.Series[Any]":
    values: pd.Series[Any] = getattr(column.dt, part)
    return values


def _varies(values: "pd.Series[Any]") -> bool:
    return bool(values.value_counts(normalize=True, dropna=False).iloc[0] < 1 - VARIES)
