"""Choices: options that Hyperopt takes apart, never draws, or draws twice; numbers that have an order."""

import ast
import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

from sweeps.lint.finding import Finding, Severity, find
from sweeps.lint.proposal import ordered
from sweeps.space.canonical import canonical
from sweeps.space.hyperparameters import Hyperparameter, is_number
from sweeps.space.search_space import SearchSpace

MANY_NUMBERS = 4
"""From so many numbers on, not knowing their order costs the search much."""


def check_options(space: SearchSpace) -> Iterator[Finding]:
    """Find what is wrong, or doubtful, with the options of choices."""
    yield from _texts_and_sets(space)
    for found in space.hyperparameters:
        if found.options:
            yield from _never_drawn(space, found)
            yield from _single(space, found)
            yield from _repeated(space, found)
            yield from _numbers(space, found)


def _texts_and_sets(space: SearchSpace) -> Iterator[Finding]:
    """Options that Hyperopt takes apart: a text into letters, a set in an order that changes."""
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
                what = f"{ast.unparse(call.args[0])}: choice needs a non-empty list, got a {kind}"
                yield find(Severity.ERROR, "options", space, None, what, line=call.lineno)


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


def _never_drawn(space: SearchSpace, found: Hyperparameter) -> Iterator[Finding]:
    weights = found.args.get("p", ()) if found.distribution == "pchoice" else ()
    for index, weight in enumerate(weights):
        if weight == 0:
            what = f"{found.label!r}: option {index} is never drawn: its probability is 0"
            yield find(Severity.WARNING, "never-drawn", space, found.label, what, fix="leave it out")


def _single(space: SearchSpace, found: Hyperparameter) -> Iterator[Finding]:
    if len(found.options) == 1:
        what = f"{found.label!r}: the choice has one option, so there is nothing to choose"
        yield find(Severity.HINT, "one-option", space, found.label, what, fix="write the option itself")


def _repeated(space: SearchSpace, found: Hyperparameter) -> Iterator[Finding]:
    seen: dict[Any, int] = {}
    for index, option in enumerate(found.options):
        if option.name != "literal":
            continue
        first = seen.setdefault(canonical({"": option.obj}, {"": index}), index)
        if first != index:
            value = f"{option.obj!r:.40}"
            what = f"{found.label!r}: options {first} and {index} are the same, {value}"
            why = "it is drawn twice as often as the others"
            fix = "leave one out, or give shares with hp.pchoice"
            yield find(Severity.WARNING, "same-options", space, found.label, what, why, fix)


def _numbers(space: SearchSpace, found: Hyperparameter) -> Iterator[Finding]:
    """Numbers whose order TPE does not know: it learns nothing about 200 from 100."""
    values = [option.obj for option in found.options if option.name == "literal"]
    numbers = sorted({value for value in values if is_number(value) and math.isfinite(value)})
    others = [value for value in values if not is_number(value)]
    none_only = others == [None] or not others
    if len(values) < len(found.options) or len(numbers) < MANY_NUMBERS - 1 or not none_only:
        return
    severity = Severity.WARNING if len(numbers) >= MANY_NUMBERS and not others else Severity.HINT
    what = f"{found.label!r}: the choice draws numbers ({_listed(numbers)}) as if they had no order"
    why = "tpe learns nothing about one from its neighbours"
    yield find(severity, "ordered-choice", space, found.label, what, why, _range(found, numbers, others))


def _range(found: Hyperparameter, numbers: Sequence[float], others: Sequence[Any]) -> str:
    if not others:
        return f"did you mean {ordered(found.label, numbers)}?"
    inner = ordered(f"{found.label}_number", numbers)
    return f"did you mean hp.choice({found.label!r}, [None, {inner}])?"


def _listed(numbers: Sequence[float]) -> str:
    shown = [f"{value:g}" for value in numbers]
    return ", ".join(shown if len(shown) <= 6 else [*shown[:4], "…", shown[-1]])
