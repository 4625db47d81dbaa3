"""Things to minimise whose best value is known: test functions, a made-up conditional space, recordings.

Sources: Dixon & Szegö 1978 (Branin, Hartmann), Rosenbrock 1960, Rastrigin 1974, Ackley 1987, in the forms of
Surjanovic & Bingham's Virtual Library of Simulation Experiments. Where the textbook optimum stands in the
middle of the box, the box is shifted: TPE's prior looks there first. ``mixed`` is ours: a choice of three
families with whole, logarithmic and grid-like hyperparameters of their own, each a valley with another floor.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hyperopt import hp
from hyperopt.pyll import as_apply, scope

from benchmarks.recorded import space as recorded_space
from benchmarks.recorded.lookup import load
from sweeps.space.module import SpaceFile
from sweeps.space.search_space import SearchSpace

RECORDED = ("diabetes", "friedman")


@dataclass(frozen=True)
class Problem:
    """A search space with a value for each point, and what a trial there takes."""

    name: str
    space: SearchSpace
    value: Callable[[Mapping[str, Any]], float]
    optimum: float
    """The lowest value there is."""
    seconds: Callable[[Mapping[str, Any], int], float]
    """How long a trial with these params and this seed takes."""
    unit: float = 1
    """Regret is (value − optimum) / unit."""

    def regret(self, value: float) -> float:
        """How far a value is from the best one."""
        return (value - self.optimum) / self.unit


def branin(params: Mapping[str, Any]) -> float:
    """2 dimensions, three equal minima."""
    x, y = params["x0"], params["x1"]
    valley = (y - 5.1 * x**2 / (4 * math.pi**2) + 5 * x / math.pi - 6) ** 2
    return float(valley + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10)


HARTMANN_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
HARTMANN_P = np.array(
    [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
)


def hartmann6(params: Mapping[str, Any]) -> float:
    """6 dimensions, six minima of which one is the lowest."""
    distances = (HARTMANN_A * (_vector(params) - HARTMANN_P) ** 2).sum(axis=1)
    return -float(np.exp(-distances) @ [1, 1.2, 3, 3.2])


def rosenbrock(params: Mapping[str, Any]) -> float:
    """4 dimensions, one long bent valley."""
    x = _vector(params)
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def rastrigin(params: Mapping[str, Any]) -> float:
    """5 dimensions, thousands of minima."""
    x = _vector(params)
    return float(10 * x.size + (x**2 - 10 * np.cos(2 * np.pi * x)).sum())


def ackley(params: Mapping[str, Any]) -> float:
    """5 dimensions, a steep hole in a bumpy plain."""
    x = _vector(params)
    bowl = -20 * math.exp(-0.2 * math.sqrt((x**2).mean()))
    return bowl - math.exp(np.cos(2 * np.pi * x).mean()) + 20 + math.e


def mixed(params: Mapping[str, Any]) -> float:
    """Three families; the best one has the most hyperparameters, the next best is the easiest."""
    family = params["family"]
    if family["name"] == "line":
        return float(0.3 + 0.02 * abs(math.log10(family["alpha"]) + 2))
    if family["name"] == "forest":
        return float(0.15 + 0.02 * abs(family["leaf"] - 7) + 2 / family["trees"])
    rate = math.log10(family["rate"] / 0.07) ** 2
    depth = 0.01 * (family["depth"] - 6) ** 2
    return float(rate + depth + 0.5 * (family["sample"] - 0.7) ** 2 + 0.1 * (family["penalty"] != "l2"))


def _vector(params: Mapping[str, Any]) -> np.ndarray:
    return np.array([params[f"x{index}"] for index in range(len(params))])


def _box(dimensions: int, low: float, high: float) -> dict[str, Any]:
    return {f"x{index}": hp.uniform(f"x{index}", low, high) for index in range(dimensions)}


MIXED = {
    "family": hp.choice(
        "family",
        [
            {"name": "line", "alpha": hp.loguniform("alpha", math.log(1e-5), math.log(10))},
            {
                "name": "forest",
                "trees": scope.int(hp.quniform("trees", 10, 200, 10)),
                "leaf": hp.uniformint("leaf", 1, 20),
            },
            {
                "name": "boosting",
                "rate": hp.loguniform("rate", math.log(1e-3), math.log(1)),
                "depth": scope.int(hp.quniform("depth", 2, 12, 1)),
                "sample": hp.uniform("sample", 0.3, 1),
                "penalty": hp.choice("penalty", ["none", "l1", "l2"]),
            },
        ],
    )
}

FUNCTIONS: Mapping[str, tuple[Callable[[Mapping[str, Any]], float], Any, float]] = {
    "branin": (branin, {"x0": hp.uniform("x0", -5, 10), "x1": hp.uniform("x1", 0, 15)}, 0.397887),
    "hartmann6": (hartmann6, _box(6, 0, 1), -3.32237),
    "rosenbrock4": (rosenbrock, _box(4, -2, 2), 0.0),
    "rastrigin5": (rastrigin, _box(5, -3, 7), 0.0),
    "ackley5": (ackley, _box(5, -10, 25), 0.0),
    "mixed": (mixed, MIXED, 0.0),
}
"""By name: the function, its space, its minimum."""

NAMES = (*FUNCTIONS, *RECORDED)


def problem(name: str) -> Problem:
    """Open a problem by its name, one of ``NAMES``."""
    return _recorded(name) if name in RECORDED else _function(name)


def _function(name: str) -> Problem:
    value, expression, optimum = FUNCTIONS[name]
    return Problem(name, search_space(name, expression), value, optimum, lambda _, seed: _lognormal(seed))


def _recorded(name: str) -> Problem:
    table = load(name)
    return Problem(
        name,
        search_space(name, recorded_space.EXPRESSION),
        lambda params: table.near(params).best,
        table.optimum,
        lambda params, _: table.near(params).seconds,
        unit=table.optimum / 100,
    )


def search_space(name: str, expression: Any) -> SearchSpace:
    """Make a search space of an expression, without a file."""
    return SearchSpace(SpaceFile(Path(name), "", ""), as_apply(expression), train=lambda *_: None)


def _lognormal(seed: int) -> float:
    """Seconds with median 1, one trial in six below 0.6 and one in six above 1.65."""
    return float(np.random.default_rng(seed).lognormal(0, 0.5))
