"""Log densities of Parzen mixtures: Hyperopt's ``GMM1_lpdf`` and ``LGMM1_lpdf``, bit for bit and faster.

Hyperopt loops over the components in Python where values are rounded to steps, and computes most exponentials
only to get zeros. The operations on each number, and the order in which numbers are added, are the same here
as there; that the results are equal is a law of the tests.

Arguments as Hyperopt's: ``samples`` is (n,), a ``Mixture`` holds (k,) arrays. Its bounds are those of the
normal distributions, so of the logarithm for log-normal ones; both are None, or both numbers.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from hyperopt.tpe import EPS
from scipy import special

Array = npt.NDArray[np.float64]

_ZERO_BELOW = -746.0
"""The exponential of anything less is 0 in double precision; computing that takes ten times as long."""

_ONE_ABOVE = 6.0
"""The error function of anything more is 1 in double precision, and -1 of anything less than minus that."""


class Mixture(NamedTuple):
    """Normal distributions, each with its weight, width and the bounds of what is drawn from it."""

    weights: Array
    mus: Array
    sigmas: Array
    low: float | None
    high: float | None

    @property
    def accepted(self) -> Any:
        """The share of draws that falls between the bounds."""
        if self.low is None or self.high is None:
            return 1
        widths = np.maximum(np.sqrt(2) * self.sigmas, EPS)
        upper, lower = (
            0.5 * (1 + special.erf((bound - self.mus) / widths)) for bound in (self.high, self.low)
        )
        return np.sum(self.weights * (upper - lower))


def normal_lpdf(samples: Array, mixture: Mixture) -> Array:
    """Give the log density of each sample under truncated normal distributions."""
    weights, mus, sigmas = mixture[:3]
    scale = weights / np.sqrt(2 * np.pi * sigmas**2) / mixture.accepted
    terms = samples[:, None] - mus
    terms /= np.maximum(sigmas, EPS)
    np.square(terms, out=terms)
    terms *= -0.5
    terms += np.log(scale)
    return _log_sum_exp(terms)


def lognormal_lpdf(samples: Array, mixture: Mixture) -> Array:
    """Give the log density of each positive sample under log-normal distributions.

    Hyperopt leaves out the share that the bounds accept, so it is left out here.
    """
    sigmas = np.maximum(mixture.sigmas, EPS)
    terms = np.log(samples[:, None]) - mixture.mus
    terms /= sigmas
    np.square(terms, out=terms)
    terms *= -0.5
    scale = sigmas * samples[:, None]
    scale *= np.sqrt(2 * np.pi)
    terms -= np.log(scale, out=scale)
    terms += np.log(mixture.weights)
    return _log_sum_exp(terms)


def stepped_normal_lpdf(samples: Array, mixture: Mixture, q: float) -> Array:
    """Give the log probability of each sample, a multiple of ``q``, after rounding to such multiples."""
    values, places = np.unique(samples, return_inverse=True)
    edges = _edges(values, q, mixture.low, mixture.high)
    return _log_share(0.5 * (1 + _erf(edges, mixture)), mixture)[places]


def stepped_lognormal_lpdf(samples: Array, mixture: Mixture, q: float) -> Array:
    """Give the log probability of each sample as ``stepped_normal_lpdf`` does, for log-normal ones."""
    values, places = np.unique(samples, return_inverse=True)
    low, high = (None if bound is None else np.exp(bound) for bound in mixture[3:])
    edges = np.log(np.maximum(_edges(values, q, low, high), EPS))  # negative ones stand for 0
    return _log_share(0.5 + 0.5 * _erf(edges, mixture), mixture)[places]


def _edges(values: Array, q: float, low: float | None, high: float | None) -> Array:
    """Give between what each value was rounded, within the bounds: (2, n), the upper edges first."""
    upper, lower = values + q / 2, values - q / 2
    return np.stack(
        (upper if high is None else np.minimum(upper, high), lower if low is None else np.maximum(lower, low))
    )


def _erf(edges: Array, mixture: Mixture) -> Array:
    """Give the error function of each edge's distance from each component, in its widths: (2, n, k)."""
    distances = edges[:, :, None] - mixture.mus
    distances /= np.maximum(np.sqrt(2) * mixture.sigmas, EPS)
    values = np.clip(distances, -1, 1)
    near = np.abs(distances) < _ONE_ABOVE
    values[near] = special.erf(distances[near])
    return values


def _log_share(shares: Array, mixture: Mixture) -> Array:
    """Add up what each component puts between the edges.

    Args:
        shares: (2, n, k): of each component below each sample's upper and lower edge.
        mixture: of k components.
    """
    shares *= mixture.weights
    between = np.subtract(shares[0], shares[1], out=shares[0])
    total = np.add.accumulate(between, axis=1)[:, -1]  # one component after the other, as Hyperopt adds
    logarithm: Array = np.log(total) - np.log(mixture.accepted)
    return logarithm


def _log_sum_exp(terms: Array) -> Array:
    """Add up exponentials along the second axis; the argument is used up."""
    highest = terms.max(axis=1)
    terms -= highest[:, None]
    large = ~(terms < _ZERO_BELOW)  # NaN too, which stays NaN
    powers = np.zeros_like(terms)
    powers[large] = np.exp(terms[large])
    total: Array = np.log(powers.sum(axis=1)) + highest
    return total
