"""Make a sweep that ended look right in MLflow's UI: view, colours by rank, descriptions of the finalists."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import inf

from sweeps.errors import StoreError
from sweeps.markdown import link, plain
from sweeps.record import Finalist, SweepRecord
from sweeps.selection import pick
from sweeps.tracking import schema
from sweeps.tracking.change import Change, Point, milliseconds
from sweeps.tracking.links import model_link, run_link
from sweeps.tracking.store import Store
from sweeps.tracking.view_state import LISTED
from sweeps.tracking.views import save_view
from sweeps.tracking.writer import open_pen
from sweeps.trial import Finished, State

COLOR = "mlflow.runColor"
TEST_RMSE = "test_rmse"
RANKS = (
    "#482475", "#414487", "#355f8d", "#2a788e", "#21908d", "#22a884", "#43bf71", "#7ad151",
)  # fmt: skip
"""From the best to the worst: viridis, whose lightness tells the colour-blind the order too."""
NOT_COMPLETE = "#a3aab2"


def dress(store: Store, record: SweepRecord, note: str = "") -> None:
    """Write all that is for the eye only; whatever the store refuses, nothing is raised.

    Args:
        store: where the sweep is.
        record: the sweep as it ended, with its finalists and its model.
        note: a new description of the sweep, in Markdown; empty to leave the one that is there.
    """
    save_view(store, record)
    own = [Change(record.run_id, verdict={schema.NOTE: note[: schema.MAX_TAG]})] if note else []
    with suppress(StoreError):
        open_pen(store, record.experiment_id).write([*own, *_changes(record)])
        store.settle()


def colours(trials: Sequence[Finished]) -> dict[str, str]:
    """Give the colours of the trials that the UI lists first, by run id: by rank, grey if not COMPLETE."""
    listed = sorted(trials, key=_place)[:LISTED]
    complete = [t.trial.run_id for t in listed if t.outcome.state is State.COMPLETE]
    ranked = {run: RANKS[place * len(RANKS) // len(complete)] for place, run in enumerate(complete)}
    return {t.trial.run_id: ranked.get(t.trial.run_id, NOT_COMPLETE) for t in listed}


def _place(trial: Finished) -> tuple[float, int]:
    """Give what the UI sorts by: rmse, a trial without one after all others."""
    rmse = trial.outcome.rmse
    return (inf if rmse is None else rmse, trial.number)


def _changes(record: SweepRecord) -> Iterator[Change]:
    for run, colour in colours(record.trials).items():
        yield Change(run, verdict={COLOR: colour})
    trials, now = {t.number: t for t in record.trials}, milliseconds(time.time())
    for finalist in record.finalists:
        if trial := trials.get(finalist.number):
            told = {schema.NOTE: _description(record, finalist)}
            yield Change(trial.trial.run_id, metrics=_scored(trial, finalist, now), verdict=told)


def _scored(trial: Finished, finalist: Finalist, now: int) -> list[Point]:
    """Give the rmse on the test rows, where the trial's run does not have it yet, as the winner's does."""
    rmse = finalist.test_rmse
    if rmse is None or trial.outcome.metrics.get(TEST_RMSE) == rmse:
        return []
    return [Point(TEST_RMSE, rmse, now, 0)]


def _description(record: SweepRecord, finalist: Finalist) -> str:
    """Describe a finalist, in Markdown, by what stays true if the sweep goes on."""
    sweep = link(record.name, run_link("", record.experiment_id, record.run_id))
    figures = f"rmse {finalist.rmse:.6g} on validation"
    if finalist.test_rmse is not None:
        figures += f", {finalist.test_rmse:.6g} on the test rows"
    lines = [f"Finalist of sweep {sweep}: {figures}."]
    if (part := _part(record, finalist.number)) and record.model is not None:
        model = record.model
        named = link(f"{model.name} version {model.version}", model_link("", model.name, model.version))
        lines.append(f"{part} as {named}, {plain(model.alias)}: {plain(model.reason)}.")
    return "\n\n".join(lines)


def _part(record: SweepRecord, number: int) -> str:
    """Say how a finalist was registered: alone, in a blend, trained again; empty where it was not."""
    blend, refit = record.blend, record.refit
    again = "" if refit is None else f", trained again on {refit.rows} (rmse {refit.test_rmse:.6g} on test),"
    if blend is not None and blend.taken:
        weight = next((m.weight for m in blend.members if m.number == number), None)
        return "" if weight is None else f"Registered in a blend{again} with weight {weight:.3g}"
    return f"Registered{again}" if pick(record.finalists).number == number else ""
