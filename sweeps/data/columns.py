"""Bring tables to four kinds of columns: numbers, yes/no, text, dates; and splits to the same columns."""

import decimal
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sweeps.errors import DataError

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")


def normalise(frame: pd.DataFrame, what: str) -> tuple[pd.DataFrame, list[str]]:
    """The same rows in plain columns, and warnings.

    Integers become int64 (float64 where values are missing), other numbers float64, yes/no bool (float64
    where missing), dates and ISO date text naive ``datetime64[us]``, text ``object`` with NaN for missing.

    Raises:
        DataError: a name twice, or values of a type that cannot become a feature.
    """
    names, warnings = _clean_names(frame.columns, what)
    columns = {name: _plain(frame.iloc[:, i], name, what) for i, name in enumerate(names)}
    # Without copies, here and in ``align``: of twenty million rows each takes gigabytes.
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), copy=False), warnings


def numeric_categories(frame: pd.DataFrame) -> tuple[str, ...]:
    """Columns stored as categories whose values are numbers; as plain numbers they would lose that."""
    return tuple(
        str(name)
        for name, dtype in frame.dtypes.items()
        if isinstance(dtype, pd.CategoricalDtype) and pd.api.types.is_numeric_dtype(dtype.categories.dtype)
    )


def kind_of(column: "pd.Series[Any]") -> str:
    """``numbers``, ``text`` or ``dates`` of a normalised column; ``nothing`` where all values are missing."""
    if column.isna().all():
        return "nothing"
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return "dates"
    return "text" if column.dtype == object else "numbers"


def align(frames: Sequence[pd.DataFrame], whats: Sequence[str]) -> list[pd.DataFrame]:
    """The frames with the first one's columns in its order, and one type per column in all.

    Raises:
        DataError: columns missing or extra, or of another kind than in the first.
    """
    for frame, what in zip(frames, whats, strict=True):
        _check_names(frame, frames[0], what, whats[0])
    columns = {name: _same_type([f[name] for f in frames], str(name), whats) for name in frames[0].columns}
    return [
        pd.DataFrame({name: parts[i] for name, parts in columns.items()}, index=frame.index, copy=False)
        for i, frame in enumerate(frames)
    ]


