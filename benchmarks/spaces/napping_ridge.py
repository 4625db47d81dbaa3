"""Trials that sleep, then fit a ridge regression: what a team's server is given, models included."""

from collections.abc import Mapping
from math import log
from typing import Any

from hyperopt import hp
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error

from benchmarks.naps import nap

SPACE = {
    "alpha": hp.loguniform("alpha", log(0.01), log(1000)),
    "tol": hp.loguniform("tol", log(1e-6), log(1e-2)),
}


def train(params: Mapping[str, Any], data: Any, report: Any = None) -> tuple[dict[str, float], Any]:
    """Give the validation rmse and the model."""
    nap()
    model = Ridge(**params).fit(data.X_train, data.y_train)
    rows = (data.X_train, data.y_train) if data.X_valid is None else (data.X_valid, data.y_valid)
    return {"rmse": float(root_mean_squared_error(rows[1], model.predict(rows[0])))}, model
