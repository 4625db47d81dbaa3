"""The calls of Hyperopt in the text of a search space, found without running it."""

import ast
import math
from collections.abc import Iterator
from typing import NamedTuple

BOUNDED = ("uniform", "quniform", "loguniform", "qloguniform", "randint")


class Call(NamedTuple):
    """Where the bounds of a range are written."""

    label: str
    distribution: str
    low: ast.expr
    high: ast.expr


def find_calls(source: str) -> dict[str, Call]:
    """Give the calls whose label and bounds are written out, by label; those of a label used twice are not.

    Raises:
        SyntaxError: it is no Python.
    """
    found: dict[str, list[Call]] = {}
    for node in ast.walk(ast.parse(source)):
        for call in _call(node):
            found.setdefault(call.label, []).append(call)
    return {label: calls[0] for label, calls in found.items() if len(calls) == 1}


def bound_text(call: Call, node: ast.expr, value: float, source: str) -> str:
    """Write a bound as the user wrote it: ``log(0.1)`` where there was a call of a logarithm."""
    if "log" not in call.distribution:
        return number_text(value)
    is_call = isinstance(node, ast.Call) and len(node.args) == 1
    name = ast.get_source_segment(source, node.func) if isinstance(node, ast.Call) and is_call else None
    if name is not None and name.rsplit(".", 1)[-1] == "log":
        return f"{name}({number_text(value)})"
    return f"{math.log(value):.6g}"


def number_text(value: float) -> str:
    """Write a number as short as it can be."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def _call(node: ast.AST) -> Iterator[Call]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
    named = {k.arg: k.value for k in node.keywords if k.arg}
    given = [*node.args, *([named["label"]] if "label" in named and not node.args else [])]
    if name not in BOUNDED or not given or any(isinstance(a, ast.Starred) for a in node.args):
        return
    label, *bounds = given
    low, high = named.get("low", bounds[0] if bounds else None), named.get("high", _second(bounds))
    if (
        isinstance(label, ast.Constant)
        and isinstance(label.value, str)
        and low is not None
        and high is not None
    ):
        yield Call(label.value, name, low, high)


def _second(bounds: list[ast.expr]) -> ast.expr | None:
    return bounds[1] if len(bounds) > 1 else None
