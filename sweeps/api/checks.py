"""What a candidate is looked at for, beside its rmse: each check with its figure."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps import registry
from sweeps.api.finals import held_out, predict
from sweeps.data.datasets import Dataset, Split
from sweeps.errors import UsageError
from sweeps.selection.gate import Check, Gate
from sweeps.selection.segments import Segment, by_segment
from sweeps.settings import Sweep
from sweeps.tracking.store import Store

TIMED_ROWS, TIMED_RUNS = 1000, 3

MOST_SEGMENTS = 50


def check_alone(
    store: Store, gate: Gate, dataset: Dataset, pipeline: Any, logged: registry.LoggedModel, rows: Split
) -> Iterator[Check]:
    """Look at the candidate itself.

    Args:
        store: where it was logged.
        gate: the limits.
        dataset: what it was trained on.
        pipeline: the candidate, from raw rows to predictions.
        logged: it, loaded back and compared already.
        rows: those it was loaded back on.
    """
    yield Check("loads back", True, f"the same predictions for {len(rows.y)} rows")
    found = registry.inspect_model(store, logged.model_id, dataset.train.X)
    takes = found.refusal or f"takes the {len(dataset.train.y)} rows of the training split"
    yield Check("signature", not found.refusal, takes)
    predictions = predict(pipeline, rows)
    finite = int(np.isfinite(predictions).sum())
    yield Check("finite predictions", finite == len(predictions), f"{finite} of {len(predictions)}")
    yield _within("latency", _latency(pipeline, rows), gate.max_latency, "ms for 1000 rows")
    yield _within("size", found.megabytes, gate.max_size, "MB")


def _within(name: str, value: float, limit: float | None, unit: str) -> Check:
    asked = "" if limit is None else f"at most {limit:g} {unit}"
    return Check(name, limit is None or value <= limit, f"{value:.3g} {unit}", asked)


def _latency(pipeline: Any, rows: Split) -> float:
    """Give the milliseconds of a prediction for 1000 rows, the best of some."""
    some = rows.X.iloc[np.resize(np.arange(len(rows.X)), TIMED_ROWS)].reset_index(drop=True)
    spent = []
    for _ in range(TIMED_RUNS):
        started = time.perf_counter()
        pipeline.predict(some)
        spent.append(time.perf_counter() - started)
    return 1000 * min(spent)


def segments(
    gate: Gate, rows: Split, squared: NDArray[np.float64], rival: NDArray[np.float64] | None
) -> list[Segment]:
    """Give the rmse by the values of the gate's column; empty where it names none."""
    return [] if gate.segment is None else by_segment(list(rows.X[gate.segment]), squared, rival)


def check_segment(gate: Gate | None, dataset: Dataset) -> None:
    """Check that the gate's column can be compared; to be known before anything is trained or registered.

    Raises:
        UsageError: there is no such column, or it has too many values.
    """
    rows = held_out(dataset) or dataset.train
    if gate is None or gate.segment is None:
        return
    if gate.segment not in rows.X.columns:
        known = ", ".join(map(str, rows.X.columns))
        raise UsageError("--segment", f"no column {gate.segment!r}; known: {known[:200]}")
    values = rows.X[gate.segment]
    if (different := values.nunique(dropna=False)) > MOST_SEGMENTS:
        wrong = f"column {gate.segment!r} has {different} values, at most {MOST_SEGMENTS} can be compared"
        raise UsageError("--segment", wrong, "name one with fewer")


def check_finish(sweep: Sweep, dataset: Dataset) -> list[str]:
    """Check that a refit or a blend can be judged; to be known before anything is trained. Give warnings.

    Raises:
        UsageError: there are no test rows to judge it on.
    """
    refits, test = sweep.refit != "none", dataset.test is not None
    if refits and not test and dataset.cv is None:
        wrong = "trains on all rows there are: no test rows are left to judge the model on"
        raise UsageError(f"--refit {sweep.refit}", wrong, "name them with --test FILE, or leave --refit out")
    if sweep.blend and not test:
        wrong = "must show on test rows that it is better than the winner, and there are none"
        raise UsageError("--blend", wrong, "name them with --test FILE, or leave --blend out")
    if refits and dataset.cv is not None:
        return [f"--refit {sweep.refit}: --cv trains the finalists on these rows in any case"]
    return []


def check_segments(gate: Gate, found: list[Segment]) -> Iterator[Check]:
    """Say whether the challenger is too much worse than the champion in a segment."""
    if not found or found[0].rival_rmse is None:
        return
    worst = max(found, key=lambda segment: segment.loss)
    what = f"worst {gate.segment}={worst.value}: rmse {worst.rmse:.6g} against {worst.rival_rmse:.6g}"
    figure = f"{what} ({100 * worst.loss:+.2g} %)"
    limit = f"at most {100 * gate.max_segment_loss:g} % worse"
    yield Check("segments", worst.loss <= gate.max_segment_loss, figure, limit)
