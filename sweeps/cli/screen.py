"""The live view of a sweep on a terminal."""

import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from sweeps.cli.boards import assignments, params_of
from sweeps.cli.charset import is_unicode
from sweeps.cli.live import View, lines_of
from sweeps.cli.output import note
from sweeps.cli.painter import Painter
from sweeps.cli.progress import closing, line
from sweeps.cli.spill import Spill
from sweeps.live.tally import Tally
from sweeps.live.underway import UnderWay
from sweeps.trial import Finished

if TYPE_CHECKING:
    from sweeps.api.session import Session

PAINTED = 0.5
"""Seconds between two pictures: ages move, and it costs next to nothing."""


class Screen:
    """Paints the sweep twice a second; what others write meanwhile is left behind above it. A context.

    Args:
        verbose: leave a line behind for every trial.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose, self._stack = verbose, ExitStack()
        self._tally, self._under_way, self._phase = Tally(), UnderWay(), "starting workers, reading the data"
        self._lock, self._ending = threading.Lock(), threading.Event()

    def __enter__(self) -> Self:
        """Begin to paint."""
        ascii_only = not is_unicode(sys.stderr)
        self._spill = self._stack.enter_context(Spill())
        self._painter = Painter(self._spill.terminal, ascii_only=ascii_only)
        self._thread = threading.Thread(target=self._run, name="sweeps-screen", daemon=True)
        self._thread.start()
        self._stack.callback(self._end)
        return self

    def begin(self, session: "Session") -> None:
        """Count from the trials of earlier sessions, and listen to those that run."""
        stop = session.sweep.stop
        with self._lock:
            self._tally, self._phase = Tally(stop.trials, stop.seconds, session.history), ""
            self._under_way = session.under_way
        session.under_way.follow(self._count)
        session.engine.listen(session.under_way.hear)

    def _count(self, landed: Finished) -> None:
        """Count a trial as it ends: a store that is slow, or opens late, is no reason to show it later."""
        with self._lock:
            self._tally.add(landed)

    def show(self, finished: Finished) -> None:
        """Leave a line behind for a trial that is in the store."""
        if self._verbose:
            with self._lock:
                text = line(finished, self._tally)
            note(text)
            note(f"    {assignments(params_of(finished))}")

    def phase(self, text: str) -> None:
        """Say what is done now that no trial runs."""
        with self._lock:
            self._phase = text

    def close(self) -> None:
        """Take the picture away, and leave the sweep in one line."""
        self._stack.close()

    def __exit__(self, *_: object) -> None:
        """Take the picture away."""
        self.close()

    def _run(self) -> None:
        while not self._ending.wait(PAINTED):
            self._paint()

    def _paint(self) -> None:
        columns, rows = self._painter.size
        with self._lock:
            view = View(self._tally, self._under_way.runners, self._phase)
            picture = lines_of(view, columns, rows - 1)
        self._painter.paint(picture, self._spill.lines())

    def _end(self) -> None:
        self._ending.set()
        self._thread.join()
        sys.stderr.flush()
        summary = closing(self._tally)
        self._painter.paint([], [*self._spill.lines(all_of_it=True), *([summary] if summary else [])])
