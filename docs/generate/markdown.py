"""Markdown as the reference is written in it."""

import re
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table; empty where there is no row, and without the columns that no row fills."""
    rows = list(rows)
    if not rows:
        return ""
    filled = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    lines = [[columns[i] for i in filled], ["---"] * len(filled), *([row[i] for i in filled] for row in rows)]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def code(text: object) -> str:
    """Set a text as code; an empty one stays empty."""
    return f"`{text}`" if str(text) else ""


def joined(*parts: str) -> str:
    """Put what there is of some parts one below the other."""
    return "\n\n".join(part for part in parts if part)


def flowing(text: str) -> str:
    """Give a docstring's text as Markdown: one line a paragraph, code in single backquotes."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(part.split()).replace("``", "`") for part in paragraphs)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
