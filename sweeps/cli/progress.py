"""What a running sweep shows on stderr: a live bar on a terminal, one plain line per trial elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from sweeps.cli.output import figure, seconds
from sweeps.trial import Finished, State


class Progress(Protocol):
    """Shows how a sweep goes on."""

    def show(self, finished: Finished) -> None:
        """Take note of a trial that ended."""


class Tally:
    """The figures of a sweep so far."""

    def __init__(self, total: int | None, limit: float | None) -> None:
        self.total, self.limit = total, limit
        self.started = time.monotonic()
        self.ended = self.failed = 0
        self.best: float | None = None
        self.best_number: int | None = None

    def add(self, finished: Finished) -> None:
        """Count a trial; one that the engine lost is tried again and does not count."""
        outcome = finished.outcome
        self.ended += outcome.state is not State.LOST
        self.failed += outcome.state is State.FAILED
        better = self.best is None or (outcome.rmse or 0.0) < self.best
        if outcome.state is State.COMPLETE and better:
            self.best, self.best_number = outcome.rmse, finished.number

    @property
    def left(self) -> float | None:
        """Seconds left, from the pace so far and the time limit; None before the first trial."""
        elapsed = time.monotonic() - self.started
        by_limit = None if self.limit is None else max(0.0, self.limit - elapsed)
        if self.total is None or not self.ended:
            return by_limit
        by_pace = elapsed / self.ended * (self.total - self.ended)
        return by_pace if by_limit is None else min(by_pace, by_limit)

    @property
    def text(self) -> str:
        """The figures in one line."""
        best = (
            f"best {figure(self.best)} (trial {self.best_number})" if self.best is not None else "no rmse yet"
        )
        failed = f" · {self.failed} failed" if self.failed else ""
        return f"{best}{failed} · {seconds(self.left)} left"


class Lines:
    """One line per trial: what a log file wants."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def show(self, finished: Finished) -> None:
        """Print the trial."""
        self._tally.add(finished)
        click.echo(line(finished, self._tally), err=True)


class Bar:
    """A live bar; failures stand above it as lines."""

    def __init__(self, tally: Tally) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Live

        self._tally = tally
        columns = (BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self.live = Live(*columns, console=Console(stderr=True), transient=True)
        self._task = self.live.add_task("starting workers", total=tally.total)

    def show(self, finished: Finished) -> None:
        """Move the bar; print a failed trial above it."""
        self._tally.add(finished)
        if finished.outcome.error:
            self.live.console.print(line(finished, self._tally), markup=False, highlight=False)
        self.live.update(self._task, completed=self._tally.ended, description=self._tally.text)


class Quiet:
    """Shows nothing."""

    def show(self, finished: Finished) -> None:
        """Show nothing."""


@contextmanager
def progress(total: int | None, limit: float | None, *, quiet: bool) -> Iterator[Progress]:
    """Give the form of progress that suits stderr."""
    if quiet:
        yield Quiet()
    elif sys.stderr.isatty():
        bar = Bar(Tally(total, limit))
        with bar.live:
            yield bar
    else:
        yield Lines(Tally(total, limit))


def line(finished: Finished, tally: Tally) -> str:
    """Tell one trial in one line."""
    outcome = finished.outcome
    of = f"/{tally.total}" if tally.total else ""
    spent = seconds(finished.ended - finished.trial.started)
    head = f"[{tally.ended}{of}] trial {finished.number}"
    if outcome.state is State.COMPLETE:
        return f"{head}: rmse {figure(outcome.rmse)} in {spent} · {tally.text}"
    return f"{head}: {outcome.state} after {spent}: {outcome.reason}"
