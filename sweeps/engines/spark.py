"""Spark: the executors of a standalone cluster, or threads of this machine.

Spark runs tasks and calls nobody in the midst of one, so each slot is a Spark task that calls the driver back
(see ``callback``). Spark may start a task again; ours then ends at once, and the engine begins another slot.
"""

import os
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from pyspark import SparkConf, SparkContext

from sweeps.engines.base import told
from sweeps.engines.callback import Address, Line, Lines
from sweeps.engines.cluster import ClusterEngine
from sweeps.engines.cores import Room
from sweeps.errors import UsageError, one_line

LOOPBACK = "127.0.0.1"


def open_engine(url: str, room: Room, keep: Collection[str]) -> ClusterEngine:
    """Make the engine.

    Args:
        url: ``spark://HOST:PORT`` of a standalone master, or ``local[N]`` for N threads of this machine.
        room: what was asked for, and what suits this machine.
        keep: names of credentials in the environment that its processes get.
    """
    threads = room.threads or 1
    return ClusterEngine(SparkCluster(url, threads), url, room.workers, threads, keep)


class SparkCluster:
    """The executors of a Spark application.

    Args:
        url: of the master.
        threads: of each slot; so many cores a Spark task takes.
    """

    hint = "start one: sbin/start-worker.sh spark://HOST:PORT"

    def __init__(self, url: str, threads: int) -> None:
        self._url, self._threads = url, threads
        self._context: SparkContext | None = None
        self._lines: Lines | None = None
        self._slots, self._ours = 0, False

    def open(self) -> None:
        """Begin a Spark application.

        Raises:
            UsageError: Spark does not start, as without Java.
        """
        if self._url.startswith("local["):
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        try:
            self._ours = SparkContext._active_spark_context is None  # noqa: SLF001  # a notebook's is not ours
            self._context = SparkContext.getOrCreate(self._conf())
        except Exception as error:
            wrong = f"Spark does not start: {one_line(told(error))[:300]}"
            raise UsageError(
                f"--engine {self._url}", wrong, "it needs Java, and the master's address"
            ) from error
        self._context.setLogLevel("ERROR")
        self._lines = Lines(self._context.getConf().get("spark.driver.host") or LOOPBACK)

    def members(self) -> Mapping[str, int]:
        """Give the cores of all executors, as those of one worker: Spark chooses where a task runs."""
        try:
            return {"of Spark": self._context.defaultParallelism} if self._context else {}
        except Exception:  # noqa: BLE001  # whatever its Java side raises when it is gone
            return {}

    def link(self, member: str) -> Line:
        """Begin a task that calls back."""
        if self._lines is None:
            raise RuntimeError("not open")
        self._slots += 1
        line, address = self._lines.line(f"{member} {self._slots}")
        job = threading.Thread(target=self._run, args=(line, address), name="sweeps-spark", daemon=True)
        job.start()
        return line

    def close(self) -> None:
        """End the application."""
        context, self._context = self._context, None
        if self._lines is not None:
            self._lines.close()
        if context is not None and self._ours:
            with suppress(Exception):  # its Java side may be gone
                context.stop()

    def _run(self, line: Line, address: Address) -> None:
        """Run a task until it ends, which ends its link."""
        why = "its task ended"
        try:
            if self._context is not None:
                self._context.parallelize([address], 1).foreach(task())
        except Exception as error:  # noqa: BLE001  # Spark's own, with a long trace of Java's
            why = _reason(error)
            line.refuse(why)
        line.part(f"the worker {line.name} left: {why}")

    def _conf(self) -> SparkConf:
        conf = SparkConf().setMaster(self._url).setAppName("sweeps")
        wanted = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.task.cpus": str(self._threads),
            "spark.task.maxFailures": "1",
            "spark.python.worker.reuse": "false",
        }
        if self._url.startswith("local["):
            wanted |= {"spark.driver.bindAddress": LOOPBACK, "spark.driver.host": LOOPBACK}
            wanted["spark.executorEnv.PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        for name, value in wanted.items():
            conf.set(name, value)
        return conf


def task() -> Callable[[Address], None]:
    """Give what a Spark task runs; made here so that it travels as code, see ``wire.relay``."""

    def sweeps_slot(address: Any) -> None:
        from pyspark import TaskContext

        from sweeps.engines.callback import call_back

        context = TaskContext.get()
        if context is None or context.attemptNumber() == 0:
            call_back(address)

    return sweeps_slot


def _reason(error: Exception) -> str:
    """The last line of a Python traceback in what Spark raises, else its beginning."""
    lines = [line.strip() for line in told(error).splitlines() if "Error: " in line]
    return one_line(lines[0] if lines else told(error))[:300]