def _clean_names(columns: "pd.Index[Any]", what: str) -> tuple[list[str], list[str]]:
    names = [unicodedata.normalize("NFC", str(name)).strip() for name in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(what, f"column {twice!r} appears twice", "rename one of them")
    changed = [new for new, old in zip(names, columns, strict=True) if new != str(old)]
    warning = f"{what}: spaces or accents in column names were normalised: {', '.join(changed)}"
    return names, [warning] if changed else []


def _plain(column: Any, name: str, what: str) -> Any:
    column = column.reset_index(drop=True)
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _plain(
            column.astype(dtype.categories.dtype if not column.isna().any() else object), name, what
        )
    if isinstance(dtype, pd.DatetimeTZDtype):
        return column.dt.tz_localize(None).astype("datetime64[us]")
    if pd.api.types.is_datetime64_dtype(dtype):
        return column.astype("datetime64[us]")
    if pd.api.types.is_timedelta64_dtype(dtype):
        return column.dt.total_seconds()
    if pd.api.types.is_complex_dtype(dtype):
        raise DataError(what, f"column {name!r} has complex numbers", "leave the column out")
    if pd.api.types.is_numeric_dtype(dtype):
        return _plain_number(column)
    return _plain_object(_as_objects(column), name, what)


def _as_objects(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The same values as objects; equal ones of pandas' own text become one object, to save room."""
    if not isinstance(column.dtype, pd.StringDtype):
        return column.astype(object)
    codes, values = pd.factorize(column)
    # -1, for a missing text, takes the last one.
    return pd.Series(np.append(values.astype(object), np.nan)[codes], dtype=object)


def _plain_number(column: "pd.Series[Any]") -> "pd.Series[Any]":
    if column.isna().any() or pd.api.types.is_float_dtype(column.dtype):
        return pd.Series(column.to_numpy(dtype="float64", na_value=np.nan))
    if pd.api.types.is_bool_dtype(column.dtype):
        return column.astype(bool)
    # uint64 above the range of int64: as a float it is caught by the check for exactness.
    return column.astype("float64" if column.max() > np.iinfo("int64").max else "int64")


def _plain_object(column: "pd.Series[Any]", name: str, what: str) -> "pd.Series[Any]":
    present = column[column.notna()]
    if present.empty:
        return pd.Series(np.full(len(column), np.nan))
    types = set(map(type, present))
    if all(issubclass(t, (bool, int, float, np.number, np.bool_, decimal.Decimal)) for t in types):
        _check_whole_numbers(present, name, what)
        return _plain_numbers_as_objects(column, types)
    if types == {str}:
        return _plain_text(column, present)
    return _plain_other(column, types, name, what)


def _check_whole_numbers(present: "pd.Series[Any]", name: str, what: str) -> None:
    huge = present[[isinstance(value, int) and abs(value) > 2**53 for value in present]]
    if len(huge):
        reason = f"column {name!r} has {huge.iloc[0]} in row {huge.index[0] + 1}, which no float can hold"
        raise DataError(what, reason, "leave the column out, or store it as text")


def _plain_numbers_as_objects(column: "pd.Series[Any]", types: set[type]) -> "pd.Series[Any]":
    whole = not column.isna().any()
    if whole and types <= {bool, np.bool_}:
        return column.astype(bool)
    numbers = pd.Series(column.to_numpy(dtype="float64", na_value=np.nan))
    exact = whole and all(issubclass(t, (int, np.integer)) for t in types) and numbers.abs().max() < 2**53
    return numbers.astype("int64") if exact else numbers


def _plain_text(column: "pd.Series[Any]", present: "pd.Series[Any]") -> "pd.Series[Any]":
    if _ISO_DATE.fullmatch(present.iloc[0]) and present.map(_ISO_DATE.fullmatch).notna().all():
        dates = pd.to_datetime(column, errors="coerce", format="ISO8601")
        if dates.notna().sum() == len(present):
            return dates.astype("datetime64[us]")
    return column.where(column.notna(), np.nan)


def _plain_other(column: "pd.Series[Any]", types: set[type], name: str, what: str) -> "pd.Series[Any]":
    listed = ", ".join(sorted(t.__name__ for t in types))
    if types & {list, dict, tuple, set, bytes, np.ndarray}:
        raise DataError(
            what, f"column {name!r} holds {listed}", "only numbers, yes/no, text and dates are usable"
        )
    if str in types:
        return column.map(str, na_action="ignore").astype(object)
    try:
        return pd.to_datetime(column).dt.tz_localize(None).astype("datetime64[us]")
    except (ValueError, TypeError):
        reason = f"column {name!r} holds {listed}"
        raise DataError(what, reason, "only numbers, yes/no, text and dates are usable") from None


def _check_names(frame: pd.DataFrame, first: pd.DataFrame, what: str, first_what: str) -> None:
    missing = [repr(name) for name in first.columns if name not in frame.columns]
    extra = [repr(name) for name in frame.columns if name not in first.columns]
    if missing or extra:
        parts = [
            f"{word} {', '.join(names[:8])}"
            for word, names in (("missing", missing), ("extra", extra))
            if names
        ]
        raise DataError(
            what, f"columns differ from {first_what}: {'; '.join(parts)}", "make the columns equal"
        )


def _same_type(columns: list[Any], name: str, whats: Sequence[str]) -> list[Any]:
    kinds = [kind_of(column) for column in columns]
    seen = [i for i, kind in enumerate(kinds) if kind != "nothing"]
    if not seen:
        return [column.astype("float64") for column in columns]
    first = seen[0]
    odd = next((i for i in seen if kinds[i] != kinds[first]), None)
    if odd is not None:
        example = columns[odd].dropna().iloc[0]
        reason = (
            f"column {name!r} holds {kinds[odd]}, e.g. {str(example)!r}, but {kinds[first]} in {whats[first]}"
        )
        raise DataError(whats[odd], reason, "make it the same in all")
    return [column.astype(_common_type(columns, kinds[first])) for column in columns]


def _common_type(columns: list["pd.Series[Any]"], kind: str) -> str:
    if kind != "numbers":
        return "object" if kind == "text" else "datetime64[us]"
    types = {str(column.dtype) for column in columns}
    return types.pop() if len(types) == 1 else "int64" if types == {"bool", "int64"} else "float64"
