"""The contract every engine keeps; ``tests/engines`` holds each to it."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from traceback import format_exception_only
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from sweeps.errors import EngineDownError

Given = TypeVar("Given")
Result = TypeVar("Result")
Hear = Callable[[Any, Any], object]
"""Told of a task and of what it says in passing."""


class TaskError(RuntimeError):
    """The function raised instead of returning, or its result could not travel; the text says what."""


class LostTaskError(RuntimeError):
    """The engine lost the task: its process died, was killed or interrupted; the text says how, if known."""


class GoneEngineError(EngineDownError, LostTaskError):
    """The engine has had no place for tasks for so long that it gives up."""


class LateTaskError(TimeoutError):
    """The task took longer than its limit, and its process was killed; the text says so."""


def told(error: BaseException) -> str:
    """An exception as text, even one whose own text cannot be made."""
    return "".join(format_exception_only(error)).strip()


class Engine(Protocol):
    """Runs functions elsewhere, at most ``slots`` at once.

    Use it as a context: entering starts it; leaving, with or without an exception, ends what still runs
    within seconds and leaves no process. When the driver dies, by any signal, so do its processes.

    Promised for every task:
        - the future ends: with what the function returned, or with ``TaskError``, ``LostTaskError`` or
          ``LateTaskError`` (text only: exceptions of the function's own types do not travel), or cancelled;
          ``GoneEngineError`` is a loss after which none need be given to it;
        - it is started at most once; trying again is the caller's business;
        - a process that dies takes no task with it but the one it was running, and its slot comes back.

    Not promised: the order in which tasks start on different slots, or that a function finds the state an
    earlier one left in its process.
    """

    name: str
    """As typed by the user."""
    slots: int
    """How many tasks run at once now, at least 1; more submitted ones wait. On a cluster it changes as
    workers join and leave."""
    changed: "Future[Any]"
    """Done when there are more slots than there were; another future then takes its place."""
    threads: int
    """How many threads each task may use."""
    device: str
    """``cpu``; or ``cuda``: each task has a GPU to itself, which is the only one its process sees. With
    ``serial`` it is the first of the driver's."""

    def prepare(self, fn: Callable[[Given], object], given: Given) -> None:
        """Have ``fn(given)`` run in every process before its first task, those that replace others too.

        It delays the first task and does not count towards its limit. What goes wrong in it is left to the
        tasks, which will meet the same. In the driver's own process nothing runs.
        """

    def listen(self, hear: Hear) -> None:
        """Have ``hear(task, message)`` called with what later tasks say in passing: ``sweeps.aside``.

        For show only: an engine without a way back while a task runs never calls it. It may be called in any
        thread, some times a second for each task, and must not raise nor take long.
        """

    def share(self, folder: Path, names: Iterable[str] | None = None) -> None:
        """Have later tasks find files of the driver: ``sweeps.shared.here`` says where they lie.

        They travel once to each machine that does not see them already, and may not change any more.

        Args:
            folder: absolute, where they lie here.
            names: relative to it; None for all files in it and below.
        """

    def submit(
        self, fn: Callable[[Given], Result], task: Given, limit: float | None = None
    ) -> "Future[Result]":
        """Have ``fn(task)`` run; both must be picklable, ``fn`` by its importable name.

        Args:
            fn: what to run.
            task: what it is given.
            limit: seconds it may run, not counting the time it waits for a slot; then it is killed.

        Raises:
            RuntimeError: the engine is not open, or cannot kill a task and was given a limit.
        """

    def cancel(self, future: "Future[Any]") -> None:
        """Withdraw a task: one that waits is cancelled, one that runs is killed; a finished one stays."""

    def __enter__(self) -> Self:
        """Start the engine."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what runs and leave nothing behind."""
