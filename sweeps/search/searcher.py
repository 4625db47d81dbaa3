"""Searcher: ask and tell over Hyperopt's algorithms. Hyperopt proposes; nothing else here decides.

The searcher is a function of its history: what was asked and told, in the order of the trials. So the
order of tells cannot matter, telling twice is telling once, and a replayed history proposes what the original
would have (docs/decisions/0002-searcher-is-a-function-of-history.md).

No point is proposed twice, and an ask costs the same however long the history is
(docs/decisions/0010-flat-ask-no-point-twice.md).
"""

import functools
from collections.abc import Hashable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

import numpy as np
from hyperopt import pyll
from hyperopt.base import Domain

from sweeps.errors import UsageError
from sweeps.search.history import GOOD_AT_MOST, History
from sweeps.search.options import algorithm, looser
from sweeps.search.suggest import random
from sweeps.search.visited import Visited
from sweeps.space.canonical import canonical
from sweeps.space.draws import random_points
from sweeps.space.finite import all_points
from sweeps.space.search_space import SearchSpace
from sweeps.trial import Outcome, Point, Proposal, State

HISTORY_LIMIT = 500
"""Trials that an algorithm sees at most; see docs/decisions/0010-flat-ask-no-point-twice.md."""

REDRAWS, LOOSER_REDRAWS = 3, 7
"""How often the algorithm draws again for a point that was visited, at first as it is, then looser."""

RANDOM_DRAWS = 1000
"""How many points are then drawn from the space itself, before its points are counted."""


