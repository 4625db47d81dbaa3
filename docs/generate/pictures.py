"""Takes the pictures of a terminal: a real one, whose screens are kept as they look."""

import io
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

COLUMNS, LINES = 110, 30
SWEEP = "sweeps run xgboost --data diabetes --trials 20 --seed 42"
"""The one of the README."""
LONGER = "sweeps run any_regressor --data diabetes --trials 60 --seed 42 --prune forecast"
"""One that can be looked at while it runs."""
SOME = 24
"""Trials of it after which there is something to see."""


def take(images: Path, folder: Path) -> None:
    """Run two sweeps in a folder, and keep ``live.svg`` and ``run.svg``."""
    (images / "live.svg").write_text(_picture(folder, LONGER, _is_under_way))
    (images / "run.svg").write_text(_picture(folder, SWEEP, "code 0"))


def _is_under_way(screen: str) -> bool:
    found = re.search(r"(\d+)/60 trials", screen)
    return found is not None and int(found[1]) >= SOME


def _picture(folder: Path, command: str, moment: str | Callable[[str], bool]) -> str:
    """Give the screen of a command at a moment as SVG."""
    from tests.terminal import terminal

    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with terminal(folder, command, {**os.environ, "PATH": path}, COLUMNS, LINES) as window:
        window.wait_for(moment)
        styled = window.screen(styled=True)
    lines = [line for line in styled.rstrip().splitlines() if "code 0" not in line]
    return _drawn(f"$ {command}", lines)


def _drawn(command: str, lines: list[str]) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text(command, style="bold"))
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, crop=True)
    return console.export_svg(title="sweeps", theme=MONOKAI, unique_id="sweeps")
