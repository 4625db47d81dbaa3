"""Real processes on this machine: one per slot, kept warm, replaced when it dies."""

import contextlib
import os
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Self
from weakref import WeakSet

from sweeps.engines.base import Given, Hear, LostTaskError, Result, TaskError
from sweeps.engines.process import WorkerProcess
from sweeps.errors import UsageError

_claiming = threading.Lock()
"""Held while a waiting future becomes a running or a withdrawn one."""

_withdrawn: "WeakSet[Future[Any]]" = WeakSet()
"""Cancelled ones whose waiters were woken: a future can be asked to do so only once."""


_LOOK = object()
"""In the queue: nothing to run, but there may be something to prepare."""


class _Job(NamedTuple):
    future: "Future[Any]"
    fn: Callable[[Any], Any]
    task: Any
    limit: float | None


class _Preparation(NamedTuple):
    fn: Callable[[Any], object]
    given: Any


class LocalEngine:
    """Each slot is a thread here that feeds one process of its own.

    Args:
        slots: how many processes.
        threads: what each may use.
        keep: names of credentials in the environment that the processes get.

    Raises:
        UsageError: on systems without process groups.
    """

    name = "local"

    def __init__(self, slots: int, threads: int = 1, keep: Collection[str] = ()) -> None:
        if os.name != "posix":
            raise UsageError("--engine local", "needs Linux or macOS", "use --engine serial")
        self.slots, self.threads, self._keep = slots, threads, keep
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        self._slots: list[_Slot] = []
        self._hear: Hear | None = None

    def listen(self, hear: Hear) -> None:
        """Have ``hear(task, message)`` called, in a thread of the slot that runs the task."""
        self._hear = hear
        for slot in self._slots:
            slot.hear = hear

    def prepare(self, fn: Callable[[Given], object], given: Given) -> None:
        """Have ``fn(given)`` run in each process, as soon as it is there."""
        for slot in self._slots:
            slot.preparation = _Preparation(fn, given)
        for _ in self._slots:
            self._jobs.put(_LOOK)

    def submit(
        self, fn: Callable[[Given], Result], task: Given, limit: float | None = None
    ) -> "Future[Result]":
        """Have ``fn(task)`` run in the next free process."""
        if not self._slots:
            raise RuntimeError("the local engine is not open: use it in a with statement")
        future: Future[Result] = Future()
        self._jobs.put(_Job(future, fn, task, limit))
        return future

    def cancel(self, future: "Future[Any]") -> None:
        """Withdraw a task; a process that runs it is killed and replaced."""
        if not _withdraw(future):
            for slot in self._slots:
                slot.kill(future)

    def __enter__(self) -> Self:
        self._slots = [_Slot(self._jobs, self.threads, self._keep, self._hear) for _ in range(self.slots)]
        for slot in self._slots:
            slot.start()
        return self

    def __exit__(self, *_: object) -> None:
        slots, self._slots = self._slots, []
        self._cancel_waiting()
        for slot in slots:
            slot.stop()
            self._jobs.put(None)
        for slot in slots:
            slot.join()

    def _cancel_waiting(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                if isinstance(job := self._jobs.get_nowait(), _Job):
                    _withdraw(job.future)


class _Slot(threading.Thread):
    """Takes one job after the other; lives as long as the engine."""

    def __init__(
        self, jobs: "SimpleQueue[Any]", threads: int, keep: Collection[str], hear: Hear | None
    ) -> None:
        super().__init__(name="sweeps-local-slot", daemon=True)
        self.preparation: _Preparation | None = None
        self.hear = hear
        self._jobs, self._threads, self._keep = jobs, threads, keep
        self._prepared: WorkerProcess | None = None
        self._lock = threading.Lock()
        self._process: WorkerProcess | None = None
        self._running: Future[Any] | None = None
        self._stopping = False

    def run(self) -> None:
        """Serve jobs until told to stop."""
        with self._lock:
            if not self._stopping:
                self._warm_up()
        while (job := self._jobs.get()) is not None:
            self._prepare()
            if job is not _LOOK and _claim(job.future):
                self._serve(job)
                self._prepare()  # if it has a new process now
        with self._lock:
            self._discard()

    def kill(self, future: "Future[Any]") -> None:
        """Kill the process if it is this task that it runs."""
        with self._lock:
            if self._running is future and self._process is not None:
                self._process.kill()

    def stop(self) -> None:
        """Kill what runs and start nothing more."""
        with self._lock:
            self._stopping = True
            if self._process is not None:
                self._process.kill()

    def _prepare(self) -> None:
        with self._lock:
            process, wanted = self._process, self.preparation
            if self._stopping or process is None or wanted is None or process is self._prepared:
                return
            self._prepared = process
        with contextlib.suppress(TaskError, LostTaskError):  # the tasks will meet the same, and be told
            process.run(wanted.fn, wanted.given)

    def _serve(self, job: _Job) -> None:
        try:
            hear = None if self.hear is None else partial(self.hear, job.task)
            result = self._begin(job).run(job.fn, job.task, job.limit, hear)
        except Exception as error:  # noqa: BLE001  # told by the future
            self._end()
            job.future.set_exception(error)
        else:
            self._end()
            job.future.set_result(result)

    def _begin(self, job: _Job) -> WorkerProcess:
        with self._lock:
            if self._stopping:
                raise LostTaskError("the engine was closed before the task started")
            process = self._ready()
            self._running = job.future
            return process

    def _end(self) -> None:
        with self._lock:
            self._running = None
            if self._process is not None and not self._process.alive() and not self._stopping:
                self._warm_up()

    def _warm_up(self) -> None:
        # no task is at hand that could be told of a failure; the next one tries again, and is told
        with contextlib.suppress(OSError):
            self._ready()

    def _ready(self) -> WorkerProcess:
        """The slot's process, a new one if need be; hold the lock."""
        if self._process is None or not self._process.alive():
            self._discard()
            self._process = WorkerProcess(self._threads, self._keep)
        return self._process

    def _discard(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()


def _claim(future: "Future[Any]") -> bool:
    """Whether a task from the queue is still wanted; then it counts as running."""
    with _claiming:
        return future not in _withdrawn and _runs(future)


def _withdraw(future: "Future[Any]") -> bool:
    """Cancel a task that waits; False if it no longer does."""
    with _claiming:
        return future in _withdrawn or (future.cancel() and not _runs(future))


def _runs(future: "Future[Any]") -> bool:
    """Mark a waiting future as running; wake those who wait for it if it was cancelled instead."""
    if future.set_running_or_notify_cancel():
        return True
    _withdrawn.add(future)
    return False
