"""The loop of a sweep: fill the free slots, wait for the first, settle, tell, record."""

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Protocol

from sweeps.errors import EngineDownError, TooManyFailuresError, one_line
from sweeps.stopping import Standing, StopRules
from sweeps.trial import Finished, Outcome, Proposal, State, Task
from sweeps.waiting import wait_for_first
from sweeps.worker import run_trial

ATTEMPTS = 3
"""How often a proposal is tried while the engine loses it; then the trial is poison and counts as FAILED."""

LOSSES_IN_A_ROW = 3 * ATTEMPTS
"""Losses without any other outcome in between, after which the engine itself must be broken: more than a
poison trial or two, and (see ``Agenda``) more than one accident that takes every slot."""

MOST_UNWRITTEN = 64
"""Outcomes that may wait for a slow store before no further trial starts: what a crash would cost."""

WITHDRAWN = Outcome(State.LOST, error="withdrawn: the sweep was interrupted")


class Searcher(Protocol):
    """Who proposes points; ``sweeps.search.searcher.Searcher`` keeps this contract."""

    def ask(self, number: int) -> Proposal | None:
        """Propose the point of trial ``number``, running until told; None: the space has none left."""

    def tell(self, number: int, outcome: Outcome) -> None:
        """Report how the trial ended."""

    def remember(self, proposal: Proposal) -> None:
        """Take over a proposal of an earlier session."""


class Tracker(Protocol):
    """Where trials are recorded, without the loop waiting for it."""

    @property
    def broken(self) -> "Future[Any]":
        """Fails as soon as it is known that nothing can be recorded."""

    def start(self, proposal: Proposal) -> None:
        """Record that the trial begins now."""

    def finish(self, proposal: Proposal, outcome: Outcome) -> "Future[Finished]":
        """Record how the trial ended; the future is done once it is written."""


class Packer(Protocol):
    """Who makes tasks of proposals, with what earlier outcomes taught."""

    def pack(self, proposal: Proposal) -> Task:
        """Pack a proposal for the worker."""

    def learn(self, number: int, outcome: Outcome) -> None:
        """Take note of how a trial ended, and of its model."""

    def recall(self, number: int, outcome: Outcome) -> None:
        """Take note of how a trial of an earlier session ended, whose model is gone."""


class Engine(Protocol):
    """Where trials run."""

    slots: int
    changed: "Future[Any]"
    """Done when there are more slots than there were."""

    def submit(self, fn: Callable[[Task], Outcome], task: Task, limit: float | None) -> "Future[Outcome]":
        """Run ``fn(task)`` in a free slot for at most ``limit`` seconds; the future fails if it is lost."""

    def cancel(self, future: "Future[Any]") -> None:
        """Withdraw a task."""


def run_trials(
    searcher: Searcher,
    tracker: Tracker,
    engine: Engine,
    stop: StopRules,
    packer: Packer,
    interrupt: "Future[Any]",
    history: Sequence[Finished] = (),
    limit: float | None = None,
    spent: float = 0.0,
) -> Generator[Finished]:
    """Run trials until a stop rule says so; give each once it is written, LOST ones too.

    The next trial starts before the last one is written: workers train while the driver writes.

    Args:
        searcher: proposes the points; is told COMPLETE, PRUNED and FAILED outcomes.
        tracker: records each trial, in the background.
        engine: runs at most ``engine.slots`` trials at once.
        stop: when no further trial may start; running ones are then finished.
        packer: makes the tasks; learns from the outcomes that the searcher is told.
        interrupt: when it is done the loop ends at once and withdraws what runs.
        history: trials of an earlier session, one per number; those LOST are tried again first.
        limit: seconds a trial may take; one that takes longer is killed and FAILED.
        spent: seconds that earlier sessions took; they count for the stop rules.

    Raises:
        TooManyFailuresError: the engine loses one trial after the other.
        EngineDownError: it has no place for trials any more; none counts as failed for that.
        StoreError: an outcome cannot be written.
    """
    agenda = Agenda(searcher, history)
    standing, flight = Standing(), Flight(tracker, engine, limit)
    for finished in history:
        if finished.outcome.state is not State.LOST:
            standing.add(finished.outcome)
            packer.recall(finished.number, finished.outcome)
    started = time.monotonic() - spent
    try:
        while not interrupt.done():
            while (
                flight.room
                and not stop.reason(standing, agenda.begun, time.monotonic() - started)
                and (proposal := agenda.take(engine.slots)) is not None
            ):
                flight.launch(proposal, packer.pack(proposal))
            if flight.over:
                return
            for proposal, outcome in flight.landed(interrupt):
                judged = outcome if flight.down else agenda.judge(proposal, outcome)
                flight.record(proposal, judged)
                agenda.close(proposal, judged)
                if judged.state is not State.LOST:
                    standing.add(judged)
                    packer.learn(proposal.number, judged)
            yield from flight.written()
    finally:
        flight.withdraw()


