"""Does what a page says, as a reader would, in a folder of its own.

``sweeps`` commands and Python examples run in this process, since a new one imports for seconds; the shell
runs the rest.
"""

import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from docs.generate.blocks import Step, steps
from sweeps.cli.main import main

LEFT_OUT = ("python3 -m venv", "pip install", "source ", "cd ", "git clone", "sweeps ui")
"""Commands that a walk leaves to the reader: they make the environment, or wait for Ctrl-C."""

ONE_THREAD = {"--workers 1": "--workers 1 --threads 1"}
"""On a machine that does much else, several threads wait for each other longer than they train."""


class StepError(Exception):
    """A step of a page did not work."""


@dataclass
class Walk:
    """A reader half way through a page."""

    folder: Path
    instead: Mapping[str, str] = field(default_factory=dict)
    """Texts of the page, and what stands for them here; in what is printed they are put back."""
    skip: tuple[str, ...] = ()
    """How further commands begin that are left out."""

    def do(self, step: Step) -> str:
        """Do one step and give what it prints on stdout.

        Raises:
            StepError: it went wrong; with the command and all it printed.
        """
        text = self.adapted(step.text)
        if step.path is not None:
            return self._write(step.path, text)
        if step.kind == "python":
            return self.shown(run_code(text))
        return self.shown("".join(self.run(command) for command in Step(step.kind, text, None).commands))

    def adapted(self, text: str) -> str:
        """Put in what stands for some texts here."""
        for said, meant in self.instead.items():
            text = text.replace(said, meant)
        return text

    def shown(self, printed: str) -> str:
        """Give what was printed as the page would show it: no trailing blanks, nothing of this machine."""
        for said, meant in self.instead.items():
            printed = printed.replace(meant, said)
        lines = printed.replace(f"{self.folder}/", "").rstrip().splitlines()
        return "".join(f"{line.rstrip()}\n" for line in lines)

    def run(self, command: str) -> str:
        """Run one command, however many parts it has."""
        if command.startswith((*LEFT_OUT, *self.skip)):
            return ""
        if command.startswith("export "):
            name, _, value = shlex.split(command)[1].partition("=")
            os.environ[name] = value
            return ""
        return run_sweeps(command) if command.startswith("sweeps ") else run_shell(command)

    def _write(self, path: str, text: str) -> str:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)
        return ""


@contextlib.contextmanager
def walking(folder: Path) -> Iterator[None]:
    """Go to a folder, with an environment that is put back afterwards."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "SWEEPS_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
    with mock.patch.dict(os.environ, {**kept, **own}, clear=True), contextlib.chdir(folder):
        yield


def walk(page: Path, reader: Walk) -> list[tuple[Step, str]]:
    """Do all steps of a page in order; give each with what it printed."""
    todo = steps(page.read_text())
    with walking(reader.folder):
        return [(step, reader.do(step)) for step in todo]


def run_sweeps(command: str) -> str:
    """Run a command of ours in this process, as the installed program does."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with mock.patch.object(sys, "argv", shlex.split(command)), _into(out, err):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    if code != 0:
        raise StepError(f"{command}\n\nexit code {code}\n{out.getvalue()}\n{err.getvalue()}")
    return out.getvalue()


def run_code(code: str) -> str:
    """Run a Python example in this process."""
    out = io.StringIO()
    with _into(out, io.StringIO()):
        exec(compile(code, "<example>", "exec"), {"__name__": "__main__"})
    return out.getvalue()


def run_shell(command: str) -> str:
    """Run a program; ``python`` is the running interpreter."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], check=False, capture_output=True, text=True, timeout=300
    )
    if done.returncode != 0:
        raise StepError(f"{command}\n\nexit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def _into(out: io.StringIO, err: io.StringIO) -> Iterator[None]:
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield
