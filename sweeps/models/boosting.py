"""Train XGBoost's scikit-learn models with early stopping and a curve, on matrices built once per process."""

import copy
from collections.abc import Callable
from typing import Any

import xgboost
from xgboost.callback import EarlyStopping

from sweeps.models.device import check_booster, to_cpu
from sweeps.models.fitted import Fitted
from sweeps.models.matrices import open_matrices
from sweeps.models.pace import boosting_rounds
from sweeps.models.watch import Watch
from sweeps.models.watched import Watched
from sweeps.trial import Curve, Fold


def fit_boosted(
    estimator: xgboost.XGBModel,
    fold: Fold,
    *,
    seed: int,
    threads: int,
    rounds: int | None = None,
    watch: Watch | None = None,
) -> Fitted:
    """Train with ``xgboost.train``; the validation rmse stops it early, whatever ``eval_metric`` says.

    Args:
        estimator: of any class of XGBoost's for regression; stays as it is.
        fold: columns in ``categorical`` are split as categories.
        seed: where neither ``random_state`` nor ``seed`` is given.
        threads: where neither ``n_jobs`` nor ``nthread`` is given.
        rounds: in place of ``n_estimators``.
        watch: told of every round but the last; may end the training.

    Returns:
        ``model`` is of the estimator's class and has only the rounds up to the best one (all rounds without
        early stopping); it is on the CPU, and ``predictions`` are its own.

    Raises:
        xgboost.core.XGBoostError: (a ValueError) what XGBoost refuses.
        RuntimeError: it trained on the CPU what was to train on a GPU.
    """
    params = _native_params(estimator, seed, threads)
    data = open_matrices(fold, estimator, params, threads)
    stopping = estimator.early_stopping_rounds if data.valid is not None else None
    rounds = boosting_rounds(estimator) if rounds is None else rounds
    followers = [*(estimator.callbacks or ())]
    if watch is not None and data.valid is not None:
        followers.append(Watched(watch, last=rounds - 1))
    if stopping:
        followers.append(EarlyStopping(rounds=stopping))
    log: dict[str, dict[str, list[float]]] = {}
    booster = xgboost.train(
        {**params, **data.params},
        data.train,
        rounds,
        evals=[] if data.valid is None else [(data.valid, "valid")],
        obj=_objective(estimator.objective),
        callbacks=data.callbacks(fold.y_valid, followers),
        evals_result=log,
        verbose_eval=False,
    )
    check_booster(booster, estimator.device)
    best = booster.best_iteration if stopping else booster.num_boosted_rounds() - 1
    model = _packed(estimator, data.model(_cut(booster, best, params)), seed, threads)
    predictions = data.predictions(model)
    _forget_threads(model)
    return Fitted(model, predictions, _curve(log), {"best_iteration": float(best)})


def _native_params(estimator: xgboost.XGBModel, seed: int, threads: int) -> dict[str, Any]:
    given = {k: v for k, v in estimator.get_xgb_params().items() if v is not None}
    if "seed" not in given:
        given.setdefault("random_state", seed)
    if "nthread" not in given:
        given.setdefault("n_jobs", threads)
    return {**given, "eval_metric": "rmse"}


def _objective(objective: Any) -> Callable[..., Any] | None:
    """A user's own objective speaks scikit-learn's order of arguments, ``xgboost.train`` another."""
    if not callable(objective):
        return None
    return lambda predictions, matrix: objective(matrix.get_label(), predictions)


def _cut(booster: xgboost.Booster, best: int, params: dict[str, Any]) -> xgboost.Booster:
    # a linear booster has no rounds to cut
    return booster if params.get("booster") == "gblinear" else booster[: best + 1]


def _packed(estimator: xgboost.XGBModel, trained: bytearray, seed: int, threads: int) -> xgboost.XGBModel:
    """A fitted model of the estimator's class that depends on nothing of this process."""
    model = copy.copy(estimator)
    model.n_jobs, model.callbacks = threads, None
    if model.random_state is None and "seed" not in model.get_params():
        model.random_state = seed
    model.load_model(trained)
    to_cpu(model)
    model.base_score = estimator.base_score  # loading puts the learned one there; the booster has it anyway
    return model


def _forget_threads(model: xgboost.XGBModel) -> None:
    model.n_jobs = None
    model.get_booster().set_param({"nthread": 0})


def _curve(log: dict[str, dict[str, list[float]]]) -> Curve:
    values = log.get("valid", {}).get("rmse", [])
    return tuple((step, float(value)) for step, value in enumerate(values))
