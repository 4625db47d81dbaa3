"""Labels: names that MLflow holds, each for one hyperparameter only."""

import ast
import itertools
import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from sweeps.errors import one_line
from sweeps.lint.finding import Finding, Severity, find
from sweeps.space.hyperparameters import Branch, Constant, Hyperparameter
from sweeps.space.search_space import SearchSpace

MAX_NAME = 250
"""MLflow's limit, in characters, for the name of a param."""
RESERVED = ("mlflow.", "sweeps.", "sweep.")


def check_labels(space: SearchSpace) -> Iterator[Finding]:
    """Find labels that MLflow cannot hold, that stand for two things, or that are declared and not used."""
    for label in space.labels:
        if text := bad_name(label):
            what = f"label {one_line(f'{label!r:.80}')} {text}"
            yield find(Severity.ERROR, "label", space, label, what)
    yield from _duplicates(space)
    yield from _clashes(space)
    yield from _unused(space)


def bad_name(name: Any) -> str:
    """Say why MLflow cannot take a name; empty where it can."""
    if not isinstance(name, str):
        return "is no text"
    if name.startswith(RESERVED):
        return f"starts with {name.partition('.')[0]}., which is reserved"
    if len(name) > MAX_NAME:
        return f"is {len(name)} characters; MLflow stores {MAX_NAME}"
    if not re.fullmatch(r"[/\w.\- :]+", name):
        return "cannot be an MLflow name (letters, digits, _ - . / : space)"
    path = name != posixpath.normpath(name) or name in (".", "..") or name.startswith(("/", "../"))
    return "cannot be an MLflow name (it reads as a path)" if path or not name.strip() else ""


def alike(names: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Pairs of names that some stores take for one."""
    texts = {name for name in names if isinstance(name, str)}
    forms = sorted((unicodedata.normalize("NFC", name).casefold(), name) for name in texts)
    for (form, name), (next_form, other) in itertools.pairwise(forms):
        if form == next_form:
            yield name, other


def _duplicates(space: SearchSpace) -> Iterator[Finding]:
    for label in space.labels:
        places = [h for h in space.hyperparameters if h.label == label]
        pairs = ((a, b) for a, b in itertools.combinations(places, 2) if a.node is not b.node)
        if (pair := next(pairs, None)) is not None:
            what, fix = _duplicate(*pair)
            yield find(Severity.ERROR, "duplicate-label", space, label, what, fix=fix)


def _duplicate(one: Hyperparameter, other: Hyperparameter) -> tuple[str, str]:
    fork = _fork(one.branch, other.branch)
    if fork is None:
        return f"label {one.label!r} is used by {_key(one)} and {_key(other)}", "give each its own label"
    choice, i, j = fork
    names = f"use '{choice}{i}_{one.label}', '{choice}{j}_{one.label}'"
    return f"label {one.label!r} appears in branches {i} and {j} of {choice!r}", names


def _fork(one: Branch, other: Branch) -> tuple[str, int, int] | None:
    """The choice at which two branches part, with the two options; None if they can be active together."""
    options = dict(other)
    return next(((c, i, options[c]) for c, i in one if options.get(c, i) != i), None)


def _key(found: Hyperparameter) -> str:
    return repr(".".join(found.path) or "SPACE")


def _clashes(space: SearchSpace) -> Iterator[Finding]:
    for one, other in alike(space.labels):
        what = f"labels {one!r} and {other!r} differ only by case or Unicode form"
        yield find(Severity.ERROR, "label", space, one, what)
    for found in space.hyperparameters:
        if any(_clash(found, constant) for constant in space.leaves[1]):
            what = f"label {found.label!r} clashes with the fixed parameter {found.label!r}"
            fix = f"name it after its own key {_key(found)}"
            yield find(Severity.ERROR, "label-clash", space, found.label, what, fix=fix)


def _clash(found: Hyperparameter, constant: Constant) -> bool:
    """A fixed value beside a hyperparameter of another key has its label as name."""
    own_option = found.label in dict(constant.branch)
    together = _fork(found.branch, constant.branch) is None
    return (
        constant.path[-1:] == (found.label,)
        and found.path[-1:] != (found.label,)
        and together
        and not own_option
    )


def _unused(space: SearchSpace) -> Iterator[Finding]:
    """Hyperparameters that the module makes and SPACE does not hold."""
    for node in ast.walk(space.file.tree):
        if isinstance(node, ast.Call) and re.match(r"(hyperopt\.)?hp\.\w+$", ast.unparse(node.func)):
            label = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            if isinstance(label, str) and label not in space.labels:
                what = f"{label!r} is declared here and is not in SPACE"
                why, fix = "it is never drawn", "put it into SPACE, or delete it"
                yield find(Severity.WARNING, "unused", space, label, what, why, fix, node.lineno)
