"""Points drawn from a search space itself, many at once."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from hyperopt import rand
from hyperopt.base import Domain, Trials
from hyperopt.pyll.stochastic import sample

from sweeps.space.search_space import SearchSpace
from sweeps.trial import Point


def draw_points(space: SearchSpace, count: int, seed: int) -> list[Point]:
    """Draw points as random search would: each holds the labels that are active in it."""
    return random_points(_domain(space.expression), count, seed)


def random_points(domain: Domain, count: int, seed: int) -> list[Point]:
    """Draw many points, at little more than the cost of one."""
    numbers, values = rand.suggest_batch(list(range(count)), domain, Trials(), seed)
    points: list[dict[str, float | int]] = [{} for _ in range(count)]
    for label, drawn in values.items():
        for number, value in zip(numbers[label], drawn, strict=True):
            points[number][label] = python_number(value)
    return list(points)


def draw_values(space: SearchSpace, count: int, seed: int) -> Iterator[dict[str, float | int]]:
    """Draw values for all labels, also those that are not active together."""
    rng = np.random.default_rng(seed)
    nodes = {found.label: found.node for found in space.hyperparameters}
    for _ in range(count):
        yield {label: np.asarray(value).item() for label, value in sample(nodes, rng).items()}


def python_number(value: Any) -> float | int:
    """Turn a number of numpy's into Python's."""
    number: float | int = value.item() if isinstance(value, np.generic) else value
    return number


@functools.lru_cache(maxsize=4)
def _domain(expression: Any) -> Domain:
    return Domain(lambda _: None, expression)
