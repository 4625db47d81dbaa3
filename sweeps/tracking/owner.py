"""Which process drives a sweep, and whether it still lives. MLflow has no heartbeat and no lock."""

import json
import os
import socket
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Self

import psutil

CLOCK_SECONDS = 2.0
"""By so much the start of a process may seem to move, where it is only known by the machine's clock."""

DRIVEN: set[str] = set()
"""Run ids of the sweeps that this process drives now: a notebook outlives its sweeps."""


@dataclass(frozen=True)
class Owner:
    """A process, so described that no other one is taken for it."""

    machine: str
    """Host name, on Linux with the space of process ids: two containers may share a name."""
    pid: int
    born: float
    """When it started, in seconds: process ids are used again. On Linux since the machine was started, which
    no setting of the clock moves; elsewhere Unix time."""
    boot: str = ""
    """Which start of the machine, on Linux."""

    @classmethod
    def this(cls) -> Self:
        """Describe this process."""
        return cls(_machine(), os.getpid(), _born(os.getpid()), _boot())

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what ``str`` gave; None for anything else."""
        try:
            found = json.loads(text)
            return cls(
                str(found["machine"]), int(found["pid"]), float(found["born"]), str(found.get("boot", ""))
            )
        except (KeyError, TypeError, ValueError):
            return None

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @property
    def shown(self) -> str:
        """As messages name it."""
        return f"process {self.pid} on {self.machine.partition(' ')[0]}"

    @property
    def lives(self) -> bool | None:
        """Whether it still runs; None where that cannot be seen from here: on another machine."""
        if self.machine != _machine():
            return None
        try:
            same = self.boot == _boot() and abs(_start(self.pid) - self.born) < CLOCK_SECONDS
            return same and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            return False


@cache
def _born(pid: int) -> float:
    """When a process began; asked once, since elsewhere it seems to move when the machine's clock is set."""
    return _start(pid)


def _start(pid: int) -> float:
    """Give the start of a process as ``Owner.born`` counts.

    Raises:
        OSError: there is no such process, as psutil.Error elsewhere than on Linux.
    """
    status = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return float(psutil.Process(pid).create_time())
    after_name = status.read_text("utf-8", "replace").rpartition(")")[2].split()
    return int(after_name[19]) / os.sysconf("SC_CLK_TCK")


@cache
def _boot() -> str:
    known = Path("/proc/sys/kernel/random/boot_id")
    return known.read_text("utf-8").strip() if known.exists() else ""


def _machine() -> str:
    namespace = Path("/proc/self/ns/pid")
    return f"{socket.gethostname()} {namespace.readlink() if namespace.exists() else ''}".strip()
