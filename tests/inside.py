"""The command line inside the test's own process: as ``main`` runs it, without the time a process takes."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sweeps.cli.main import main


class Answer(NamedTuple):
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


class Inside:
    """Runs commands in a folder."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.chdir(folder)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def __call__(self, *words: str) -> Answer:
        """Run a command to its end."""
        self._monkeypatch.setattr(sys, "argv", ["sweeps", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return Answer(int(end.value.code or 0), *self._capsys.readouterr())

    def json(self, *words: str) -> Any:
        """Run a command with ``--json`` and read what it prints."""
        done = self(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
