"""Automatic features: one unfitted scikit-learn transformer from raw rows to numbers.

Only classes of scikit-learn and functions of the standard library's ``operator`` occur in it, so that a
registered model loads where this package is not installed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter, methodcaller
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from sweeps.data.column_roles import Roles, assign_roles
from sweeps.errors import DataError
from sweeps.trial import Encoding

NATIVE_CATEGORIES = 254
"""HistGradientBoosting takes at most 255 codes in a column; rarer categories share the last one."""
ONE_HOT_CATEGORIES = 1000
"""Columns one category may become; rarer ones share the last."""
ONE_HOT_ROWS = 5
"""Categories with fewer training rows share one column."""
DENSE_BYTES = 64 * 2**20
"""One-hot features stay dense up to this size, since not every model takes a sparse matrix."""


@dataclass(frozen=True)
class Automatic:
    """Automatic features for some training rows."""

    transformer: Any
    """Unfitted."""
    categorical: tuple[int, ...]
    """Output columns that hold category codes."""
    warnings: tuple[str, ...]
    """Which columns are left out, and why."""


def automatic(
    frame: pd.DataFrame, categorical: Sequence[str], encoding: Encoding, drawn_from: int | None = None
) -> Automatic:
    """Choose features by what the training rows hold.

    Args:
        frame: normalised training rows, without the target.
        categorical: columns of numbers that are categories.
        encoding: what the model takes.
        drawn_from: how many rows these are a sample of; None: they are all there are.

    Raises:
        DataError: no column is left.
    """
    roles = assign_roles(frame, categorical, drawn_from)
    if not (roles.text or roles.codes or roles.numbers or roles.parts):
        raise DataError("data", f"no usable column; {'; '.join(roles.left_out)}", "give columns that vary")
    dense = encoding.native_categories or _dense_bytes(frame, roles) <= DENSE_BYTES
    # scikit-learn's trees take missing values in dense matrices only.
    keeps_missing = encoding.keeps_missing and dense
    steps = [*_categories(roles, encoding.native_categories), *_numbers(roles, keeps_missing)]
    codes = len(roles.text) + len(roles.codes) if encoding.native_categories else 0
    transformer = ColumnTransformer(steps, sparse_threshold=0.0 if dense else 1.0)
    return Automatic(transformer, tuple(range(codes)), roles.left_out)


def _dense_bytes(frame: pd.DataFrame, roles: Roles) -> int:
    one_hot = sum(min(frame[name].nunique() + 1, ONE_HOT_CATEGORIES) for name in (*roles.text, *roles.codes))
    return 8 * len(frame) * (one_hot + len(roles.numbers) + sum(len(names) for _, names in roles.parts))


def _categories(roles: Roles, native: bool) -> Iterable[tuple[str, Any, list[str]]]:
    # Missing text may arrive as None, NaN or pandas' NA, in any of pandas' string types.
    for name, dtype, columns in (("text", "object", roles.text), ("code", "float64", roles.codes)):
        if columns:
            encoder = _ordinal() if native else _one_hot()
            yield name, make_pipeline(_cast(dtype), encoder), list(columns)


def _numbers(roles: Roles, keeps_missing: bool) -> Iterable[tuple[str, Any, list[str]]]:
    rest = [] if keeps_missing else [_imputer(), StandardScaler()]
    if roles.numbers:
        yield "number", make_pipeline(_cast("float64"), *rest), list(roles.numbers)
    for part, columns in roles.parts:
        take = FunctionTransformer(
            methodcaller("apply", attrgetter(f"dt.{part}")), feature_names_out="one-to-one"
        )
        yield part, make_pipeline(_cast("datetime64[us]"), take, _cast("float64"), *rest), list(columns)


def _cast(dtype: str) -> Any:
    return FunctionTransformer(methodcaller("astype", dtype), feature_names_out="one-to-one")


def _ordinal() -> Any:
    return OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=NATIVE_CATEGORIES
    )


def _one_hot() -> Any:
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=ONE_HOT_ROWS, max_categories=ONE_HOT_CATEGORIES
    )


def _imputer() -> Any:
    # A column without values in one fold must keep its place.
    return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
