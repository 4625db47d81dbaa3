"""The figures of a sweep while it runs."""

import time
from bisect import insort
from collections import Counter, deque
from collections.abc import Callable, Iterable

from sweeps.causes import Causes
from sweeps.trial import Finished, State

SHOWN = 10
"""Best trials that are kept."""

RECENT = 30
"""Trials whose pace counts: the last ones tell more of the next than the first."""


class Tally:
    """What the trials came to so far; a trial costs it some microseconds.

    Args:
        total: trials in all, those of earlier sessions included; None: no such limit.
        limit: seconds the sweep may take; None: no such limit.
        before: trials of earlier sessions.
        clock: gives the time in seconds.
    """

    def __init__(
        self,
        total: int | None = None,
        limit: float | None = None,
        before: Iterable[Finished] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.limit, self._clock = total, limit, clock
        self.counts: Counter[State] = Counter()
        self.best: list[Finished] = []
        """The best COMPLETE trials, the best first."""
        self.history: list[tuple[int, float]] = []
        """The best rmse so far, as pairs of how many trials ended before, and the figure from there on."""
        self.causes = Causes()
        self._recent = deque[float](maxlen=RECENT + 1)
        for finished in before:
            self.add(finished)
        self.begin()

    def begin(self) -> None:
        """The first trial of this session starts now: what came before is no trial's time."""
        self.started = self._clock()
        self._recent = deque([self.started], maxlen=RECENT + 1)

    def add(self, finished: Finished) -> None:
        """Count a trial; one that the engine lost is tried again and is no end."""
        state = finished.outcome.state
        self.causes.add(finished)
        if state is State.COMPLETE:
            self._rank(finished)
        self.counts[state] += 1
        if state is not State.LOST:
            self._recent.append(self._clock())

    def _rank(self, finished: Finished) -> None:
        insort(self.best, finished, key=lambda f: (f.outcome.rmse or 0.0, f.number))
        del self.best[SHOWN:]
        if self.best[0] is finished:
            self.history.append((self.ended, finished.outcome.rmse or 0.0))

    @property
    def ended(self) -> int:
        """Trials that ended for good."""
        return sum(self.counts.values()) - self.counts[State.LOST]

    @property
    def elapsed(self) -> float:
        """Seconds of this session."""
        return self._clock() - self.started

    @property
    def spent(self) -> float:
        """Seconds of this session until its last trial ended."""
        return self._recent[-1] - self.started

    @property
    def since_best(self) -> int:
        """Trials that ended after the best one."""
        return self.ended - self.history[-1][0] - 1 if self.history else self.ended

    @property
    def rate(self) -> float | None:
        """Trials a second, lately; None before the first has ended."""
        span = self._clock() - self._recent[0]
        return (len(self._recent) - 1) / span if len(self._recent) > 1 and span > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds left, from the pace and the time limit; None where neither says anything."""
        by_limit = None if self.limit is None else max(0.0, self.limit - self.elapsed)
        if self.total is None or self.rate is None:
            return by_limit
        by_pace = max(0, self.total - self.ended) / self.rate
        return by_pace if by_limit is None else min(by_pace, by_limit)

    @property
    def share(self) -> float | None:
        """How much of the sweep is done, 0 to 1; None where it has no end that is known."""
        by_trials = None if not self.total else self.ended / self.total
        by_time = None if not self.limit else self.elapsed / self.limit
        known = [share for share in (by_trials, by_time) if share is not None]
        return min(max(known), 1.0) if known else None
