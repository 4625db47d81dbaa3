"""Ray Tune: HyperOptSearch, ASHA, and its MLflow callback; as many trials at once as there are cores.

Actors are used again from trial to trial, Tune's own log files are off, and the curve is reported every tenth
round: with every round MLflow's callback alone would take a core.
"""

import os
from typing import Any

os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"

import ray
import xgboost as xgb
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler
from ray.tune.search.hyperopt import HyperOptSearch

from benchmarks.contenders import Settings, settings
from benchmarks.marks import mark
from benchmarks.peers.problem import PATIENCE, ROUNDS, XGBOOST, Rows, load
from benchmarks.spaces.nothing import SPACE as NOTHING
from benchmarks.spaces.nothing import train

REPORT_EVERY = 10
LEAST_ROUNDS = 20
"""ASHA's grace period; learning rates down to 0.05 need some rounds to show their worth."""


class End(tune.Callback):  # type: ignore[misc]  # Ray is not installed where types are checked
    """Marks the end when the last trial has been recorded: it stands behind MLflow's callback.

    Args:
        trials: how many there are.
    """

    def __init__(self, trials: int) -> None:
        self._left = trials

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Count a trial."""
        self._left -= 1
        if not self._left:
            mark("end")


class Report(xgb.callback.TrainingCallback):  # type: ignore[misc]  # XGBoost ships no types
    """Reports the best rmse so far every tenth round."""

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Report; False: the training goes on."""
        if (epoch + 1) % REPORT_EVERY == 0:
            tune.report({"rmse": min(evals_log["validation"]["rmse"]), "rounds": epoch + 1})
        return False


def train_nothing(config: dict[str, Any]) -> None:
    """One trial that costs nothing but its record."""
    tune.report({"rmse": train(config)})


def train_xgboost(config: dict[str, Any], rows: Rows) -> None:
    """One trial over the course's ranges."""
    train, valid = rows.matrices(1)
    booster = xgb.train(
        {**config, "nthread": 1},
        train,
        num_boost_round=ROUNDS,
        evals=[(valid, "validation")],
        early_stopping_rounds=PATIENCE,
        verbose_eval=False,
        callbacks=[Report()],
    )
    tune.report({"rmse": float(booster.best_score), "rounds": booster.num_boosted_rounds()})


def search(given: Settings, trainable: Any, space: dict[str, Any], scheduler: Any) -> None:
    """Run a tuner."""
    ray.init(num_cpus=given.cores, include_dashboard=False, log_to_driver=False)
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            search_alg=HyperOptSearch(space, metric="rmse", mode="min", random_state_seed=given.seed),
            scheduler=scheduler,
            num_samples=given.trials,
            max_concurrent_trials=given.cores,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            storage_path=str(given.folder / "ray"),
            verbose=0,
            callbacks=[
                MLflowLoggerCallback(tracking_uri=given.store, experiment_name="benchmark"),
                End(given.trials),
            ],
        ),
    )
    tuner.fit()
    ray.shutdown()


def main() -> None:
    """Run the task of the command line."""
    given = settings()
    if given.task == "nothing":
        search(given, train_nothing, NOTHING, FIFOScheduler())
        return
    asha = ASHAScheduler("rounds", "rmse", "min", max_t=ROUNDS, grace_period=LEAST_ROUNDS, reduction_factor=3)
    search(given, tune.with_parameters(train_xgboost, rows=load(given.data)), XGBOOST, asha)


if __name__ == "__main__":
    main()
