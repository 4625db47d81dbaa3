"""Values as they leave a search space: Python's own numbers for the model, short names for a log."""

from typing import Any

from sweeps.space.hyperparameters import Hyperparameter
from sweeps.trial import Point


def raw(found: Hyperparameter, point: Point) -> float | int:
    """Give a hyperparameter's coordinate with the type that Hyperopt would have drawn."""
    value = point[found.label]
    return int(value) if found.options or found.distribution == "randint" else float(value)


def plain(value: Any) -> Any:
    """Turn numpy's scalars into Python's, inside containers too."""
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return type(value)(plain(part) for part in value) if type(value) in (list, tuple) else value


def loggable(value: Any) -> Any:
    """Give a number or a text as it is, a class or a function by its name, anything else as text."""
    if value is None or isinstance(value, str | int | float):
        return value
    name = getattr(value, "__name__", None)
    return name if callable(value) and name else str(value)
