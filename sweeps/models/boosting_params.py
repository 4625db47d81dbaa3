"""XGBoost's params judged by XGBoost itself, without data.

XGBoost only warns about an unknown name, and its scikit-learn classes take any keyword.
"""

import inspect
import re
import typing
import warnings
from typing import Any

import xgboost

from sweeps.errors import one_line, unknown
from sweeps.models.advice import whole_number_advice

_NATIVE = ("alpha", "eta", "lambda", "min_split_loss", "nthread", "seed", "updater")
"""XGBoost's own names for what the class names otherwise; only used to guess what was meant."""


def check_boosted(estimator: xgboost.XGBModel) -> None:
    """Refuse names XGBoost would ignore and values it would refuse.

    Raises:
        ValueError: in one line, what is wrong.
    """
    owner = type(estimator).__name__
    hints = _signature(type(estimator))
    for name, value in estimator.get_params().items():
        if isinstance(value, float) and _wants_int(hints.get(name)):
            raise ValueError(whole_number_advice(name, value, owner))
    for name in _ignored(estimator):
        if name not in hints:
            raise ValueError(unknown(f"parameter of {owner}", name, (*hints, *_NATIVE)))


def unused(estimator: xgboost.XGBModel) -> list[str]:
    """Give the names that XGBoost knows and has no use for beside the other params.

    Raises:
        ValueError: it refuses the params.
    """
    return [name for name in _ignored(estimator) if name in _signature(type(estimator))]


def _signature(model: type) -> dict[str, Any]:
    """Named parameters with their annotations, of the class and all it builds on."""
    found: dict[str, Any] = {}
    for base in model.__mro__:
        for name, parameter in inspect.signature(
            base.__dict__.get("__init__", object.__init__)
        ).parameters.items():
            if parameter.kind is parameter.KEYWORD_ONLY:
                found.setdefault(name, parameter.annotation)
    return found


def _wants_int(annotation: Any) -> bool:
    kinds = typing.get_args(annotation) or (annotation,)
    return int in kinds and float not in kinds


def _ignored(estimator: xgboost.XGBModel) -> list[str]:
    """Names XGBoost does not use; it says so in a warning when configured."""
    params = {k: v for k, v in estimator.get_xgb_params().items() if v is not None}
    native = {**params, "validate_parameters": True, "verbosity": 1, "num_feature": 1, "device": "cpu"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            xgboost.Booster(native).save_config()
        except xgboost.core.XGBoostError as error:
            raise ValueError(_plain(error, params, type(estimator).__name__)) from error
    told = " ".join(str(w.message) for w in caught if "are not used" in str(w.message))
    return re.findall(r'"([^"]+)"', told)


def _plain(error: Exception, params: dict[str, Any], owner: str) -> str:
    """XGBoost's message without its C++ location and stack trace."""
    text = one_line(re.sub(r"\[\d\d:\d\d:\d\d\] \S+:\d+: ", "", str(error).split("Stack trace")[0]))
    asked = re.search(r"format for (\w+) expect (?:int|long)", text)
    if asked:
        return whole_number_advice(asked[1], params.get(asked[1]), owner)
    return f"{owner}: {text}"
