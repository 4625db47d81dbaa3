"""How answers are printed: JSON or a table on stdout; everything else goes to stderr."""

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import click

from sweeps.errors import one_line


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


def terminal_width() -> int | None:
    """Give the columns of the terminal that shows stdout; None where it is a pipe or a file."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def note(text: str) -> None:
    """Tell the user something on stderr."""
    click.echo(text, err=True)


def figure(value: float | None, digits: int = 6) -> str:
    """Format a figure; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def seconds(value: float | None) -> str:
    """Format a time span: ``0.4 s``, ``12 s``, ``3m 05s``, ``2h 10m``."""
    if value is None:
        return "–"
    if value < 60:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}m {rest:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == "–"
    return True
