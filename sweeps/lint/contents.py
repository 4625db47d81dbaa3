"""The fixed values of a space, and whether there is anything to search."""

from collections.abc import Iterable, Iterator
from typing import Any

from sweeps.lint.finding import Finding, Severity, find
from sweeps.space.hyperparameters import Constant
from sweeps.space.search_space import SearchSpace

MAX_VALUE = 6000
"""MLflow's limit, in characters, for the value of a param."""
FOREIGN = ("optuna", "ray", "skopt", "ConfigSpace", "nevergrad", "scipy.stats")
"""Packages whose distributions look like Hyperopt's and are not."""


def check_contents(space: SearchSpace) -> Iterator[Finding]:
    """Find values that are no Hyperopt expressions, values too long for MLflow, and spaces without any."""
    constants = space.leaves[1]
    for constant in constants:
        yield from _check(space, constant)
    if not space.hyperparameters and not any(_not_hyperopt(constant.value) for constant in constants):
        hint = _hint(constants)
        what = "SPACE contains no hyperparameter"
        yield find(Severity.ERROR, "no-hyperparameter", space, None, what, fix=hint)


def _check(space: SearchSpace, constant: Constant) -> Iterator[Finding]:
    key = ".".join(constant.path) or "SPACE"
    if kind := _not_hyperopt(constant.value):
        what = f"{key!r} is {kind}, not a hyperopt expression"
        yield find(Severity.ERROR, "not-hyperopt", space, key, what, fix="hp.uniform(...), …")
    length = len(constant.value) if isinstance(constant.value, str) else 0
    if length > MAX_VALUE:
        what = (
            f"option {constant.branch[-1][1]} of {constant.branch[-1][0]!r}" if constant.branch else repr(key)
        )
        text = f"{what} is {length} characters; MLflow stores {MAX_VALUE}"
        yield find(Severity.ERROR, "long-value", space, None, text)


def _not_hyperopt(value: Any) -> str:
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    if f"{kind.__module__}.".startswith(tuple(f"{name}." for name in FOREIGN)):
        return f"{package} {kind.__name__}"
    if getattr(value, "__name__", "") == "<lambda>":
        return "a lambda"
    if isinstance(value, set | frozenset | range) or (isinstance(value, Iterator) and not callable(value)):
        return f"a {kind.__name__}"
    return ""


def _hint(constants: Iterable[Constant]) -> str:
    listed = next((c.path[0] for c in constants if len(c.path) > 1), None)
    return f"a list is one fixed value: hp.choice({listed!r}, [...]) draws from it" if listed else ""
