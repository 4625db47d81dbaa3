"""Waiting for futures so that an interrupt is heard."""

from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

ANEW = 1.0
"""Seconds after which a wait begins anew."""


def wait_for_first(futures: Collection["Future[Any]"]) -> "set[Future[Any]]":
    """Wait until one of the futures is done; give those that are.

    In many short waits: Python runs a signal's handler, as the one that raises KeyboardInterrupt, between two
    steps of the main thread, and a signal that comes just before it begins to wait does not wake it.
    """
    done: set[Future[Any]] = set()
    while not done:
        done, _ = wait(futures, ANEW, FIRST_COMPLETED)
    return done
