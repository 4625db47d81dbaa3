"""A future that waits becomes a running or a withdrawn one, and never both."""

import threading
from concurrent.futures import Future
from typing import Any
from weakref import WeakSet

_claiming = threading.Lock()
"""Held while a waiting future becomes a running or a withdrawn one."""

_withdrawn: "WeakSet[Future[Any]]" = WeakSet()
"""Cancelled ones whose waiters were woken: a future can be asked to do so only once."""


def claim(future: "Future[Any]") -> bool:
    """Whether a task from the queue is still wanted; then it counts as running."""
    with _claiming:
        return future not in _withdrawn and _runs(future)


def withdraw(future: "Future[Any]") -> bool:
    """Cancel a task that waits; False if it no longer does."""
    with _claiming:
        return future in _withdrawn or (future.cancel() and not _runs(future))


def _runs(future: "Future[Any]") -> bool:
    """Mark a waiting future as running; wake those who wait for it if it was cancelled instead."""
    if future.set_running_or_notify_cancel():
        return True
    _withdrawn.add(future)
    return False
