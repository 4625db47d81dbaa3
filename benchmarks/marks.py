"""Moments that a contender notes down while it runs, for the benchmark that started it."""

import os
import time
from pathlib import Path

_noted: set[str] = set()


def mark(name: str) -> None:
    """Note the time; the first of each name in this process counts."""
    if name not in _noted:
        _noted.add(name)
        line = f"{name} {time.time():.6f}\n"
        with Path(os.environ["BENCHMARK_MARKS"]).open("a", encoding="utf-8") as file:
            file.write(line)


def read_marks(path: Path) -> dict[str, float]:
    """Give the earliest Unix time noted under each name."""
    marks: dict[str, float] = {}
    for line in path.read_text("utf-8").splitlines():
        name, moment = line.split()
        marks[name] = min(float(moment), marks.get(name, float("inf")))
    return marks
