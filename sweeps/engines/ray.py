"""Ray: the nodes of a cluster, or one started on this machine.

A slot is an actor on a node, which Ray neither restarts nor calls twice. What it runs is in a process of its
own all the same: that can be killed alone, and the actor lives on.
"""

import os
import socket
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import ray
from ray.exceptions import RayActorError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sweeps.engines import far
from sweeps.engines.base import LostTaskError, TaskError, told
from sweeps.engines.cluster import ClusterEngine
from sweeps.engines.cores import Room
from sweeps.engines.gpus import VISIBLE, gpus_for
from sweeps.engines.wire import relay, request, unpack
from sweeps.errors import UsageError, one_line

LISTEN_EVERY = 0.5
"""Seconds between two questions what a task says in passing; Ray has no way for a worker to tell."""
KNOCKING = 5.0
"""Seconds for a cluster to answer at all; Ray itself tries for half a minute."""
JOINING = 3
"""Times that a cluster may refuse a client by its own fault."""
SHORT = 39
"""Characters of a temporary folder that leave Ray's sockets below it within the 107 that Linux allows."""
CALLS = 8
"""Calls of an actor at once: a task, and the short ones beside it."""

_HOW = "start one: ray start --head; where it wants a token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
_SAID: dict[str, bytes] = {}
"""On a worker: what tasks said last, by their id."""


def open_engine(url: str, room: Room, keep: Collection[str]) -> ClusterEngine:
    """Make the engine.

    Args:
        url: ``ray://HOST:PORT`` of a cluster's client server, or ``ray`` for the cluster that Ray itself
            finds (``RAY_ADDRESS``, or one that runs on this machine), else one started here.
        room: what was asked for, and what suits this machine.
        keep: names of credentials in the environment that its processes get.
    """
    threads = room.share if url == "ray" else room.threads or 1
    cluster = RayCluster(url, threads, room if url == "ray" else None, gpus=int(room.device == "cuda"))
    return ClusterEngine(cluster, url, room.workers, threads, keep, room.device)


