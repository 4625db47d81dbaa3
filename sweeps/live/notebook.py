"""A view of a running sweep in a notebook: one output that is kept up to date."""

import sys
import threading
from collections.abc import Iterable
from typing import Any, Self

from sweeps.live.page import html, text
from sweeps.live.tally import Tally
from sweeps.live.underway import UnderWay
from sweeps.trial import Finished

SHOWN = 1.0
"""Seconds between two states: each travels to the browser."""


def in_notebook() -> bool:
    """Whether this code runs in a cell, whose outputs can be changed later."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


class NotebookView:
    """Shows a sweep in the cell that runs it, as a page, and as text where no page can be shown. A context.

    Args:
        name: of the sweep.
        total: trials in all; None: no such limit.
        limit: seconds; None: no such limit.
        before: trials of earlier sessions.
        under_way: the trials that run.
    """

    def __init__(
        self,
        name: str,
        total: int | None,
        limit: float | None,
        before: Iterable[Finished],
        under_way: UnderWay,
    ) -> None:
        self._name, self._under_way, self._phase = name, under_way, ""
        self._tally = Tally(total, limit, before)
        self._lock, self._ending = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeps-notebook", daemon=True)

    def __enter__(self) -> Self:
        """Show it, and go on showing it."""
        from IPython.display import display

        self._handle: Any = display(self._state(), raw=True, display_id=True)
        self._thread.start()
        self._under_way.follow(self._count)
        return self

    def _count(self, landed: Finished) -> None:
        with self._lock:
            self._tally.add(landed)

    def phase(self, words: str) -> None:
        """Say what is done now that no trial runs."""
        with self._lock:
            self._phase = words

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Leave the last state in the notebook."""
        self._ending.set()
        self._thread.join()
        self.phase("done" if kind is None else "ended by an error")
        self._handle.update(self._state(), raw=True)

    def _run(self) -> None:
        while not self._ending.wait(SHOWN):
            self._handle.update(self._state(), raw=True)

    def _state(self) -> dict[str, str]:
        with self._lock:
            page = html(self._name, self._tally, self._under_way.runners, self._phase)
            return {"text/html": page, "text/plain": text(self._name, self._tally, self._phase)}
