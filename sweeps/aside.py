"""What a task says in passing while it runs: shown to people, used for no decision, and nobody may listen.

See docs/decisions/0021-asides-are-for-show.md. Whoever runs a task opens a place for its asides, where there
is one; elsewhere they are dropped.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

INTERVAL = 0.5
"""Seconds between two asides of a task: what an eye can follow, and no load."""


class _Place:
    """Where the asides of this process go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hear: Callable[[Any], object] | None = None
        self._next, self._process = 0.0, 0

    def say(self, message: Any) -> None:
        """Pass a message on, unless nobody listens or the last one was just now."""
        now = time.monotonic()
        if self._hear is None or now < self._next or os.getpid() != self._process:  # a fork holds no line
            return
        with self._lock:
            if self._hear is not None and now >= self._next:
                self._next = now + INTERVAL
                self._hear(message)

    def open(self, hear: Callable[[Any], object] | None) -> None:
        """Change who listens; once this returns, the one before hears nothing any more."""
        with self._lock:
            self._hear, self._process, self._next = hear, os.getpid(), 0.0


_PLACE = _Place()


def aside(message: Any) -> None:
    """Say something in passing: plain data. Dropped where nobody listens, or said too soon after the last."""
    _PLACE.say(message)


@contextmanager
def asides_to(hear: Callable[[Any], object]) -> Iterator[None]:
    """Have ``hear`` called with what is said inside, by any thread of this process.

    Args:
        hear: must not raise, nor take long.
    """
    _PLACE.open(hear)
    try:
        yield
    finally:
        _PLACE.open(None)
