"""What is told of a sweep: one JSON object for each event, always with the same keys. Pure."""

import time
from dataclasses import dataclass
from typing import Any

from sweeps.credentials import redact
from sweeps.errors import one_line
from sweeps.record import ModelVersion, SweepRecord
from sweeps.selection import pick
from sweeps.trial import Finished
from sweeps.wording import figure

NEW_BEST, VERDICT, END = "new best", "verdict", "end"
"""The events."""

RUNNING = "RUNNING"


@dataclass(frozen=True)
class About:
    """The sweep that is spoken of."""

    run_id: str
    name: str
    experiment: str
    ui: str | None = None
    """Address of its page, where the store is a server."""


def new_best(about: About, finished: Finished) -> dict[str, Any]:
    """Tell of a trial with the lowest rmse so far."""
    text = f"rmse {figure(finished.outcome.rmse)} in trial {finished.number}, the best so far"
    return _message(NEW_BEST, about, RUNNING, text, finished)


def verdict(
    about: About, state: str, winner: Finished, test_rmse: float | None, model: ModelVersion
) -> dict[str, Any]:
    """Tell what became of the winner in the registry.

    Args:
        about: the sweep.
        state: of the sweep.
        winner: its best trial on held-out rows.
        test_rmse: of the winner; None where there are no test rows.
        model: the version, with its alias and the reason for it.
    """
    text = f"{_named(model)}: {model.reason}"
    return _message(VERDICT, about, state, text, winner, test_rmse, model)


def ended(about: About, state: str, record: SweepRecord | None = None) -> dict[str, Any]:
    """Tell that the sweep ended.

    Args:
        about: the sweep.
        state: COMPLETE, INTERRUPTED or FAILED.
        record: with its trials; None where it could not be read any more.
    """
    if record is None:
        return _message(END, about, state, f"ended as {state}")
    chosen = pick(record.finalists) if record.finalists else None
    winner = next((t for t in record.trials if chosen and t.number == chosen.number), record.best)
    test_rmse = None if chosen is None else chosen.test_rmse
    parts = [f"ended as {state}"]
    if winner is not None:
        test = "" if test_rmse is None else f", {figure(test_rmse)} on the test rows"
        parts.append(f"rmse {figure(winner.outcome.rmse)} in trial {winner.number}{test}")
    if record.blend is not None and record.blend.taken:
        parts.append(f"a blend in its place, {figure(record.blend.test_rmse)} on the test rows")
    if record.refit is not None:
        again = f"trained again on {record.refit.rows}"
        parts.append(f"{again}, {figure(record.refit.test_rmse)} on the test rows")
    if record.model is not None:
        parts.append(_named(record.model))
    return _message(END, about, state, "; ".join(parts), winner, test_rmse, record.model)


def _named(model: ModelVersion) -> str:
    return f"model {model.name} version {model.version} is {model.alias}"


def _message(
    event: str,
    about: About,
    state: str,
    text: str,
    trial: Finished | None = None,
    test_rmse: float | None = None,
    model: ModelVersion | None = None,
) -> dict[str, Any]:
    """Put an event into its keys; foreign texts lose what is secret and what commands terminals."""
    return {
        "event": event,
        "text": _clean(f"sweep {about.name}: {text}"),
        "time": time.time(),
        "sweep": about.run_id,
        "name": _clean(about.name),
        "experiment": _clean(about.experiment),
        "state": state,
        "trial": None if trial is None else trial.number,
        "run_id": None if trial is None else trial.trial.run_id,
        "rmse": None if trial is None else trial.outcome.rmse,
        "test_rmse": test_rmse,
        "model": None if model is None else _model(model),
        "ui": about.ui,
    }


def _model(model: ModelVersion) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "alias": model.alias,
        "reason": _clean(model.reason),
        "uri": model.uri,
    }


def _clean(text: str) -> str:
    return one_line(redact(text))
