"""Drivers to be killed, each forked in the nursery of its contender."""

import json
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.processes import environment, python

WORKER_SHARE = 0.2
"""Of the kills that hit a worker, where there are any."""

LONGEST = 300.0
"""Seconds after which a driver that was not killed must be through."""


class Driver:
    """A process of its own, that goes on with the sweep in its folder."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self.pid, self._nursery = pid, nursery
        self.code: int | None = None
        """Its exit code; None while it runs."""

    def wait(self, seconds: float) -> int | None:
        """Wait for its end, at most so long; give its exit code, None while it runs."""
        self.code = self._nursery.ask("wait", self.pid, seconds)
        return self.code

    def finish(self) -> int:
        """Wait for its end; give its exit code.

        Raises:
            TimeoutError: it does not come.
        """
        if (code := self.wait(LONGEST)) is None:
            self._kill()
            raise TimeoutError(f"a driver that nobody killed did not end within {LONGEST:g} s")
        return code

    def strike(self, moments: random.Random, struck: Callable[[], object]) -> None:
        """Kill a worker, and see how the driver takes it; mostly the driver itself.

        Args:
            moments: decides whom.
            struck: called as soon as it is done.
        """
        workers = children(self.pid)
        if workers and moments.random() < WORKER_SHARE:
            os.kill(moments.choice(workers), signal.SIGKILL)
            struck()
            self.finish()
        else:
            self._kill()
            struck()

    def _kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.wait(LONGEST)


class Nursery:
    """The process that forks a contender's drivers; see ``nurseries``."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self, folder: Path, words: Sequence[str]) -> Driver:
        """Start a driver in a folder."""
        return Driver(self, self.ask("start", str(folder), *words))

    def ask(self, *words: Any) -> Any:
        """Have something done; give the answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("a nursery is talked to through pipes")
        print(json.dumps(words), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


@contextmanager
def nursery(module: str, folder: Path) -> Iterator[Nursery]:
    """Run the nursery of a contender."""
    words = python("-m", "benchmarks.storm.nursery", module)
    process = subprocess.Popen(
        words, cwd=folder, env=environment(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Nursery(process)
    finally:
        process.kill()
        process.communicate()


def children(pid: int) -> list[int]:
    """Give the processes that a process started."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    try:
        return [int(child) for tasks in found for child in tasks.read_text().split()]
    except OSError:
        return []
