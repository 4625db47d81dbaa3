"""One worker process: its own end. Imports nothing heavy: a worker is there at once."""

import fcntl
import os
import pickle
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from multiprocessing.connection import Connection
from typing import Any

from sweeps.aside import asides_to
from sweeps.engines.base import told
from sweeps.shared import lie_at

BEGUN = b"begun"
"""Sent when a task is unpacked and begins."""

ASIDE = b"aside"
"""Before what the task says in passing, pickled."""


def serve(tasks: int, lifeline: int) -> None:
    """Run tasks from the pipe until it closes.

    Args:
        tasks: file descriptor of a two-way pipe.
        lifeline: file descriptor that is readable, at its end, when the driver is gone.
    """
    connection = settle_in(tasks, lifeline)
    while True:
        try:
            task = connection.recv_bytes()
        except (EOFError, OSError):
            return
        connection.send_bytes(_answer(task, connection))


def settle_in(tasks: int, lifeline: int) -> Connection:
    """Make this process end with its driver and not by its terminal; give the way to the driver.

    Args:
        tasks: as ``serve`` takes them.
        lifeline: likewise.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for fd in (tasks, lifeline):
        os.set_inheritable(fd, False)
    _die_with_driver(lifeline)
    return Connection(tasks)


def _answer(message: bytes, connection: Connection) -> bytes:
    try:
        fn, task, heard, places = pickle.loads(message)  # noqa: S301  # from the driver, over a private pipe
        lie_at(places)
        connection.send_bytes(BEGUN)  # only now does its time count: the imports above took seconds
        with asides_to(lambda words: _pass_on(words, connection)) if heard else nullcontext():
            result = _flushed(fn, task)
        return pickle.dumps((True, result))
    except BaseException as error:  # noqa: BLE001  # text crosses the wire, not exceptions
        return pickle.dumps((False, told(error)))


def _pass_on(words: Any, connection: Connection) -> None:
    """Send an aside, unless the driver does not read: the task shall not wait for that."""
    if select.select([], [connection], [], 0)[1]:
        connection.send_bytes(ASIDE + pickle.dumps(words))


def _flushed(fn: Callable[[Any], Any], task: Any) -> Any:
    try:
        return fn(task)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _die_with_driver(lifeline: int) -> None:
    """Two ways, as each has a hole: the kernel's is Linux's only; the thread waits for native code to yield.

    The kernel kills the whole group, with whatever the task started, when the pipe's other end closes. The
    signal at a parent's death would not do: it comes to the worker alone, and before its thread can act.
    """
    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()


def _watch(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)  # with whatever the task started
