"""Params that work and spoil a sweep: searched seeds, threads that fight, rounds that are set anyway."""

from collections.abc import Iterator
from typing import Any

from sweeps.lint.finding import Finding, Severity, find
from sweeps.space.hyperparameters import Constant, Hyperparameter, is_number
from sweeps.space.search_space import SearchSpace

SEEDS = ("random_state", "seed")
THREADS = ("n_jobs", "nthread", "thread_count")


def check_training(space: SearchSpace) -> Iterator[Finding]:
    """Find params that no sweep should search or fix so."""
    for found in space.hyperparameters:
        yield from _seeds(space, found)
        yield from _rounds(space, found)
    for constant in space.leaves[1]:
        yield from _threads(space, constant)
        yield from _stopping(space, constant)
    if space.model is not None and any(constant.path == ("model",) for constant in space.leaves[1]):
        what = "MODEL is used, and the key 'model' in SPACE is passed to it as a param"
        yield find(Severity.WARNING, "two-models", space, None, what, fix="delete one of the two")


def _seeds(space: SearchSpace, found: Hyperparameter) -> Iterator[Finding]:
    if _name(found) in SEEDS:
        what = f"{found.label!r}: the search chooses the {_name(found)}"
        why = "what it finds is luck on the validation rows, which no other rows repeat"
        fix = f"fix it: {_name(found)!r}: 42"
        yield find(Severity.WARNING, "searched-seed", space, found.label, what, why, fix)


def _rounds(space: SearchSpace, found: Hyperparameter) -> Iterator[Finding]:
    patience = _beside(space, found, "early_stopping_rounds")
    if _name(found) == "n_estimators" and is_number(patience) and "high" in found.args:
        what = f"{found.label!r}: the search chooses n_estimators, which early stopping sets"
        why = f"with early_stopping_rounds={patience} it is only a ceiling"
        fix = f"fix it: 'n_estimators': {found.reach[1]:.0f}"
        yield find(Severity.HINT, "searched-rounds", space, found.label, what, why, fix)


def _stopping(space: SearchSpace, constant: Constant) -> Iterator[Finding]:
    rounds = _beside(space, constant, "n_estimators")
    named = constant.path[-1:] == ("early_stopping_rounds",)
    if named and is_number(rounds) and is_number(constant.value) and constant.value >= rounds:
        what = f"early_stopping_rounds={constant.value} never stops a training of n_estimators={rounds}"
        fix = "raise n_estimators, or lower early_stopping_rounds"
        yield find(Severity.WARNING, "never-stops", space, None, what, fix=fix)


def _threads(space: SearchSpace, constant: Constant) -> Iterator[Finding]:
    name = constant.path[-1] if constant.path else ""
    if name in THREADS and is_number(constant.value) and constant.value <= 0:
        what = f"{name}={constant.value} lets every trial take all cores"
        why = "trials that run at the same time slow each other down"
        fix = "leave it out: --workers and --threads share the cores"
        yield find(Severity.WARNING, "all-cores", space, None, what, why, fix)


def _beside(space: SearchSpace, one: Hyperparameter | Constant, name: str) -> Any:
    """The fixed value of another param of the same model; None where there is none."""
    path = (*one.path[:-1], name)
    return next((c.value for c in space.leaves[1] if c.path == path and c.branch == one.branch), None)


def _name(found: Hyperparameter) -> Any:
    return found.path[-1] if found.path else found.label
