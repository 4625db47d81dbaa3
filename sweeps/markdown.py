"""Foreign text inside Markdown: a name or an error stays text, whoever renders it.

MLflow's UI turns descriptions into HTML and lets pictures and frames through, so an error message that holds
one would make every reader's browser load it.
"""

import re

from sweeps.credentials import redact
from sweeps.errors import one_line

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What colours a terminal, or moves its cursor."""
SPECIAL = re.compile(r"[&<>\"'`*_{}\[\]\\|~^#!$@:=]|(?<=www)\.(?=\w)", re.IGNORECASE)
"""Whatever begins markup, HTML, a link, a mention or an emoji in any dialect."""


def plain(text: object, longest: int = 500) -> str:
    """Give a text as Markdown that shows exactly it, on one line, without secrets.

    Character references are used, since backslashes mean different things to different renderers.

    Args:
        text: anything; its ``str`` is shown.
        longest: characters to show; of a longer text the end is cut off and marked.
    """
    shown = one_line(redact(ANSI.sub("", str(text))))
    if len(shown) > longest:
        shown = shown[: longest - 1] + "…"
    return SPECIAL.sub(lambda found: f"&#{ord(found[0])};", shown)


def link(text: object, target: str) -> str:
    """Give a link; the target is ours and escaped as a URL."""
    return f"[{plain(text)}]({target})"


def table(columns: list[str], rows: list[list[str]]) -> str:
    """Give a table of cells that are Markdown already, spaced for pages that put no room between them."""
    spaced = [[*(f"{cell}&emsp;" for cell in row[:-1]), *row[-1:]] for row in rows]
    lines = [columns, ["---"] * len(columns), *spaced]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
