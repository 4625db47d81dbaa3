"""Which kind of estimator this is, without importing the library it may come from."""

import sys
from typing import Any


def is_boosted(estimator: object) -> bool:
    """Whether it is one of XGBoost's scikit-learn models."""
    return _is(estimator, "xgboost", "XGBModel")


def is_histogram(estimator: object) -> bool:
    """Whether it is scikit-learn's histogram gradient boosting."""
    return _is(estimator, "sklearn.ensemble", "HistGradientBoostingRegressor")


def is_pipeline(estimator: object) -> bool:
    """Whether it is a scikit-learn pipeline."""
    return _is(estimator, "sklearn.pipeline", "Pipeline")


def parts(estimator: Any) -> list[Any]:
    """The estimator and all estimators inside it (steps of a pipeline, the regressor of a wrapper)."""
    inside = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return [estimator, *(p for p in inside if hasattr(p, "get_params") and not isinstance(p, type))]


def _is(estimator: object, module: str, name: str) -> bool:
    # an instance of a class that was never imported cannot exist
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(estimator, getattr(loaded, name))
