"""The ``sweeps`` command as a user types it."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import ContenderError, environment, python


def sweeps(*words: str) -> list[str]:
    """Give the words of a ``sweeps`` command: the installed script, else this tree's entry point."""
    script = Path(sys.executable).with_name("sweeps")
    start = [str(script)] if script.exists() else python("-c", "from sweeps.cli.main import main; main()")
    return [*start, *words]


def seconds_of(words: Sequence[str], folder: Path, code: int = 0) -> float:
    """Run a command in a folder and give the seconds from Enter to its end.

    Raises:
        ContenderError: it ended with another exit code than ``code``.
    """
    started = time.perf_counter()
    done = subprocess.run(
        words, cwd=folder, env=environment(folder), check=False, capture_output=True, stdin=subprocess.DEVNULL
    )
    seconds = time.perf_counter() - started
    if done.returncode != code:
        said = done.stderr.decode(errors="replace")[-2000:]
        raise ContenderError(f"exit code {done.returncode}, not {code}, of {words[1:]}:\n{said}")
    return seconds
