"""XGBoost's matrices of a fold, built once per process and used by every trial that can."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray
from xgboost.callback import TrainingCallback

from sweeps.models.binned import bins_of
from sweeps.models.distinct import Distinct, distinct
from sweeps.models.estimators import predict
from sweeps.models.foldable import is_foldable, smallest_side
from sweeps.models.onehot import Folding, Layout, find_layout
from sweeps.models.recounted import Recounted
from sweeps.models.unfold import unfold
from sweeps.trial import Fold

_KEPT_FOLDS = 16
_KEPT_FOLDINGS = 8
"""Of sparse rows; of dense ones, which may be many, one is kept."""
_RARE = (0, 3, 4, 5, 6, 8, 10, 12, 16, 20, 32, 64, 128, 1024)
"""Steps of ``Folding.rare``: a few matrices serve every value, since a lower one is as right."""

_WORTH = 1000
_ROWS_PER_COLUMN = 64
"""With fewer one-hot columns, or more rows for each, telling categories apart costs more than it saves."""

_SUBTRACTED = 256


@dataclass(frozen=True)
class Matrices:
    """What to train on, and the way back from there to the rows as they were given."""

    train: xgboost.DMatrix
    valid: xgboost.DMatrix | None
    rows: Any
    """The rows of ``valid``, with the columns of the fold."""
    place: NDArray[np.int64] | None = None
    """By validation row of the fold, its row in ``rows``, where equal ones stand once; None: as they are."""
    folding: Folding | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    """For ``xgboost.train``, beside the trial's own."""

    def callbacks(self, y_valid: Any, others: Sequence[TrainingCallback]) -> list[TrainingCallback]:
        """Have XGBoost's callbacks read the rmse over all validation rows of the fold.

        Args:
            y_valid: their targets.
            others: the callbacks, in their order.
        """
        if self.place is None:
            return list(others)
        return [Recounted(self.valid, self.place, y_valid, others)]

    def model(self, booster: xgboost.Booster) -> bytearray:
        """A trained booster in XGBoost's binary format, for the columns of the fold."""
        raw = booster.save_raw("ubj")
        if self.folding is None:
            return bytearray(raw)
        return bytearray(unfold(raw, self.folding.columns, len(self.folding.layout.counts)))

    def predictions(self, model: Any) -> NDArray[np.float64] | None:
        """What a model of the fold's columns gives for the validation rows, in the fold's order."""
        if self.rows is None:
            return None
        values = predict(model, self.rows)
        return values if self.place is None else values[self.place]


def open_matrices(
    fold: Fold, estimator: xgboost.XGBModel, params: Mapping[str, Any], threads: int
) -> Matrices:
    """Matrices of a fold, from the cache where an earlier trial had the same.

    One-hot columns are folded into categories where the params give the same trees from them.

    Args:
        fold: compared by identity.
        estimator: says which value is a missing one; with weights of the features, or with callbacks of the
            user's, nothing is folded.
        params: its own, as ``xgboost.train`` takes them.
        threads: for building.
    """
    if estimator.feature_weights is not None:
        built = _build(fold, estimator.missing, threads)
        built.train.set_info(feature_weights=estimator.feature_weights)
        return built
    plain = bool(estimator.callbacks) or not is_foldable(params, estimator.missing)
    side, bins = None if plain else smallest_side(params), bins_of(params, fold.X_train)
    return _opened(fold).matrices(side, bins, estimator.missing, threads)


class _Opened:
    """A fold with all that was built from it."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self._built: dict[tuple[str, int | None, int | None], Matrices] = {}

    def matrices(self, side: float | None, bins: int | None, missing: float, threads: int) -> Matrices:
        """Folded where a side of a split is given: the rows it has at least. Binned where bins are given."""
        rare = None
        if side is not None and self._layout is not None:
            rare = max((step for step in _RARE if step <= side), default=0)
        key = (repr(missing), rare, bins)
        if key not in self._built:
            while len(self._built) >= (_KEPT_FOLDINGS if bins is None else 1):
                del self._built[next(iter(self._built))]
            self._built[key] = self._build(rare, bins, missing, threads)
        return self._built[key]

    def _build(self, rare: int | None, bins: int | None, missing: float, threads: int) -> Matrices:
        if rare is None or self._layout is None:
            return _build(self.fold, missing, threads, bins)
        return _build_folded(self.fold, Folding(self._layout, rare), self._distinct, threads)

    @cached_property
    def _layout(self) -> Layout | None:
        """How the columns fold; None where they do not, where it does not pay, or a row does not fit."""
        X, X_valid = self.fold.X_train, self.fold.X_valid
        if self.fold.categorical or not hasattr(X, "tocsr"):
            return None
        layout = find_layout(X)
        if layout is None or layout.folded < max(_WORTH, X.shape[0] / _ROWS_PER_COLUMN):
            return None
        return layout if X_valid is None or layout.takes(X_valid) else None

    @cached_property
    def _distinct(self) -> Distinct | None:
        if self.fold.X_valid is None or self._layout is None:
            return None
        return distinct(self.fold, Folding(self._layout))


_folds: list[_Opened] = []
"""The latest folds of this process, oldest first. They are compared by identity: they stay open for the life
of the worker, and holding them here keeps their identity from being reused."""


def _opened(fold: Fold) -> _Opened:
    for opened in _folds:
        if opened.fold is fold:
            return opened
    _folds.append(_Opened(fold))
    del _folds[:-_KEPT_FOLDS]
    return _folds[-1]


def _build(fold: Fold, missing: float, threads: int, bins: int | None = None) -> Matrices:
    """Matrices of the columns as they are, the training rows in bins where their number is given."""
    kinds = ["q"] * fold.X_train.shape[1] if fold.categorical else None
    for column in fold.categorical:
        kinds[column] = "c"  # type: ignore[index]  # there are kinds where there are categories
    shared = {"missing": missing, "nthread": threads, "feature_types": kinds, "enable_categorical": True}
    made = xgboost.DMatrix if bins is None else partial(xgboost.QuantileDMatrix, max_bin=bins)
    train = made(fold.X_train, fold.y_train, **shared)
    valid = None if fold.X_valid is None else xgboost.DMatrix(fold.X_valid, fold.y_valid, **shared)
    return Matrices(train, valid, fold.X_valid)


def _build_folded(fold: Fold, folding: Folding, valid: Distinct | None, threads: int) -> Matrices:
    shared = {"nthread": threads, "feature_types": folding.kinds, "enable_categorical": True}
    train = xgboost.DMatrix(folding.fold(fold.X_train), fold.y_train, **shared)
    params = _folded_params(train, folding)
    if valid is None:
        return Matrices(train, None, None, None, folding, params)
    matrix = xgboost.DMatrix(folding.fold(valid.rows), valid.y, **shared)
    return Matrices(train, matrix, valid.rows, valid.place, folding, params)


def _folded_params(train: xgboost.DMatrix, folding: Folding) -> dict[str, Any]:
    """Every category is split off alone, and histograms are kept as long as they save work.

    A histogram of all codes is larger than most nodes of a deep tree: adding up a node's few rows again
    costs less than subtracting two histograms that were kept (a gigabyte of them, for a tree of 9 000 nodes).
    """
    nodes = max(_SUBTRACTED, 4 * train.num_nonmissing() // sum(folding.sizes))
    return {"max_cat_to_onehot": 2**30, "max_cached_hist_node": nodes}
