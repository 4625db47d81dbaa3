"""Judge a search space without training: refuse what cannot work, warn of what is probably not meant."""

import ast
import itertools
import math
import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from sweeps.errors import SpaceError, one_line
from sweeps.space.hyperparameters import Branch, Constant, Hyperparameter
from sweeps.space.ranges import doubts
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Point

DRAWS = 50
DRAW_SEED = 0
MAX_NAME = 250
MAX_VALUE = 6000
"""MLflow's limits, in characters, for the name and the value of a param."""
RESERVED = ("mlflow.", "sweeps.", "sweep.")
FOREIGN = ("optuna", "ray", "skopt", "ConfigSpace", "nevergrad", "scipy.stats")
"""Packages whose distributions look like Hyperopt's and are not."""


def check_space(space: SearchSpace) -> list[str]:
    """Refuse a search space that cannot work.

    Some 50 seeded points, among them every option of every choice, are evaluated and shown to the model;
    nothing is trained.

    Args:
        space: as loaded; its hyperparameters' arguments are sound.

    Returns:
        Warnings, one line each.

    Raises:
        SpaceError: what cannot work, with the line where it can be found.
    """
    _check_constants(space)
    _check_labels(space)
    _check_duplicates(space)
    _check_clashes(space)
    _check_choices(space)
    for point in _points(space):
        _check_point(space, point)
    return list(dict.fromkeys(_warnings(space)))


def _check_constants(space: SearchSpace) -> None:
    for constant in space.leaves[1]:
        key = ".".join(constant.path) or "SPACE"
        if kind := _not_hyperopt(constant.value):
            raise SpaceError(
                space.at(key), f"{key!r} is {kind}, not a hyperopt expression", "hp.uniform(...), …"
            )
        if len(_shown(constant.value)) > MAX_VALUE:
            what = (
                f"option {constant.branch[-1][1]} of {constant.branch[-1][0]!r}"
                if constant.branch
                else repr(key)
            )
            length = len(_shown(constant.value))
            raise SpaceError(space.at(), f"{what} is {length} characters; MLflow stores {MAX_VALUE}")
    if not space.hyperparameters:
        raise SpaceError(
            space.at(), "SPACE contains no hyperparameter", _no_hyperparameter_hint(space.leaves[1])
        )


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


def _no_hyperparameter_hint(constants: Iterable[Constant]) -> str:
    listed = next((c.path[0] for c in constants if len(c.path) > 1), None)
    return f"a list is one fixed value: hp.choice({listed!r}, [...]) draws from it" if listed else ""


def _check_labels(space: SearchSpace) -> None:
    for label in space.labels:
        if text := _bad_name(label):
            raise SpaceError(space.at(label), f"label {one_line(f'{label!r:.80}')} {text}")


def _bad_name(name: Any) -> str:
    """Say why MLflow cannot take a name; empty where it can."""
    if not isinstance(name, str):
        return "is no text"
    if name.startswith(RESERVED):
        return f"starts with {name.partition('.')[0]}., which is reserved"
    if len(name) > MAX_NAME:
        return f"is {len(name)} characters; MLflow stores {MAX_NAME}"
    if not re.fullmatch(r"[/\w.\- :]+", name):
        return "cannot be an MLflow name (letters, digits, _ - . / : space)"
    if (
        name != posixpath.normpath(name)
        or name in (".", "..")
        or name.startswith(("/", "../"))
        or not name.strip()
    ):
        return "cannot be an MLflow name (it reads as a path)"
    return ""


def _check_duplicates(space: SearchSpace) -> None:
    for label in space.labels:
        places = [h for h in space.hyperparameters if h.label == label]
        for one, other in itertools.combinations(places, 2):
            if one.node is not other.node:
                raise SpaceError(space.at(label), *_duplicate(one, other))


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


def _check_clashes(space: SearchSpace) -> None:
    for one, other in _alike(space.labels):
        raise SpaceError(space.at(one), f"labels {one!r} and {other!r} differ only by case or Unicode form")
    for found in space.hyperparameters:
        if any(_clash(found, constant) for constant in space.leaves[1]):
            text = f"label {found.label!r} clashes with the fixed parameter {found.label!r}"
            raise SpaceError(space.at(found.label), text, f"name it after its own key {_key(found)}")


