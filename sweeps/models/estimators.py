"""Train any scikit-learn regressor, pipelines included."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps.models.blocks import fit_blocks, has_blocks
from sweeps.models.fitted import Fitted
from sweeps.models.kinds import is_histogram
from sweeps.models.watch import Watch
from sweeps.trial import Fold


def fit_estimator(estimator: Any, fold: Fold, *, seed: int, watch: Watch | None = None) -> Fitted:
    """Fit in place and predict the validation rows.

    Every ``random_state`` left at None, also of a pipeline's steps, becomes ``seed``.

    Args:
        estimator: with ``fit`` and ``predict``.
        fold: the encoded data.
        seed: see above.
        watch: may end the training of what can be trained in blocks; the model is the same with and without.

    Raises:
        ValueError: the estimator cannot work on this form of the data.
    """
    _seed(estimator, seed)
    if is_histogram(estimator):
        _prepare_histogram(estimator, fold)
    if watch is not None and fold.X_valid is not None and has_blocks(estimator):
        return _fit_watched(estimator, fold, watch)
    estimator.fit(fold.X_train, fold.y_train)
    return Fitted(estimator, None if fold.X_valid is None else predict(estimator, fold.X_valid))


def _fit_watched(estimator: Any, fold: Fold, watch: Watch) -> Fitted:
    curve: list[tuple[int, float]] = []
    for rounds, last in fit_blocks(estimator, fold.X_train, fold.y_train, watch.steps):
        predictions = predict(estimator, fold.X_valid)
        curve.append((rounds - 1, rmse(predictions, fold.y_valid)))
        if not last:
            watch.report(*curve[-1])
    return Fitted(estimator, predictions, tuple(curve))


def predict(model: Any, X: Any) -> NDArray[np.float64]:
    """One float64 per row of X.

    Raises:
        ValueError: the model gave another number of values.
    """
    values = np.asarray(model.predict(X), dtype=np.float64)
    if values.size != X.shape[0]:
        raise ValueError(f"{type(model).__name__}.predict gave {values.shape} values for {X.shape[0]} rows")
    return values.reshape(-1)


def rmse(predicted: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """The root of the mean squared error; not finite for a model that ran away."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean((truth - predicted) ** 2)))


def _seed(estimator: Any, seed: int) -> None:
    if not hasattr(estimator, "get_params"):
        return
    for name, value in estimator.get_params(deep=True).items():
        if value is None and name.rpartition("__")[2] == "random_state":
            estimator.set_params(**{name: seed})


def _prepare_histogram(estimator: Any, fold: Fold) -> None:
    if hasattr(fold.X_train, "tocsr"):
        raise ValueError(
            "HistGradientBoostingRegressor takes no sparse features "
            "(leave FEATURES out or set FEATURES = 'auto', so that categories stay in their own columns)"
        )
    if fold.categorical and estimator.categorical_features == type(estimator)().categorical_features:
        estimator.set_params(categorical_features=list(fold.categorical))
