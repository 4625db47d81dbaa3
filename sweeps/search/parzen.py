"""Parzen mixtures: Hyperopt's ``adaptive_parzen_normal`` and ``GMM1``, bit for bit and in half the time.

Hyperopt takes most of it to check its arguments and to call NumPy on single numbers. The operations, their
order and the random draws are the same here as there; that the results are equal is a law of the tests.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from hyperopt import tpe

from sweeps.search.densities import Array, Mixture

_MOST_NARROW = 100.0
"""How many times narrower than the prior a component may be."""


class Prior(NamedTuple):
    """A normal distribution, and the bounds of what is drawn."""

    mu: float
    sigma: float
    low: float | None
    high: float | None


def fit(values: Array, prior: Prior, weight: float) -> Mixture:
    """Give a mixture with a component at each value and one for the prior.

    A component is as wide as the farther of its neighbours is away; values count less the older they are.

    Args:
        values: (n,), in the order of the trials.
        prior: of the hyperparameter.
        weight: of the prior, in values.
    """
    count = len(values)
    order = values.argsort()
    ascending = values[order]
    place = int(ascending.searchsorted(prior.mu, side="right" if count == 1 else "left"))
    mus = _inserted(ascending, place, prior.mu)
    sigmas = np.clip(_widths(mus, prior.sigma), prior.sigma / min(_MOST_NARROW, count + 2.0), prior.sigma)
    sigmas[place] = prior.sigma
    weights = _inserted(_recency(count)[order], place, weight)
    weights /= weights.sum()
    return Mixture(weights, mus, sigmas, prior.low, prior.high)


def draw(mixture: Mixture, count: int, rng: np.random.Generator) -> Array:
    """Draw from truncated normal distributions: (count,).

    Raises:
        ValueError: nothing lies between the bounds.
    """
    weights, mus, sigmas = mixture.weights, mixture.mus.tolist(), mixture.sigmas.tolist()
    low, high = mixture.low, mixture.high
    if low is None or high is None:
        chosen = rng.multinomial(1, weights, (count,)).argmax(axis=1)
        drawn: Array = rng.normal(mixture.mus[chosen], mixture.sigmas[chosen])
        return drawn
    if low >= high:
        raise ValueError(f"nothing lies between {low} and {high}")
    samples: list[float] = []
    while len(samples) < count:
        component = rng.multinomial(1, weights).argmax()
        sample = rng.normal(mus[component], sigmas[component])
        if low <= sample < high:
            samples.append(sample)
    return np.array(samples)


def _inserted(values: Array, place: int, value: float) -> Array:
    longer = np.empty(len(values) + 1)
    longer[:place], longer[place], longer[place + 1 :] = values[:place], value, values[place:]
    return longer


def _widths(mus: Array, prior_sigma: float) -> Array:
    if len(mus) <= 2:
        return np.full(len(mus), 0.5 * prior_sigma)
    gaps = mus[1:] - mus[:-1]
    widths = np.empty(len(mus))
    widths[0], widths[-1] = gaps[0], gaps[-1]
    np.maximum(gaps[:-1], gaps[1:], out=widths[1:-1])
    return widths


@lru_cache(maxsize=1024)
def _recency(count: int) -> Array:
    """Give the weights of values by age."""
    weights: Array = tpe.linear_forgetting_weights(count, tpe.DEFAULT_LF)
    weights.flags.writeable = False
    return weights
