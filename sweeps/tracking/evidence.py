"""What reports need beyond the trials: the ranges searched, the winner's predictions, drift, some curves."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sweeps.errors import StoreError
from sweeps.ranges import Range
from sweeps.record import Predictions, SweepRecord
from sweeps.scratch import scratch_folder
from sweeps.tracking import schema
from sweeps.tracking.store import Store, store_errors
from sweeps.trial import Finished

T = TypeVar("T")


def with_evidence(store: Store, record: SweepRecord, curves: Collection[int] = ()) -> SweepRecord:
    """Give a sweep with its ranges, the winner's predictions, its drift, and the curves of some trials.

    Args:
        store: where it is.
        record: as it was read.
        curves: numbers of the trials whose curves are wanted; each costs a request.

    Raises:
        StoreError: MLflow refuses, or a file is damaged.
    """
    with store_errors(store.shown):
        there = {file.path for file in store.client.list_artifacts(record.run_id)}
    ranges = _read(store, record.run_id, schema.RANGES, _ranges) if schema.RANGES in there else []
    predictions = None
    if schema.PREDICTIONS in there:
        predictions = _read(store, record.run_id, schema.PREDICTIONS, _predictions)
    drift = _read(store, record.run_id, schema.DRIFT, _drift) if schema.DRIFT in there else None
    trials = [_with_curve(store, t) if t.number in curves else t for t in record.trials]
    return replace(record, ranges=ranges, predictions=predictions, drift=drift, trials=trials)


def _with_curve(store: Store, finished: Finished) -> Finished:
    if finished.outcome.curve:
        return finished
    with store_errors(store.shown):
        history = store.client.get_metric_history(finished.trial.run_id, schema.CURVE)
    curve = tuple(schema.finite((m.step, m.value) for m in history))
    return replace(finished, outcome=replace(finished.outcome, curve=curve))


def _ranges(values: Any) -> list[Range]:
    return [Range.from_json(one) for one in values]


def _predictions(values: Mapping[str, Any]) -> Predictions:
    return Predictions(**values)


def _drift(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**values, "summary": str(values["summary"]), "drifted": list(values["drifted"])}


def _read(store: Store, run_id: str, file: str, parse: Callable[[Any], T]) -> T:
    with store_errors(store.shown), scratch_folder() as folder:
        text = Path(store.client.download_artifacts(run_id, file, str(folder))).read_text("utf-8")
    try:
        return parse(json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"{file} of sweep {run_id[:8]}", f"is damaged: {error}", "delete that file"
        ) from error
