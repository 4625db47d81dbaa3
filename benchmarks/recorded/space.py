"""The space that was recorded: XGBoost as ``search_spaces/xgboost.py`` tunes it, without ``reg_alpha``.

A point has two forms: what XGBoost receives, and its coordinates in the unit cube, uniform as the space
draws.
"""

from collections.abc import Mapping
from math import exp, log
from typing import Any

import numpy as np
from hyperopt import hp
from hyperopt.pyll import scope

EXPONENTS = {"learning_rate": (log(0.03), log(0.5)), "min_child_weight": (0, log(100))}
EXPONENTS["reg_lambda"] = (log(0.01), log(100))
SHARES = {"subsample": (0.4, 1.0), "colsample_bytree": (0.4, 1.0)}
DEPTHS = (2, 8)

LABELS = (*EXPONENTS, *SHARES, "max_depth")
"""The order of the coordinates."""

MOST_ROUNDS, PATIENCE = 500, 30
"""``n_estimators`` and ``early_stopping_rounds`` of every trial."""

ROUNDS = tuple(
    int(word)
    for word in [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "8",
        "10",
        "12",
        "15",
        "18",
        "20",
        "22",
        "27",
        "30",
        "33",
        "40",
        "45",
        "50",
        "55",
        "60",
        "68",
        "80",
        "90",
        "100",
        "111",
        "125",
        "135",
        "160",
        "180",
        "200",
        "225",
        "245",
        "270",
        "300",
        "320",
        "360",
        "405",
        "440",
        "500",
    ]
)
"""Numbers of boosting rounds after which the curve was kept: log-spaced, with the rungs of every
``min_rounds`` 5, 10, 20 and ``eta`` 2, 3, 4 among them."""

EXPRESSION = {
    **{label: hp.loguniform(label, low, high) for label, (low, high) in EXPONENTS.items()},
    **{label: hp.uniform(label, low, high) for label, (low, high) in SHARES.items()},
    "max_depth": scope.int(hp.quniform("max_depth", *DEPTHS, 1)),
}


def params_at(unit: np.ndarray) -> dict[str, Any]:
    """Give XGBoost's params at a place in the unit cube, shape (6,)."""
    values = dict(zip(LABELS, map(float, unit), strict=True))
    low, high = DEPTHS
    return {
        **{label: exp(a + (b - a) * values[label]) for label, (a, b) in EXPONENTS.items()},
        **{label: a + (b - a) * values[label] for label, (a, b) in SHARES.items()},
        "max_depth": min(high, low + int(values["max_depth"] * (high - low + 1))),
    }


def unit_at(params: Mapping[str, Any]) -> np.ndarray:
    """Give the place of params in the unit cube, shape (6,); of a depth, the middle of its share."""
    values = {label: (log(params[label]) - a) / (b - a) for label, (a, b) in EXPONENTS.items()}
    values |= {label: (params[label] - a) / (b - a) for label, (a, b) in SHARES.items()}
    low, high = DEPTHS
    values["max_depth"] = (params["max_depth"] - low + 0.5) / (high - low + 1)
    return np.array([values[label] for label in LABELS])
