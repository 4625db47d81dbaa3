"""Figures of a trained model on its validation rows, and their means over folds."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from sweeps.models.estimators import predict, rmse
from sweeps.models.fitted import Fitted
from sweeps.trial import Curve, Fold


def score(fitted: Fitted, fold: Fold) -> dict[str, float]:
    """Compare predictions with the truth; the user's own ``train()`` has scored itself already.

    Without validation rows the rmse is that on the rows trained on.

    Returns:
        ``rmse`` and ``mae`` in the target's unit; ``r2`` where the target is not constant.

    Raises:
        ValueError: the rmse is not finite.
    """
    if "rmse" in fitted.metrics and not _is_unscored(fitted, fold):
        figures = {"rmse": fitted.metrics["rmse"]}
    elif fitted.predictions is None:
        figures = _figures(predict(fitted.model, fold.X_train), fold.y_train)
    else:
        figures = _figures(fitted.predictions, fold.y_valid)
    if not math.isfinite(figures["rmse"]):
        raise ValueError(f"rmse is {figures['rmse']}, which is not finite")
    return figures


def mean_metrics(folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean over folds of what all folds have; ``fit_seconds`` is summed, ``rmse_std`` added for several."""
    shared = [name for name in folds[0] if all(name in fold for fold in folds)]
    means = {name: float(np.mean([fold[name] for fold in folds])) for name in shared}
    means["fit_seconds"] = sum(fold["fit_seconds"] for fold in folds)
    if len(folds) > 1:
        means["rmse_std"] = float(np.std([fold["rmse"] for fold in folds]))
    return means


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Mean over folds, for the rounds that all folds have."""
    if len(curves) == 1:
        return curves[0]
    by_step = [dict(curve) for curve in curves]
    shared = sorted(set.intersection(*(set(curve) for curve in by_step)))
    return tuple((step, float(np.mean([curve[step] for curve in by_step]))) for step in shared)


def _is_unscored(fitted: Fitted, fold: Fold) -> bool:
    """Whether a ``train()`` gave a model but no rmse, as there were no validation rows to score it on."""
    return fold.X_valid is None and fitted.model is not None and not math.isfinite(fitted.metrics["rmse"])


def _figures(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    with np.errstate(over="ignore", invalid="ignore"):  # a model that ran away is told as its rmse
        figures = {"rmse": rmse(predicted, truth), "mae": float(np.mean(np.abs(truth - predicted)))}
        spread = float(np.mean((truth - np.mean(truth)) ** 2))
        return {**figures, "r2": 1 - figures["rmse"] ** 2 / spread} if spread else figures
