"""Spark: the executors of a standalone cluster, or threads of this machine.

Spark runs tasks and calls nobody in the midst of one, so each slot is a Spark task that calls the driver back
(see ``callback``). Spark may start a task again; ours then ends at once, and the engine begins another slot.
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection

from sweeps.engines.base import told
from sweeps.engines.callback import Line, Lines
from sweeps.engines.cluster import ClusterEngine
from sweeps.engines.cores import Room
from sweeps.engines.process import Started, end, environment, kill, start
from sweeps.engines.spark_app import LOOPBACK, Application, Begin, Ended, Executors, Failed, Opened, is_local
from sweeps.errors import UsageError
from sweeps.scratch import scratch_folder

CONNECTING = 10.0
"""Seconds that a master gets to answer."""
STARTING = 120.0
"""Seconds that Spark gets to begin the application."""
CLOSING = 5.0
"""Seconds that it gets to end it."""


def open_engine(url: str, room: Room, keep: Collection[str]) -> ClusterEngine:
    """Make the engine.

    Args:
        url: ``spark://HOST:PORT`` of a standalone master, or ``local[N]`` for N threads of this machine.
        room: what was asked for, and what suits this machine.
        keep: names of credentials in the environment that its processes get.
    """
    threads = room.threads or 1
    cluster = SparkCluster(Application(url, threads, room.workers), keep)
    return ClusterEngine(cluster, url, room.workers, threads, keep)


class SparkCluster:
    """The executors of a Spark application.

    They count as one worker: Spark chooses which of them runs a task.

    Args:
        wanted: which application.
        keep: names of credentials in the environment that it gets.
    """

    places_gpus = False

    def __init__(self, wanted: Application, keep: Collection[str]) -> None:
        self._wanted, self._keep = wanted, keep
        self.hint = f"start one: sbin/start-worker.sh {wanted.url}"
        self._about = f"--engine {wanted.url}"
        self._started: Started | None = None
        self._files = ExitStack()
        self._lines: Lines | None = None
        self._listener: threading.Thread | None = None
        self._cores: tuple[int, ...] = ()
        self._slots: dict[int, Line] = {}
        self._begun = 0

    def open(self) -> None:
        """Begin the application.

        Raises:
            UsageError: the master does not answer, or Spark does not start, as without Java.
        """
        self._started = start("spark_app", self._environment())
        self._started.tasks.send(self._wanted)
        opened = self._answer(self._started.tasks)
        try:
            self._lines = Lines(opened.listen, opened.host)
        except OSError as error:
            wrong = f"executors cannot be listened for at {opened.listen}: {told(error)}"
            raise UsageError(self._about, wrong, "see spark.driver.bindAddress") from error
        self._listener = threading.Thread(target=self._listen, args=(self._started.tasks,), daemon=True)
        self._listener.start()

    def members(self) -> Mapping[str, int]:
        """Give the threads of all executors together, less those that are too few for a slot."""
        threads = self._wanted.threads
        whole = sum(cores // threads for cores in self._cores) * threads
        usable = whole or max(self._cores, default=0)
        return {f"of {self._wanted.url}": usable} if usable else {}

    def link(self, member: str) -> Line:
        """Begin a task that calls back."""
        if self._started is None or self._lines is None:
            raise RuntimeError(f"no application is open to reach the worker {member}")
        self._begun += 1
        line, address = self._lines.line(f"slot {self._begun}")
        self._slots[self._begun] = line
        try:
            self._started.tasks.send(Begin(self._begun, address))
        except OSError:
            self._spark_ended()
        return line

    def close(self) -> None:
        """End the application."""
        with self._files:
            self._end()

    def _end(self) -> None:
        started, self._started = self._started, None
        if self._lines is not None:
            self._lines.close()
        if started is None:
            return
        with suppress(OSError, subprocess.TimeoutExpired):
            started.tasks.send(None)
            started.process.wait(CLOSING)
        kill(started.process)
        if self._listener is not None:
            self._listener.join()
        end(started)

    def _environment(self) -> dict[str, str]:
        """Give the environment of the application: where it listens, and which Python runs its tasks."""
        env = environment(1, self._keep)
        if "SPARK_LOCAL_DIRS" not in env:  # a Spark that is killed leaves its files
            env["SPARK_LOCAL_DIRS"] = str(self._files.enter_context(scratch_folder()))
        if is_local(self._wanted.url):
            here = {"SPARK_LOCAL_IP": LOOPBACK, "SPARK_LOCAL_HOSTNAME": LOOPBACK}
            return env | here | {"PYSPARK_PYTHON": sys.executable}
        address = env.setdefault("SPARK_LOCAL_IP", self._own_address())
        env.setdefault("SPARK_LOCAL_HOSTNAME", address)
        return env

    def _own_address(self) -> str:
        """Give the address of this machine by which it reaches the master."""
        host, port = self._wanted.url.removeprefix("spark://").split(":")
        try:
            with socket.create_connection((host, int(port)), CONNECTING) as probe:
                return str(probe.getsockname()[0])
        except (OSError, OverflowError) as error:
            wrong = f"no Spark master answers there: {told(error)}"
            raise UsageError(self._about, wrong, "start one: sbin/start-master.sh") from error

    def _answer(self, tasks: Connection) -> Opened:
        answer: Opened | Failed = Failed(f"it took longer than {STARTING:g} s")
        with suppress(EOFError, OSError):
            answer = tasks.recv() if tasks.poll(STARTING) else answer
        if isinstance(answer, Failed):
            raise UsageError(self._about, f"Spark does not start: {answer.why}", "it needs Java 17 or newer")
        return answer

    def _listen(self, tasks: Connection) -> None:
        """Take note of what the application says, until it ends."""
        with suppress(EOFError, OSError):
            while True:
                news: Executors | Ended = tasks.recv()
                if isinstance(news, Executors):
                    self._cores = news.cores
                else:
                    self._slot_ended(news)
        self._spark_ended()

    def _slot_ended(self, ended: Ended) -> None:
        line = self._slots.pop(ended.number, None)
        if line is not None:
            if ended.hopeless:
                line.refuse(ended.why)
            line.part(f"the worker {line.name} left: {ended.why}")

    def _spark_ended(self) -> None:
        self._cores = ()
        for line in list(self._slots.values()):
            line.part(f"the worker {line.name} left: Spark ended")
