"""A search algorithm with its options, from their names and texts on the command line."""

import functools
import importlib
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

from hyperopt.base import Domain

from sweeps.errors import UsageError, unknown
from sweeps.search.algorithms import ALGORITHMS, check_algorithm
from sweeps.search.history import History
from sweeps.trial import Point

Suggest = Callable[[list[int], Domain, History, int], Point]
"""Proposes the point of the one trial in the list, for this space, history and seed."""

_LEAST = {"avg_best_idx": 1}
"""The mean of a geometric distribution over 1, 2, …"""

_LOOSER = {"tpe": {"n_EI_candidates": "1"}}
"""TPE without its choice among candidates: a draw from the density of the good trials."""


def looser(name: str, options: Mapping[str, str]) -> Suggest:
    """Give the algorithm as it proposes more different points, for those that would else be visited twice."""
    return algorithm(name, {**options, **_LOOSER.get(name, {})})


def algorithm(name: str, options: Mapping[str, str]) -> Suggest:
    """Give the algorithm of that name with its options bound.

    Raises:
        UsageError: the name or an option is unknown, a value does not fit, or its package is not installed.
    """
    check_algorithm(name)
    suggest = _import(name)
    parameters = inspect.signature(suggest).parameters.values()
    known = {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    bound = {key: _option(name, key, text, known) for key, text in options.items()}
    return functools.partial(suggest, **bound)


def _import(name: str) -> Callable[..., Point]:
    module, _, function = ALGORITHMS[name].partition(":")
    try:
        suggest: Callable[..., Point] = getattr(importlib.import_module(module), function)
    except ImportError as error:
        raise UsageError(
            f"--algo {name}", f"package {error.name!r} is not installed", f"pip install 'sweeps[{name}]'"
        ) from error
    except OSError as error:  # a shared library of the package is missing
        raise UsageError(f"--algo {name}", f"cannot be loaded: {error}", "install what it misses") from error
    return suggest


def _option(algo: str, key: str, text: str, known: Mapping[str, Any]) -> float:
    if key not in known:
        raise UsageError(f"--algo-option {key}", unknown(f"option of {algo}", key, known))
    kind = int if isinstance(known[key], int) else float
    least = _LEAST.get(key, 0)
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not math.isfinite(value) or not (value >= least if least else value > 0):
        noun = "a whole number" if kind is int else "a number"
        bound = f"of at least {least}" if least else "above 0"
        raise UsageError(
            f"--algo-option {key}", f"must be {noun} {bound}, got {text!r}", f"{key}={known[key]}"
        )
    return value
