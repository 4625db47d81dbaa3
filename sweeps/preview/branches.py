"""The branches of a search space: every combination of its options, with the share of points that take it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sweeps.space.finite import all_points
from sweeps.space.hyperparameters import Hyperparameter, is_number
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Point

LONGEST = 24


@dataclass(frozen=True)
class Branch:
    """One combination of options that are active together."""

    name: str
    """Such as ``model=Ridge``; ``all`` in a space without branches."""
    share: float
    """Of the points that random search draws; of all branches together 1."""
    options: Point
    """The option's index of each choice that is active."""

    def holds(self, point: Point) -> bool:
        """Whether a point takes this branch."""
        return all(point.get(label) == option for label, option in self.options.items())


def find_branches(space: SearchSpace) -> list[Branch]:
    """List the branches, the most frequent first; choices between numbers alone make none.

    A space with very many combinations counts as having one branch.
    """
    choices = [found for found in space.hyperparameters if _branches(found)]
    points = (all_points(choices) if choices else None) or [{}]
    found = [Branch(_name(choices, point), _share(choices, point), point) for point in points]
    return sorted(found, key=lambda branch: -branch.share)


def covering(branches: Sequence[Branch], most: int) -> list[Branch]:
    """Choose branches so that every option of every choice is in one of them, as far as ``most`` allows."""
    chosen, seen = list[Branch](), set[tuple[str, Any]]()
    for branch in branches:
        options = set(branch.options.items())
        if len(chosen) < most and (not chosen or options - seen):
            chosen.append(branch)
            seen |= options
    return chosen


def _branches(found: Hyperparameter) -> bool:
    """Whether the options of a choice are more than numbers."""
    values = [option.obj for option in found.options if option.name == "literal"]
    return bool(found.options) and (
        len(values) < len(found.options) or not all(is_number(value) for value in values)
    )


def _share(choices: Sequence[Hyperparameter], point: Point) -> float:
    """The product over the choices that are active; a label that is at several places counts once."""
    active = {found.label: found for found in choices if found.label in point}
    return math.prod(_weight(found, int(point[label])) for label, found in active.items())


def _weight(found: Hyperparameter, index: int) -> float:
    if found.distribution == "pchoice":
        return float(found.args["p"][index])
    return 1 / len(found.options)


def _name(choices: Sequence[Hyperparameter], point: Point) -> str:
    named = {found.label: found for found in choices if found.label in point}
    texts = (f"{label}={option_name(found, int(point[label]))}" for label, found in named.items())
    return ", ".join(texts) or "all"


def option_name(found: Hyperparameter, index: int) -> str:
    """Name an option: by its value, its model, a fixed value that no other option has, or its index."""
    option = found.options[index]
    if option.name == "literal":
        return _short(option.obj)
    for key in _keys(found):
        values = [_fixed(other, key) for other in found.options]
        if values[index] is not None and values.count(values[index]) == 1:
            return values[index] or ""
    return f"option {index}"


def _keys(found: Hyperparameter) -> list[str]:
    keys = [key for option in found.options if option.name == "dict" for key, _ in option.named_args]
    return sorted(dict.fromkeys(keys), key=lambda key: key != "model")


def _fixed(option: Any, key: str) -> str | None:
    """The fixed value under a key of an option; None where there is none."""
    node = dict(option.named_args).get(key) if option.name == "dict" else None
    return _short(node.obj) if node is not None and node.name == "literal" else None


def _short(value: Any) -> str:
    text = str(getattr(value, "__name__", value)) if callable(value) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
