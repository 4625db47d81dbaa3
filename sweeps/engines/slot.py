"""One slot of an engine: a thread that feeds one process after the other with tasks."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

from sweeps.engines.base import Hear, LostTaskError, TaskError
from sweeps.engines.claims import claim

LOOK = object()
"""In the queue: nothing to run, but there may be something to prepare."""

STARTS = 3
"""Processes that may end before they begin a task, one after the other; then the task is lost."""


class Job(NamedTuple):
    """A task that waits for a slot."""

    future: "Future[Any]"
    fn: Callable[[Any], Any]
    task: Any
    limit: float | None


class Preparation(NamedTuple):
    """What each process runs before its first task."""

    fn: Callable[[Any], object]
    given: Any


class GoneError(Exception):
    """There is no place for this slot's processes any more; the text says why."""


class NotBegunError(Exception):
    """The process ended before it began the task, which may therefore go to another one."""


class Process(Protocol):
    """What runs the tasks of a slot; ``WorkerProcess`` is one on this machine."""

    def alive(self) -> bool:
        """Whether it can take a task."""

    def run(
        self, fn: Any, task: Any, limit: float | None = None, hear: Callable[[Any], object] | None = None
    ) -> Any:
        """Run ``fn(task)``, once, and wait for what it returns, at most ``limit`` seconds.

        Raises:
            LateTaskError: it took longer; the process was killed.
            TaskError: the function raised, or it, the task or the result cannot travel.
            LostTaskError: the process ended first, or was killed already.
            NotBegunError: it ended before that.
        """

    def kill(self) -> None:
        """End it at once, in whatever thread."""

    def close(self) -> None:
        """Make sure that it is gone and free what it held; called once."""


class Slot(threading.Thread):
    """Takes one job after the other; lives as long as the engine.

    Args:
        jobs: the queue; None ends it.
        start: gives a process; ``GoneError`` ends the slot, another error is left to the next job.
        tell: called when the slot is ready for its first job, and when it is gone.
    """

    def __init__(
        self,
        jobs: "SimpleQueue[Any]",
        start: Callable[[], Process],
        tell: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(name="sweeps-slot", daemon=True)
        self.preparation: Preparation | None = None
        self.hear: Hear | None = None
        self.ready = False
        """Whether it has had a process, and is not gone."""
        self.gone = ""
        """Why there are no more processes for it."""
        self._jobs, self._start, self._tell = jobs, start, tell
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._prepared: Process | None = None
        self._running: Future[Any] | None = None
        self._unwanted = self._stopping = False

    def run(self) -> None:
        """Serve jobs until told to stop, or gone."""
        self._warm_up()
        while not self.gone and (job := self._jobs.get()) is not None:
            self._warm_up()
            if job is not LOOK:
                self._take(job)
        self._discard()

    def _take(self, job: Job) -> None:
        if self.gone:
            self._jobs.put(job)
        elif self._claim(job.future):
            self._serve(job)
            self._warm_up()

    def kill(self, future: "Future[Any]") -> None:
        """Kill the process if it is this task that it runs."""
        with self._lock:
            if self._running is future:
                self._unwanted = True
                self._kill()

    def stop(self) -> None:
        """Kill what runs and start nothing more."""
        with self._lock:
            self._stopping = True
            self._kill()

    def leave(self, why: str) -> None:
        """Take no more jobs, since there is no place for processes any more."""
        with self._lock:
            self._be_gone(why)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _be_gone(self, why: str) -> None:
        self.gone, self.ready = self.gone or why, False

    def _claim(self, future: "Future[Any]") -> bool:
        with self._lock:
            if not claim(future):
                return False
            self._running, self._unwanted = future, False
            return True

    def _serve(self, job: Job) -> None:
        try:
            result = self._run(job)
        except Exception as error:  # noqa: BLE001  # told by the future
            self._end()
            job.future.set_exception(error)
        else:
            self._end()
            job.future.set_result(result)

    def _run(self, job: Job) -> Any:
        hear = None if self.hear is None else partial(self.hear, job.task)
        for _ in range(STARTS):
            process = self._wanted_process()
            with contextlib.suppress(NotBegunError):
                return process.run(job.fn, job.task, job.limit, hear)
        raise LostTaskError(f"{STARTS} processes ended before they began the task")

    def _wanted_process(self) -> Process:
        """A process for the job at hand, unless it was withdrawn meanwhile."""
        try:
            process = self._prepared_process()
        except GoneError as error:
            raise LostTaskError(f"{error} before the task began") from error
        with self._lock:
            if self._stopping or self._unwanted:
                raise LostTaskError("withdrawn before the task began")
        return process

    def _end(self) -> None:
        with self._lock:
            self._running = None

    def _warm_up(self) -> None:
        """Have a process that is prepared; what goes wrong is left to the next task, which is told of it."""
        try:
            if not self._stopping:
                self._prepared_process()
        except GoneError as error:
            self.leave(str(error))
            self._tell()
        except (OSError, LostTaskError):
            return

    def _prepared_process(self) -> Process:
        process, wanted = self._ready(), self.preparation
        if wanted is not None and process is not self._prepared:
            self._prepared = process
            with contextlib.suppress(TaskError, LostTaskError, NotBegunError):  # the tasks will meet the same
                process.run(wanted.fn, wanted.given)
        return process

    def _ready(self) -> Process:
        """The slot's process, a new one if need be."""
        if self._process is None or not self._process.alive():
            self._discard()
            process = self._start()
            with self._lock:
                self._process = process
                self.ready = not self.gone
            self._tell()
        return self._process

    def _discard(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()
