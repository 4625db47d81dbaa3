"""Slots with one queue: what engines that have processes share."""

import contextlib
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from sweeps.engines.base import Given, Hear, Result
from sweeps.engines.claims import withdraw
from sweeps.engines.slot import LOOK, Job, Preparation, Slot

LEAVING = 5.0
"""Seconds that slots get to end their processes, all together."""


class Pool:
    """Keeps the parts of the engine's contract that do not depend on where processes run.

    Args:
        name: of the engine, as typed.
        slots: how many tasks run at once, as long as nobody knows better.
        threads: per task.
        device: ``cpu``, or ``cuda``: a GPU for each slot.
    """

    def __init__(self, name: str, slots: int, threads: int, device: str = "cpu") -> None:
        self.name, self.slots, self.threads, self.device = name, slots, threads, device
        self.changed: Future[Any] = Future()
        self._jobs: SimpleQueue[Any] = SimpleQueue()
        self._slots: list[Slot] = []
        self._open = False
        self._hear: Hear | None = None
        self._preparation: Preparation | None = None

    def listen(self, hear: Hear) -> None:
        """Have ``hear(task, message)`` called, in a thread of the engine."""
        self._hear = hear
        for slot in self._slots:
            slot.hear = hear

    def prepare(self, fn: Callable[[Given], object], given: Given) -> None:
        """Have ``fn(given)`` run in each process, as soon as it is there."""
        self._preparation = Preparation(fn, given)
        for slot in self._slots:
            slot.preparation = self._preparation
        for _ in self._slots:
            self._jobs.put(LOOK)

    def share(self, folder: Path, names: Iterable[str] | None = None) -> None:
        """Do nothing: the processes see the driver's files."""

    def submit(
        self, fn: Callable[[Given], Result], task: Given, limit: float | None = None
    ) -> "Future[Result]":
        """Have ``fn(task)`` run in the next free process."""
        if not self._open:
            raise RuntimeError(f"the engine {self.name} is not open: use it in a with statement")
        future: Future[Result] = Future()
        self._jobs.put(Job(future, fn, task, limit))
        return future

    def cancel(self, future: "Future[Any]") -> None:
        """Withdraw a task; a process that runs it is killed and replaced."""
        if not withdraw(future):
            for slot in list(self._slots):
                slot.kill(future)

    def _add(self, slot: Slot) -> None:
        """Begin a slot."""
        self._slots.append(slot)
        slot.hear, slot.preparation = self._hear, self._preparation
        slot.start()

    def _waiting(self) -> list[Job]:
        """Take all jobs out of the queue."""
        jobs: list[Job] = []
        with contextlib.suppress(Empty):
            while True:
                if isinstance(job := self._jobs.get_nowait(), Job):
                    jobs.append(job)
        return jobs

    def _end(self) -> None:
        """Withdraw what waits, end what runs, and the slots."""
        self._open = False
        slots, self._slots = self._slots, []
        for job in self._waiting():
            withdraw(job.future)
        for slot in slots:
            slot.stop()
        for _ in slots:
            self._jobs.put(None)
        until = time.monotonic() + LEAVING
        for slot in slots:
            slot.join(max(0.0, until - time.monotonic()))
