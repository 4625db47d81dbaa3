"""Lines at the bottom of a terminal, painted over what was there before.

Rich's own live display leaves pieces of its last picture behind when the terminal is resized: terminals fold
long lines each in its own way, and move the cursor. Here the screen is painted anew then.
"""

import io
import os
from collections import deque
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from sweeps.cli.charset import plain

FALLBACK = os.terminal_size((80, 24))
"""Of a terminal that does not tell."""

REMEMBERED = 200
"""Lines above the picture that come back when the terminal is resized."""


class Painter:
    """Paints on a terminal.

    Args:
        descriptor: of the terminal.
        ascii_only: whether it understands no more than that.
    """

    def __init__(self, descriptor: int, *, ascii_only: bool = False) -> None:
        self._descriptor, self._ascii_only = descriptor, ascii_only
        self._rows, self._seen = 0, self.size
        self._left_behind: deque[str] = deque(maxlen=REMEMBERED)
        self._console = Console(
            file=io.StringIO(), force_terminal=True, highlight=False, emoji=False, width=10_000
        )

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines of the terminal, as they are now."""
        try:
            found = os.get_terminal_size(self._descriptor)
        except OSError:
            return FALLBACK
        return found if found.columns and found.lines else FALLBACK

    def paint(self, lines: Sequence[Text], above: Sequence[str] = ()) -> None:
        """Show lines in place of those shown before.

        Args:
            lines: cut to the width, and to all but one of the terminal's lines.
            above: lines to leave behind above them, for good.
        """
        size = self.size
        shown = [_cut(line, size.columns - 1) for line in lines[: size.lines - 1]]
        self._left_behind.extend(above)
        home = f"\r\x1b[{self._rows}A" if self._rows else "\r"
        if size != self._seen:
            home, above = "\x1b[H\x1b[J", self._fitting(size.columns, size.lines - 1 - len(shown))
        texts = [*above, *map(self._styled, shown)]
        picture = home + "".join(f"{text}\x1b[K\n" for text in texts) + "\x1b[J"
        self._rows, self._seen = len(shown), size
        data = plain(picture).encode("ascii", "replace") if self._ascii_only else picture.encode()
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _fitting(self, columns: int, rows: int) -> list[str]:
        """Give the last lines that were left behind, as far as there is room for them."""
        taken = list[str]()
        for text in reversed(self._left_behind):
            rows -= max(1, -(-cell_len(text) // columns))
            if rows < 0:
                break
            taken.insert(0, text)
        return taken

    def _styled(self, line: Text) -> str:
        with self._console.capture() as taken:
            self._console.print(line, end="", soft_wrap=True)
        return taken.get()


def _cut(line: Text, width: int) -> Text:
    cut = line.copy()
    cut.truncate(max(width, 1), overflow="ellipsis")
    return cut
