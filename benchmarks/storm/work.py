"""What every driver of a storm does for a trial, and the notes it leaves in its folder."""

import argparse
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hyperopt import hp

SPACE = {"x": hp.uniform("x", -5, 5), "y": hp.uniform("y", -5, 5)}
SECONDS = 0.05
STARTS, ACKS = "starts.txt", "acks.txt"


def objective(params: Mapping[str, Any], folder: Path | None = None) -> float:
    """Note that it begins, take some time, give a figure that depends on the params alone."""
    note(STARTS, [params["x"], params["y"]], folder)
    time.sleep(SECONDS)
    return figure(params["x"], params["y"])


def figure(x: float, y: float) -> float:
    """What a trial comes to."""
    return float((x - 1) ** 2 + abs(y))


def acknowledge(x: float, y: float, value: float) -> None:
    """Note that the driver was told: this trial is kept; and how many trainings had begun by then."""
    note(ACKS, [x, y, value, len(read_notes(Path.cwd(), STARTS))])


def note(name: str, line: Any, folder: Path | None = None) -> None:
    """Add a line to a file, in one write."""
    descriptor = os.open((folder or Path.cwd()) / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{json.dumps(line)}\n".encode())
    os.close(descriptor)


def read_notes(folder: Path, name: str) -> list[list[float]]:
    """Give the lines of a file; none where it is not there, a torn last one left out."""
    path = folder / name
    lines = path.read_text("utf-8").split("\n") if path.exists() else []
    return [json.loads(line) for line in lines[:-1]]


def given() -> argparse.Namespace:
    """Read the command line of a driver."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("store")
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--processes", action="store_true")
    return parser.parse_args()
