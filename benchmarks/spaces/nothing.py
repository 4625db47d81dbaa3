"""Seven hyperparameters and a train() that does nothing: what is left is the cost of the search itself."""

from collections.abc import Mapping
from math import log
from typing import Any

from hyperopt import hp
from hyperopt.pyll import scope

from benchmarks.marks import mark

SPACE = {
    "learning_rate": hp.loguniform("learning_rate", log(0.05), log(0.3)),
    "max_depth": scope.int(hp.quniform("max_depth", 3, 10, 1)),
    "min_child_weight": hp.loguniform("min_child_weight", log(1), log(100)),
    "subsample": hp.uniform("subsample", 0.5, 1),
    "colsample_bytree": hp.uniform("colsample_bytree", 0.5, 1),
    "reg_lambda": hp.loguniform("reg_lambda", log(0.01), log(100)),
    "reg_alpha": hp.loguniform("reg_alpha", log(0.001), log(10)),
}


def train(params: Mapping[str, Any], data: Any = None, report: Any = None) -> float:
    """Give a figure that depends on the params, so that the search has something to follow."""
    mark("start")
    rmse: float = abs(params["learning_rate"] - 0.1) + abs(params["max_depth"] - 6) / 10
    return rmse
