"""Judge the values of normalised tables: what no model should be trained on is refused with one line."""

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.errors import DataError

MIN_ROWS = 10
OVERLAP = 0.05
"""Share of held-out rows that may also occur among the training rows before a warning."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+|[+-]?\d{1,3}(,\d{3})+")
_FLOAT32_MAX = float(np.finfo(np.float32).max)


def check_rows(rows: int, what: str, needed: int = MIN_ROWS) -> None:
    """Refuse a table with fewer rows than ``needed``."""
    if rows == 0:
        raise DataError(what, "no rows")
    if rows < needed:
        raise DataError(what, f"{rows} row{'s' if rows > 1 else ''}; at least {needed} needed")


def take_target(frame: pd.DataFrame, target: str, what: str) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Part features and target.

    Raises:
        DataError: no such column, or values that are not all finite numbers.
    """
    if target not in frame.columns:
        raise DataError(
            what, f"no column {target!r} (columns: {_listed(list(frame.columns))})", "pass --target COL"
        )
    column = frame[target]
    _check_target(column, target, what)
    return frame.drop(columns=target), column.to_numpy(dtype="float64")


def check_features(frame: pd.DataFrame, what: str, categorical: tuple[str, ...]) -> None:
    """Refuse infinite, inexact and half-numeric feature columns.

    Raises:
        DataError: the first such column, or a declared category that is no column.
    """
    missing = next((name for name in categorical if name not in frame.columns), None)
    if missing is not None:
        listed = _listed(list(frame.columns))
        raise DataError(what, f"no column {missing!r} to take as a category (columns: {listed})")
    for name in frame.columns:
        if frame[name].dtype == object:
            if name not in categorical:
                _check_text(frame[name], name, what)
        elif frame[name].dtype.kind in "if":
            _check_numbers(frame[name], name, what)


def overlap_warning(held_out: pd.DataFrame, train: pd.DataFrame, name: str) -> str | None:
    """A warning where many ``name`` rows occur exactly so among the training rows."""
    known = pd.util.hash_pandas_object(train, index=False)
    share = float(pd.util.hash_pandas_object(held_out, index=False).isin(known).mean())
    return f"{share:.0%} of the {name} rows also occur among the training rows" if share > OVERLAP else None


def constant_warning(y: NDArray[np.float64], target: str) -> str | None:
    """A warning where the target never changes."""
    return f"target {target!r} is constant ({y[0]:g})" if np.ptp(y) == 0 else None


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown}, ... {len(names)} in all"


def _first(mask: Any) -> int:
    """Row of the first True, from 1."""
    return int(np.flatnonzero(np.asarray(mask))[0]) + 1


def _check_target(column: "pd.Series[Any]", target: str, what: str) -> None:
    missing = column.isna()
    if missing.any():
        amount = "all values" if missing.all() else f"{missing.sum()} of {len(column)} values"
        reason = f"target {target!r} has {amount} missing (first in row {_first(missing)})"
        raise DataError(what, reason, "is it the right column?" if missing.all() else "leave these rows out")
    if column.dtype == object:
        text = pd.to_numeric(column, errors="coerce").isna()
        row = _first(text) if text.any() else 1
        raise DataError(
            what, f"target {target!r} is text, e.g. {column.iloc[row - 1]!r} in row {row}", "use numbers"
        )
    if column.dtype.kind == "M":
        raise DataError(what, f"target {target!r} holds dates", "use numbers")
    _check_numbers(column, target, what)


def _check_numbers(column: "pd.Series[Any]", name: str, what: str) -> None:
    values = column.to_numpy()
    large = np.abs(values.astype("float64")) > _FLOAT32_MAX
    if large.any():
        value = values[_first(large) - 1]
        kind = "an infinite value" if np.isinf(value) else f"a value too large for a model, {value:g},"
        raise DataError(
            what, f"column {name!r} has {kind} in row {_first(large)}", "correct it, or leave it empty"
        )
    if values.dtype.kind == "i" and values.size and max(-int(values.min()), int(values.max())) > 2**53:
        row = _first(np.abs(values.astype("float64")) > 2**53)
        reason = f"column {name!r} has {values[row - 1]} in row {row}, which no float can hold"
        raise DataError(what, reason, "leave the column out, or store it as text")


def _check_text(column: "pd.Series[Any]", name: str, what: str) -> None:
    present = column.dropna()
    codes, values = pd.factorize(present)  # each text is looked at once
    if all(_DECIMAL_COMMA.fullmatch(text) for text in values):
        example = present.iloc[0] if len(present) else ""
        hint = "write 1.5 for a fraction and 1234 for a thousand"
        raise DataError(what, f"column {name!r} is text with commas in numbers, e.g. {example!r}", hint)
    odd = pd.to_numeric(pd.Series(values), errors="coerce").isna().to_numpy()[codes]
    if 0 < odd.mean() <= 0.1:
        example = present[odd].iloc[0]
        reason = f"column {name!r} is text because of {example!r} in row {present[odd].index[0] + 1}"
        hint = f"leave missing values empty, or --categorical {name} to take it as a category"
        raise DataError(what, f"{reason}; {1 - odd.mean():.0%} of its values are numbers", hint)
