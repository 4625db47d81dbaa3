"""One task at a time, in the driver itself: for tests, debuggers and tiny jobs."""

import signal
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Self

from sweeps.aside import asides_to
from sweeps.engines.base import Given, Hear, LostTaskError, Result, TaskError, told

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SerialEngine:
    """Runs each task inside ``submit``; its future is done when it returns.

    A Ctrl-C (or a SIGTERM somebody handles) interrupts the task; once it has ended, the handler that was
    installed is called.

    Args:
        slots: 1.
        threads: told to whoever asks; nothing is limited here.
        keep: of no use: tasks see the driver's environment whole.
        gpus: None where tasks train on the CPU; else they take the first that the driver sees.
    """

    name = "serial"

    def __init__(
        self,
        slots: int = 1,
        threads: int = 1,
        keep: Collection[str] = (),
        gpus: Sequence[str] | None = None,
    ) -> None:
        self.slots, self.threads, self.device = slots, threads, "cpu" if gpus is None else "cuda"
        self.changed: Future[Any] = Future()
        self._open = False
        self._hear: Hear | None = None

    def listen(self, hear: Hear) -> None:
        """Have ``hear(task, message)`` called, in the thread that submits."""
        self._hear = hear

    def prepare(self, fn: Callable[[Given], object], given: Given) -> None:
        """Do nothing: tasks run in the driver's own process."""

    def share(self, folder: Path, names: Iterable[str] | None = None) -> None:
        """Do nothing: tasks see the driver's files."""

    def submit(
        self, fn: Callable[[Given], Result], task: Given, limit: float | None = None
    ) -> "Future[Result]":
        """Run ``fn(task)`` now."""
        if limit is not None:
            raise RuntimeError("the serial engine cannot end a task: it runs in this very process")
        if not self._open:
            raise RuntimeError("the serial engine is not open: use it in a with statement")
        future: Future[Result] = Future()
        future.set_running_or_notify_cancel()
        hear = None if self._hear is None else partial(self._hear, task)
        with _interruptible(), nullcontext() if hear is None else asides_to(hear):
            _run(fn, task, future)
        return future

    def cancel(self, future: "Future[Any]") -> None:
        """Do nothing: whatever was submitted has ended."""

    def __enter__(self) -> Self:
        self._open = True
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False


def _run(fn: Callable[[Given], Result], task: Given, future: "Future[Result]") -> None:
    try:
        future.set_result(fn(task))
    except KeyboardInterrupt:
        future.set_exception(LostTaskError("interrupted"))
    except BaseException as error:  # noqa: BLE001  # told by the future, as every engine does
        future.set_exception(TaskError(told(error)))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn signals into KeyboardInterrupt inside; afterwards pass them to the installed handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    before = {s: handler for s in _SIGNALS if callable(handler := signal.getsignal(s))}
    try:
        for expected in before:
            signal.signal(expected, interrupt)
        yield
    finally:
        for expected, handler in before.items():
            signal.signal(expected, handler)
        for number in dict.fromkeys(came):
            before[signal.Signals(number)](number, None)
