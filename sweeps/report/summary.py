"""A sweep in a few figures: what ``--json`` prints and ``summary.json`` holds."""

import math
from typing import Any

from sweeps.record import Blend, Finalist, Refit, SweepRecord
from sweeps.report.tables import flat
from sweeps.selection import pick
from sweeps.trial import Finished, State

COUNTED = (State.COMPLETE, State.PRUNED, State.FAILED, State.LOST)


def summary(record: SweepRecord) -> dict[str, Any]:
    """Give the figures of a sweep as JSON values; the keys stay, new ones may come."""
    winner = pick(record.finalists) if record.finalists else None
    return {
        "sweep": record.run_id,
        "name": record.name,
        "experiment": record.experiment,
        "state": record.state,
        "trials": {str(state).lower(): record.count(state) for state in COUNTED},
        "best": _best(record.best),
        "finalists": [_finalist(f) for f in record.finalists],
        "test_rmse": winner.test_rmse if winner else None,
        "blend": _blend(record.blend),
        "refit": _refit(record.refit),
        "model": _model(record),
        "seconds": duration(record),
        "overhead": plain(record.extra.get("overhead")),
        "ui": record.extra.get("ui"),
    }


def history(record: SweepRecord) -> list[dict[str, Any]]:
    """Give every trial as JSON values, by number."""
    return [trial_summary(t) for t in sorted(record.trials, key=lambda t: t.number)]


def trial_summary(finished: Finished) -> dict[str, Any]:
    """Give a trial as JSON values, without its curve."""
    outcome, proposal = finished.outcome, finished.trial.proposal
    return {
        "trial": finished.number,
        "run_id": finished.trial.run_id,
        "state": str(outcome.state),
        "rmse": outcome.rmse,
        "metrics": {name: plain(value) for name, value in outcome.metrics.items()},
        "params": {name: plain(value) for name, value in flat(proposal.params).items()},
        "seed": proposal.seed,
        "started": finished.trial.started,
        "seconds": round(finished.ended - finished.trial.started, 3),
        "error": outcome.reason or None,
    }


def duration(record: SweepRecord) -> float | None:
    """Give the seconds from start to end; None while the sweep runs."""
    return None if record.ended is None else round(record.ended - record.started, 3)


def plain(value: Any) -> Any:
    """Give a value as JSON knows it; a figure that is not finite as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)


def _best(best: Finished | None) -> dict[str, Any] | None:
    if best is None:
        return None
    params = {name: plain(value) for name, value in flat(best.trial.proposal.params).items()}
    return {"trial": best.number, "run_id": best.trial.run_id, "params": params, "rmse": best.outcome.rmse}


def _finalist(finalist: Finalist) -> dict[str, Any]:
    return {"trial": finalist.number, "rmse": finalist.rmse, "test_rmse": finalist.test_rmse}


def _blend(blend: Blend | None) -> dict[str, Any] | None:
    if blend is None:
        return None
    members = [{"trial": m.number, "weight": m.weight} for m in blend.members]
    figures = {"rmse": blend.rmse, "test_rmse": blend.test_rmse}
    return {"members": members, **figures, "taken": blend.taken, "reason": blend.reason}


def _refit(refit: Refit | None) -> dict[str, Any] | None:
    return None if refit is None else {"trained_on": refit.rows, "test_rmse": refit.test_rmse}


def _model(record: SweepRecord) -> dict[str, Any] | None:
    model = record.model
    if model is None:
        return None
    return {"name": model.name, "version": model.version, "alias": model.alias, "uri": model.uri}
