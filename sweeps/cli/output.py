"""How answers are printed: JSON or a table on stdout; everything else goes to stderr."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from sweeps.credentials import redact
from sweeps.errors import one_line, printable
from sweeps.wording import figure, seconds

if TYPE_CHECKING:
    from sweeps.cli.boards import Column

__all__ = [
    "answer",
    "bold",
    "can_style",
    "figure",
    "note",
    "print_grid",
    "print_json",
    "print_table",
    "print_text",
    "seconds",
    "terminal_width",
    "warn",
]


def print_json(answer: Any) -> None:
    """Print one JSON value on stdout."""
    click.echo(json.dumps(answer, indent=2, default=str, allow_nan=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table on stdout; columns whose cells are all numbers are aligned to the right.

    It fits the terminal; in a pipe or a file every row stays on one line.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[index]) for row in rows)
        table.add_column(Text(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(
            *(Text(one_line(cell)) for cell in row)
        )  # no cell can smuggle in markup or escape codes
    Console(soft_wrap=False, width=terminal_width() or 10_000).print(table)


def print_grid(columns: "Sequence[Column]", *, clip: bool = True) -> None:
    """Print a table on stdout, one line for each row; in a pipe or a file nothing is cut.

    Args:
        columns: pairs of a header and its cells.
        clip: whether texts are cut where the terminal is too narrow.
    """
    from sweeps.cli.grid import grid, header_lines

    lines, heads = grid(columns, terminal_width() if clip else None), header_lines(columns)
    for line in lines[:heads]:
        click.echo(bold(line))
    for line in lines[heads:]:
        click.echo(line)


def print_text(text: str, indent: str = "") -> None:
    """Print a sentence on stdout, broken between words where the terminal is too narrow.

    Args:
        text: one line.
        indent: before all its lines but the first.
    """
    width = terminal_width()
    lines = [text] if width is None else textwrap.wrap(text, max(width, 30), subsequent_indent=indent)
    for line in lines:
        click.echo(line)


def bold(text: str) -> str:
    """Make a text stand out where stdout is a terminal that can."""
    return click.style(text, bold=True) if sys.stdout.isatty() and can_style() else text


def can_style() -> bool:
    """Whether the terminal, if it is one, knows control codes."""
    return os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def terminal_width() -> int | None:
    """Give the columns of the terminal that shows stdout; None where it is a pipe or a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def answer(text: str) -> None:
    """Print a line on stdout."""
    click.echo(printable(redact(text)))


def note(text: str) -> None:
    """Tell the user something on stderr; a terminal that was closed does not end a sweep."""
    with suppress(OSError):
        click.echo(printable(redact(text)), err=True)


def warn(text: str) -> None:
    """Print a warning on stderr."""
    note(f"warning: {one_line(text)}")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == "–"
    return True
