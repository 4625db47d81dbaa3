"""Results on local disk for as long as their store does not have them: a kill, or an outage, costs none.

One file for a sweep, a line for each result, gone when nothing waits. Whoever resumes the sweep on this
machine writes what it holds.
"""

import errno
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from threading import Lock

from sweeps.data.cache_folder import cache_folder
from sweeps.tracking.change import Change, Point
from sweeps.tracking.files import sync_folder


class Spool:
    """What waits of one sweep. Threads take turns.

    Args:
        sweep: its run id.
    """

    def __init__(self, sweep: str) -> None:
        # the id is a server's word: it may not lead out of the folder
        self.path = cache_folder() / "waiting" / f"{re.sub(r'[^0-9A-Za-z_-]', '_', sweep)[:64]}.jsonl"
        self._waiting: dict[int, str] = {}
        self._stored: set[int] = set()
        self._whole, self._turn = True, Lock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits on disk."""
        return not self._is_there or self.path.stat().st_size == 0

    @property
    def _is_there(self) -> bool:
        """Whether there is a file; none of ours is in a folder that we may not enter."""
        return os.access(self.path.parent, os.X_OK) and self.path.exists()

    def add(self, number: int, change: Change) -> None:
        """Keep a trial's result: from now on a kill of this process does not cost it.

        A disk that refuses makes it wait in memory only, until ``sync``.
        """
        line = json.dumps(vars(change)) + "\n"
        with self._turn:
            if number in self._stored:  # written before it came here
                return
            self._waiting[number] = line
            try:
                self._append(line)
            except OSError:
                self._whole = False

    def done(self, numbers: Iterable[int]) -> None:
        """Forget results that are in the store."""
        with self._turn:
            for number in numbers:
                self._stored.add(number)
                self._waiting.pop(number, None)
            if not self._waiting:
                with suppress(OSError):  # then it could not be written either
                    self.path.unlink(missing_ok=True)

    def sync(self) -> None:
        """Make sure that all that waits survives a power cut, too.

        Raises:
            OSError: this disk refuses.
        """
        with self._turn:
            if self._whole:
                self._append("", durably=True)
                return
            aside = self.path.with_suffix(f".{os.getpid()}.new")
            self._append("".join(self._waiting.values()), durably=True, name=aside.name)
            aside.replace(self.path)
            sync_folder(self.path.parent)
            self._whole = True

    def clear(self) -> None:
        """Forget all: it is in the store."""
        if self._is_there:
            self.path.unlink(missing_ok=True)

    def read(self) -> list[Change]:
        """Give what waits; a last line that a kill left torn is none.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged.
        """
        if not self._is_there:
            return []
        return [_change(json.loads(line)) for line in self.path.read_text("utf-8").split("\n")[:-1]]

    def _append(self, text: str, *, durably: bool = False, name: str | None = None) -> None:
        path = self.path.with_name(name or self.path.name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            data = text.encode()
            if os.write(descriptor, data) < len(data):  # what a disk does that is full now
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if durably:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if durably:
            sync_folder(path.parent)


def _change(values: dict[str, object]) -> Change:
    points = values.pop("metrics")
    if not isinstance(points, list):
        raise TypeError(f"metrics are a list, got {type(points).__name__}")
    return Change(**values, metrics=[Point(*point) for point in points])  # type: ignore[arg-type]  # as vars gave it
