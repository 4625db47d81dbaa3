"""A store that is out of reach: since when, when to try again, and what the user is told."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from sweeps.errors import StoreDownError

SLOW_SECONDS = 5.0
"""After so long without an answer the user is told."""

LONGEST_PAUSE = 15.0
"""Between two tries."""

LONGEST = 3600.0
"""Then the sweep gives up; its results are safe, and ``sweeps resume`` goes on."""


class Outage:
    """The present outage, if there is one.

    Args:
        tell: told in words what the user should know.
    """

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell
        self.since: float | None = None
        """By the monotonic clock; None while the store answers."""
        self._tries = 0

    @property
    def pause(self) -> float:
        """Seconds until the next try."""
        return float(min(0.25 * 2**self._tries, LONGEST_PAUSE))

    @property
    def too_long(self) -> bool:
        """Whether waiting has lost its sense."""
        return self.since is not None and time.monotonic() - self.since > LONGEST

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Tell the user if what is done in this context takes its time."""
        slow = Timer(SLOW_SECONDS, self._tell, ["MLflow answers slowly; trials go on meanwhile"])
        slow.daemon = True
        if self.since is None:
            slow.start()
        try:
            yield
        finally:
            slow.cancel()

    def goes_on(self, error: StoreDownError, kept: Path | None) -> None:
        """Take note of a failed try.

        Args:
            error: of the try.
            kept: file in which the results wait; None: they wait in memory only.
        """
        self._tries += 1
        if self.since is None:
            self.since = time.monotonic()
            where = f"in {kept}" if kept else "in memory only"
            self._tell(f"{error}; trials go on, results wait {where} and are written when it is back")

    def end(self) -> None:
        """Take note that the store answers."""
        if self.since is not None:
            self._tell(f"MLflow is back after {time.monotonic() - self.since:.0f} s; all results are written")
        self.since, self._tries = None, 0
