"""Put right what a killed driver left: runs that MLflow shows as running for ever."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sweeps.errors import StoreError
from sweeps.tracking import schema
from sweeps.tracking.change import Change, milliseconds
from sweeps.tracking.owner import Owner
from sweeps.tracking.reader import SweepHeader
from sweeps.tracking.rows import RunRow, search, trial_rows
from sweeps.tracking.spool import Spool
from sweeps.tracking.store import Store, store_errors
from sweeps.tracking.writer import open_pen
from sweeps.trial import State

RUNNING = "RUNNING"


def is_abandoned(header: SweepHeader) -> bool:
    """Whether a sweep is said to run, but the process on this machine that drove it is gone."""
    return header.state == RUNNING and header.is_driven is False


def close_sweep(store: Store, header: SweepHeader) -> SweepHeader:
    """Close a sweep that nobody drives any more, as INTERRUPTED, and its trials as LOST.

    Raises:
        StoreError: MLflow refuses.
    """
    why, now = ended_with(header.owner), max(time.time(), header.started)  # the clock may have been set back
    close_trials(store, header, why)
    tags = {schema.STATE: "INTERRUPTED", schema.ERROR: why, schema.OWNER: ""}
    status = schema.SWEEP_STATUS["INTERRUPTED"]
    open_pen(store, header.experiment_id).write(
        [Change(header.run_id, verdict=tags, status=status, ended=milliseconds(now))]
    )
    return replace(header, state="INTERRUPTED", ended=now, owner=None)


def close_trials(store: Store, header: SweepHeader, why: str) -> int:
    """Close the runs of trials that nobody finishes any more; give their number.

    One whose outcome is written, but not MLflow's status, gets the status that goes with its outcome.

    Args:
        store: where.
        header: of the sweep; its trials' runs must have no other writer.
        why: the reason kept with them.

    Raises:
        StoreError: MLflow refuses.
    """
    write_waiting(store, header)
    changes = list(_changes(trial_rows(store, header.experiment_id, header.run_id), why))
    _write(store, header, changes)
    return len(changes)


def write_waiting(store: Store, header: SweepHeader) -> int:
    """Write the results that wait on this machine since the store was out of reach; give their number.

    Raises:
        StoreError: MLflow refuses, or the file of the results cannot be read.
    """
    spool = Spool(header.run_id)
    try:
        kept = spool.read()
    except (OSError, ValueError, TypeError, KeyError) as error:
        wrong = f"cannot be read: {error}"
        raise StoreError(f"results {spool.path}", wrong, "move it away to go on without them") from error
    if kept:
        kept = _missing(kept, trial_rows(store, header.experiment_id, header.run_id))
        _write(store, header, kept)
    spool.clear()
    return len(kept)


def _missing(kept: Iterable[Change], rows: Sequence[RunRow]) -> list[Change]:
    """Leave out what is in the store; a run that is there, closed or not, gets its outcome after all."""
    there = {row.tags.get(schema.TRIAL) for row in rows if _has_outcome(row)}
    begun = {(row.tags.get(schema.TRIAL), row.started): row.run_id for row in rows}
    cleared = {schema.ERROR: ""}
    return [
        replace(
            change,
            run_id=begun.get((change.tags[schema.TRIAL], change.started)),
            verdict={**cleared, **change.verdict},
        )
        for change in kept
        if change.tags[schema.TRIAL] not in there
    ]


def _has_outcome(row: RunRow) -> bool:
    return row.tags.get(schema.STATE) in (State.COMPLETE, State.PRUNED, State.FAILED)


def _write(store: Store, header: SweepHeader, changes: Sequence[Change]) -> None:
    pen = open_pen(store, header.experiment_id)
    for first in range(0, len(changes), pen.batch):
        pen.write(changes[first : first + pen.batch])


def open_trials(store: Store, headers: Iterable[SweepHeader]) -> Counter[str]:
    """Count, by the run id of their sweep, the runs of trials that MLflow shows as running.

    Raises:
        StoreError: MLflow refuses.
    """
    experiments = sorted({header.experiment_id for header in headers})
    query = f"tags.`{schema.KIND}` = 'trial' and attributes.status = '{RUNNING}'"
    with store_errors(store.shown):
        return Counter(run.data.tags[schema.PARENT] for run in search(store, experiments, query, None))


def ended_with(owner: Owner | None) -> str:
    """Say why a trial has no outcome."""
    return f"its driver ({owner.shown}) died" if owner else "its driver died"


def _changes(rows: Iterable[RunRow], why: str) -> Iterator[Change]:
    now = milliseconds(time.time())
    for row in rows:
        state = State(row.tags.get(schema.STATE, State.RUNNING))
        if not state.final:
            tags = {schema.STATE: str(State.LOST), schema.ERROR: why}
            yield Change(
                row.run_id, verdict=tags, status=schema.STATUS[State.LOST], ended=max(now, row.started)
            )
        elif row.status == RUNNING:
            yield Change(row.run_id, status=schema.STATUS[state], ended=max(now, row.started))
