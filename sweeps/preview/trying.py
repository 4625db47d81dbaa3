"""Trials on few rows, outside any sweep: run by an engine as in a sweep, recorded nowhere."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from sweeps.preview.branches import Branch
from sweeps.preview.wall_time import Timing
from sweeps.trial import Outcome, Point, State, Task

FIT_SECONDS = 20.0
"""After which a trial on few rows is ended."""
GROWTH = 8
"""Each further round of timed trials takes so many times the rows."""


@dataclass(frozen=True)
class Tried:
    """How a trial on few rows ended."""

    branch: Branch
    rows: int
    outcome: Outcome
    seconds: float
    """From handing it to a worker to having its outcome."""


class Runs(Protocol):
    """What runs trials: an engine, as far as it is needed here."""

    slots: int

    def submit(self, fn: Callable[[Any], Any], task: Any, limit: float | None = None) -> "Future[Any]":
        """Have ``fn(task)`` run."""


class Trier:
    """Runs trials one by one.

    Args:
        engine: open.
        run: what a worker does with a task.
        task: makes the task of a point for so many rows, with its model to come back or not.
    """

    def __init__(
        self, engine: Runs, run: Callable[[Task], Outcome], task: Callable[[Point, int, bool], Task]
    ) -> None:
        self._engine, self._run, self._task = engine, run, task

    def dry(self, branch: Branch, point: Point, rows: int) -> Tried:
        """Run a trial to see whether it works; its model comes back."""
        return self._one(branch, rows, self._task(point, rows, True))

    def timed(self, branch: Branch, point: Point, rows: int) -> Tried:
        """Run a trial to see how long it takes."""
        return self._one(branch, rows, self._task(point, rows, False))

    def warm(self, point: Point, rows: int) -> None:
        """Run a trial on every worker, so that none is slow because it is its first."""
        task = self._task(point, rows, False)
        futures = [self._engine.submit(self._run, task, FIT_SECONDS) for _ in range(self._engine.slots)]
        for future in futures:
            _outcome(future)

    def slowdown(self, branch: Branch, point: Point, rows: int, alone: float) -> float:
        """Run the same trial on all workers at once; give how many times as long it took as alone."""
        if self._engine.slots == 1:
            return 1.0
        task, started = self._task(point, rows, False), time.perf_counter()
        futures = [self._engine.submit(self._run, task, FIT_SECONDS) for _ in range(self._engine.slots)]
        outcomes = [_outcome(future) for future in futures]
        together = time.perf_counter() - started
        fine = all(outcome.state is State.COMPLETE for outcome in outcomes)
        return max(together / alone, 1.0) if fine and alone > 0 else 1.0

    def _one(self, branch: Branch, rows: int, task: Task) -> Tried:
        started = time.perf_counter()
        outcome = _outcome(self._engine.submit(self._run, task, FIT_SECONDS))
        return Tried(branch, rows, outcome, time.perf_counter() - started)


def time_trials(
    trier: Trier,
    points: Sequence[tuple[Branch, Point]],
    steps: Sequence[int],
    budget: float,
    known: Sequence[Timing] = (),
) -> list[Timing]:
    """Time points at more and more rows, as far as the time allows.

    A trial is left out if it would probably take more than what is left of the budget.

    Args:
        trier: runs the trials.
        points: with the branch of each.
        steps: numbers of rows, ascending.
        budget: seconds for all of them together; one point is timed in any case.
        known: timings that there are already.

    Returns:
        Those that were known, and the new ones.
    """
    timings, last = list(known), {timing.point: timing for timing in known}
    end = time.monotonic() + budget
    for number, rows in enumerate(steps, 1):
        now = time.monotonic()
        pause = end if number == len(steps) else now + (end - now) / 2  # the rest is for more rows
        for index, (branch, point) in enumerate(points):
            before = last.get(index)
            expected = before.seconds * rows / before.rows if before else 0.0
            late = bool(timings) and time.monotonic() + expected > pause
            if late or (before is not None and before.rows >= rows):
                continue
            tried = trier.timed(branch, point, rows)
            if tried.outcome.state is State.COMPLETE:
                last[index] = Timing(index, branch.name, rows, tried.seconds)
                timings.append(last[index])
    return timings


def row_steps(few: int, rows: int) -> list[int]:
    """Numbers of rows to time at, from few to all."""
    steps = [few]
    while steps[-1] * GROWTH < rows:
        steps.append(steps[-1] * GROWTH)
    return [*steps, rows] if rows > 2 * few else [rows]


def _outcome(future: "Future[Outcome]") -> Outcome:
    """Wait for a trial; what the engine had to end has failed."""
    try:
        return future.result()
    except (RuntimeError, TimeoutError) as error:
        return Outcome(State.FAILED, error=str(error) or type(error).__name__)
