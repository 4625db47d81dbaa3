"""The most memory that a command took, its own process and those it started apart. Needs Linux.

RSS is what each process had in memory at most, by the kernel's own count. PSS counts a page that several
processes share in equal parts to each, so that of all of them together is what they really took; it is looked
at from time to time, and may miss a short peak.
"""

import contextlib
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import ContenderError, environment

EVERY = 0.2
"""Seconds between looks."""


@dataclass(frozen=True)
class Peaks:
    """Bytes at most, and how long it took."""

    started: float
    """Unix time of Enter."""
    seconds: float
    driver: int
    """RSS of the command's own process."""
    workers: int
    """RSS of the largest process that it started; 0 where it started none."""
    together: int
    """PSS of all of them."""


def peaks_of(words: Sequence[str], folder: Path, answer: Path) -> Peaks:
    """Run a command in a folder, with its standard output in a file.

    Raises:
        ContenderError: it ended with another exit code than 0.
    """
    said, started = folder / "stderr.txt", time.time()
    driver = workers = together = 0
    with answer.open("wb") as out, said.open("wb") as err:
        process = subprocess.Popen(
            words, cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        while not _ended(process):
            others = _below(process.pid)
            driver = max(driver, _kilobytes(process.pid, "status", "VmHWM"))
            workers = max(workers, *(_kilobytes(pid, "status", "VmHWM") for pid in others), 0)
            all_of_them = (_kilobytes(pid, "smaps_rollup", "Pss") for pid in (process.pid, *others))
            together = max(together, sum(all_of_them))
    if process.returncode:
        raise ContenderError(f"exit code {process.returncode} of {words[1:]}:\n{said.read_text()[-2000:]}")
    return Peaks(started, time.time() - started, driver, workers, together)


def _ended(process: "subprocess.Popen[bytes]") -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(EVERY)
        return True
    return False


def _below(pid: int) -> list[int]:
    """Give all processes that a process started, and those that they did."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, task.read_text().split()):
                found += [child, *_below(child)]
    return found


def _kilobytes(pid: int, file: str, name: str) -> int:
    """Read a figure of a process in bytes; 0 where it is gone. See proc_pid_status(5), proc_pid_smaps(5)."""
    with contextlib.suppress(OSError):
        if found := re.search(rf"(?m)^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/{file}").read_text()):
            return 1024 * int(found[1])
    return 0
