"""On a worker of a cluster: its processes, which run the tasks.

The functions here are called by the driver's end of a process (``far_process``), through whatever the cluster
has for calling functions. It may call one again, after a worker died, say: a task begins once all the same.
"""

import math
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, NamedTuple

from sweeps.engines import far_files
from sweeps.engines.base import LateTaskError, LostTaskError
from sweeps.engines.gpus import VISIBLE, visible_gpus
from sweeps.engines.process import Wanted, WorkerProcess, environment
from sweeps.environment import environment as versions

IDLE = 120.0
"""Seconds that a process waits for its next task; then it is ended, as its driver may be gone."""

BORN = uuid.uuid4().hex
"""Names this process of the cluster; one that replaces it has another name."""

_LOCK = threading.Lock()
_KEPT: dict[str, "_Kept"] = {}
_BEGUN: set[str] = set()


class Hello(NamedTuple):
    """What a worker says of itself."""

    born: str
    host: str
    """The same for all workers that see each other's temporary files."""
    versions: Mapping[str, str]
    """Python, machine, packages: see ``sweeps.environment``."""
    gpus: int = 0
    """How many it sees, where one was asked for."""
    gpu: str = ""
    """That the process has to itself; empty where none was asked for, or is left."""


class Call(NamedTuple):
    """A task as it goes to a worker."""

    id: str
    """Its own; whatever is called twice begins once."""
    born: str
    """Of the worker it was meant for."""
    token: str
    """Of the process it was meant for."""
    message: bytes
    """For the process."""
    limit: float | None
    heard: bool
    """Whether somebody listens to what it says in passing."""


class Answer(NamedTuple):
    """What became of a task."""

    kind: Literal["returned", "late", "lost", "not begun"]
    message: bytes = b""
    """What the process returned."""
    text: str = ""
    """What happened, where it did not return."""


@dataclass
class _Kept:
    process: WorkerProcess
    session: str
    gpu: str
    since: float = field(default_factory=time.monotonic)
    """When it began to wait; infinite while it runs a task."""


def start(session: str, token: str, threads: int, given: Mapping[str, str], device: str = "cpu") -> Hello:
    """Start a process.

    Args:
        session: of the driver; all its processes are in one.
        token: names the process from now on.
        threads: what it may use.
        given: variables of the driver's environment that it gets besides this worker's.
        device: ``cuda`` for a GPU of this worker's that no other process of the session has.
    """
    far_files.hold(session)
    env = {**environment(threads), **given}
    gpus = visible_gpus() if device == "cuda" else None
    gpu = _starter().submit(_start, session, token, env, gpus).result()
    _watch()
    host = f"{socket.gethostname()}:{tempfile.gettempdir()}"
    return Hello(BORN, host, versions(threads), len(gpus or ()), gpu)


def _start(session: str, token: str, env: Mapping[str, str], gpus: Sequence[str] | None) -> str:
    """Start a process; give its GPU. One after the other, so that none is taken twice."""
    gpu = "" if gpus is None else next((one for one in gpus if one not in _taken(session)), "")
    process = WorkerProcess(env if gpus is None else {**env, VISIBLE: gpu})
    with _LOCK:
        _KEPT[token] = _Kept(process, session, gpu)
    return gpu


def _taken(session: str) -> set[str]:
    """GPUs that processes of a session have; other sessions share them, as they share the threads."""
    with _LOCK:
        return {kept.gpu for kept in _KEPT.values() if kept.session == session and kept.process.alive()}


def run(call: Call, say: Callable[[bytes], object] | None = None, wanted: Wanted = lambda: True) -> Answer:
    """Have a process run a task, unless that was begun before; total.

    Args:
        call: the task.
        say: given what it says in passing, if somebody listens.
        wanted: asked twice a second; when it is not, its process is killed.
    """
    with _LOCK:
        if call.born != BORN or call.id in _BEGUN:
            return Answer("lost", text="its worker was replaced while it ran the task")
        kept = _KEPT.get(call.token)
        if kept is None or not kept.process.alive():
            return Answer("not begun")
        _BEGUN.add(call.id)
        kept.since = math.inf
    try:
        said = say if call.heard else None
        return Answer("returned", kept.process.exchange(call.message, call.limit, said, wanted))
    except LateTaskError as error:
        return Answer("late", text=str(error))
    except LostTaskError as error:
        return Answer("lost", text=str(error))
    finally:
        _rest(call.token, kept)


def kill(token: str) -> None:
    """Kill what a process runs, with the process."""
    kept = _KEPT.get(token)
    if kept is not None:
        kept.process.kill()


def close(token: str) -> None:
    """End a process; with the last one of a session its files go, too."""
    with _LOCK:
        kept = _KEPT.pop(token, None)
        if kept is None:
            return
        last = all(other.session != kept.session for other in _KEPT.values())
        busy = kept.since == math.inf
    if busy:
        kept.process.kill()  # whoever waits for its answer closes it
    else:
        kept.process.close()
    if last:
        far_files.leave(kept.session)


def close_all() -> None:
    """End all processes of this worker."""
    for token in list(_KEPT):
        close(token)


def close_idle(now: float) -> None:
    """End the processes that have waited too long."""
    with _LOCK:
        tokens = [token for token, kept in _KEPT.items() if now - kept.since > IDLE]
    for token in tokens:
        close(token)


def _rest(token: str, kept: _Kept) -> None:
    """Take note that a process ran its task."""
    with _LOCK:
        kept.since = time.monotonic()
        closed = token not in _KEPT
    if closed:
        kept.process.close()


@cache
def _starter() -> ThreadPoolExecutor:
    """The thread that starts processes: Linux ends them with it, so it must stay."""
    return ThreadPoolExecutor(1, "sweeps-starter")


@cache
def _watch() -> None:
    threading.Thread(target=_look_after, name="sweeps-idle", daemon=True).start()


def _look_after() -> None:
    while True:
        time.sleep(IDLE / 10)
        close_idle(time.monotonic())
