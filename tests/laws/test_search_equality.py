"""Laws of TPE written out: whatever the space and the history, the point is that of Hyperopt's graph."""

import random
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from hyperopt import Trials, hp, rand, tpe
from hyperopt.base import Domain
from hyperopt.pyll import as_apply, rec_eval, scope
from hyperopt.tpe import GMM1, GMM1_lpdf, LGMM1_lpdf, adaptive_parzen_normal

from sweeps.search import densities
from sweeps.search.densities import Mixture
from sweeps.search.history import History
from sweeps.search.parzen import Prior, draw, fit
from sweeps.search.points import point_of
from sweeps.search.posterior import Posterior
from sweeps.search.tpe import suggest
from sweeps.space.draws import random_points
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Point
from tests.laws.random_spaces import LEAVES, make_history, make_space

OPTIONS = {
    "gamma": [0.1, 0.25, 1.0, 5.0],
    "n_EI_candidates": [1, 2, 24, 60],
    "prior_weight": [0.3, 1.0, 2.5],
    "n_startup_jobs": [1, 20],
}
COMPUTED = [
    {"x": scope.switch(scope.int(hp.quniform("index", 0, 1, 1)), hp.uniform("a", 0, 1), 2)},
    {"x": scope.switch(hp.randint("index", 1, 3), 0, hp.uniform("a", 0, 1), 2)},
    {"x": hp.randint("x", low=3, high=9)},
]
"""A choice by a computed index; bounds that Hyperopt misreads, and so must we."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Hyperopt takes the logarithm of probabilities that round to 0 or below; so do we."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        yield


def assert_same(domain: Domain, history: History, trials: Trials, options: Mapping[str, Any]) -> Point:
    for seed in range(3):
        ours = suggest([len(trials)], domain, history, seed, **options)
        theirs = point_of(tpe.suggest([len(trials)], domain, trials, seed, verbose=False, **options))
        assert ours == theirs
        assert {type(value) for value in ours.values()} <= {int, float}
    return ours


@pytest.mark.parametrize("seed", range(40))
def test_it_proposes_what_hyperopt_proposes(seed: int) -> None:
    rng = random.Random(seed)
    domain = Domain(None, make_space(rng))
    Posterior(domain)  # raises where Hyperopt's own graph would be used, and compared with itself
    history, trials = make_history(rng, domain, rng.choice([1, 2, 5, 21, 50, 150]))
    assert_same(domain, history, trials, {key: rng.choice(values) for key, values in OPTIONS.items()})


@pytest.mark.parametrize("leaf", LEAVES)
@pytest.mark.parametrize("count", [1, 150])
def test_of_every_distribution(leaf: str, count: int) -> None:
    domain = Domain(None, {"x": LEAVES[leaf]("x")})
    Posterior(domain)
    history, trials = make_history(random.Random(count), domain, count)
    assert_same(domain, history, trials, {"n_startup_jobs": 1})


@pytest.mark.parametrize("space", COMPUTED)
@pytest.mark.parametrize("gamma", [0.25, 1.0])
def test_what_only_hyperopt_can_evaluate_is_left_to_it(space: Any, gamma: float) -> None:
    domain = Domain(None, space)
    with pytest.raises(ValueError, match="computes arguments or choices"):
        Posterior(domain)
    history, trials = make_history(random.Random(1), domain, 40)
    assert_same(domain, history, trials, {"gamma": gamma})


def test_above_the_limit_it_proposes_what_hyperopt_would_from_the_trials_shown() -> None:
    domain = Domain(None, {label: make(label) for label, make in LEAVES.items()})
    history, _ = make_history(random.Random(2), domain, 400, limit=100)
    good = 5  # 0.25 · sqrt(400), of the whole history
    shown = history.trials(good)
    assert len(shown) == 100
    for seed in range(3):
        theirs = tpe.suggest([400], domain, shown, seed, gamma=(good - 0.5) / 10, verbose=False)
        assert suggest([400], domain, history, seed) == point_of(theirs)


@pytest.mark.parametrize("seed", range(20))
def test_densities_are_hyperopt_s_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = sorted(rng.normal(0, 3, 2))
    centers = rng.uniform(low, high, rng.integers(0, 700))
    fitted = adaptive_parzen_normal(centers, rng.uniform(0.3, 2), (low + high) / 2, high - low)
    samples, q = rng.uniform(low, high, rng.integers(1, 40)), rng.choice([0.01, 0.3, 1.0])
    exp, steps = np.exp(samples), np.round(samples / q) * q
    exp_steps = np.round(exp / q) * q
    for bounds in ((low, high), (None, None)):
        mixture = Mixture(*fitted, *bounds)
        pairs = [
            (densities.normal_lpdf(samples, mixture), GMM1_lpdf(samples, *mixture)),
            (densities.lognormal_lpdf(exp, mixture), LGMM1_lpdf(exp, *mixture)),
            (densities.stepped_normal_lpdf(steps, mixture, q), GMM1_lpdf(steps, *mixture, q)),
            (densities.stepped_lognormal_lpdf(exp_steps, mixture, q), LGMM1_lpdf(exp_steps, *mixture, q)),
        ]
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("count", [0, 1, 2, 24, 25, 26, 27, 99, 100, 500])
@pytest.mark.parametrize("digits", [0, 1, 15])
def test_mixtures_and_their_draws_are_hyperopt_s_to_the_last_bit(count: int, digits: int) -> None:
    """Also where many values are equal, or equal the middle of the range."""
    rng = np.random.default_rng([count, digits])
    low, high = -2.0, 4.0
    values = np.round(rng.uniform(low, high, count), digits)
    for prior in (Prior(1.0, 6.0, low, high), Prior(1.0, 6.0, None, None)):
        ours, theirs = fit(values, prior, 0.7), adaptive_parzen_normal(values, 0.7, prior.mu, prior.sigma)
        for part, other in zip(ours, theirs, strict=False):
            np.testing.assert_array_equal(part, other)
        generators = np.random.default_rng(count), np.random.default_rng(count)
        own = draw(ours, 24, generators[0])
        np.testing.assert_array_equal(own, GMM1(*theirs, *prior[2:], rng=generators[1], size=(24,)))
        assert generators[0].random() == generators[1].random()  # as many numbers were taken


def test_nothing_is_drawn_between_bounds_that_leave_nothing() -> None:
    mixture = fit(np.array([0.5]), Prior(0.5, 1.0, 1.0, 1.0), 1.0)
    with pytest.raises(ValueError, match="nothing lies between"):
        draw(mixture, 1, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(20))
def test_params_are_what_hyperopt_evaluates(seed: int) -> None:
    expression = as_apply(make_space(random.Random(seed)))
    domain = Domain(None, expression)
    space = SearchSpace(None, expression)  # the file is for messages
    for point in random_points(domain, 30, seed):
        memo = domain.memo_from_config(point)
        assert space.params(point) == rec_eval(expression, memo=memo)


def test_many_random_points_are_points_of_the_space() -> None:
    domain = Domain(None, make_space(random.Random(3)))
    many = random_points(domain, 200, 0)
    alone = [point_of(rand.suggest([0], domain, Trials(), seed)) for seed in range(200)]
    assert {frozenset(point) for point in many} == {frozenset(point) for point in alone}
    assert len({frozenset(point.items()) for point in many}) == 200
