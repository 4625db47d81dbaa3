"""A real terminal emulator for tests: tmux, whose screens can be read."""

import os
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.missing import missing

PATIENCE = 120
"""Seconds after which a screen that does not come has failed; a loaded machine takes its time."""


class Terminal:
    """A window of tmux that runs one program.

    Args:
        socket: of a tmux server of its own.
        env: of everything in it.
    """

    def __init__(self, socket: Path, env: Mapping[str, str]) -> None:
        self._command, self._env = ["tmux", "-u", "-f", os.devnull, "-S", str(socket)], dict(env)

    def tmux(self, *words: str) -> str:
        """Give tmux a command."""
        done = subprocess.run(
            [*self._command, *words], env=self._env, capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def resize(self, columns: int, lines: int) -> None:
        """Make the window another size, as a user's mouse does."""
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def screen(self, *, styled: bool = False) -> str:
        """Give what stands there, with its styles if wanted."""
        return self.tmux("capture-pane", "-p", *(["-e"] if styled else []))

    def wait_for(self, wanted: str | Callable[[str], bool]) -> str:
        """Wait until a text, or a screen that is right, stands there; give the screen."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            shown = self.screen()
            if wanted in shown if isinstance(wanted, str) else wanted(shown):
                return shown
            select.select([], [], [], 0.1)
        pytest.fail(f"never came: {wanted}\n{self.screen()}")


@contextmanager
def terminal(
    folder: Path, command: str, env: Mapping[str, str], columns: int, lines: int
) -> Iterator[Terminal]:
    """Run a shell command in a new terminal, which stays open when it ends; skips where there is no tmux."""
    if shutil.which("tmux") is None:
        missing("tmux is not installed")
    kept = {k: v for k, v in env.items() if k not in ("TMUX", "NO_COLOR", "COLUMNS", "LINES", "TERM")}
    made = Terminal(folder / "tmux", {**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})
    size = ("-x", str(columns), "-y", str(lines))
    shell = f"{command}; printf 'code %s ' $?; exec cat"
    made.tmux("new-session", "-d", *size, "-c", str(folder), "bash", "--norc", "-c", shell)
    try:
        yield made
    finally:
        made.tmux("kill-server")


def colours(styled: str) -> list[str]:
    """Give the codes of a screen that set a colour, not those that take it back."""
    codes = [code for found in re.findall(r"\x1b\[([\d;]*)m", styled) for code in found.split(";")]
    return [code for code in codes if re.fullmatch(r"(3|4|9|10)[0-8]", code)]
