"""Naps that trials take in place of training, and the notes they leave of them.

The first nap of each process waits until every slot has a process: on few cores the imports of many take
longer than all the naps, and are no part of what a driver costs its slots.
"""

import json
import os
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER, SLOTS, SECONDS = "BENCHMARK_NAPS", "BENCHMARK_SLOTS", "BENCHMARK_NAP_SECONDS"
"""Variables: where the notes go, how many processes there will be, how long a nap is."""
NOTES = "naps.txt"
LOOK_SECONDS = 0.2
LONGEST_SECONDS = 600.0
"""Until all processes must be there."""


class Nap(NamedTuple):
    """One trial's time. Unix seconds."""

    process: int
    began: float
    ended: float


def variables(folder: Path, slots: int, seconds: float) -> dict[str, str]:
    """Give what the environment of the driver must hold, and with it that of the processes."""
    return {FOLDER: str(folder), SLOTS: str(slots), SECONDS: str(seconds)}


def nap() -> None:
    """Sleep, and note it."""
    folder = Path(os.environ[FOLDER])
    _meet(folder, int(os.environ[SLOTS]))
    began = time.time()
    time.sleep(float(os.environ[SECONDS]))
    line = json.dumps([os.getpid(), began, time.time()]) + "\n"
    descriptor = os.open(folder / NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def read_naps(folder: Path) -> list[Nap]:
    """Give the naps in the order in which they began."""
    lines = (folder / NOTES).read_text("utf-8").splitlines()
    return sorted((Nap(*json.loads(line)) for line in lines), key=lambda one: one.began)


def excuse(folder: Path, name: str, slots: int) -> None:
    """Count processes that will never come as there, so that the others do not wait for them."""
    here = folder / "here"
    here.mkdir(exist_ok=True)
    for slot in range(slots):
        (here / f"{name}-{slot}").touch()


@cache
def _meet(folder: Path, slots: int) -> None:
    """Wait, once in each process, until so many are here.

    Raises:
        TimeoutError: they do not come.
    """
    here = folder / "here"
    here.mkdir(exist_ok=True)
    (here / str(os.getpid())).touch()
    until = time.monotonic() + LONGEST_SECONDS
    while len(os.listdir(here)) < slots:  # noqa: PTH208  # many look, often
        if time.monotonic() > until:
            raise TimeoutError(f"{slots} processes were not there within {LONGEST_SECONDS:g} s")
        time.sleep(LOOK_SECONDS)
