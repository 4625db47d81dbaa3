"""The command line as a user has it: real programs in a folder of their own."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sweeps.tracking.store import open_store
from tests.ends import end
from tests.laws.make import write_space

ROOT = Path(__file__).parents[1]
SWEEPS = [sys.executable, "-P", "-c", "from sweeps.cli.main import main; main()"]
SOON = 60
"""Seconds after which a program that does not answer has failed; a loaded machine takes its time."""


def beside_others(seconds: float) -> float:
    """Give the time that something may take here and now which may take ``seconds`` on an idle machine."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


RIDGE = """
from sklearn.linear_model import Ridge as MODEL
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
"""
TRAIN = """
SPACE = {"x": hp.uniform("x", 0, 1)}
def train(params, data, report):
    BODY
"""


class Shell:
    """Runs the command line in a folder of its own, with a store there.

    Args:
        folder: where.
        quick: the words before those of a command that runs to its end, see ``tests.forks``; none starts a
            program of its own.
    """

    def __init__(self, folder: Path, quick: list[str] | None = None) -> None:
        self._quick = quick or SWEEPS
        self.folder, self.uri = folder, f"sqlite:///{folder / 'mlflow.db'}"
        self.command = SWEEPS
        self.started: list[subprocess.Popen[str]] = []
        keep = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        self.env = {**keep, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in a process that need not import anything."""
        return subprocess.run(
            [*self._quick, *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True,
            timeout=2 * SOON, check=False,
        )  # fmt: skip

    def run(self, body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Sweep a space on diabetes."""
        space = write_space(self.folder, body)
        return self("run", str(space), "--data", "diabetes", *arguments)

    def begin(self, *words: str, **streams: Any) -> subprocess.Popen[str]:
        """Begin a command in a process group of its own."""
        process = subprocess.Popen(
            [*SWEEPS, *words], cwd=self.folder, env=self.env, text=True, start_new_session=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        )  # fmt: skip
        self.started.append(process)
        return process

    def fork(self, *words: str) -> subprocess.Popen[str]:
        """Begin a command without its imports, see ``tests.forks``; it is killed with who waits for it."""
        process = subprocess.Popen(
            [*self._quick, *words], cwd=self.folder, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.started.append(process)
        return process

    def start(self, body: str, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
        """Begin a sweep in a process group of its own."""
        space = write_space(self.folder, body)
        return self.begin("run", str(space), "--data", "diabetes", *arguments, **streams)

    @property
    def client(self) -> MlflowClient:
        return open_store(self.uri).client

    def sweep(self) -> Any:
        """The only sweep's run."""
        [run] = self.client.search_runs(["1"], "tags.`sweeps.kind` = 'sweep'")
        return run


def wait_until(true: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + SOON
    while not true():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"it did not come so far: {end(process)}")
        select.select([], [], [], 0.02)
