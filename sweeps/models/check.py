"""Judge params without training: names, types and values."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from sweeps.errors import one_line, unknown
from sweeps.models.advice import whole_number_advice
from sweeps.models.build import build, choose, name_of
from sweeps.models.device import boosters
from sweeps.models.kinds import is_boosted, parts


def check_params(model: Callable[..., Any] | None, params: Mapping[str, Any]) -> None:
    """Refuse params that the model would refuse, or silently ignore, in a trial.

    Args:
        model: as for :func:`sweeps.models.build.build`.
        params: one draw from the space.

    Raises:
        ValueError: an unknown name (with the known ones), a float where an int is needed, a value out of
            bounds, or a model that cannot be made; the text is one line.
    """
    estimator = _made(model, params)
    _check_regressor(estimator)
    for part in parts(estimator):
        _check_part(part)


def unused_params(model: Callable[..., Any] | None, params: Mapping[str, Any]) -> list[str]:
    """List the params that the model takes and has no use for beside the others, as far as it tells.

    Args:
        model: as for :func:`sweeps.models.build.build`.
        params: one draw from the space, that ``check_params`` does not refuse.
    """
    boosted = [part for part in parts(_made(model, params)) if is_boosted(part)]
    if not boosted:
        return []
    from sweeps.models.boosting_params import unused

    return [name for part in boosted for name in unused(part)]


def devices_of(model: Callable[..., Any] | None, params: Mapping[str, Any]) -> list[str | None]:
    """List the device of each of XGBoost's models that is made; None where it is set to none.

    Args:
        model: as for :func:`sweeps.models.build.build`.
        params: one draw from the space.

    Raises:
        ValueError: the model cannot be made.
    """
    return [part.device for part in boosters(_made(model, params))]


def _check_names(model: type, params: Mapping[str, Any]) -> None:
    known = inspect.signature(model).parameters
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return  # takes any name; XGBoost's own are checked once it is made
    for name in params:
        if name not in known:
            raise ValueError(unknown(f"parameter of {model.__name__}", name, known))


def _made(model: Callable[..., Any] | None, params: Mapping[str, Any]) -> Any:
    try:
        chosen, rest = choose(model, params)
        if inspect.isclass(chosen):
            _check_names(chosen, rest)
        return build(model, params)
    except ValueError as error:
        raise ValueError(one_line(str(error))) from error
    except Exception as error:
        owner = name_of(params.get("model") if model is None else model)
        reason = f"{owner} cannot be made from {sorted(params)}: {type(error).__name__}: {error}"
        raise ValueError(one_line(reason)) from error


def _check_regressor(estimator: Any) -> None:
    if not hasattr(estimator, "__sklearn_tags__"):
        return
    from sklearn.base import is_classifier

    if is_classifier(estimator):
        raise ValueError(f"{type(estimator).__name__} is a classifier; sweeps tunes regressors")


def _check_part(part: Any) -> None:
    if is_boosted(part):
        from sweeps.models.boosting_params import check_boosted

        check_boosted(part)
    elif hasattr(part, "_validate_params"):
        _check_values(part)


def _check_values(estimator: Any) -> None:
    try:
        estimator._validate_params()  # noqa: SLF001 - scikit-learn's own check, run by every fit()
    except ValueError as error:
        text = one_line(str(error))
        whole_only = " an int " in text and " a float " not in text
        for name, value in estimator.get_params(deep=False).items():
            if f"'{name}'" in text and isinstance(value, float) and value.is_integer() and whole_only:
                text = f"{whole_number_advice(name, value, type(estimator).__name__)}: {text}"
        raise ValueError(text) from error
