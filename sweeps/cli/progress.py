"""What a running sweep shows on stderr: a live view on a terminal, one plain line per trial elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from sweeps.cli.boards import assignments, params_of
from sweeps.cli.output import can_style, note
from sweeps.credentials import redact
from sweeps.errors import one_line
from sweeps.live.tally import Tally
from sweeps.trial import Finished, State
from sweeps.wording import counted, figure, seconds

if TYPE_CHECKING:
    from sweeps.api.session import Session


class Detail(Enum):
    """How much is shown, and how."""

    QUIET = "quiet"
    """Nothing but warnings."""
    PLAIN = "plain"
    """A line per trial, without control codes, on a terminal too."""
    LIVE = "live"
    """A view that is painted over, on a terminal; elsewhere as PLAIN."""


class Progress(Protocol):
    """Shows how a sweep goes on."""

    def begin(self, session: "Session") -> None:
        """The session is open: its trials come now."""

    def show(self, finished: Finished) -> None:
        """Take note of a trial that ended."""

    def phase(self, text: str) -> None:
        """Say what is done now that no trial runs."""

    def close(self) -> None:
        """Show nothing any more; may be called twice."""


class Quiet:
    """Shows nothing."""

    def begin(self, session: "Session") -> None:
        """Show nothing."""

    def show(self, finished: Finished) -> None:
        """Show nothing."""

    def phase(self, text: str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


class Lines:
    """One line per trial: what a log file wants.

    Args:
        verbose: with the trial's params.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose, self._tally = verbose, Tally()

    def begin(self, session: "Session") -> None:
        """Count from the trials of earlier sessions."""
        stop = session.sweep.stop
        self._tally = Tally(stop.trials, stop.seconds, session.history)

    def show(self, finished: Finished) -> None:
        """Print the trial."""
        self._tally.add(finished)
        note(line(finished, self._tally))
        if self._verbose:
            note(f"    {assignments(params_of(finished))}")

    def phase(self, text: str) -> None:
        """Print it."""
        note(text)

    def close(self) -> None:
        """Leave the lines as they are."""


@contextmanager
def progress(detail: Detail, *, verbose: bool = False) -> Iterator[Progress]:
    """Give the form of progress that suits stderr; entered before the workers start.

    Args:
        detail: what is asked for.
        verbose: a line with its params for every trial, in either form.
    """
    if detail is Detail.QUIET:
        yield Quiet()
    elif detail is Detail.LIVE and can_paint():
        from sweeps.cli.screen import Screen

        with Screen(verbose=verbose) as screen:
            yield screen
    else:
        yield Lines(verbose=verbose)


def can_paint() -> bool:
    """Whether stderr is a terminal that can be painted on."""
    return sys.stderr.isatty() and can_style()


def line(finished: Finished, tally: Tally) -> str:
    """Tell one trial in one line."""
    outcome = finished.outcome
    reason = one_line(redact(outcome.reason))
    of = f"/{tally.total}" if tally.total else ""
    spent = seconds(finished.ended - finished.trial.started)
    head = f"[{tally.ended}{of}] trial {finished.number}"
    if outcome.state is State.COMPLETE:
        return f"{head}: rmse {figure(outcome.rmse)} in {spent} · {standing(tally)}"
    if outcome.state is State.PRUNED:
        return f"{head}: {reason} in {spent} · {standing(tally)}"
    return f"{head}: {outcome.state} after {spent}: {reason}"


def standing(tally: Tally) -> str:
    """Give the figures so far in one line."""
    best = tally.best[0] if tally.best else None
    parts = [f"best {figure(best.outcome.rmse)} (trial {best.number})" if best else "no rmse yet"]
    parts += [f"{tally.counts[s]} {s.lower()}" for s in (State.PRUNED, State.FAILED) if tally.counts[s]]
    return " · ".join([*parts, f"{seconds(tally.left)} left"])


def closing(tally: Tally) -> str:
    """Give what a live view leaves behind: the sweep in one line."""
    states = [f"{tally.counts[s]:,} {s.lower()}" for s in State if tally.counts[s]]
    trials = f"{counted(tally.ended, 'trial')} in {seconds(tally.spent)}"
    return f"{trials}: {', '.join(states)}" if states else ""
