"""The driver's end of a process on another machine; see ``far`` for its other end."""

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from sweeps.engines import far, far_files
from sweeps.engines.base import LateTaskError, LostTaskError, TaskError
from sweeps.engines.bundles import Bundle, chunks
from sweeps.engines.slot import NotBegunError
from sweeps.engines.wire import pack, unpack, words

CLOSING = 3.0
"""Seconds that a worker gets to end a process."""
STARTING = 60.0
"""Seconds that a worker gets for anything else but running tasks."""


class Running(Protocol):
    """A task on its way."""

    def result(self) -> far.Answer:
        """Wait for what becomes of it.

        Raises:
            LostTaskError: its worker left, or it was cancelled.
        """

    def cancel(self) -> None:
        """End it, in whatever thread; its process is killed."""


class Link(Protocol):
    """How a slot reaches its worker."""

    name: str
    """Of the worker, as people know it."""
    gone: str
    """Why it cannot be reached any more; empty while it may."""

    def call(self, fn: Callable[..., Any], *args: Any, seconds: float) -> Any:
        """Run ``fn(*args)`` in the worker itself and give what it returns: nothing that takes long.

        Raises:
            TaskError: the function raised, or is not known there.
            LostTaskError: the worker is gone, or does not answer in time.
        """

    def begin(self, call: far.Call, hear: Callable[[bytes], object] | None) -> Running:
        """Have the worker run ``far.run(call)``, at most once, without waiting for it.

        Raises:
            LostTaskError: the worker is gone.
        """

    def part(self, why: str) -> None:
        """End whatever waits for the worker with ``LostTaskError``, now and from now on: it has left."""


class Session(NamedTuple):
    """What all processes of an engine on a cluster share."""

    name: str
    """32 hexadecimal digits drawn at random."""
    threads: int
    given: Mapping[str, str]
    """Variables of the environment that they get besides their worker's."""
    bundles: "dict[str, Bundle]"
    """What is shared with them, by folder."""
    bringing: "dict[str, threading.Lock]"
    """For each machine: two workers of one shall not bring the same."""
    device: str = "cpu"
    """``cuda``: each process has a GPU to itself."""


def new_session(threads: int, given: Mapping[str, str], device: str = "cpu") -> Session:
    """Begin a session."""
    return Session(uuid.uuid4().hex, threads, dict(given), {}, {}, device)


class FarProcess:
    """A process that runs one task at a time, like ``WorkerProcess``.

    Args:
        link: to its worker.
        session: that it takes part in.

    Raises:
        TaskError: the worker cannot start it; the text says why.
        LostTaskError: the worker is gone or does not answer.
    """

    def __init__(self, link: Link, session: Session) -> None:
        self._link, self._session, self._token = link, session, uuid.uuid4().hex
        self._lock = threading.Lock()
        self._running: Running | None = None
        self._dead = False
        self._places: dict[Bundle, str] = {}
        wanted = session.name, self._token, session.threads, session.given, session.device
        self.hello: far.Hello = link.call(far.start, *wanted, seconds=STARTING)
        """What the worker says of itself."""

    def alive(self) -> bool:
        """Whether it can take a task, as far as is known here."""
        return not self._dead

    def run(
        self, fn: Any, task: Any, limit: float | None = None, hear: Callable[[Any], object] | None = None
    ) -> Any:
        """Run ``fn(task)`` there; see ``slot.Process``."""
        message = pack(fn, task, hear is not None, self._brought())
        call = far.Call(uuid.uuid4().hex, self.hello.born, self._token, message, limit, hear is not None)
        answer = self._answer(call, None if hear is None else lambda said: hear(words(said)))
        if answer.kind == "returned":
            return unpack(answer.message)
        self._dead = True
        if answer.kind == "not begun":
            raise NotBegunError
        kind = LateTaskError if answer.kind == "late" else LostTaskError
        raise kind(f"{answer.text} ({self._link.name})")

    def kill(self) -> None:
        """End it at once, with the task that it runs."""
        with self._lock:
            self._dead = True
            if self._running is not None:
                self._running.cancel()

    def close(self) -> None:
        """End it on its worker, if that can be reached."""
        self._dead = True
        try:
            self._link.call(far.close, self._token, seconds=CLOSING)
        except (TaskError, LostTaskError):  # the worker is gone, or ends it when it has waited long enough
            return

    def _answer(self, call: far.Call, hear: Callable[[bytes], object] | None) -> far.Answer:
        with self._lock:
            if self._dead:
                raise LostTaskError("withdrawn before the task began")
            self._running = self._link.begin(call, hear)
        try:
            return self._running.result()
        except LostTaskError:
            self._dead = True
            raise
        finally:
            with self._lock:
                self._running = None

    def _brought(self) -> dict[str, str]:
        """Have the shared files there; give where they lie."""
        missing = [one for one in list(self._session.bundles.values()) if one not in self._places]
        if missing:
            with self._session.bringing.setdefault(self.hello.host, threading.Lock()):
                self._places |= {one: self._bring(one) for one in missing}
        return {one.folder: place for one, place in self._places.items()}

    def _bring(self, bundle: Bundle) -> str:
        name = self._session.name
        found = self._link.call(far_files.find, name, bundle, seconds=STARTING)
        if found is None:
            part = uuid.uuid4().hex
            for chunk in chunks(bundle):
                self._link.call(far_files.put, name, part, chunk, seconds=STARTING)
            found = self._link.call(far_files.seal, name, part, bundle, seconds=STARTING)
        return str(found)
