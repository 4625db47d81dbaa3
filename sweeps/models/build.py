"""From MODEL and params to an estimator."""

from collections.abc import Callable, Mapping
from typing import Any


def build(model: Callable[..., Any] | None, params: Mapping[str, Any]) -> Any:
    """Make the estimator of a trial.

    Args:
        model: the space's MODEL: a class, or a function giving an estimator; None where each point names
            its own under the key ``model``.
        params: what it is called with (without ``model``).

    Returns:
        An object with ``fit`` and ``predict``, not fitted.

    Raises:
        ValueError: there is no model, or what it gave is no estimator.
        TypeError: the model is not callable, or does not take these params.
    """
    chosen, rest = choose(model, params)
    estimator = chosen(**rest)
    missing = [name for name in ("fit", "predict") if not callable(getattr(estimator, name, None))]
    if missing:
        raise ValueError(
            f"{name_of(chosen)} gave a {type(estimator).__name__} without {' and '.join(missing)}()"
        )
    return estimator


def choose(
    model: Callable[..., Any] | None, params: Mapping[str, Any]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The model of this point, and the params it is called with."""
    rest = dict(params)
    chosen = rest.pop("model", None) if model is None else model
    if chosen is None:
        raise ValueError(f"no MODEL, and no key 'model' in the params {sorted(rest)}")
    if not callable(chosen):
        raise TypeError(f"the model is {chosen!r}; give the class or a function, not something made by it")
    return chosen, rest


def name_of(model: Any) -> str:
    """How a model is called in messages."""
    return getattr(model, "__name__", None) or type(model).__name__