def _alike(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of names that some stores take for one."""
    forms = sorted((unicodedata.normalize("NFC", name).casefold(), name) for name in set(names))
    for (form, name), (next_form, other) in itertools.pairwise(forms):
        if form == next_form:
            yield name, other


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


def _check_choices(space: SearchSpace) -> None:
    """Options that Hyperopt unpacks without a word: a text into letters, a set in an order that changes."""
    assigned = {
        target.id: node.value
        for node in space.file.tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in filter(_is_choice, ast.walk(space.file.tree)):
        for node in _option_nodes(call):
            literal = assigned.get(node.id, node) if isinstance(node, ast.Name) else node
            if kind := _unordered(literal):
                text = f"{ast.unparse(call.args[0])}: choice needs a non-empty list, got a {kind}"
                raise SpaceError(space.file.at(call.lineno), text)


def _is_choice(node: ast.AST) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and bool(node.args)
        and ast.unparse(node.func) in ("hp.choice", "hp.pchoice", "hyperopt.hp.choice", "hyperopt.hp.pchoice")
    )


def _option_nodes(call: ast.Call) -> list[ast.expr]:
    return [k.value for k in call.keywords if k.arg in ("options", "p_options")] or call.args[1:2]


def _unordered(node: ast.expr) -> str:
    kinds = {ast.Set: "set", ast.SetComp: "set", ast.Dict: "dict", ast.DictComp: "dict", ast.JoinedStr: "str"}
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return type(node.value).__name__
    return kinds.get(type(node), "")


def _points(space: SearchSpace) -> Iterator[Point]:
    """Draw seeded points; the first of them visit every option of every choice, and FIRST."""
    import numpy as np
    from hyperopt.pyll.stochastic import sample

    rng = np.random.default_rng(DRAW_SEED)
    nodes = {h.label: h.node for h in space.hyperparameters}
    forced: list[dict[str, Any]] = [dict(branch) for branch in _branches(space.hyperparameters)]
    forced += space.first_points()
    for index in range(max(DRAWS, len(forced))):
        drawn = {label: np.asarray(value).item() for label, value in sample(nodes, rng).items()}
        yield drawn | (forced[index] if index < len(forced) else {})


def _branches(hyperparameters: Sequence[Hyperparameter]) -> Iterator[Branch]:
    for found in hyperparameters:
        yield from ((*found.branch, (found.label, index)) for index in range(len(found.options)))


def _check_point(space: SearchSpace, point: Point) -> None:
    for label, value in point.items():
        if not math.isfinite(value):
            raise SpaceError(space.at(label), f"{label!r} draws {value}")
    params = _evaluated(space, point)
    _check_params(space, params)
    if space.train is None:
        _checked(space, _model_check(), params)


def _evaluated(space: SearchSpace, point: Point) -> dict[str, Any]:
    try:
        return space.params(point)
    except SpaceError:
        raise
    except Exception as error:
        text = f"SPACE cannot be evaluated at {dict(point)}: {type(error).__name__}: {error}"
        raise SpaceError(space.at(), text) from error


def _check_params(space: SearchSpace, params: Mapping[str, Any]) -> None:
    fixed = {".".join(constant.path) for constant in space.leaves[1]}
    logged = space.logged_params(params)
    for one, other in _alike(logged):
        raise SpaceError(space.at(), f"params {one!r} and {other!r} differ only by case or Unicode form")
    for name, value in logged.items():
        if text := _bad_name(name):
            raise SpaceError(space.at(name), f"param {one_line(f'{name!r:.80}')} {text}")
        if isinstance(value, float) and not math.isfinite(value) and name not in fixed:
            raise SpaceError(space.at(name), f"{name!r} draws {value}")
        if len(str(value)) > MAX_VALUE:
            raise SpaceError(
                space.at(name), f"{name!r} is {len(str(value))} characters; MLflow stores {MAX_VALUE}"
            )


def _model_check() -> Callable[[Any, Mapping[str, Any]], None]:
    from sweeps.models import check_params

    return check_params


def _checked(
    space: SearchSpace, check: Callable[[Any, Mapping[str, Any]], None], params: Mapping[str, Any]
) -> None:
    try:
        check(space.model, params)
    except ValueError as error:
        named = (label for label in space.labels if re.search(rf"\b{re.escape(label)}\b", str(error)))
        raise SpaceError(space.at(next(named, None)), str(error)) from error


def _warnings(space: SearchSpace) -> Iterator[str]:
    for found in space.hyperparameters:
        yield from (f"{space.at(found.label)}: {found.label!r}: {text}" for text in doubts(found))
    if space.model is not None and any(constant.path == ("model",) for constant in space.leaves[1]):
        yield f"{space.at()}: MODEL is used, and the key 'model' in SPACE is passed to it as a param"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else ""
