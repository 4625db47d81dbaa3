"""TPE's posterior of a search space, evaluated directly.

Hyperopt builds an expression graph from the space and the history at every ask, and interprets it. What the
graph computes is simple (Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011): for each
hyperparameter in turn, fit one density to its values in the good trials and one to those in the others, draw
candidates from the first, and keep the one where the ratio of the two is highest. Here that is written out,
with Hyperopt's own estimators and the draws in the order of its graph, so that the points are the same.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from hyperopt import pyll, tpe
from hyperopt.base import Domain
from hyperopt.pyll.stochastic import categorical

from sweeps.search.densities import (
    Array,
    Mixture,
    lognormal_lpdf,
    normal_lpdf,
    stepped_lognormal_lpdf,
    stepped_normal_lpdf,
)
from sweeps.search.parzen import Prior, draw, fit
from sweeps.space.hyperparameters import Hyperparameter, find_leaves, is_active, is_number
from sweeps.trial import Point

Observed = Callable[[str], tuple[Array, Array]]
"""Gives a hyperparameter's values in the good trials and in the others, in the order of their numbers."""


class Estimate(Protocol):
    """How one kind of hyperparameter is estimated and drawn."""

    def best(
        self, good: Array, others: Array, prior_weight: float, candidates: int, rng: np.random.Generator
    ) -> float | int:
        """Draw candidates as the good trials suggest; give the one that the others speak least against."""


class Posterior:
    """The densities of a space's hyperparameters, given a history.

    Args:
        domain: of the search space.

    Raises:
        ValueError: the space has something that only Hyperopt's own graph can evaluate.
    """

    def __init__(self, domain: Domain) -> None:
        places = find_leaves(domain.expr)[0]
        if not all(map(_is_plain, places)) or not all(map(_is_choice, _switches(domain.expr))):
            raise ValueError("the space computes arguments or choices from hyperparameters")
        by_label: dict[str, list[Hyperparameter]] = {}
        for place in places:
            by_label.setdefault(place.label, []).append(place)
        self._steps = [(label, by_label[label], _estimate(by_label[label][0])) for label in _order(domain)]

    def draw(self, observed: Observed, prior_weight: float, candidates: int, seed: int) -> Point:
        """Propose a point as ``hyperopt.tpe.suggest`` does with this seed.

        Args:
            observed: the history.
            prior_weight: of the prior, in trials.
            candidates: how many are drawn for each hyperparameter.
            seed: of the draws.
        """
        rng = np.random.default_rng(seed)
        point: dict[str, float | int] = {}
        for label, places, estimate in self._steps:
            if any(is_active(place, point) for place in places):
                point[label] = estimate.best(*observed(label), prior_weight, candidates, rng)
        return point


class Numeric:
    """A hyperparameter on the real line, with a mixture of normal distributions of it or of its logarithm."""

    def __init__(self, found: Hyperparameter) -> None:
        args = found.args
        if bounded := "low" in args:
            low, high = args["low"], args["high"]
            self._prior = Prior(0.5 * (high + low), 1.0 * (high - low), low, high)
        else:
            self._prior = Prior(args["mu"], args["sigma"], None, None)
        self._log, self._q = "log" in found.distribution, args.get("q")
        self._least = None
        if self._log and self._q is not None:  # a value may have been rounded to 0
            self._least = np.maximum(tpe.EPS, np.exp(args["low"])) if bounded else tpe.EPS

    def best(
        self, good: Array, others: Array, prior_weight: float, candidates: int, rng: np.random.Generator
    ) -> float:
        """See ``Estimate``."""
        likely, unlikely = self._fit(good, prior_weight), self._fit(others, prior_weight)
        samples = self._draw(likely, candidates, rng)
        ratio = self._density(samples, likely) - self._density(samples, unlikely)
        return float(samples[np.argmax(ratio)])

    def _fit(self, values: Array, prior_weight: float) -> Mixture:
        if self._least is not None:
            values = np.maximum(values, self._least)
        if self._log:
            values = np.log(values)
        return fit(values, self._prior, prior_weight)

    def _draw(self, mixture: Mixture, count: int, rng: np.random.Generator) -> Array:
        samples = draw(mixture, count, rng)
        if self._log:
            samples = np.exp(samples)
        return samples if self._q is None else np.round(samples / self._q) * self._q

    def _density(self, samples: Array, mixture: Mixture) -> Array:
        if self._q is None:
            return (lognormal_lpdf if self._log else normal_lpdf)(samples, mixture)
        return (stepped_lognormal_lpdf if self._log else stepped_normal_lpdf)(samples, mixture, self._q)


class Discrete:
    """A choice or a whole number, with a weight for each possibility."""

    def __init__(self, found: Hyperparameter) -> None:
        self._prior = np.asarray(found.args["p"]) if found.distribution == "pchoice" else None
        self._offset, self._size = 0, len(found.options)
        if found.distribution == "randint":
            low, high = found.reach
            self._offset, self._size = int(low), int(high - low + 1)

    def best(
        self, good: Array, others: Array, prior_weight: float, candidates: int, rng: np.random.Generator
    ) -> int:
        """See ``Estimate``."""
        likely, unlikely = self._fit(good, prior_weight), self._fit(others, prior_weight)
        samples = categorical(likely, rng=rng, size=candidates)
        ratio = np.log(likely[samples]) - np.log(unlikely[samples])
        return int(samples[np.argmax(ratio)]) + self._offset

    def _fit(self, values: Array, prior_weight: float) -> Array:
        weights = tpe.linear_forgetting_weights(len(values), tpe.DEFAULT_LF)
        counts = np.bincount(values.astype(int) - self._offset, weights, self._size)
        prior = prior_weight if self._prior is None else self._size * (prior_weight * self._prior)
        pseudocounts = counts + prior
        probabilities: Array = pseudocounts / np.sum(pseudocounts)
        return probabilities


def _estimate(found: Hyperparameter) -> Estimate:
    return Discrete(found) if found.distribution in ("choice", "pchoice", "randint") else Numeric(found)


def _is_plain(found: Hyperparameter) -> bool:
    """Whether the arguments are numbers, given as Hyperopt's ``hp`` gives them.

    Hyperopt misreads the bounds of a ``randint`` that are given by name, or where it chooses an option.
    """
    if found.node is None or (found.distribution == "choice" and found.args.keys() != {"low"}):
        return False
    by_name = found.distribution == "randint" and len(found.node.arg["obj"].named_args)
    values = found.args["p"] if found.distribution == "pchoice" else found.args.values()
    return all(map(is_number, values)) and not by_name


def _switches(expression: Any) -> Sequence[Any]:
    return [node for node in pyll.dfs(expression) if node.name == "switch"]


def _is_choice(switch: Any) -> bool:
    return bool(switch.pos_args[0].name == "hyperopt_param")


def _order(domain: Domain) -> list[str]:
    """Give the labels in the order in which ``rec_eval`` draws them from the posterior graph.

    They share one random generator, so the order is part of the algorithm.
    """
    graph = tpe.build_posterior_wrapper(domain, 1.0, 0.25)[2]
    labels = {best.pos_args[0]: label for label, best in graph[1].items()}
    todo, done, order = [pyll.as_apply(graph)], set(), []
    while todo:
        node = todo.pop()
        if waiting := [part for part in node.inputs() if part not in done]:
            todo += [node, *waiting]
        elif node not in done:
            done.add(node)
            order += [labels[node]] if node in labels else []
    return order
