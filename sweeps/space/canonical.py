"""When two points of a search space are the same: the model would receive the same params."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

from sweeps.trial import Params, Point


def canonical(params: Params, point: Point) -> Hashable:
    """Give a key that two points share exactly if their params are the same.

    Numbers are the same if they are equal and of the same kind (to scikit-learn ``max_features=1`` is one
    feature, and 1.0 all of them), lists and tuples if their items are, functions and classes by their module
    and name. Params with an object that cannot be compared, such as a lambda or an
    estimator, are the same where their raw coordinates are.

    Args:
        params: what the model receives.
        point: the raw coordinates that gave them.
    """
    try:
        return _key(params)
    except TypeError:
        return frozenset(point.items())


def _key(value: Any) -> Hashable:
    """Give a key of a value, distinct from those of other values.

    Raises:
        TypeError: it is of a kind that cannot be compared.
    """
    if isinstance(value, float) and math.isnan(value):
        return ("nan",)  # which equals not even itself
    if value is None or isinstance(value, int | float | str | bytes):
        kind = next((kind for kind in (bool, float) if isinstance(value, kind)), None)
        return (kind, value) if kind else value
    if isinstance(value, Mapping):
        return frozenset((key, _key(part)) for key, part in value.items())
    if isinstance(value, list | tuple):
        return tuple([_key(part) for part in value])
    return _name(value)


def _name(value: Any) -> Hashable:
    name = getattr(value, "__qualname__", "<")
    if not callable(value) or "<" in name:  # a lambda, or made inside a function: many share the name
        raise TypeError(f"{value!r:.60} cannot be compared")
    return (value.__module__, name)
