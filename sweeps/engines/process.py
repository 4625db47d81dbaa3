"""One worker process: the end of it that gives it tasks.

Started by ``subprocess``, not ``multiprocessing``: a new interpreter with exactly the environment it should
have, which never imports the user's main script (so that needs no ``if __name__ == "__main__"`` guard), in a
process group of its own, so that a Ctrl-C in the terminal does not reach it.
"""

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from sweeps.credentials import for_workers
from sweeps.engines.base import LateTaskError, LostTaskError
from sweeps.engines.child import ASIDE, BEGUN
from sweeps.engines.wire import pack, unpack, words

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
_START = (
    "import sys; sys.path[:] = {path!r}; "
    "from sweeps.engines.{module} import serve; serve({tasks}, {lifeline})"
)
NO_STORE = "trials-do-not-log://the-driver-does"
"""No URI MLflow knows; its message names it."""
_TO_END = 2.0
"""Seconds for a worker whose pipe broke."""
_LOOK_AGAIN = 0.5
"""Seconds until it is asked again whether the process lives (a grandchild may keep a dead one's pipe open),
and whether its task is wanted."""

Wanted = Callable[[], bool]
"""Whether a task that runs is still wanted."""


class Started(NamedTuple):
    """A process of ours, with the ways to it."""

    process: "subprocess.Popen[bytes]"
    tasks: Connection
    lifeline: int
    """File descriptor; when it is closed, by whatever end of ours, the process ends."""


def start(module: str, env: Mapping[str, str]) -> Started:
    """Start ``serve`` of a module of ``sweeps.engines`` in a process of its own.

    Args:
        module: its name there; its ``serve(tasks, lifeline)`` is given two file descriptors.
        env: its environment.
    """
    tasks, its_tasks = Pipe()
    its_lifeline, lifeline = os.pipe()
    fds = its_tasks.fileno(), its_lifeline
    code = _START.format(path=_path(), module=module, tasks=fds[0], lifeline=fds[1])
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=2,  # what it prints must not mix with the driver's answer
            pass_fds=fds,
            process_group=0,
        )
    except BaseException:
        tasks.close()
        os.close(lifeline)
        raise
    finally:
        its_tasks.close()
        os.close(its_lifeline)
    return Started(process, tasks, lifeline)


def end(started: Started) -> None:
    """Make sure that it is gone, with everything it started in its group, and free what it held."""
    kill(started.process)
    started.process.wait()
    started.tasks.close()
    os.close(started.lifeline)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process at once, with everything it started in its group."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


class WorkerProcess:
    """A process that runs one task at a time.

    Args:
        env: its environment, see ``environment``.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._doomed = False
        self._started = start("child", env)
        self._process, self._tasks = self._started.process, self._started.tasks

    def alive(self) -> bool:
        """Whether it can take a task."""
        return not self._doomed and not self._is_over()

    def run(
        self, fn: Any, task: Any, limit: float | None = None, hear: Callable[[Any], object] | None = None
    ) -> Any:
        """Run ``fn(task)`` there and wait for what it returns, at most ``limit`` seconds.

        Args:
            fn: importable by name there.
            task: what it is given.
            limit: in seconds, from when the task is unpacked.
            hear: called with what the task says in passing; None: it need not say anything.

        Raises:
            LateTaskError: it took longer; the process was killed.
            TaskError: the function raised, or it, the task or the result cannot travel.
            LostTaskError: the process ended first.
        """
        said = None if hear is None else lambda raw: hear(words(raw))
        return unpack(self.exchange(pack(fn, task, hear is not None, {}), limit, said))

    def exchange(
        self,
        message: bytes,
        limit: float | None = None,
        hear: Callable[[bytes], object] | None = None,
        wanted: Wanted = lambda: True,
    ) -> bytes:
        """Send a packed task and give what comes back, still packed.

        Args:
            message: from ``wire.pack``.
            limit: as for ``run``.
            hear: given what the task says in passing, packed.
            wanted: asked twice a second; the process is killed when it is not.

        Raises:
            LateTaskError: it took longer; the process was killed.
            LostTaskError: the process ended first.
        """
        try:
            self._tasks.send_bytes(message)
            returned = self._received(wanted)
            if returned == BEGUN:
                returned = self._answered(limit, hear, wanted)
        except LateTaskError:
            raise
        except (EOFError, OSError) as error:
            raise LostTaskError(f"the worker process {self._ended()} while it ran the task") from error
        return returned

    def _answered(self, limit: float | None, hear: Callable[[bytes], object] | None, wanted: Wanted) -> bytes:
        until = math.inf if limit is None else time.monotonic() + limit
        while (returned := self._received(wanted, until, limit)).startswith(ASIDE):
            if hear is not None:
                hear(returned[len(ASIDE) :])
        return returned

    def _received(self, wanted: Wanted, until: float = math.inf, limit: float | None = None) -> bytes:
        while not self._tasks.poll(max(0.0, min(_LOOK_AGAIN, until - time.monotonic()))):
            if time.monotonic() >= until:
                self.kill()
                raise LateTaskError(f"took longer than {limit:g} s and was killed")
            if not wanted():
                self.kill()
            if not self.alive():
                raise EOFError
        return self._tasks.recv_bytes()

    def kill(self) -> None:
        """End it at once, with everything it started in its group."""
        self._doomed = True
        kill(self._process)

    def _is_over(self) -> bool:
        """Whether it ended; what it started ends with it, while its number is not yet free for others."""
        if self._process.returncode is None:
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            with contextlib.suppress(ChildProcessError):
                if os.waitid(os.P_PID, self._process.pid, options) is not None:
                    kill(self._process)
        return self._process.poll() is not None

    def close(self) -> None:
        """Make sure that it is gone and free what it held; to be called once."""
        self._doomed = True
        end(self._started)

    def _ended(self) -> str:
        """How it ended; one that only broke its pipe is ended here."""
        end = time.monotonic() + _TO_END
        while not self._is_over():
            if time.monotonic() > end:
                self.kill()
                self._process.wait()
                return "stopped answering and was killed"
            time.sleep(0.01)
        code = self._process.returncode
        if code >= 0:
            return f"ended with exit code {code}"
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name} ({-code})"
        return f"was killed by signal {-code}"


def environment(threads: int, keep: Collection[str] = ()) -> dict[str, str]:
    """Give the environment of a process that trains: ours with its threads, without MLflow's and credentials.

    A task that logs to MLflow all the same is told why it cannot: it would make runs beside the driver's.
    """
    kept = for_workers(os.environ, keep)
    return {**kept, "MLFLOW_TRACKING_URI": NO_STORE, **dict.fromkeys(_THREAD_VARIABLES, str(threads))}


def _path() -> list[str]:
    return [entry for entry in sys.path if isinstance(entry, str)]
