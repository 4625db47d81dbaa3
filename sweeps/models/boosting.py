"""Train XGBoost's scikit-learn models with early stopping and a curve, on matrices built once per process."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost

from sweeps.models.estimators import predict
from sweeps.models.fitted import Fitted
from sweeps.trial import Curve, Fold

STOPPED_ROUNDS = 1000
"""Rounds where early stopping is asked for and ``n_estimators`` is not: XGBoost's own 100 would end first."""

_KEPT_MATRICES = 16


def fit_boosted(
    estimator: xgboost.XGBModel, fold: Fold, *, seed: int, threads: int, rounds: int | None = None
) -> Fitted:
    """Train with ``xgboost.train``; the validation rmse stops it early, whatever ``eval_metric`` says.

    Args:
        estimator: of any class of XGBoost's for regression; stays as it is.
        fold: columns in ``categorical`` are split as categories.
        seed: where neither ``random_state`` nor ``seed`` is given.
        threads: where neither ``n_jobs`` nor ``nthread`` is given.
        rounds: in place of ``n_estimators``.

    Returns:
        ``model`` is of the estimator's class and has only the rounds up to the best one (all rounds without
        early stopping); ``predictions`` are its own.

    Raises:
        xgboost.core.XGBoostError: (a ValueError) what XGBoost refuses.
    """
    params = _native_params(estimator, seed, threads)
    train, valid = _matrices(fold, estimator, threads)
    stopping = estimator.early_stopping_rounds if valid is not None else None
    log: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        params,
        train,
        _rounds(estimator) if rounds is None else rounds,
        evals=[] if valid is None else [(valid, "valid")],
        obj=_objective(estimator.objective),
        early_stopping_rounds=stopping,
        callbacks=estimator.callbacks,
        evals_result=log,
        verbose_eval=False,
    )
    best = booster.best_iteration if stopping else booster.num_boosted_rounds() - 1
    model = _packed(estimator, _cut(booster, best, params), seed, threads)
    predictions = None if valid is None else predict(model, fold.X_valid)
    _forget_threads(model)
    return Fitted(model, predictions, _curve(log), {"best_iteration": float(best)})


def _native_params(estimator: xgboost.XGBModel, seed: int, threads: int) -> dict[str, Any]:
    given = {k: v for k, v in estimator.get_xgb_params().items() if v is not None}
    if "seed" not in given:
        given.setdefault("random_state", seed)
    if "nthread" not in given:
        given.setdefault("n_jobs", threads)
    return {**given, "eval_metric": "rmse"}


def _rounds(estimator: xgboost.XGBModel) -> int:
    if estimator.n_estimators is None and estimator.early_stopping_rounds:
        return STOPPED_ROUNDS
    return int(estimator.get_num_boosting_rounds())


def _objective(objective: Any) -> Callable[..., Any] | None:
    """A user's own objective speaks scikit-learn's order of arguments, ``xgboost.train`` another."""
    if not callable(objective):
        return None
    return lambda predictions, matrix: objective(matrix.get_label(), predictions)


def _cut(booster: xgboost.Booster, best: int, params: dict[str, Any]) -> xgboost.Booster:
    # a linear booster has no rounds to cut
    return booster if params.get("booster") == "gblinear" else booster[: best + 1]


def _packed(
    estimator: xgboost.XGBModel, booster: xgboost.Booster, seed: int, threads: int
) -> xgboost.XGBModel:
    """A fitted model of the estimator's class that depends on nothing of this process."""
    model = copy.copy(estimator)
    model.n_jobs, model.callbacks = threads, None
    if model.random_state is None and "seed" not in model.get_params():
        model.random_state = seed
    model.load_model(bytearray(booster.save_raw("ubj")))
    model.base_score = estimator.base_score  # loading puts the learned one there; the booster has it anyway
    return model


def _forget_threads(model: xgboost.XGBModel) -> None:
    model.n_jobs = None
    model.get_booster().set_param({"nthread": 0})


def _curve(log: dict[str, dict[str, list[float]]]) -> Curve:
    values = log.get("valid", {}).get("rmse", [])
    return tuple((step, float(value)) for step, value in enumerate(values))


@dataclass(frozen=True)
class _Built:
    fold: Fold
    missing: float
    train: xgboost.DMatrix
    valid: xgboost.DMatrix | None


_built: list[_Built] = []
"""The latest matrices of this process, oldest first. Folds are compared by identity: they stay open for the
life of the worker, and holding them here keeps their identity from being reused."""


def _matrices(
    fold: Fold, estimator: xgboost.XGBModel, threads: int
) -> tuple[xgboost.DMatrix, xgboost.DMatrix | None]:
    """Both matrices of a fold, from the cache where they are the same for every trial."""
    missing = estimator.missing
    if estimator.feature_weights is not None:
        train, valid = _build(fold, missing, threads)
        train.set_info(feature_weights=estimator.feature_weights)
        return train, valid
    for built in _built:
        if built.fold is fold and np.array_equal(built.missing, missing, equal_nan=True):
            return built.train, built.valid
    _built.append(_Built(fold, missing, *_build(fold, missing, threads)))
    del _built[:-_KEPT_MATRICES]
    return _built[-1].train, _built[-1].valid


def _build(fold: Fold, missing: float, threads: int) -> tuple[xgboost.DMatrix, xgboost.DMatrix | None]:
    """Plain matrices: a QuantileDMatrix of 5 702 one-hot columns did not return within 300 s."""
    kinds = ["q"] * fold.X_train.shape[1] if fold.categorical else None
    for column in fold.categorical:
        kinds[column] = "c"  # type: ignore[index]  # there are kinds where there are categories
    shared = {"missing": missing, "nthread": threads, "feature_types": kinds, "enable_categorical": True}
    train = xgboost.DMatrix(fold.X_train, fold.y_train, **shared)
    valid = None if fold.X_valid is None else xgboost.DMatrix(fold.X_valid, fold.y_valid, **shared)
    return train, valid
