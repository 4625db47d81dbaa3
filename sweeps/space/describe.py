"""A search space as plain data, to be kept with a sweep."""

import math
from typing import Any

from sweeps.ranges import Literal, Option, Range
from sweeps.space.hyperparameters import Hyperparameter, fixed_value, is_number, option_text
from sweeps.space.search_space import SearchSpace


def ranges_of(space: SearchSpace) -> list[Range]:
    """Describe the hyperparameters of a space, one for each place in its expression."""
    return [_range(found) for found in space.hyperparameters]


def _range(found: Hyperparameter) -> Range:
    if found.options:
        options = tuple(_option(option) for option in found.options)
        return Range(str(found.label), found.distribution, branch=found.branch, options=options)
    low, high = (_bound(value) for value in found.reach)
    q = found.args.get("q", 1.0 if found.distribution == "randint" else None)
    return Range(str(found.label), found.distribution, low, high, q, found.branch)


def _bound(value: float) -> float | None:
    return float(f"{value:.12g}") if math.isfinite(value) else None  # exp(log(0.1)) is not quite 0.1


def _option(option: Any) -> Option:
    value = _name(option)
    text = option_text(option).strip("'")
    return Option(text[:200], *value) if value else Option(text[:200])


def _name(option: Any) -> tuple[Literal, bool] | None:
    """Give what names an option in FIRST, and that it does; None where nothing short does."""
    fixed = fixed_value(option)
    if fixed is not option:
        return _literal(fixed)
    items = dict(option.named_args) if option.name == "dict" else {}
    return _literal(fixed_value(items["model"])) if "model" in items else None


def _literal(value: Any) -> tuple[Literal, bool] | None:
    if value is None or isinstance(value, bool | str):
        return value, True
    if is_number(value):
        return (int(value) if value == int(value) and isinstance(value, int) else float(value)), True
    name = getattr(value, "__name__", None)
    return (name, True) if isinstance(name, str) else None
