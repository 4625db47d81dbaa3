"""A sweep in virtual time: the real searcher, trials looked up, a heap of ends in place of an engine."""

import heapq
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from benchmarks.problems import Problem
from sweeps.search.searcher import Searcher
from sweeps.trial import Outcome, State


class Ended(NamedTuple):
    """A trial that ended."""

    time: float
    """Virtual seconds since the sweep began."""
    number: int
    value: float


def run(problem: Problem, searcher: Searcher, slots: int, trials: int) -> Iterator[Ended]:
    """Run a sweep as the real loop does: fill the free slots, wait for the first, tell, go on.

    Asking and telling take no virtual time.

    Args:
        problem: gives values and durations.
        searcher: proposes; is told each value before the next ask.
        slots: trials at once.
        trials: in all; fewer where the searcher has no point left.

    Returns:
        The trials in the order in which they end.
    """
    running: list[Ended] = []
    now, numbers = 0.0, count()
    for _ in range(min(slots, trials)):
        _start(problem, searcher, next(numbers), now, running)
    while running:
        ended = heapq.heappop(running)
        now = ended.time
        searcher.tell(ended.number, Outcome(State.COMPLETE, ended.value))
        yield ended
        if (number := next(numbers)) < trials:
            _start(problem, searcher, number, now, running)


def _start(problem: Problem, searcher: Searcher, number: int, now: float, running: list[Ended]) -> None:
    proposal = searcher.ask(number)
    if proposal is not None:
        end = now + problem.seconds(proposal.params, proposal.seed)
        heapq.heappush(running, Ended(end, number, problem.value(proposal.params)))