class Searcher:
    """Proposes points of a search space, given the outcomes of earlier ones; no point twice.

    With one trial at a time and without ``FIRST``, the points are exactly those of
    ``hyperopt.fmin(space, algo=..., rstate=numpy.random.default_rng(seed))``; with complete ``FIRST`` points,
    those of ``fmin(..., points_to_evaluate=...)``. Both as long as ``fmin`` visits no point again, and up to
    ``history_limit`` trials.

    Args:
        space: where to search.
        algo: one of ``sweeps.search.algorithms.ALGORITHMS``.
        seed: all draws derive from it.
        options: settings of the algorithm as text, for example ``{"n_startup_jobs": "10"}``.
        history_limit: above so many trials the algorithm sees the good ones, those under way, and a sample of
            the others, so that an ask does not become slower and slower.

    Raises:
        UsageError: an unknown algorithm or option, or an option's value of the wrong type.
        ValueError: the limit has no room for a sample beside the good trials.
    """

    def __init__(
        self,
        space: SearchSpace,
        algo: str = "tpe",
        seed: int = 0,
        options: Mapping[str, str] | None = None,
        history_limit: int = HISTORY_LIMIT,
    ) -> None:
        if history_limit <= GOOD_AT_MOST:
            raise ValueError(f"history_limit must be above {GOOD_AT_MOST}, got {history_limit}")
        self._space, self._seed = space, seed
        self._suggest, self._suggest_looser = algorithm(algo, options or {}), looser(algo, options or {})
        self._domain = Domain(lambda _: None, space.expression)
        self._history = History(self._domain, seed, history_limit)
        self._visited = Visited()
        self._first = space.first_points()
        self._rng = np.random.default_rng(seed)
        self._draws: list[int] = []
        self._exhausted = False

    @property
    def exhausted(self) -> str:
        """Why an ask gave no point; empty as long as each gave one."""
        if not self._exhausted:
            return ""
        if self._points is not None:
            return f"all {len(self._points)} points of the search space are tried"
        return f"{RANDOM_DRAWS} random draws gave only points among the {len(self._visited)} already tried"

    def ask(self, number: int) -> Proposal | None:
        """Propose the point of trial ``number``, which counts as running from now on.

        A point that was asked before is drawn again. None: no other is left, and ``exhausted`` says so.

        Raises:
            ValueError: that number was asked before.
        """
        if number in self._history:
            raise ValueError(f"trial {number} was asked before")
        proposal = None if self._exhausted else next(self._new(number), None)
        if proposal is None:
            self._exhausted = True
            return None
        self.remember(proposal)
        return proposal

    def preview(self, number: int) -> Proposal:
        """Give what ``ask(number)`` would propose now, without counting it as asked.

        Where no new point is left, it is one that was tried.
        """
        return next(chain(self._new(number), self._proposals(number)))

    def remember(self, proposal: Proposal) -> None:
        """Take over a proposal of an earlier session as if it had been asked here.

        Raises:
            ValueError: the space cannot be evaluated at its point.
        """
        self._visited.add(proposal.number, self._key(proposal.point))
        self._history.remember(proposal.number, proposal.point)

    def tell(self, number: int, outcome: Outcome) -> None:
        """Report how trial ``number`` ended; saying the same twice is saying it once.

        Raises:
            ValueError: the number was never asked, was told otherwise, or the engine lost the trial.
        """
        if number not in self._history:
            raise ValueError(f"trial {number} was never asked")
        if outcome.state is State.LOST:
            raise ValueError(
                f"trial {number} was lost by the engine: try it again, there is nothing to learn"
            )
        loss = outcome.rmse if outcome.state in (State.COMPLETE, State.PRUNED) else None
        if (kept := self._history.tell(number, loss)) != loss:
            raise ValueError(f"trial {number} was told {kept}, now {loss}")

    def _new(self, number: int) -> Iterator[Proposal]:
        """Give the proposals whose point no other trial has, in the order in which they are drawn."""
        for proposal in self._proposals(number):
            if not self._visited.knows(canonical(proposal.params, proposal.point), besides=number):
                yield proposal

    def _proposals(self, number: int) -> Iterator[Proposal]:
        seed = trial_seed(self._seed, number)
        for point in self._drawn(number, seed):
            yield Proposal(number, point, self._space.params(point), seed)

    def _drawn(self, number: int, seed: int) -> Iterator[Point]:
        """Draw points for a trial: as planned, by the algorithm again, at random, and from those left.

        All but the planned one come from the trial's own seed, so that later trials draw what they would.
        """
        if number < len(self._first):
            yield from self._first_points(number, seed)
        else:
            yield self._suggest([number], self._domain, self._history, self._draw(number - len(self._first)))
        again = [self._suggest] * REDRAWS + [self._suggest_looser] * LOOSER_REDRAWS
        for attempt, suggest in enumerate(again, 1):
            yield suggest([number], self._domain, self._history, seed + attempt)
        yield from random_points(self._domain, RANDOM_DRAWS, seed)
        yield from self._left(number, seed)

    def _draw(self, index: int) -> int:
        """Give the ``index``-th seed that ``fmin`` would draw."""
        while len(self._draws) <= index:
            self._draws.append(int(self._rng.integers(2**31 - 1)))
        return self._draws[index]

    def _first_points(self, number: int, seed: int) -> Iterator[Point]:
        """Complete the user's point by draws: those of its branch of every choice it fixes."""
        wanted = self._first[number]
        switches = _switches(self._domain.expr) & wanted.keys()
        drawn = (random([number], self._domain, self._history, seed + attempt) for attempt in range(100_000))
        agreeing = (point for point in drawn if all(point.get(label) == wanted[label] for label in switches))
        completed = ({**point, **{k: v for k, v in wanted.items() if k in point}} for point in agreeing)
        if (point := next(completed, None)) is None:
            raise UsageError(
                f"space {self._space.name}",
                f"no draw agrees with FIRST[{number}] = {wanted}",
                "correct FIRST",
            )
        yield point
        yield from islice(completed, REDRAWS)

    def _left(self, number: int, seed: int) -> Iterator[Point]:
        """Choose one of a finite space's points that no other trial has."""
        known = self._visited.knows
        left = [point for key, point in (self._points or {}).items() if not known(key, besides=number)]
        if left:
            yield left[np.random.default_rng(seed).integers(len(left))]

    @functools.cached_property
    def _points(self) -> dict[Hashable, Point] | None:
        """All that there are, where the space is finite."""
        points = all_points(self._space.hyperparameters)
        return None if points is None else {self._key(point): point for point in points}

    def _key(self, point: Point) -> Hashable:
        return canonical(self._space.params(point), point)


def trial_seed(seed: int, number: int) -> int:
    """Derive the seed of a trial's training from the sweep's: independent streams, reproducible alone."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0] >> 1)


def _switches(expression: Any) -> set[str]:
    """Labels whose value decides which other labels are active: those of ``hp.choice`` and its kind."""
    nodes = [node for node in pyll.dfs(expression) if node.name == "switch"]
    return {node.pos_args[0].arg["label"].obj for node in nodes if node.pos_args[0].name == "hyperopt_param"}
