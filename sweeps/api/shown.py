"""Run an open session to its end, with a view of it where the caller is a notebook."""

from collections.abc import Callable

from sweeps.api.session import Session
from sweeps.live.notebook import NotebookView, in_notebook
from sweeps.record import SweepRecord
from sweeps.trial import Finished

OnTrial = Callable[[Finished], object]


def run_session(session: Session, on_trial: OnTrial | None, *, progress: bool) -> SweepRecord:
    """Run the trials, and finish.

    Args:
        session: open.
        on_trial: called with every trial that ends.
        progress: whether a notebook shows how it goes.

    Raises:
        SweepsError: as the session does.
    """
    told = [on_trial] if on_trial is not None else []
    if not (progress and in_notebook()):
        return _run(session, told)
    stop = session.sweep.stop
    session.engine.listen(session.under_way.hear)
    with NotebookView(session.name, stop.trials, stop.seconds, session.history, session.under_way) as view:
        return _run(session, told, view.phase)


def _run(
    session: Session, told: list[OnTrial], phase: Callable[[str], object] = lambda _: None
) -> SweepRecord:
    for finished in session.trials():
        for tell in told:
            tell(finished)
    phase(last_phase(session))
    return session.finish()


def last_phase(session: Session) -> str:
    """Say what follows the trials."""
    again = "" if session.sample is None else "training the finalists on all rows, "
    return f"{again}choosing the winner, writing the report"
