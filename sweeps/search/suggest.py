"""Hyperopt's algorithms, TPE apart, behind one signature: trial, space, history and seed; options by name.

As in Hyperopt the trial comes as a list of ids; here it is always of one.
"""

from hyperopt import anneal as annealing
from hyperopt import mix as mixing
from hyperopt import rand
from hyperopt.base import Domain, Trials

from sweeps.search import tpe
from sweeps.search.history import History
from sweeps.search.points import point_of
from sweeps.trial import Point


def random(ids: list[int], domain: Domain, _: History, seed: int) -> Point:
    """Draw a point from the space itself."""
    return point_of(rand.suggest(ids, domain, Trials(), seed))


def anneal(
    ids: list[int],
    domain: Domain,
    history: History,
    seed: int,
    *,
    avg_best_idx: float = 2.0,
    shrink_coef: float = 0.1,
) -> Point:
    """Propose a point near a good one, the nearer the more trials there are; options are Hyperopt's."""
    options = {"avg_best_idx": avg_best_idx, "shrink_coef": shrink_coef * history.excess}
    return point_of(annealing.suggest(ids, domain, history.trials(), seed, **options))


MIX_SHARES = ((0.1, random), (0.2, anneal), (0.7, tpe.suggest))
"""Hyperopt's own example of ``mix``: mostly TPE, some exploration."""


def mix(ids: list[int], domain: Domain, history: History, seed: int) -> Point:
    """Let one of the algorithms propose, by chance."""
    point: Point = mixing.suggest(ids, domain, history, seed, p_suggest=MIX_SHARES)
    return point
