"""The contract every engine keeps; ``tests/engines`` holds each to it."""

from collections.abc import Callable
from concurrent.futures import Future
from traceback import format_exception_only
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")


class TaskError(RuntimeError):
    """The function raised instead of returning, or its result could not travel; the text says what."""


class LostTaskError(RuntimeError):
    """The engine lost the task: its process died, was killed or interrupted; the text says how, if known."""


def told(error: BaseException) -> str:
    """An exception as text, even one whose own text cannot be made."""
    return "".join(format_exception_only(error)).strip()


class Engine(Protocol):
    """Runs functions elsewhere, at most ``slots`` at once.

    Use it as a context: entering starts it; leaving, with or without an exception, ends what still runs
    within seconds and leaves no process. When the driver dies, by any signal, so do its processes.

    Promised for every task:
        - the future ends: with what the function returned, or with ``TaskError`` or ``LostTaskError``
          (text only: exceptions of the function's own types do not travel), or cancelled;
        - it is started at most once; trying again is the caller's business;
        - a process that dies takes no task with it but the one it was running, and its slot comes back.

    Not promised: the order in which tasks start on different slots, or that a function finds the state an
    earlier one left in its process.
    """

    name: str
    """As typed by the user."""
    slots: int
    """How many tasks run at once; more submitted ones wait."""
    threads: int
    """How many threads each task may use."""

    def submit(self, fn: Callable[[Given], Result], task: Given) -> "Future[Result]":
        """Have ``fn(task)`` run; both must be picklable, ``fn`` by its importable name.

        Raises:
            RuntimeError: the engine is not open.
        """

    def cancel(self, future: "Future[Any]") -> None:
        """Withdraw a task: one that waits is cancelled, one that runs is killed; a finished one stays."""

    def __enter__(self) -> Self:
        """Start the engine."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what runs and leave nothing behind."""
