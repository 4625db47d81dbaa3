"""Fit features on training rows, and encode folds with them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import KFold

from sweeps.data.datasets import Dataset
from sweeps.data.features import automatic
from sweeps.data.recipes import build_recipe, choose_features
from sweeps.errors import DataError, SpaceError
from sweeps.trial import Encoding, Fold

Target = NDArray[np.float64]


@dataclass(frozen=True)
class Encoded:
    """All that a sweep trains on."""

    folds: tuple[Fold, ...]
    refit: Fold | None
    """Training and validation rows together; None where nothing is trained on both."""
    transformer: Any
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Fitted:
    transformer: Any
    X: Any
    categorical: tuple[int, ...]
    warnings: tuple[str, ...]


def encode_folds(dataset: Dataset, encoding: Encoding, features: Any) -> Encoded:
    """Encode the one fold, or under ``cv`` all folds and the rows of all folds together."""
    features = _unfitted(dataset, features)
    if dataset.cv is None:
        X, y = dataset.train.X, dataset.train.y
        if dataset.valid is None:
            raise DataError(f"data {dataset.name}", "no rows to validate on", "pass --valid FILE, or --cv 5")
        fitted = _fit(X, y, features, dataset.categorical, encoding)
        fold = _fold(fitted, y, dataset.valid.X, dataset.valid.y, features)
        return Encoded((fold,), None, fitted.transformer, fitted.warnings)
    X, y = _together(dataset)
    folds = tuple(_cross(X, y, features, dataset, encoding))
    return replace(_refit(X, y, features, dataset, encoding), folds=folds)


def encode_refit(dataset: Dataset, encoding: Encoding, features: Any) -> Encoded:
    """Encode training and validation rows together, with features fitted on both; there are no folds."""
    X, y = _together(dataset)
    return _refit(X, y, _unfitted(dataset, features), dataset, encoding)


def _together(dataset: Dataset) -> tuple[pd.DataFrame, Target]:
    """Training and validation rows, one after the other."""
    train, valid = dataset.train, dataset.valid
    if valid is None:
        return train.X, train.y
    return pd.concat([train.X, valid.X], ignore_index=True), np.concatenate([train.y, valid.y])


def _refit(X: pd.DataFrame, y: Target, features: Any, dataset: Dataset, encoding: Encoding) -> Encoded:
    whole = _fit(X, y, features, dataset.categorical, encoding)
    refit = Fold(whole.X, y, None, None, whole.categorical)
    return Encoded((), refit, whole.transformer, whole.warnings)


def _unfitted(dataset: Dataset, features: Any) -> Any:
    """The transformer to fit; None for automatic features."""
    chosen = choose_features(dataset, features)
    return build_recipe(chosen) if isinstance(chosen, str) else chosen


def _cross(X: pd.DataFrame, y: Target, features: Any, dataset: Dataset, encoding: Encoding) -> Iterator[Fold]:
    folds = dataset.cv or 2
    if len(X) < 2 * folds:
        raise DataError(f"--cv {folds}", f"{len(X)} rows are too few for {folds} folds", "use fewer folds")
    for train, valid in KFold(folds, shuffle=True, random_state=dataset.seed).split(X):
        part = X.iloc[train].reset_index(drop=True)
        fitted = _fit(part, y[train], features, dataset.categorical, encoding)
        yield _fold(fitted, y[train], X.iloc[valid].reset_index(drop=True), y[valid], features)


def _fit(
    X: pd.DataFrame, y: Target, features: Any, categorical: tuple[str, ...], encoding: Encoding
) -> _Fitted:
    if features is None:
        auto = automatic(X, categorical, encoding)
        encoded = _numbers(auto.transformer.fit_transform(X), len(X))
        return _Fitted(auto.transformer, encoded, auto.categorical, auto.warnings)
    try:
        transformer = clone(features)
        encoded = _numbers(transformer.fit_transform(X, y), len(X))
    except Exception as error:
        raise _refused(features, "cannot be fitted on these rows", error) from error
    return _Fitted(transformer, encoded, (), ())


def _fold(fitted: _Fitted, y: Target, X_valid: pd.DataFrame, y_valid: Target, features: Any) -> Fold:
    try:
        encoded = _numbers(fitted.transformer.transform(X_valid), len(X_valid))
    except Exception as error:
        if features is None:
            raise
        raise _refused(features, "cannot transform the validation rows", error) from error
    return Fold(fitted.X, y, encoded, y_valid, fitted.categorical)


def _refused(features: Any, wrong: str, error: Exception) -> SpaceError:
    reason = f"{type(features).__name__} {wrong}: {type(error).__name__}: {error}"
    return SpaceError("FEATURES", reason, "try it on a few rows in a Python session")


def _numbers(X: Any, rows: int) -> Any:
    """A float64 matrix, dense or CSR.

    Raises:
        ValueError: not two-dimensional, no columns, other rows than given, text, or infinite values.
    """
    sparse = sp.issparse(X)
    matrix: Any = X.tocsr().astype(np.float64) if sparse else np.asarray(X, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != rows or matrix.shape[1] == 0:
        raise ValueError(f"gives an array of shape {matrix.shape} for {rows} rows")
    if np.isinf(matrix.data if sparse else matrix).any():
        raise ValueError("gives infinite values")
    return matrix
