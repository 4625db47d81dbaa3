"""Where a space turns draws into whole numbers, and what is lost on the way."""

from collections.abc import Iterator
from typing import Any

from sweeps.lint import proposal
from sweeps.lint.finding import Finding, Severity, find
from sweeps.space.hyperparameters import Hyperparameter
from sweeps.space.search_space import SearchSpace


def check_integers(space: SearchSpace) -> Iterator[Finding]:
    """Find draws whose fraction is cut off: the highest value is never given, or whole steps vanish."""
    whole = whole_labels(space)
    for found in space.hyperparameters:
        if found.label in whole and "high" in found.args and found.distribution != "randint":
            yield from _cut(space, found)


def whole_labels(space: SearchSpace) -> set[Any]:
    """Give the labels of the hyperparameters that go straight into ``scope.int``."""
    from hyperopt.pyll import dfs

    inputs = (node.pos_args[0] for node in dfs(space.expression) if node.name == "int" and node.pos_args)
    drawn = (node.pos_args[0] if node.name == "float" else node for node in inputs)
    nodes = {id(node) for node in drawn}
    return {found.label for found in space.hyperparameters if id(found.node) in nodes}


def _cut(space: SearchSpace, found: Hyperparameter) -> Iterator[Finding]:
    q, label = found.args.get("q"), found.label
    if q is not None and q == int(q):
        return
    low, high = found.reach
    if q is None:
        whole = high == int(high)
        what = f"{label!r}: scope.int({found.written}) gives {int(low)} … {int(high) - whole}"
        what += f", never {int(high)}" if whole else ""
    else:
        what = f"{label!r}: scope.int({found.written}) cuts its steps of {q:g} to whole numbers"
    first, last = round(low), round(high)
    proper = proposal.log_uniform if "log" in found.distribution and first > 0 else proposal.uniform
    fix = f"did you mean {proper(label, first, last, whole=True)}?" if last > first else "leave scope.int out"
    yield find(Severity.WARNING, "cut-off", space, label, what, "int() cuts off the fraction", fix)
