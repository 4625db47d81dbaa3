"""Columns of text side by side, as lines: no frame, numbers to the right."""

import re
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from sweeps.cli.boards import GAP, Column
from sweeps.errors import one_line

NARROWEST = 8
"""Columns that a text keeps, however narrow the terminal."""

_NUMBER = re.compile(
    r"[-+]?[\d,]*\.?\d*(e[-+]?\d+)?( s| %)?"  # 1,200 · 0.5 · 1e-05 · 3.2 s · 12 %
    r"|\d+[dhm] \d+[hms]"  # 3m 05s
    r"|[-+]?(inf|nan)|–",
    re.IGNORECASE,
)


def grid(columns: Sequence[Column], width: int | None = None) -> list[str]:
    """Give a table's lines: those of the headers, then one for each row.

    A header may have several lines, the last of which stands right above the cells. Columns whose cells are
    all numbers are aligned to the right. Cells are cleaned of what could command a terminal.

    Args:
        columns: of equal length.
        width: texts are cut, the longest first, until the lines fit; None: there is no limit.
    """
    tallest = header_lines(columns)
    cleaned = [(_raised(header, tallest), [one_line(cell) for cell in cells]) for header, cells in columns]
    if width is not None:
        cleaned = _narrowed(cleaned, width)
    padded = [_padded(header, cells) for header, cells in cleaned]
    return [(" " * GAP).join(parts).rstrip() for parts in zip(*padded, strict=True)]


def header_lines(columns: Sequence[Column]) -> int:
    """Count the lines of the tallest header."""
    return max((header.count("\n") + 1 for header, _ in columns), default=0)


def breadth(column: Column) -> int:
    """Give the columns of the terminal that a column takes."""
    header, cells = column
    return max(map(cell_len, [*header.split("\n"), *cells]))


def without(columns: Sequence[Column], least: Sequence[str], width: int | None) -> list[Column]:
    """Leave out columns, by header, the least important first, until the others fit."""
    kept = list(columns)
    for name in least:
        if width is None or sum(map(breadth, kept)) + GAP * (len(kept) - 1) <= width:
            break
        kept = [column for column in kept if column[0] != name]
    return kept


def is_number(cell: str) -> bool:
    """Whether a cell is a figure, with its unit or without, or the dash of a missing one."""
    return _NUMBER.fullmatch(cell) is not None


def cut(text: str, width: int) -> str:
    """Cut a text that is longer than so many columns, and show that it was."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, max(width - 1, 0)).rstrip()}…"


def _narrowed(columns: list[Column], width: int) -> list[Column]:
    """Cut the texts of the broadest columns, never a number."""
    columns = list(columns)
    while (excess := sum(map(breadth, columns)) + GAP * (len(columns) - 1) - width) > 0:
        texts = [c for c in columns if not all(map(is_number, c[1])) and breadth(c) > NARROWEST]
        if not texts:
            break
        broadest = max(texts, key=breadth)
        room = max(breadth(broadest) - excess, NARROWEST)
        header, cells = broadest
        columns[columns.index(broadest)] = (
            "\n".join(cut(line, room) for line in header.split("\n")),
            [cut(cell, room) for cell in cells],
        )
    return columns


def _raised(header: str, lines: int) -> str:
    return "\n" * (lines - header.count("\n") - 1) + header


def _padded(header: str, cells: Sequence[str]) -> list[str]:
    texts = [*header.split("\n"), *cells]
    width = max(map(cell_len, texts))
    numeric = bool(cells) and all(map(is_number, cells))
    return [_pad(text, width, right=numeric) for text in texts]


def _pad(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks
