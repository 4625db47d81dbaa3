"""What comes of a sweep, written on its run: finalists, predictions, the registered model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sweeps.errors import UsageError
from sweeps.record import Blend, Finalist, ModelVersion, Predictions, Refit
from sweeps.tracking import schema
from sweeps.tracking.store import Store, store_errors

MOST_FINALISTS = 150
"""They travel in one tag."""


def record_finalists(store: Store, sweep: str, finalists: Sequence[Finalist]) -> None:
    """Write the table of finalists on the sweep's run.

    Raises:
        UsageError: more than fit.
    """
    if len(finalists) > MOST_FINALISTS:
        raise UsageError("--top", f"at most {MOST_FINALISTS} finalists, got {len(finalists)}")
    rows = [[f.number, f.rmse, f.test_rmse, f.low, f.high, f.wins] for f in finalists]
    columns = ["trial", "rmse", "test_rmse", "test_rmse_low", "test_rmse_high", "wins"]
    table = {"columns": columns, "data": rows}
    with store_errors(store.shown):
        store.client.log_dict(sweep, table, "finalists.json")
        store.client.set_tag(sweep, schema.FINALISTS, _fitting(rows))


def _fitting(rows: Sequence[Sequence[Any]]) -> str:
    """Write the finalists for a tag; without their intervals where they are too many for it."""
    text = json.dumps(rows, separators=(",", ":"))
    return (
        text if len(text) <= schema.MAX_TAG else json.dumps([row[:3] for row in rows], separators=(",", ":"))
    )


def record_predictions(store: Store, sweep: str, predictions: Predictions) -> None:
    """Keep with the sweep what its winner predicts for held-out rows."""
    with store_errors(store.shown):
        store.client.log_text(sweep, json.dumps(asdict(predictions)), schema.PREDICTIONS)


def record_drift(store: Store, sweep: str, drift: Mapping[str, Any]) -> None:
    """Keep with the sweep how its held-out rows differ from its training rows."""
    with store_errors(store.shown):
        store.client.log_text(sweep, json.dumps(drift), schema.DRIFT)


def record_promotion(store: Store, sweep: str, promoted: ModelVersion) -> None:
    """Write on the sweep's run which model it gave the registry."""
    content = {
        "name": promoted.name,
        "version": promoted.version,
        "alias": promoted.alias,
        "reason": promoted.reason,
    }
    with store_errors(store.shown):
        store.client.set_tag(sweep, schema.MODEL, json.dumps(content))


def record_finish(store: Store, sweep: str, blend: Blend | None, refit: Refit | None) -> None:
    """Write what became of the winner before it was registered, in place of what was there."""
    content = {
        "blend": None if blend is None else asdict(blend),
        "refit": None if refit is None else asdict(refit),
    }
    with store_errors(store.shown):
        store.client.set_tag(sweep, schema.FINISH, json.dumps(content))