class RayCluster:
    """The nodes of a Ray cluster.

    Args:
        url: of the engine, as typed.
        threads: of each slot.
        room: of the cluster that is started here where there is none; None: start none.
        gpus: of each slot: 1, or 0 where trials train on the CPU.
    """

    places_gpus = True

    def __init__(self, url: str, threads: int, room: Room | None = None, gpus: int = 0) -> None:
        self._url, self._room, self._slot = url, room, {"num_cpus": threads, "num_gpus": gpus}
        self.hint = f"start one: ray start --address=HOST:PORT{' --num-gpus=N' * gpus}"
        self._nodes: dict[str, str] = {}
        self._ours = False

    def open(self) -> None:
        """Connect to the cluster, or start one.

        Raises:
            UsageError: it does not answer.
        """
        if ray.is_initialized():  # as in a notebook that uses Ray already
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            self._connect()
        except (OSError, RuntimeError, ValueError) as error:
            wrong = f"no Ray cluster answers there: {told(error)}"
            raise UsageError(f"--engine {self._url}", wrong, _HOW) from error
        self._ours = True

    def members(self) -> Mapping[str, int]:
        """Give the processors of each node that is alive; with GPUs, those that go with its GPUs."""
        try:
            nodes = [node for node in ray.nodes() if node["Alive"]]
        except Exception:  # noqa: BLE001  # whatever Ray raises when the cluster is gone
            return {}
        self._nodes = {f"{node['NodeManagerAddress']}/{node['NodeID'][:6]}": node["NodeID"] for node in nodes}
        cores = [self._usable(node["Resources"]) for node in nodes]
        return {name: cpus for name, cpus in zip(self._nodes, cores, strict=True) if cpus}

    def _usable(self, resources: Mapping[str, float]) -> int:
        """Say how many processors of a node slots can take."""
        cores = int(resources.get("CPU", 0))
        if not self._slot["num_gpus"]:
            return cores
        return min(cores, int(resources.get("GPU", 0)) * self._slot["num_cpus"])

    def link(self, member: str) -> "RayLink":
        """Make a link to a node."""
        return RayLink(member, self._nodes[member], self._slot)

    def close(self) -> None:
        """Disconnect, and end the cluster if it was started here."""
        if self._ours:
            self._ours = False
            ray.shutdown()

    def _connect(self) -> None:
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self._room is None:
            _knock(self._url)
            _join(self._url, quiet)
            return
        try:
            ray.init("auto", **quiet)
        except ConnectionError:
            quiet |= {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
            ray.init("local", **_started(self._room), **_place(), **quiet)


def _knock(url: str) -> None:
    """Find out at once where nobody listens.

    Raises:
        OSError: nobody does.
    """
    address = urlsplit(url)
    socket.create_connection((address.hostname, address.port), KNOCKING).close()


def _join(url: str, options: Mapping[str, Any]) -> None:
    """Connect to a cluster.

    Its client server forks one for each client, and that may die at birth where its threads are just calling
    (Ray 2.60 on two busy cores: one time in six); then it says so, and the next one may live.

    Raises:
        OSError: it does not answer, or refuses each time.
    """
    for left in reversed(range(JOINING)):
        try:
            ray.init(url, **options)
        except ConnectionAbortedError:
            if not left:
                raise
        else:
            return


def _started(room: Room) -> dict[str, int]:
    """Say what a cluster has that is started here.

    Raises:
        UsageError: it would have fewer GPUs than trials at once.
    """
    cores = {"num_cpus": room.slots * room.share}
    if room.gpus is None:
        return cores
    gpus = {"num_gpus": len(gpus_for(room.workers))}
    os.environ.setdefault(VISIBLE, ",".join(room.gpus))  # Ray by itself finds no instances of divided ones
    return cores | gpus


def _place() -> dict[str, str]:
    """Say where Ray puts its files, where it would by itself put them too deep for its sockets."""
    if "RAY_TMPDIR" in os.environ or len(tempfile.gettempdir()) <= SHORT:
        return {}
    return {"_temp_dir": "/tmp/ray"}  # noqa: S108  # Ray's own place where no TMPDIR is set


class RayLink:
    """The way to one node: an actor there.

    Args:
        name: of the node, as people know it.
        node: its id.
        slot: what the actor takes of the node's, by Ray's names; it sees no GPU but those.
    """

    def __init__(self, name: str, node: str, slot: Mapping[str, int]) -> None:
        self.name, self.gone, self._lock = name, "", threading.Lock()
        self._actor = (
            ray.remote(_relay_class())
            .options(
                **slot,
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=CALLS,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
            )
            .remote()
        )

    def call(self, fn: Callable[..., Any], *args: Any, seconds: float) -> Any:
        """Run ``fn(*args)`` in the actor itself."""
        return self.answer(self.send(fn, *args), seconds)

    def begin(self, call: far.Call, hear: Callable[[bytes], object] | None) -> "RayRunning":
        """Have the actor run a task."""
        return RayRunning(self, self.send(run_here, call), call, hear)

    def part(self, why: str) -> None:
        """End the actor, and with it whatever waits for it."""
        self.gone = self.gone or why
        with suppress(Exception):  # it may be gone, or the cluster
            ray.kill(self._actor)

    def send(self, fn: Callable[..., Any], *args: Any) -> Any:
        """Begin ``fn(*args)`` in the actor itself.

        Raises:
            LostTaskError: it is gone.
        """
        try:
            return self._actor.do.remote(request(fn, args))
        except Exception as error:
            raise LostTaskError(self.gone or f"{self.name}: {told(error)}") from error

    def answer(self, sent: Any, seconds: float | None = None) -> Any:
        """Wait for what a function returned in the actor.

        Raises:
            TaskError: it raised.
            LostTaskError: it did not return in time, or the actor is gone.
        """
        try:
            returned = ray.get(sent, timeout=seconds)
        except Exception as error:
            why = f"the worker {self.name} left: {one_line(told(error))}"
            if isinstance(error, RayActorError):
                self.gone = self.gone or why
            raise LostTaskError(self.gone or why) from error
        return unpack(returned)


class RayRunning:
    """A task on its way.

    Args:
        link: to its actor.
        sent: what Ray gave for it.
        call: the task.
        hear: told of what it says in passing.
    """

    def __init__(
        self, link: RayLink, sent: Any, call: far.Call, hear: Callable[[bytes], object] | None
    ) -> None:
        self._link, self._sent, self._call, self._hear = link, sent, call, hear

    def result(self) -> far.Answer:
        """Wait for what becomes of it, and ask meanwhile what it says."""
        try:
            while self._hear and not ray.wait([self._sent], timeout=LISTEN_EVERY)[0]:
                if said := self._link.call(what_it_said, self._call.id, seconds=10):
                    self._hear(said)
            answer: far.Answer = self._link.answer(self._sent)
        except TaskError as error:
            raise LostTaskError(str(error)) from error
        return answer

    def cancel(self) -> None:
        """Kill the process that runs it."""
        with suppress(LostTaskError):
            self._link.send(far.kill, self._call.token)


def _relay_class() -> type:
    """Give the class of the actors; made here so that it travels as code, see ``wire.relay``."""
    run = relay()

    class SweepsRelay:
        def do(self, message: bytes) -> bytes:
            return run(message)

    return SweepsRelay


def run_here(call: far.Call) -> far.Answer:
    """Run a task: on the worker, inside the actor."""
    try:
        return far.run(call, lambda said: _SAID.update({call.id: said}))
    finally:
        _SAID.pop(call.id, None)


def what_it_said(task: str) -> bytes | None:
    """Give what a task said since the last question, on its worker."""
    return _SAID.pop(task, None)
