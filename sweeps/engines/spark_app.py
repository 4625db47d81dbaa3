"""A Spark application, in a process of its own beside the driver.

In the driver's own it would take over Ctrl-C, write on the terminal, leave a Java machine behind, and be the
only one. It begins a Spark task for each slot, and tells how that ended and which executors there are.
"""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from sweeps.engines.base import told
from sweeps.engines.callback import Address
from sweeps.engines.child import settle_in
from sweeps.errors import one_line

LOOPBACK = "127.0.0.1"
LOOK_EVERY = 0.5
"""Seconds between two looks at the executors."""
CLOSING = 3.0
"""Seconds that the Java machine gets to end."""
_LONGEST = 300
"""Letters of a reason: Spark gives Java's whole stack."""
_OF_PYTHON = re.compile(r"^(?!org\.|java\.|py4j\.)[\w.]*(?:Error|Exception|Exit)\b.*$", re.MULTILINE)
_OF_JAVA = re.compile(r"^: (.+)$", re.MULTILINE)


class Application(NamedTuple):
    """What the driver wants to begin with."""

    url: str
    """Of the master."""
    threads: int
    """Of each slot."""
    most: int | None
    """Slots, if there shall not be as many as there is room for."""


class Begin(NamedTuple):
    """What it wants later: a slot."""

    number: int
    address: Address
    """Where the slot calls back."""


class Opened(NamedTuple):
    """The application is there."""

    host: str
    """By which executors reach this machine."""
    listen: str
    """The address to listen at for them."""


class Failed(NamedTuple):
    """It is not."""

    why: str


class Executors(NamedTuple):
    """Which executors there are now."""

    cores: tuple[int, ...]
    """Of each."""


class Ended(NamedTuple):
    """A slot's Spark task ended."""

    number: int
    why: str
    hopeless: bool
    """Whether another one would end in the same way."""


def is_local(url: str) -> bool:
    """Whether a master is this machine."""
    return url.startswith("local[")


def serve(tasks: int, lifeline: int) -> None:
    """Run the application until the driver is gone, or sends None.

    Args:
        tasks: file descriptor of a two-way pipe.
        lifeline: file descriptor that is readable, at its end, when the driver is gone.
    """
    driver = settle_in(tasks, lifeline)
    wanted: Application = driver.recv()
    with tempfile.TemporaryFile() as log:
        for stream in (1, 2):  # Spark and Java write much that is of no use on the driver's terminal
            os.dup2(log.fileno(), stream)
        try:
            context = _context(wanted)
        except Exception as error:  # noqa: BLE001  # Spark's own and Java's
            driver.send(Failed(f"{reason(told(error))} {last_line(log.fileno())}".strip()))
            return
        conf = context.getConf()
        host = conf.get("spark.driver.host")
        _App(context, driver).run(Opened(host, conf.get("spark.driver.bindAddress") or host))
        _stop(context)


class _App:
    """What the driver reaches by the pipe.

    Args:
        context: of Spark.
        driver: the pipe.
    """

    def __init__(self, context: Any, driver: Connection) -> None:
        self._context, self._driver, self._lock = context, driver, threading.Lock()

    def run(self, opened: Opened) -> None:
        """Begin slots as they are wanted."""
        self._tell(opened)
        threading.Thread(target=self._watch, daemon=True).start()
        with suppress(EOFError, OSError):
            while (begin := self._driver.recv()) is not None:
                threading.Thread(target=self._slot, args=begin, daemon=True).start()

    def _tell(self, news: Opened | Executors | Ended) -> None:
        with self._lock, suppress(OSError):  # the driver is gone
            self._driver.send(news)

    def _watch(self) -> None:
        """Tell of executors that come and go; when Spark is gone, that there are none."""
        known: tuple[int, ...] = ()
        with suppress(Exception):
            while True:
                if (cores := cores_of(self._context)) != known:
                    known = cores
                    self._tell(Executors(cores))
                time.sleep(LOOK_EVERY)
        self._tell(Executors(()))

    def _slot(self, number: int, address: Address) -> None:
        try:
            self._context.parallelize([0], 1).foreach(_task(tuple(address)))
        except Exception as error:  # noqa: BLE001  # Spark's own
            text = told(error)
            self._tell(Ended(number, reason(text), not is_lost(text)))
        else:
            self._tell(Ended(number, "its Spark task ended", hopeless=False))


