"""Optuna: TPE, one of its pruners, and the MLflow callback of its integration package.

The study is in memory, which is Optuna's fastest. ``--option PRUNER`` or ``PRUNER:JOBS``; jobs are threads of
this process, which share the cores. ``PRUNER:JOBS:first`` begins with the points that our sweep begins with.
"""

from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

import optuna
import xgboost as xgb
from optuna_integration.mlflow import MLflowCallback
from optuna_integration.xgboost import XGBoostPruningCallback

from benchmarks.contenders import Settings, settings
from benchmarks.marks import mark
from benchmarks.peers.problem import FIXED, PATIENCE, ROUNDS, load
from benchmarks.spaces.nothing import train
from search_spaces.xgboost_course import FIRST

LEAST_ROUNDS = 20
"""Before a trial may be pruned; learning rates down to 0.05 need some rounds to show their worth."""

PRUNERS: dict[str, Any] = {
    "none": optuna.pruners.NopPruner,
    "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=LEAST_ROUNDS),
    "halving": lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=LEAST_ROUNDS, reduction_factor=3),
    "hyperband": lambda: optuna.pruners.HyperbandPruner(
        min_resource=LEAST_ROUNDS, max_resource=ROUNDS, reduction_factor=3
    ),
}


def search(
    given: Settings, objective: Any, pruner: str, jobs: int, first: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Run a study."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=given.seed, constant_liar=jobs > 1),
        pruner=PRUNERS[pruner](),
        study_name="benchmark",
    )
    for point in first:
        study.enqueue_trial(dict(point))
    callback = MLflowCallback(tracking_uri=given.store, metric_name="rmse")
    study.optimize(objective, n_trials=given.trials, n_jobs=jobs, callbacks=[callback])
    mark("end")


def train_nothing(trial: optuna.Trial) -> float:
    """One trial that costs nothing but its record."""
    return train(
        {
            "learning_rate": trial.suggest_float("learning_rate", 0.05, 0.3, log=True),
            "max_depth": trial.suggest_int("max_depth", 3, 10),
            "min_child_weight": trial.suggest_float("min_child_weight", 1, 100, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.5, 1),
            "reg_lambda": trial.suggest_float("reg_lambda", 0.01, 100, log=True),
            "reg_alpha": trial.suggest_float("reg_alpha", 0.001, 10, log=True),
        }
    )


def xgboost_objective(data: str, threads: int) -> Any:
    """Give an objective over the course's ranges."""
    rows = load(data)

    def objective(trial: optuna.Trial) -> float:
        params = {
            "max_depth": trial.suggest_int("max_depth", 4, 100),
            "learning_rate": trial.suggest_float("learning_rate", exp(-3), 1, log=True),
            "reg_alpha": trial.suggest_float("reg_alpha", exp(-5), exp(-1), log=True),
            "reg_lambda": trial.suggest_float("reg_lambda", exp(-6), exp(-1), log=True),
            "min_child_weight": trial.suggest_float("min_child_weight", exp(-1), exp(3), log=True),
            **FIXED,
            "nthread": threads,
        }
        train, valid = rows.matrices(threads)
        booster = xgb.train(
            params,
            train,
            num_boost_round=ROUNDS,
            evals=[(valid, "validation")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
            callbacks=[XGBoostPruningCallback(trial, "validation-rmse")],
        )
        return float(booster.best_score)

    return objective


def main() -> None:
    """Run the task of the command line."""
    given = settings()
    pruner, jobs, first = [*given.option.split(":"), "", ""][:3]
    at_once = int(jobs or given.cores)
    if given.task == "nothing":
        search(given, train_nothing, "none", 1)
    else:
        threads = max(1, given.cores // at_once)
        points = FIRST if first else ()
        search(given, xgboost_objective(given.data, threads), pruner or "median", at_once, points)


if __name__ == "__main__":
    main()
