"""Run a contender in a process of its own, and count the CPU time of everything it starts.

Ray starts daemons that leave the process group and reap their workers unseen, so neither ``killpg`` nor
``getrusage`` knows all of them. On Linux this process therefore becomes the one that orphans fall to, and
adds up the CPU times of all its descendants, sampled while they live. What a process used in the last moments
before it ended by itself may be missed, so the sum is a lower bound. Elsewhere ``getrusage`` must do.
"""

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table import ROOT

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
OUTPUT = "output.txt"
MARKS = "marks.txt"


class ContenderError(Exception):
    """A contender ended with an error; the message holds the end of what it said."""


@dataclass(frozen=True)
class Ran:
    """How a contender's process ended."""

    stopped: bool
    """Whether its time was over; else it ended by itself."""
    started: float
    """Unix time in seconds."""
    seconds: float
    cpu_seconds: float
    """Of the process and all that it started, user and system."""
    samples: Sequence[tuple[float, float]]
    """Unix time, CPU seconds until then."""

    def cpu_at(self, moment: float) -> float:
        """Give the CPU seconds spent until a Unix time, between samples in proportion."""
        before, after = (self.started, 0.0), (self.started, 0.0)
        for sample in self.samples:
            before, after = after, sample
            if sample[0] >= moment:
                break
        span = after[0] - before[0]
        share = min(1.0, max(0.0, (moment - before[0]) / span)) if span else 1.0
        return before[1] + share * (after[1] - before[1])


def run(
    words: Sequence[str],
    folder: Path,
    *,
    limit: float | None = None,
    variables: Mapping[str, str] | None = None,
    every: float = 0.25,
) -> Ran:
    """Run a command to its end, or for ``limit`` seconds, and end whatever it started.

    Args:
        words: the command; what it prints goes to ``folder/output.txt``.
        folder: where it runs.
        limit: seconds.
        variables: beside those of ``environment``.
        every: seconds between samples of CPU time.

    Raises:
        ContenderError: it ended by itself with another exit code than 0.
    """
    _adopt_orphans()
    tree, samples = Descendants(), []
    with (folder / OUTPUT).open("ab") as output:
        started = time.time()
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**environment(folder), **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            while not _ended(process, _next_look(every, started, limit)):
                samples.append((time.time(), tree.cpu_seconds()))
                if limit is not None and time.time() - started >= limit:
                    break
        finally:
            seconds = time.time() - started
            stopped = process.poll() is None
            samples.append((time.time(), tree.cpu_seconds()))
            tree.kill(process)
    if not stopped and process.returncode:
        raise ContenderError(f"exit code {process.returncode} of {words[2:]}:\n{_tail(folder / OUTPUT)}")
    return Ran(stopped, started, seconds, tree.cpu_seconds(), samples)


def environment(folder: Path) -> dict[str, str]:
    """Give the variables a contender runs with: this project importable, threads and MLflow as by default."""
    unwanted = ("MLFLOW_", "OMP_", "OPENBLAS_", "MKL_", "PYTHONDONTWRITEBYTECODE", "RAY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    kept["SWEEPS_DATA_DIR"] = str(Path(kept.get("SWEEPS_DATA_DIR") or "data").resolve())
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    return {**kept, **quiet, "PYTHONPATH": str(ROOT), "BENCHMARK_MARKS": str(folder / MARKS)}


def python(*words: str) -> list[str]:
    """Give a command for this Python."""
    return [sys.executable, *words]


class Descendants:
    """The processes that descend from this one and were not there before, and the CPU time each has used."""

    def __init__(self) -> None:
        self._others = {(one.pid, one.born) for one in _descendants()}
        self._seen: dict[tuple[int, bytes], float] = {}
        self._reaped = _reaped_seconds()

    def cpu_seconds(self) -> float:
        """Look at every one of them; give the CPU seconds of all that were ever seen."""
        self._seen.update({(one.pid, one.born): one.cpu_seconds for one in self._living()})
        return max(sum(self._seen.values()), _reaped_seconds() - self._reaped)

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        """End all of them and ``process``, which stands for them where they cannot be listed."""
        self.cpu_seconds()
        process.kill()
        process.wait()
        while living := self._living():
            for one in living:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)
                with contextlib.suppress(
                    ChildProcessError
                ):  # its parent, dying too, has not left it to us yet
                    os.waitpid(one.pid, os.WNOHANG)

    def _living(self) -> "list[_Process]":
        return [one for one in _descendants() if (one.pid, one.born) not in self._others]


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    born: bytes
    cpu_seconds: float


def _descendants() -> list[_Process]:
    children: dict[int, list[_Process]] = {}
    for one in _processes():
        children.setdefault(one.parent, []).append(one)
    found, queue = [], [os.getpid()]
    while queue:
        born = children.get(queue.pop(), [])
        found += born
        queue += [one.pid for one in born]
    return found


def _processes() -> list[_Process]:
    names = [path.name for path in PROC.iterdir()] if PROC.is_dir() else []
    return [one for name in names if name.isdigit() and (one := _process(name)) is not None]


def _process(name: str) -> _Process | None:
    """Read a process's line; None where it is gone. See proc_pid_stat(5), fields 4, 14, 15 and 22.

    Plain ``open``: with ``pathlib`` looking at all processes would take three times as long.
    """
    try:
        with open(f"{PROC}/{name}/stat", "rb") as file:  # noqa: PTH123
            text = file.read()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    ticks = int(fields[11]) + int(fields[12])
    return _Process(int(name), int(fields[1]), fields[19], ticks / TICKS)


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reaped_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _next_look(every: float, started: float, limit: float | None) -> float:
    return every if limit is None else max(0.0, min(every, started + limit - time.time()))


def _tail(path: Path, most: int = 2000) -> str:
    return path.read_text("utf-8", "replace")[-most:]
