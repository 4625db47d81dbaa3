"""Signals that end a sweep: the first one cleanly, the second at once."""

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from typing import Any

from sweeps.cli.output import note

HOLDING = 1.0
"""Seconds that the main thread waits at most until it is told: it may hold the lock that this takes."""
_DONE = b"\0"
"""No signal has this number."""


@contextmanager
def ending_cleanly(interrupt: "Future[int]") -> Iterator[None]:
    """Let the first SIGINT, SIGTERM or SIGHUP end a sweep cleanly; the second ends the program at once.

    A closed terminal's SIGHUP stays ignored where it is: that is what ``nohup`` is for.

    Args:
        interrupt: gets the number of the first one.
    """
    numbers = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = {number: signal.getsignal(number) for number in numbers}
    if before[signal.SIGHUP] is signal.SIG_IGN:
        del before[signal.SIGHUP]
    came: list[int] = []
    told = threading.Event()

    def count(number: int, _: Any) -> None:
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt
        told.wait(HOLDING)  # else this thread may begin another trial before it is told to end

    def end(number: int) -> None:
        note("interrupted: withdrawing the running trials (once more to quit at once)")
        with suppress(InvalidStateError):  # somebody else ends it already
            interrupt.set_result(number)
        told.set()

    with _listening(before.keys(), end):
        for number in before:
            signal.signal(number, count)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _listening(numbers: Collection[int], heard: Callable[[int], object]) -> Iterator[None]:
    """Tell of the first of these signals in a thread, whatever the main thread does just then.

    Handlers run in the main thread between two of its steps: one that waits for a trial hears nothing of a
    signal that reached another thread, or came just before it began to wait. The interpreter itself writes
    each signal into a pipe as it comes (https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd).
    """
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    before = signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    listener = threading.Thread(target=_listen, args=(ours, numbers, heard), name="signals", daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        with suppress(BlockingIOError):  # full of signals: the listener is done
            os.write(theirs, _DONE)
        listener.join()
        os.close(ours)
        os.close(theirs)


def _listen(pipe: int, numbers: Collection[int], heard: Callable[[int], object]) -> None:
    while (came := os.read(pipe, 1)) != _DONE:
        if came[0] in numbers:
            heard(came[0])
            return
