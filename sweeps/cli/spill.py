"""What anybody writes to the terminal meanwhile, caught so that it can stand above a live view.

Workers, native libraries and a user's own ``print`` write straight to the terminal's file descriptors. They
are turned to a file that grows, not to a pipe: nobody ever waits for it to be read.
"""

import os
import sys
from contextlib import suppress
from tempfile import TemporaryFile
from typing import Self

from sweeps.errors import one_line

MOST = 1_000_000
"""Bytes taken at once."""

LARGE = 64 * MOST
"""Bytes on disk that are worth giving back."""


class Spill:
    """Catches what is written to stderr, and to stdout where that is a terminal; use it as a context.

    Processes that are started meanwhile inherit it.
    """

    def __init__(self) -> None:
        self.terminal = -1
        """The terminal's own descriptor."""
        self._kept: dict[int, int] = {}
        self._read = 0

    def __enter__(self) -> Self:
        """Begin to catch."""
        self._file = TemporaryFile(buffering=0)  # closed by __exit__
        _append_only(self._file.fileno())
        for descriptor, stream in ((2, sys.stderr), (1, sys.stdout)):
            if descriptor == 2 or os.isatty(1):
                stream.flush()
                self._kept[descriptor] = os.dup(descriptor)
                os.dup2(self._file.fileno(), descriptor)
        self.terminal = self._kept[2]
        return self

    def lines(self, *, all_of_it: bool = False) -> list[str]:
        """Give what was written since the last call, cleaned of what could command the terminal.

        Args:
            all_of_it: a line that has not ended yet, too.
        """
        new = os.pread(self._file.fileno(), MOST, self._read)
        if not all_of_it and len(new) < MOST:
            new = new[: new.rfind(b"\n") + 1]
        self._read += len(new)
        self._empty()
        lines = [_last_of(line) for line in new.decode(errors="replace").split("\n") if line.strip()]
        return [*lines, *self.lines(all_of_it=True)] if all_of_it and len(new) == MOST else lines

    def _empty(self) -> None:
        """Give the disk back what was read, once it is much and all of it."""
        if self._read > LARGE and os.fstat(self._file.fileno()).st_size == self._read:
            os.ftruncate(self._file.fileno(), 0)
            self._read = 0

    def __exit__(self, *_: object) -> None:
        """Give the descriptors back."""
        for descriptor, kept in self._kept.items():
            with suppress(ValueError, OSError):
                (sys.stderr if descriptor == 2 else sys.stdout).flush()
            os.dup2(kept, descriptor)
            os.close(kept)
        self._file.close()


def _append_only(descriptor: int) -> None:
    """Have all who write append, whoever wrote before."""
    import fcntl

    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_APPEND)


def _last_of(line: str) -> str:
    """What a terminal would show of a line that was written over itself, as progress bars are."""
    shown = line.rstrip("\r").rpartition("\r")[2]
    indent = len(shown) - len(shown.lstrip(" "))
    return " " * indent + one_line(shown)
