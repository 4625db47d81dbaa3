"""What a Hyperopt expression is made of: its labelled hyperparameters and its fixed values.

Hyperopt keeps a space as a graph of calls. This module reads the graph without running it and knows, for each
distribution, which values it can give and which raw coordinate stands for a value.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.trial import Point

Branch = tuple[tuple[str, int], ...]
"""The options that must be chosen for something to be active: pairs of choice label and option index."""

_GRAZE = 1e-9
"""Steps within which a bound that falls on the edge of a step does not reach it."""

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "uniform": ("low", "high"),
    "quniform": ("low", "high", "q"),
    "loguniform": ("low", "high"),
    "qloguniform": ("low", "high", "q"),
    "normal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "lognormal": ("mu", "sigma"),
    "qlognormal": ("mu", "sigma", "q"),
    "randint": ("low", "high"),
    "categorical": ("p",),
}
"""The arguments of Hyperopt's distributions, in order."""


@dataclass(frozen=True)
class Hyperparameter:
    """One labelled distribution at one place of a search space.

    A node used at several places gives one Hyperparameter each, with the same ``node``.
    """

    label: Any
    """Text; whatever else the user wrote there is for the lint to refuse. None: a draw without a label."""
    distribution: str
    """A name of Hyperopt's ``hp``: ``uniform``, ``quniform``, ``choice``, ``pchoice``, ``randint`` …"""
    args: Mapping[str, Any]
    """By name as in ARGUMENTS; superfluous ones under their position (``#3``) or the name the user gave."""
    path: tuple[str, ...] = ()
    """The keys that lead to it."""
    branch: Branch = ()
    options: tuple[Any, ...] = ()
    """The options of a choice, as Hyperopt expressions."""
    node: Any = field(default=None, repr=False, compare=False)

    @property
    def written(self) -> str:
        """The distribution as the user wrote it, e.g. ``quniform(1, 20, 1)``."""
        return f"{self.distribution}({', '.join(_text(value) for value in self.args.values())})"

    @property
    def reach(self) -> tuple[float, float]:
        """The lowest and the highest value it can give; its arguments must be sound."""
        low, high = _BOUNDS[self.distribution](self.args)
        q = self.args.get("q")
        return (low, high) if q is None else (first_step(low, q) * q, last_step(high, q) * q)

    def coordinate(self, value: Any) -> float | int:
        """Give the raw coordinate at which the hyperparameter has this value.

        Raises:
            ValueError: it never has it; the text says why.
        """
        if self.options:
            return _option(self, value)
        if not is_number(value):
            raise ValueError(f"needs a number, got {value!r}")
        if self.distribution == "randint":
            return _whole(self, value)
        return _within(self, float(value))


@dataclass(frozen=True)
class Constant:
    """A fixed value at one place of a search space."""

    value: Any
    path: tuple[str, ...]
    branch: Branch


def find_leaves(expression: Any) -> tuple[list[Hyperparameter], list[Constant]]:
    """List the hyperparameters and the fixed values of a Hyperopt expression, in its own order."""
    from hyperopt.pyll import as_apply

    leaves = list(_walk(as_apply(expression), (), ()))
    return (
        [leaf for leaf in leaves if isinstance(leaf, Hyperparameter)],
        [leaf for leaf in leaves if isinstance(leaf, Constant)],
    )


def is_active(found: Hyperparameter, point: Point) -> bool:
    """Whether the point chooses all the options that lead to this place of the hyperparameter."""
    return all(point.get(choice) == option for choice, option in found.branch)