def _task(address: tuple[Any, ...]) -> Callable[[object], None]:
    """Give what a Spark task runs; made here so that it travels as code, see ``wire.relay``."""

    def sweeps_slot(_: object) -> None:
        from pyspark import TaskContext

        from sweeps.engines.callback import Address, call_back

        context = TaskContext.get()
        if context is None or context.attemptNumber() == 0:  # another one is for a slot that was lost
            call_back(Address(*address))

    return sweeps_slot


def _context(wanted: Application) -> Any:
    from pyspark import SparkConf, SparkContext

    conf = SparkConf().setMaster(wanted.url).setAppName("sweeps")
    for name, value in settings(wanted).items():
        conf.set(name, value)
    return SparkContext(conf=conf)


def settings(wanted: Application) -> dict[str, str]:
    """Give the settings of the application; others are as Spark's own files say."""
    always = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.task.maxFailures": "1",
        "spark.speculation": "false",
        "spark.python.worker.reuse": "false",
    }
    if is_local(wanted.url):
        return always | {
            "spark.driver.host": LOOPBACK,
            "spark.driver.bindAddress": LOOPBACK,
            "spark.authenticate": "true",  # other users of this machine reach loopback, too
            "spark.executorEnv.PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
    return always | {"spark.task.cpus": str(wanted.threads)} | _share(wanted)


def _share(wanted: Application) -> dict[str, str]:
    """Leave to others what is not wanted; by itself Spark gives an application all cores of the cluster.

    It spreads the cores one by one over the workers, which would leave too few for a slot of several threads
    on each of them: such a slot has an executor of its own.
    """
    if wanted.most is None:
        return {}
    share = {"spark.cores.max": str(wanted.most * wanted.threads)}
    return share if wanted.threads == 1 else share | {"spark.executor.cores": str(wanted.threads)}


def cores_of(context: Any) -> tuple[int, ...]:
    """Give the cores of each executor that is there; with ``local[N]`` the driver is one."""
    listed = context._jsc.sc().statusStore().executorList(True)  # noqa: SLF001  # Python has no call
    cores = (listed.apply(number).totalCores() for number in range(listed.size()))
    return tuple(sorted(number for number in cores if number))


def is_lost(text: str) -> bool:
    """Whether a Spark task failed for want of its executor or of Spark itself, not by what it ran."""
    return "ExecutorLostFailure" in text or "shut down" in text


def reason(text: str) -> str:
    """Give the one line that matters of what Spark raised: Python's error, else Java's."""
    found = _OF_PYTHON.search(text)
    if found:
        return one_line(found[0])[:_LONGEST]
    inner = _OF_JAVA.search(text)
    return one_line(inner[1] if inner else text)[:_LONGEST]


def last_line(log: int) -> str:
    """Give the last line that was written to a file, in brackets."""
    size = os.fstat(log).st_size
    lines = os.pread(log, 10_000, max(0, size - 10_000)).decode(errors="replace").split("\n")
    line = next((one_line(line) for line in reversed(lines) if line.strip()), "")
    return f"[{line[:_LONGEST]}]" if line else ""


def _stop(context: Any) -> None:
    """End the application, and the Java machine: it ends when nobody writes to it any more."""
    machine = context._gateway.proc  # noqa: SLF001  # Spark leaves it running
    with suppress(Exception):  # Java may be gone
        context.stop()
    with suppress(OSError, subprocess.TimeoutExpired):
        machine.stdin.close()
        machine.wait(CLOSING)
