"""One worker process: the driver's end of it.

Started by ``subprocess``, not ``multiprocessing``: a new interpreter with exactly the environment it should
have, which never imports the user's main script (so that needs no ``if __name__ == "__main__"`` guard), in a
process group of its own, so that a Ctrl-C in the terminal does not reach it.
"""

import contextlib
import math
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from multiprocessing import Pipe
from typing import Any

from sweeps.credentials import for_workers
from sweeps.engines.base import LateTaskError, LostTaskError, TaskError, told
from sweeps.engines.child import ASIDE, BEGUN

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
_START = (
    "import sys; sys.path[:] = {path!r}; from sweeps.engines.child import serve; serve({tasks}, {lifeline})"
)
NO_STORE = "trials-do-not-log://the-driver-does"
"""No URI MLflow knows; its message names it."""
_TO_END = 2.0
"""Seconds for a worker whose pipe broke."""
_LOOK_AGAIN = 0.5
"""Seconds; only where a grandchild keeps a dead worker's pipe open."""


class WorkerProcess:
    """A process that runs one task at a time.

    Args:
        threads: what OpenMP and BLAS libraries in it may use.
        keep: names of credentials in the environment that are passed on.
    """

    def __init__(self, threads: int, keep: Collection[str] = ()) -> None:
        self._doomed = False
        self._tasks, its_tasks = Pipe()
        its_lifeline, self._lifeline = os.pipe()
        fds = its_tasks.fileno(), its_lifeline
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START.format(path=_path(), tasks=fds[0], lifeline=fds[1])],
                env=environment(threads, keep),
                stdin=subprocess.DEVNULL,
                stdout=2,  # what it prints must not mix with the driver's answer
                pass_fds=fds,
                process_group=0,
            )
        finally:
            its_tasks.close()
            os.close(its_lifeline)

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
        message = _pickled((fn, task, hear is not None))
        try:
            self._tasks.send_bytes(message)
            returned = self._received()
            if returned == BEGUN:
                returned = self._answered(limit, hear)
        except LateTaskError:
            raise
        except (EOFError, OSError) as error:
            raise LostTaskError(f"the worker process {self._ended()} while it ran the task") from error
        return _unpacked(returned)

    def _answered(self, limit: float | None, hear: Callable[[Any], object] | None) -> bytes:
        end = math.inf if limit is None else time.monotonic() + limit
        while (returned := self._received(end, limit)).startswith(ASIDE):
            if hear is not None:
                hear(pickle.loads(returned[len(ASIDE) :]))  # noqa: S301  # as below
        return returned

    def _received(self, end: float = math.inf, limit: float | None = None) -> bytes:
        while not self._tasks.poll(max(0.0, min(_LOOK_AGAIN, end - time.monotonic()))):
            if time.monotonic() >= end:
                self.kill()
                raise LateTaskError(f"took longer than {limit:g} s and was killed")
            if not self.alive():
                raise EOFError
        return self._tasks.recv_bytes()

    def kill(self) -> None:
        """End it at once, with everything it started in its group."""
        self._doomed = True
        if self._process.returncode is None:
            self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _is_over(self) -> bool:
        """Whether it ended; what it started ends with it, while its number is not yet free for others."""
        if self._process.returncode is None:
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            with contextlib.suppress(ChildProcessError):
                if os.waitid(os.P_PID, self._process.pid, options) is not None:
                    self._kill_group()
        return self._process.poll() is not None

    def close(self) -> None:
        """Make sure that it is gone and free what it held; to be called once."""
        self.kill()
        self._process.wait()
        self._tasks.close()
        os.close(self._lifeline)

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
    """The driver's environment, with its threads set, and without MLflow's settings and credentials.

    A task that logs to MLflow all the same is told why it cannot: it would make runs beside the driver's.
    """
    kept = for_workers(os.environ, keep)
    return {**kept, "MLFLOW_TRACKING_URI": NO_STORE, **dict.fromkeys(_THREAD_VARIABLES, str(threads))}


def _path() -> list[str]:
    return [entry for entry in sys.path if isinstance(entry, str)]


def _pickled(task: Any) -> bytes:
    try:
        return pickle.dumps(task)
    except Exception as error:
        raise TaskError(f"the task cannot be sent to a process: {told(error)}") from error


def _unpacked(returned: bytes) -> Any:
    try:
        good, value = pickle.loads(returned)  # noqa: S301  # from our own child, over a private pipe
    except Exception as error:
        raise TaskError(f"the result cannot be read: {told(error)}") from error
    if not good:
        raise TaskError(value)
    return value
