"""Sweeps with a pruner in virtual time: recorded curves, the pruner's own figures, a heap of rungs and ends.

A trial is a recording with its figure at each rung, computed once by the code that workers run. Curves were
kept at 40 of their rounds; in between they are interpolated.
"""

import heapq
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, count
from typing import NamedTuple

import numpy as np

from benchmarks.recorded.lookup import Recording
from benchmarks.recorded.space import MOST_ROUNDS
from sweeps.forecast import doublings_left, heading
from sweeps.pruning import Pruner, Watch
from sweeps.trial import Outcome, State


class Known(StrEnum):
    """What the cutoffs are computed from that a trial meets at a rung."""

    SUBMITTED = "submission"
    """The trials that had ended when it was submitted: the cutoffs travel with it."""
    FINISHED = "ends"
    """The trials that have ended by now: cutoffs that the driver would send again after every end."""
    LIVE = "rungs"
    """The rungs that all trials have reached by now, those running too: a channel to every worker."""


class Rung(NamedTuple):
    """A place where a trial is judged."""

    step: int
    """As in the cutoffs."""
    rounds: int
    """The trial's own, done when it is judged."""
    figure: float


class Judged(NamedTuple):
    """A recording and its rungs, ascending; those at its end or beyond are left out."""

    recording: Recording
    rungs: tuple[Rung, ...]


class Ended(NamedTuple):
    """A trial that ended in a sweep."""

    time: float
    """Virtual seconds since the sweep began."""
    trial: Judged
    rung: Rung | None
    """Where it was pruned."""

    @property
    def rounds(self) -> int:
        """How many it trained."""
        return self.rung.rounds if self.rung else self.trial.recording.rounds

    @property
    def rmse(self) -> float:
        """What it counts: infinite where it was pruned."""
        return math.inf if self.rung else self.trial.recording.best


def judge(recording: Recording, pruner: Pruner, pace: float) -> Judged:
    """Find the rungs of a trial and its figure at each.

    Args:
        recording: of the trial.
        pruner: any of the kind, whatever it knows.
        pace: of the trial, as ``sweeps.models.pace_of`` gives it.
    """
    steps = [step for step, _ in pruner.cutoffs()]
    best = best_so_far(recording)
    rungs = _forecasts(steps, best) if pruner.forecasts else _figures(steps, best, pace)
    return Judged(recording, tuple(rung for rung in rungs if rung.rounds < recording.rounds))


def best_so_far(recording: Recording) -> list[float]:
    """Give the best rmse after each round of a recording."""
    steps, values = zip(*recording.curve, strict=True)
    return list(accumulate(np.interp(range(recording.rounds), steps, values).tolist(), min))


def _forecasts(steps: list[int], best: list[float]) -> Iterator[Rung]:
    for step in steps[: bisect_right(steps, len(best) - 1)]:
        quarter, half, now = (math.inf, *best)[(step + 1) // 4], best[(step + 1) // 2 - 1], best[step]
        yield Rung(step, step + 1, heading(quarter, half, now, doublings_left(step + 1, MOST_ROUNDS)))


def _figures(steps: list[int], best: list[float], pace: float) -> Iterator[Rung]:
    watch, seen = Watch(tuple((step, math.inf) for step in steps)), 0
    watch.pace = pace
    for step, rmse in enumerate(best):
        watch(step, rmse)
        for rung, figure in watch.rungs[seen:]:
            yield Rung(rung, step + 1, figure)
        seen = len(watch.rungs)


@dataclass
class _Running:
    number: int
    trial: Judged
    started: float
    cutoffs: dict[int, float]
    place: int = 0
    """Of the next rung."""

    @property
    def rung(self) -> Rung | None:
        return self.trial.rungs[self.place] if self.place < len(self.trial.rungs) else None

    @property
    def due(self) -> float:
        rung, recording = self.rung, self.trial.recording
        return self.started + recording.seconds_at(rung.rounds if rung else recording.rounds)


class Simulation:
    """A sweep in virtual time; deciding takes none.

    Args:
        pruner: that knows nothing yet.
        known: from what its cutoffs are computed; ``LIVE`` is not there for ``median``, whose pruned trials
            would count as infinitely bad while they still run.
        slots: trials at once.
        propose: gives a number and a trial; None: there are no more.
        tell: hears of each trial that ended.
    """

    def __init__(
        self,
        pruner: Pruner,
        known: Known,
        slots: int,
        propose: Callable[[], tuple[int, Judged] | None],
        tell: Callable[[int, Ended], None] = lambda number, ended: None,
    ) -> None:
        self._pruner, self._known, self._slots = pruner, known, slots
        self._propose, self._tell = propose, tell
        self._cutoffs = dict(pruner.cutoffs())
        self._heap: list[tuple[float, int, _Running]] = []
        self._order = count()

    def run(self) -> Iterator[Ended]:
        """Give the trials in the order in which they end."""
        for _ in range(self._slots):
            self._start(0.0)
        while self._heap:
            now, _, running = heapq.heappop(self._heap)
            if self._goes_on(running):
                self._push(running)
                continue
            ended = Ended(now, running.trial, running.rung)
            self._learn(ended)
            self._tell(running.number, ended)
            yield ended
            self._start(now)

    def _start(self, now: float) -> None:
        if (proposal := self._propose()) is None:
            return
        running = _Running(*proposal, now, self._cutoffs)
        if self._known is Known.SUBMITTED:  # its fate is sealed: go to where it ends at once
            while running.rung and self._goes_on(running):
                pass
        self._push(running)

    def _push(self, running: _Running) -> None:
        heapq.heappush(self._heap, (running.due, next(self._order), running))

    def _goes_on(self, running: _Running) -> bool:
        """Judge a trial at its rung; whether it survives, on its way to the next."""
        rung = running.rung
        if rung is None:
            return False
        cutoffs = running.cutoffs if self._known is Known.SUBMITTED else self._cutoffs
        survives = rung.figure <= cutoffs[rung.step]
        if self._known is Known.LIVE and not self._pruner.forecasts:
            self._learn_figure(rung.step, rung.figure)
        running.place += survives
        return survives

    def _learn(self, ended: Ended) -> None:
        if self._known is not Known.LIVE or self._pruner.forecasts:
            self._pruner.learn(outcome(ended))
        elif ended.rung is None:  # its rungs were learned as they came; the rest counts with its end
            seen = {rung.step for rung in ended.trial.rungs}
            for step in self._cutoffs.keys() - seen:
                self._learn_figure(step, ended.rmse)
        self._cutoffs = dict(self._pruner.cutoffs())

    def _learn_figure(self, step: int, figure: float) -> None:
        """Put one figure at one rung."""
        alone = ((step, figure),)
        self._pruner.learn(Outcome(State.PRUNED, figure, rungs=alone, error="still running"))
        self._cutoffs = dict(self._pruner.cutoffs())


def outcome(ended: Ended) -> Outcome:
    """Give the outcome as a worker would."""
    passed = tuple((rung.step, rung.figure) for rung in ended.trial.rungs if rung.rounds <= ended.rounds)
    if ended.rung is None:
        return Outcome(State.COMPLETE, ended.rmse, rungs=passed)
    best = best_so_far(ended.trial.recording)[ended.rounds - 1]
    return Outcome(State.PRUNED, best, rungs=passed, error="pruned")
