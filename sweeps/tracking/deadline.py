"""An answer in time, or an error that says so."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from sweeps.errors import StoreError

T = TypeVar("T")
A = TypeVar("A")

DEADLINE = 4.5
"""Seconds a probe may take in all."""


class Patience(NamedTuple):
    """How long a store may take to answer: one that was there a moment ago is busy rather than gone."""

    seconds: float = DEADLINE
    tell: Callable[[str], object] = lambda _: None
    """Told in words, in time, that it takes longer than ``DEADLINE``."""
    is_unwanted: Callable[[], bool] = lambda: False
    """Whether nobody wants to wait longer than ``DEADLINE`` any more."""


AT_ONCE = Patience()
_LOOK_AGAIN = 0.2
LONGEST = 30.0
"""Seconds that a busy server may take, in the background."""

ELSEWHERE = "start it, or name another store with --tracking-uri"
"""What to do about a store that does not answer."""


def within(patience: Patience, what: str, ask: Callable[[], T]) -> T:
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
        answer, error = _awaited(answers, patience, what)
    except queue.Empty:
        raise StoreError(what, f"no answer within {patience.seconds:g} s", ELSEWHERE) from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]  # None only where T is None


def _awaited(answers: "queue.SimpleQueue[A]", patience: Patience, what: str) -> A:
    until = time.monotonic() + patience.seconds
    with suppress(queue.Empty):
        return answers.get(timeout=min(patience.seconds, DEADLINE))
    if time.monotonic() < until:
        patience.tell(f"{what} answers slowly; it is waited for up to {patience.seconds:g} s")
    while time.monotonic() < until and not patience.is_unwanted():
        with suppress(queue.Empty):
            return answers.get(timeout=_LOOK_AGAIN)
    raise queue.Empty