def distribution_args(distribution: str, args: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Name the arguments of a distribution, given as the user gave them; superfluous ones too."""
    names = ARGUMENTS.get(distribution, ())
    positions = [names[i] if i < len(names) else f"#{i + 1}" for i in range(len(args))]
    return {**dict(zip(positions, args, strict=True)), **kwargs}


def is_number(value: Any) -> bool:
    """Whether a value is a real number and no truth value."""
    import numpy as np

    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def first_step(low: float, q: float) -> float:
    """Give the lowest multiple of q, in steps, that draws from ``low`` on are rounded to."""
    return low if math.isinf(low) else float(math.floor(low / q - 0.5 + _GRAZE) + 1)


def last_step(high: float, q: float) -> float:
    """Give the highest multiple of q, in steps, that draws up to ``high`` are rounded to."""
    return high if math.isinf(high) else float(math.ceil(high / q + 0.5 - _GRAZE) - 1)


def safe_exp(exponent: float) -> float:
    """Raise e to a power; infinite where a float cannot hold it."""
    try:
        return math.exp(exponent)
    except OverflowError:
        return math.inf


def _walk(node: Any, path: tuple[str, ...], branch: Branch) -> Iterator[Hyperparameter | Constant]:
    from hyperopt.pyll.stochastic import implicit_stochastic_symbols

    if node.name == "literal":
        yield Constant(node.obj, path, branch)
    elif node.name == "hyperopt_param":
        yield _hyperparameter(node, path, branch)
    elif node.name == "switch" and node.pos_args[0].name == "hyperopt_param":
        yield from _walk_choice(node, path, branch)
    elif node.name in implicit_stochastic_symbols:
        yield Hyperparameter(None, node.name, _args(node), path, branch)
    else:
        for keys, child in _children(node):
            yield from _walk(child, path + keys, branch)


def _walk_choice(node: Any, path: tuple[str, ...], branch: Branch) -> Iterator[Hyperparameter | Constant]:
    choice, *options = node.pos_args
    found = _hyperparameter(choice, path, branch, tuple(options))
    yield found
    for index, option in enumerate(options):
        yield from _walk(option, path, (*branch, (found.label, index)))


def _hyperparameter(
    node: Any, path: tuple[str, ...], branch: Branch, options: tuple[Any, ...] | None = None
) -> Hyperparameter:
    label, draw = node.pos_args
    name = draw.name if options is None else {"randint": "choice", "categorical": "pchoice"}[draw.name]
    return Hyperparameter(fixed_value(label), name, _args(draw), path, branch, options or (), node)


def _args(draw: Any) -> dict[str, Any]:
    named = {name: fixed_value(value) for name, value in draw.named_args}
    return distribution_args(draw.name, [fixed_value(value) for value in draw.pos_args], named)


def fixed_value(node: Any) -> Any:
    """The value of a constant node; anything else is given back as it is."""
    if node.name == "literal":
        return node.obj
    if node.name == "pos_args":
        return tuple(fixed_value(child) for child in node.pos_args)
    return node


def _children(node: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if node.name == "dict" and node.pos_args:  # a dict with keys that are no text: one list of pairs
        for pair in node.pos_args[0].pos_args:
            key, value = pair.pos_args
            yield (str(fixed_value(key)),), value
    elif node.name == "dict":
        yield from (((key,), value) for key, value in node.named_args)
    elif node.name == "pos_args":
        yield from (((str(i),), value) for i, value in enumerate(node.pos_args))
    else:  # arithmetic, scope.int …: the numbers in it are no values of the space
        yield from (((), child) for child in node.inputs() if child.name != "literal")


def _text(value: Any) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


_BOUNDS: Mapping[str, Callable[[Mapping[str, Any]], tuple[float, float]]] = {
    "uniform": lambda a: (a["low"], a["high"]),
    "quniform": lambda a: (a["low"], a["high"]),
    "loguniform": lambda a: (safe_exp(a["low"]), safe_exp(a["high"])),
    "qloguniform": lambda a: (safe_exp(a["low"]), safe_exp(a["high"])),
    "normal": lambda _: (-math.inf, math.inf),
    "qnormal": lambda _: (-math.inf, math.inf),
    "lognormal": lambda _: (0.0, math.inf),
    "qlognormal": lambda _: (0.0, math.inf),
    "randint": lambda a: (a["low"], a["high"] - 1) if "high" in a else (0, a["low"] - 1),
}


def _on_grid(value: float, q: float) -> float:
    return value if math.isinf(value) else round(value / q) * q


def _whole(found: Hyperparameter, value: Any) -> int:
    low, high = found.reach
    if value != int(value) or not low <= value <= high:
        raise ValueError(f"needs a whole number from {low} to {high}, got {value!r}")
    return int(value)


def _within(found: Hyperparameter, value: float) -> float:
    low, high = found.reach
    slack = 1e-9 * max(abs(low), abs(high)) if math.isfinite(high) else 0.0
    if not (math.isfinite(value) and low - slack <= value <= high + slack):
        raise ValueError(f"{value:.6g} is outside {low:.6g} … {high:.6g}, all that {found.written} gives")
    q = found.args.get("q")
    if q is not None and not math.isclose(value, _on_grid(value, q), rel_tol=1e-9, abs_tol=q * 1e-9):
        raise ValueError(f"{value:.6g} is no multiple of {q:.6g}, which {found.written} gives only")
    return min(max(value, low), high)


def _option(found: Hyperparameter, value: Any) -> int:
    for same in (_identical, _equal, _describes):
        for index, option in enumerate(found.options):
            if same(option, value):
                return index
    shown = ", ".join(option_text(option) for option in found.options[:20])
    raise ValueError(f"no option is {_plain(value)!r} (options: {shown})")


def _identical(option: Any, value: Any) -> bool:
    fixed = fixed_value(option)
    return type(fixed) is type(value) and _equal(option, value)


def _equal(option: Any, value: Any) -> bool:
    return bool(_comparable(fixed_value(option)) == _comparable(value))


def _describes(option: Any, value: Any) -> bool:
    """Whether a value points at an option by its model, by a class's name, or by some of its fixed items."""
    fixed = fixed_value(option)
    if fixed is not option:
        return isinstance(value, str) and getattr(fixed, "__name__", None) == value
    items = dict(option.named_args) if option.name == "dict" else {}
    wanted = value if isinstance(value, Mapping) else {"model": value}
    return bool(wanted) and all(
        key in items and (_equal(items[key], part) or _describes(items[key], part))
        for key, part in wanted.items()
    )


def _comparable(value: Any) -> Any:
    """Lists become tuples, as Hyperopt makes them; arrays become tuples, so that == gives one answer."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return tuple(_comparable(item) for item in value) if isinstance(value, list | tuple) else value


def option_text(option: Any) -> str:
    """Show an option of a choice, by its model where it has one."""
    items = dict(option.named_args) if option.name == "dict" else {}
    return repr(_plain(fixed_value(items.get("model", option))))


def _plain(value: Any) -> Any:
    return getattr(value, "__name__", value) if callable(value) else value