class Flight:
    """The trials that run, and the outcomes that wait to be written.

    Args:
        tracker: records them.
        engine: runs them.
        limit: seconds a trial may take.
    """

    def __init__(self, tracker: Tracker, engine: Engine, limit: float | None) -> None:
        self._tracker, self._engine, self._limit = tracker, engine, limit
        self._running: dict[Future[Outcome], Proposal] = {}
        self._unwritten: deque[Future[Finished]] = deque()
        self._safe = False
        self.down: EngineDownError | None = None
        """What the engine said when it gave up."""

    @property
    def room(self) -> bool:
        """Whether a slot is free, and the store keeps up.

        Until the first outcome is in the store, none is safe: a kill would cost whatever was begun.
        """
        unsafe = 0 if self._safe else len(self._unwritten)
        return len(self._running) + unsafe < self._engine.slots and len(self._unwritten) < MOST_UNWRITTEN

    @property
    def over(self) -> bool:
        """Whether nothing runs and all is written."""
        return not self._running and not self._unwritten

    def launch(self, proposal: Proposal, task: Task) -> None:
        """Record and submit a trial; if the submission fails or is interrupted, the record says so."""
        self._tracker.start(proposal)
        try:
            self._running[self._engine.submit(run_trial, task, self._limit)] = proposal
        except BaseException:
            self._tracker.finish(proposal, WITHDRAWN)
            raise

    def landed(self, interrupt: "Future[Any]") -> Iterator[tuple[Proposal, Outcome]]:
        """Wait until something happens; give the trials that ended, by number.

        Raises:
            StoreError: nothing can be recorded any more.
        """
        broken = self._tracker.broken
        waking = interrupt, broken, self._engine.changed
        awaited: list[Future[Any]] = [*self._running, *self._unwritten, *waking]
        done = wait_for_first(awaited)
        if broken in done:
            broken.result()
        for future in sorted(self._running.keys() & done, key=lambda f: self._running[f].number):
            if not future.cancelled() and isinstance(error := future.exception(), EngineDownError):
                self.down = error
            yield self._running.pop(future), settle(future)

    def record(self, proposal: Proposal, outcome: Outcome) -> None:
        """Have an outcome written."""
        self._unwritten.append(self._tracker.finish(proposal, without_model(outcome)))

    def written(self) -> Iterator[Finished]:
        """Give the trials whose outcome is in the store, in the order they ended.

        Raises:
            StoreError: one could not be written.
            EngineDownError: the engine gave up.
        """
        while self._unwritten and self._unwritten[0].done():
            self._safe = True
            yield self._unwritten.popleft().result()
        if self.down is not None:
            raise self.down

    def withdraw(self) -> None:
        """End what runs; what is done by now still counts."""
        for future, proposal in self._running.items():
            outcome = settle(future) if future.done() else WITHDRAWN
            self._engine.cancel(future)
            self._tracker.finish(proposal, without_model(outcome))


class Agenda:
    """What to try next: proposals the engine lost come first, then the gaps of history, then new ones.

    Args:
        searcher: proposes.
        history: of an earlier session.
    """

    def __init__(self, searcher: Searcher, history: Sequence[Finished]) -> None:
        self._searcher = searcher
        self._lost: deque[Proposal] = deque()
        self._losses: Counter[int] = Counter()
        self._in_a_row, self._allowed = 0, LOSSES_IN_A_ROW
        for finished in sorted(history, key=lambda f: f.number):
            self._searcher.remember(finished.trial.proposal)
            self._tell(finished.trial.proposal, finished.outcome)
        known = {finished.number for finished in history}
        self._asked = len(known)
        self._next = max(known, default=-1) + 1
        self._gaps = deque(number for number in range(self._next) if number not in known)

    @property
    def begun(self) -> int:
        """Trials begun so far, without those waiting to be tried again."""
        return self._asked - len(self._lost)

    def take(self, slots: int) -> Proposal | None:
        """Give the next proposal; None where the search space has no point left.

        Args:
            slots: of the engine now; losing all it ever had at once, twice, does not yet make it broken.
        """
        self._allowed = max(self._allowed, 2 * slots + 1)
        if self._lost:
            return self._lost.popleft()
        proposal = self._searcher.ask(self._gaps[0] if self._gaps else self._next)
        if proposal is not None:
            self._asked += 1
            if self._gaps:
                self._gaps.popleft()
            else:
                self._next += 1
        return proposal

    def judge(self, proposal: Proposal, outcome: Outcome) -> Outcome:
        """Turn the loss of a proposal that was lost too often into a failure."""
        if outcome.state is not State.LOST:
            self._in_a_row = 0
            return outcome
        self._in_a_row += 1
        self._losses[proposal.number] += 1
        if self._losses[proposal.number] < ATTEMPTS:
            return outcome
        return replace(outcome, state=State.FAILED, error=f"lost {ATTEMPTS} times, at last: {outcome.error}")

    def close(self, proposal: Proposal, outcome: Outcome) -> None:
        """Tell the searcher, or put a lost proposal back.

        Raises:
            TooManyFailuresError: nothing but losses comes from the engine.
        """
        self._tell(proposal, outcome)
        if self._in_a_row >= self._allowed:
            raise TooManyFailuresError(
                "the engine",
                f"lost {self._in_a_row} trials in a row, at last: {outcome.reason}",
                "try --engine serial to see a trial run here",
            )

    def _tell(self, proposal: Proposal, outcome: Outcome) -> None:
        if outcome.state is State.LOST:
            self._lost.append(proposal)
        else:
            self._searcher.tell(proposal.number, outcome)


def settle(future: "Future[Outcome]") -> Outcome:
    """Give the trial's outcome; one that took too long FAILED, whatever else the engine did wrong is LOST."""
    if future.cancelled():
        return WITHDRAWN
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, TimeoutError):
        return Outcome(State.FAILED, error=f"--trial-timeout: {one_line(str(error))}")
    return Outcome(State.LOST, error=one_line(f"{type(error).__name__}: {error}"))


def without_model(outcome: Outcome) -> Outcome:
    """Drop the model's bytes, so that a long history stays small."""
    return replace(outcome, model=None)
