"""Dask: the workers of a scheduler, or some started on this machine.

A slot is tied to a worker, and each of its calls is a Dask task for that worker alone, without retries. Dask
runs the tasks of a dead worker again where it can; ``far.run`` refuses to begin one twice.
"""

import threading
import uuid
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from distributed import Client, Security, get_worker
from distributed import Future as DaskFuture

from sweeps.engines import far
from sweeps.engines.base import LostTaskError, TaskError, told
from sweeps.engines.cluster import ClusterEngine
from sweeps.engines.cores import Room
from sweeps.engines.dask_here import Here
from sweeps.engines.wire import relay, request, unpack
from sweeps.errors import UsageError

CONNECTING = 10.0
"""Seconds that a scheduler gets to answer."""
_RUNS = ("executing", "long-running")
"""States of a task of a Dask worker that is wanted; one that its client forgot is cancelled."""

Hearers = dict[str, Callable[[bytes], object]]
"""Who is told of what a task says in passing, by its id."""


def open_engine(url: str, room: Room, keep: Collection[str]) -> ClusterEngine:
    """Make the engine.

    Args:
        url: ``dask://HOST:PORT`` of a scheduler, or ``dask`` for one on this machine.
        room: what was asked for, and what suits this machine.
        keep: names of credentials in the environment that its processes get.
    """
    if url == "dask":
        here = Here(*_workers(room), keep)
        return ClusterEngine(DaskCluster(url, None, here), url, room.slots, room.share, keep, room.device)
    cluster = DaskCluster(url, url.removeprefix("dask://"))
    return ClusterEngine(cluster, url, room.workers, room.threads or 1, keep, room.device)


def _workers(room: Room) -> tuple[int, int]:
    """Say how many workers to start here, and of how many threads: GPUs are shared out by one worker."""
    return (room.slots, room.share) if room.gpus is None else (1, room.slots * room.share)


class DaskCluster:
    """The workers of a Dask scheduler.

    Of GPUs Dask knows nothing.

    Args:
        url: of the engine, as typed.
        address: ``HOST:PORT`` of the scheduler; None where it is to be started here.
        here: starts it.
    """

    places_gpus = False

    def __init__(self, url: str, address: str | None, here: Here | None = None) -> None:
        self._url, self._address, self._here = url, address, here
        self._client: Client | None = None
        self._hearers: Hearers = {}
        self._topic = f"sweeps-{uuid.uuid4().hex}"
        self.hint = f"start one: dask worker {address}" if address else "what Dask said is above"

    def open(self) -> None:
        """Connect to the scheduler.

        Raises:
            UsageError: it does not answer.
        """
        if self._here is not None:
            address, security = self._here.start()
        else:
            security = Security()
            address = f"{'tls' if security.tls_client_cert else 'tcp'}://{self._address}"
        try:
            self._client = Client(address, timeout=CONNECTING, security=security, set_as_default=False)
        except (OSError, ValueError) as error:
            wrong = f"no Dask scheduler answers at {address}: {told(error)}"
            raise UsageError(f"--engine {self._url}", wrong, "start one: dask scheduler") from error
        self._client.subscribe_topic(self._topic, self._heard)

    def members(self) -> Mapping[str, int]:
        """Give the threads of each worker the scheduler knows."""
        client = self._client
        if client is None or client.status != "running":
            return {}
        try:
            threads: dict[str, int] = client.nthreads()
        except Exception:  # noqa: BLE001  # whatever Dask raises when the scheduler is gone
            return {}
        return threads

    def link(self, member: str) -> "DaskLink":
        """Make a link to a worker."""
        return DaskLink(self._client, member, self._topic, self._hearers)

    def close(self) -> None:
        """Disconnect, and end the workers that were started here."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, TimeoutError):
                client.close(timeout=5)
        if self._here is not None:
            self._here.close()

    def _heard(self, event: tuple[float, Any]) -> None:
        _, (call, said) = event
        if hear := self._hearers.get(call):
            hear(said)


class DaskLink:
    """The way to one worker.

    Args:
        client: connected.
        member: the worker's address.
        topic: under which tasks say things in passing.
        hearers: who is told of them.
    """

    def __init__(self, client: Client, member: str, topic: str, hearers: Hearers) -> None:
        self.name = member
        self._client, self._topic, self._hearers = client, topic, hearers
        self._relay = relay()
        self._lock = threading.Lock()
        self._waiting: set[DaskFuture[bytes]] = set()
        self.gone = ""

    def call(self, fn: Callable[..., Any], *args: Any, seconds: float) -> Any:
        """Run ``fn(*args)`` in the worker itself."""
        return self.answer(self._submit(fn, *args), seconds)

    def begin(self, call: far.Call, hear: Callable[[bytes], object] | None) -> "DaskRunning":
        """Have the worker run a task."""
        if hear is not None:
            self._hearers[call.id] = hear
        return DaskRunning(
            self, self._submit(run_here, self._topic, call), partial(self._hearers.pop, call.id, None)
        )

    def part(self, why: str) -> None:
        """End whatever waits for the worker."""
        with self._lock:
            self.gone = why
            waiting = list(self._waiting)
        for future in waiting:
            cancel(future)

    def answer(self, future: "DaskFuture[bytes]", seconds: float | None = None) -> Any:
        """Wait for what a function returned on the worker.

        Raises:
            TaskError: it raised.
            LostTaskError: it did not return in time, was cancelled, or the worker is gone.
        """
        try:
            returned = future.result(seconds)
        except Exception as error:
            cancel(future)
            raise LostTaskError(self.gone or f"{self.name}: {told(error)}") from error
        finally:
            with self._lock:
                self._waiting.discard(future)
        return unpack(returned)

    def _submit(self, fn: Callable[..., Any], *args: Any) -> "DaskFuture[bytes]":
        key = f"sweeps-{fn.__name__}-{uuid.uuid4().hex}"
        where = {"workers": [self.name], "allow_other_workers": False}
        with self._lock:
            if self.gone:
                raise LostTaskError(self.gone)
            future = self._client.submit(
                self._relay, request(fn, args), key=key, pure=False, retries=0, **where
            )
            self._waiting.add(future)
        return future


class DaskRunning:
    """A task on its way.

    Args:
        link: to its worker.
        future: of the Dask task.
        ended: called when it has ended.
    """

    def __init__(self, link: DaskLink, future: "DaskFuture[bytes]", ended: Callable[[], object]) -> None:
        self._link, self._future, self._ended = link, future, ended

    def result(self) -> far.Answer:
        """Wait for what becomes of it."""
        try:
            answer: far.Answer = self._link.answer(self._future)
        except TaskError as error:
            raise LostTaskError(str(error)) from error
        finally:
            self._ended()
        return answer

    def cancel(self) -> None:
        """Have Dask forget it; ``run_here`` sees that."""
        cancel(self._future)


def cancel(future: "DaskFuture[bytes]") -> None:
    """End the wait for a Dask task; one that runs goes on, unless it looks."""
    with suppress(Exception):  # the client may be closed, which ends the wait, too
        future.cancel()


def run_here(topic: str, call: far.Call) -> far.Answer:
    """Run a task: on the worker, inside a Dask task."""
    worker = get_worker()
    key = worker.get_current_task()

    def say(said: bytes) -> None:
        worker.log_event(topic, (call.id, said))

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state in _RUNS

    return far.run(call, say, wanted)
