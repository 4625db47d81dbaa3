"""An answer in time, or an error that says so."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from sweeps.errors import StoreError

T = TypeVar("T")

DEADLINE = 4.5
"""Seconds a probe may take in all."""

ELSEWHERE = "start it, or name another store with --tracking-uri"
"""What to do about a store that does not answer."""


def within(seconds: float, what: str, ask: Callable[[], T]) -> T:
    """Give the answer of ``ask`` if it comes in time (a name look-up knows no time limit of its own).

    Raises:
        StoreError: no answer in time.
    """
    answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((ask(), None))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            answers.put((None, error))

    threading.Thread(target=run, daemon=True, name="store-probe").start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise StoreError(what, f"no answer within {seconds:g} s", ELSEWHERE) from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]  # None only where T is None
