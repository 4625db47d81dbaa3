"""Trials, spaces and parties of the loop, made for tests of laws."""

from pathlib import Path

from sweeps.trial import Finished, Outcome, Proposal, State, Trial


def outcome(rmse: float | None = None, state: State = State.COMPLETE) -> Outcome:
    """An outcome of that state; a reason where one is needed."""
    error = None if state is State.COMPLETE else f"made {state}"
    return Outcome(state, rmse, error=error)


def finished(number: int, rmse: float | None = None, state: State = State.COMPLETE) -> Finished:
    """A finished trial of that number."""
    trial = Trial(Proposal(number, {"x": 0.0}, {"x": 0.0}, seed=number), f"run{number}", started=0.0)
    return Finished(trial, outcome(rmse, state), ended=1.0)


def write_space(folder: Path, body: str, name: str = "made") -> Path:
    """A search-space module with the usual imports and this body."""
    path = folder / f"{name}.py"
    path.write_text(
        f'"""Made for a test."""\nfrom hyperopt import hp\nfrom hyperopt.pyll import scope\n{body}\n'
    )
    return path
