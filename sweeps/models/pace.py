"""How fast a model learns by the round, so that trials are compared after equal work and not equal rounds."""

import numbers
from typing import Any

from sweeps.models.kinds import is_boosted

USUAL_RATE = 0.1
"""The learning rate at which a round counts as one."""

_XGBOOST_RATE = 0.3
"""XGBoost's own, where none is given."""


STOPPED_ROUNDS = 1000
"""Rounds where early stopping is asked for and ``n_estimators`` is not: XGBoost's own 100 would end first."""


def rounds_of(estimator: Any) -> int | None:
    """How many rounds it may take; None where it does not say."""
    if is_boosted(estimator):
        return boosting_rounds(estimator)
    params = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    most = params.get("n_estimators", params.get("max_iter"))
    return int(most) if isinstance(most, numbers.Integral) and int(most) > 0 else None


def boosting_rounds(estimator: Any) -> int:
    """How many rounds one of XGBoost's models may take."""
    if estimator.n_estimators is None and estimator.early_stopping_rounds:
        return STOPPED_ROUNDS
    return int(estimator.get_num_boosting_rounds())


def pace_of(estimator: Any) -> float:
    """How many rounds at a learning rate of 0.1 one of its rounds counts as.

    With shrinkage a model needs rounds in inverse proportion to its learning rate (Friedman, Greedy Function
    Approximation, Annals of Statistics 2001, section 5). What has no learning rate fits the target itself in
    each round, as a forest does with each tree: a learning rate of 1.
    """
    params = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    rate = params.get("eta", params.get("learning_rate", 1))
    if rate is None and is_boosted(estimator):
        rate = _XGBOOST_RATE
    # training itself will say what is wrong with any other
    sound = isinstance(rate, numbers.Real) and 0 < float(rate) <= 1
    return float(rate) / USUAL_RATE if sound else 1.0
