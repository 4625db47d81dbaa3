"""Hyperopt's TPE: the points of ``hyperopt.tpe.suggest``, at a cost that stays flat as the history grows."""

import functools
import math

from hyperopt import rand, tpe
from hyperopt.base import Domain, Trials

from sweeps.search.densities import Array
from sweeps.search.history import GOOD_AT_MOST, History
from sweeps.search.points import point_of
from sweeps.search.posterior import Posterior
from sweeps.trial import Point


def suggest(
    ids: list[int],
    domain: Domain,
    history: History,
    seed: int,
    *,
    prior_weight: float = 1.0,
    n_startup_jobs: int = 20,
    n_EI_candidates: int = 24,
    gamma: float = 0.25,
) -> Point:
    """Propose the point of trial ``ids[0]``; the options and their defaults are Hyperopt's.

    Above the history's limit the number of good trials is still that of the whole history.
    """
    if len(history) < n_startup_jobs:
        return point_of(rand.suggest(ids, domain, Trials(), seed))
    good = min(math.ceil(gamma * math.sqrt(len(history))), GOOD_AT_MOST)
    if (posterior := _posterior(domain)) is None:
        trials = history.trials(good)
        return point_of(
            tpe.suggest(
                ids,
                domain,
                trials,
                seed,
                prior_weight=prior_weight,
                n_startup_jobs=0,
                n_EI_candidates=n_EI_candidates,
                gamma=(good - 0.5) / math.sqrt(len(trials)),  # of those shown, as many as of all
                verbose=False,
            )
        )
    best, others = history.split(good)

    def observed(label: str) -> tuple[Array, Array]:
        return history.observed(label, best), history.observed(label, others)

    return posterior.draw(observed, prior_weight, n_EI_candidates, seed)


@functools.lru_cache(maxsize=8)
def _posterior(domain: Domain) -> Posterior | None:
    """Prepare a space once; None for one that only Hyperopt's own graph can evaluate."""
    try:
        return Posterior(domain)
    except ValueError:
        return None
