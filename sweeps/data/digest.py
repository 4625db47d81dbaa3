"""Digests of data by content: the same values give the same digest on every machine and pandas version."""

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LENGTH = 16
"""Hexadecimal digits; MLflow stores at most 36 characters."""


def digest_split(X: pd.DataFrame, y: NDArray[np.float64], target: str) -> str:
    """Digest of the rows in their order: names, kinds and values of all columns and of the target."""
    sha = hashlib.sha256()
    for name in X.columns:
        kind, parts = _content(X[name])
        sha.update(json.dumps([str(name), kind, len(X)]).encode())
        for part in parts:
            sha.update(part)
    sha.update(json.dumps(["target", target]).encode() + _float_bytes(y))
    return sha.hexdigest()[:LENGTH]


def digest_all(parts: list[str]) -> str:
    """Digest of digests, in order."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:LENGTH]


def _content(column: "pd.Series[Any]") -> tuple[str, list[bytes]]:
    if pd.api.types.is_bool_dtype(column.dtype):
        return "bool", [column.to_numpy(dtype="u1").tobytes()]
    if pd.api.types.is_integer_dtype(column.dtype):
        return "int", [column.to_numpy(dtype="<i8").tobytes()]
    if pd.api.types.is_float_dtype(column.dtype):
        return "float", [_float_bytes(column.to_numpy(dtype="<f8"))]
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return "date", [column.to_numpy(dtype="datetime64[us]").astype("<i8").tobytes()]
    return "text", _text_bytes(column)


def _float_bytes(values: NDArray[Any]) -> bytes:
    # One bit pattern for every NaN, and no negative zero.
    return (np.where(np.isnan(values), np.nan, values) + 0.0).astype("<f8").tobytes()


def _text_bytes(column: "pd.Series[Any]") -> list[bytes]:
    codes, values = pd.factorize(column.astype(object))
    return [codes.astype("<i8").tobytes(), json.dumps([str(value) for value in values]).encode()]
