"""The course's notebook: plain ``fmin``, one MLflow run per trial by the fluent calls, all threads for one.

As published, but for what today's packages no longer know (``reg:linear``, ``squared=False``), and the rmse
logged is that of the best round, not of the 50 rounds after it.
"""

from typing import Any

import mlflow
import numpy as np
import xgboost as xgb
from hyperopt import STATUS_OK, Trials, fmin, tpe
from sklearn.metrics import root_mean_squared_error

from benchmarks.contenders import Settings, settings
from benchmarks.marks import mark
from benchmarks.peers.problem import PATIENCE, ROUNDS, XGBOOST, load
from benchmarks.spaces.nothing import SPACE as NOTHING
from benchmarks.spaces.nothing import train


def search(given: Settings, space: dict[str, Any], objective: Any) -> None:
    """Run ``fmin`` as the notebook does."""
    mlflow.set_tracking_uri(given.store)
    mlflow.set_experiment("benchmark")
    fmin(
        fn=objective,
        space=space,
        algo=tpe.suggest,
        max_evals=given.trials,
        trials=Trials(),
        rstate=np.random.default_rng(given.seed),
        show_progressbar=False,
    )
    mark("end")


def train_nothing(params: dict[str, Any]) -> dict[str, Any]:
    """One trial that costs nothing but its record."""
    mark("start")
    with mlflow.start_run():
        mlflow.set_tag("model", "xgboost")
        mlflow.log_params(params)
        rmse = train(params)
        mlflow.log_metric("rmse", rmse)
    return {"loss": rmse, "status": STATUS_OK}


def xgboost_objective(data: str) -> Any:
    """Give the notebook's objective."""
    rows = load(data)
    train, valid = rows.matrices()

    def objective(params: dict[str, Any]) -> dict[str, Any]:
        with mlflow.start_run():
            mlflow.set_tag("model", "xgboost")
            mlflow.log_params(params)
            booster = xgb.train(
                params=params,
                dtrain=train,
                num_boost_round=ROUNDS,
                evals=[(valid, "validation")],
                early_stopping_rounds=PATIENCE,
                verbose_eval=False,
            )
            predicted = booster.predict(valid, iteration_range=(0, booster.best_iteration + 1))
            rmse = root_mean_squared_error(rows.y_valid, predicted)
            mlflow.log_metric("rmse", rmse)
        return {"loss": rmse, "status": STATUS_OK}

    return objective


def main() -> None:
    """Run the task of the command line."""
    given = settings()
    if given.task == "nothing":
        search(given, NOTHING, train_nothing)
    else:
        search(given, XGBOOST, xgboost_objective(given.data))


if __name__ == "__main__":
    main()
