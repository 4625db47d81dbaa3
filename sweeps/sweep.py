"""The loop of a sweep: fill the free slots, wait for the first, settle, record, tell."""

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from typing import Any, Protocol

from sweeps.errors import TooManyFailuresError, one_line
from sweeps.stopping import StopRules
from sweeps.trial import Finished, Outcome, Proposal, State, Task, Trial
from sweeps.worker import run_trial

ATTEMPTS = 3
"""How often a proposal is tried while the engine loses it; then the trial is poison and counts as FAILED."""

LOSSES_IN_A_ROW = 3 * ATTEMPTS
"""Losses without any other outcome in between, after which the engine itself must be broken: more than a
poison trial or two, and (see ``Agenda``) more than one accident that takes every slot."""

WITHDRAWN = Outcome(State.LOST, error="withdrawn: the sweep was interrupted")


class Searcher(Protocol):
    """Who proposes points; ``sweeps.search.searcher.Searcher`` keeps this contract."""

    def ask(self, number: int) -> Proposal:
        """Propose the point of trial ``number``; it counts as running until told."""

    def tell(self, number: int, outcome: Outcome) -> None:
        """Report how the trial ended."""

    def remember(self, proposal: Proposal) -> None:
        """Take over a proposal of an earlier session."""


class Tracker(Protocol):
    """Where trials are recorded."""

    def start(self, proposal: Proposal) -> Trial:
        """Make the trial's run and log its params."""

    def finish(self, trial: Trial, outcome: Outcome) -> Finished:
        """Write the trial's final state."""


class Engine(Protocol):
    """Where trials run."""

    slots: int

    def submit(self, fn: Callable[[Task], Outcome], task: Task) -> "Future[Outcome]":
        """Run ``fn(task)`` in a free slot; the future fails when the engine loses it."""

    def cancel(self, future: "Future[Any]") -> None:
        """Withdraw a task."""


def run_trials(
    searcher: Searcher,
    tracker: Tracker,
    engine: Engine,
    stop: StopRules,
    make_task: Callable[[Proposal], Task],
    interrupt: "Future[Any]",
    history: Sequence[Finished] = (),
) -> Generator[Finished]:
    """Run trials until a stop rule says so; give each as it ends, LOST ones too.

    Args:
        searcher: proposes the points; is told COMPLETE, PRUNED and FAILED outcomes.
        tracker: records each trial before it runs and after it ended.
        engine: runs at most ``engine.slots`` trials at once.
        stop: when no further trial may start; running ones are then finished.
        make_task: packs a proposal for the worker.
        interrupt: when it is done the loop ends at once and withdraws what runs.
        history: trials of an earlier session, one per number; those LOST are tried again first.

    Raises:
        TooManyFailuresError: the engine loses one trial after the other.
    """
    agenda = Agenda(searcher, history, engine.slots)
    ended = [finished for finished in history if finished.outcome.state is not State.LOST]
    running: dict[Future[Outcome], Trial] = {}
    started = time.monotonic()
    try:
        while not interrupt.done():
            while len(running) < engine.slots and not stop.reason(
                ended, agenda.begun, time.monotonic() - started
            ):
                proposal = agenda.take()
                task = make_task(proposal)
                trial = tracker.start(proposal)
                running[_submitted(engine, tracker, task, trial)] = trial
            if not running:
                return
            done, _ = wait([*running, interrupt], return_when=FIRST_COMPLETED)
            for future in sorted(running.keys() & done, key=lambda f: running[f].proposal.number):
                trial = running[future]
                finished = tracker.finish(trial, agenda.judge(trial.proposal, settle(future)))
                del running[future]
                agenda.close(finished)
                if finished.outcome.state is not State.LOST:
                    ended.append(without_model(finished))
                yield finished
    finally:
        for future, trial in running.items():
            outcome = settle(future) if future.done() else WITHDRAWN
            engine.cancel(future)
            tracker.finish(trial, outcome)


def _submitted(engine: Engine, tracker: Tracker, task: Task, trial: Trial) -> "Future[Outcome]":
    """Submit a trial whose run exists; if even that fails or is interrupted, the run gets its final state."""
    try:
        return engine.submit(run_trial, task)
    except BaseException:
        tracker.finish(trial, WITHDRAWN)
        raise


class Agenda:
    """What to try next: proposals the engine lost come first, then the gaps of history, then new ones.

    Args:
        searcher: proposes.
        history: of an earlier session.
        slots: of the engine; losing all of them at once, twice, does not yet make it broken.
    """

    def __init__(self, searcher: Searcher, history: Sequence[Finished], slots: int = 1) -> None:
        self._searcher = searcher
        self._lost: deque[Proposal] = deque()
        self._losses: Counter[int] = Counter()
        self._in_a_row, self._allowed = 0, max(LOSSES_IN_A_ROW, 2 * slots + 1)
        for finished in sorted(history, key=lambda f: f.number):
            self._recall(finished)
        known = {finished.number for finished in history}
        self._asked = len(known)
        self._next = max(known, default=-1) + 1
        self._gaps = deque(number for number in range(self._next) if number not in known)

    @property
    def begun(self) -> int:
        """Trials begun so far, without those waiting to be tried again."""
        return self._asked - len(self._lost)

    def take(self) -> Proposal:
        """Give the next proposal."""
        if self._lost:
            return self._lost.popleft()
        self._asked += 1
        if self._gaps:
            return self._searcher.ask(self._gaps.popleft())
        self._next += 1
        return self._searcher.ask(self._next - 1)

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

    def close(self, finished: Finished) -> None:
        """Tell the searcher, or put a lost proposal back.

        Raises:
            TooManyFailuresError: nothing but losses comes from the engine.
        """
        if finished.outcome.state is State.LOST:
            self._lost.append(finished.trial.proposal)
        else:
            self._searcher.tell(finished.number, finished.outcome)
        if self._in_a_row >= self._allowed:
            raise TooManyFailuresError(
                "the engine",
                f"lost {self._in_a_row} trials in a row, at last: {finished.outcome.reason}",
                "try --engine serial to see a trial run here",
            )

    def _recall(self, finished: Finished) -> None:
        self._searcher.remember(finished.trial.proposal)
        if finished.outcome.state is State.LOST:
            self._lost.append(finished.trial.proposal)
        else:
            self._searcher.tell(finished.number, finished.outcome)


def settle(future: "Future[Outcome]") -> Outcome:
    """Give the trial's outcome; whatever the engine did wrong is LOST."""
    if future.cancelled():
        return WITHDRAWN
    error = future.exception()
    if error is None:
        return future.result()
    return Outcome(State.LOST, error=one_line(f"{type(error).__name__}: {error}"))


def without_model(finished: Finished) -> Finished:
    """Drop the model's bytes, so that a long history stays small."""
    return replace(finished, outcome=replace(finished.outcome, model=None))
