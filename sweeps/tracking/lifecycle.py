"""Ask a sweep to stop; delete it with its trials, and bring it back."""

import time

from sweeps.errors import UsageError
from sweeps.tracking import schema
from sweeps.tracking.change import milliseconds
from sweeps.tracking.database import Database, database_of
from sweeps.tracking.reader import SweepHeader, list_sweeps, pick_header
from sweeps.tracking.repair import RUNNING
from sweeps.tracking.rows import PAGE, search
from sweeps.tracking.store import Store, store_errors

LOOK_SECONDS = 0.5


def ask_to_stop(store: Store, header: SweepHeader) -> None:
    """Leave word for the sweep's driver, which looks every few seconds.

    Raises:
        StoreError: MLflow refuses.
    """
    with store_errors(store.shown):
        store.client.set_tag(header.run_id, schema.STOP, str(milliseconds(time.time())))


def wait_for_end(store: Store, header: SweepHeader, seconds: float) -> str:
    """Wait until a sweep has ended, at most so long; give its state then.

    Raises:
        StoreError: MLflow refuses.
    """
    until, state = time.monotonic() + seconds, RUNNING
    while state == RUNNING and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        with store_errors(store.shown):
            state = store.client.get_run(header.run_id).data.tags.get(schema.STATE, RUNNING)
    return str(state)


def delete_sweep(store: Store, header: SweepHeader) -> int:
    """Delete a sweep and all runs of its trials, until ``restore_sweep``; give their number.

    Models in the registry stay.

    Raises:
        StoreError: MLflow refuses.
    """
    with store_errors(store.shown):
        runs = _children(store, header, deleted=False)
        _move(store, [*runs, header.run_id], deleted=True)
    return len(runs)


def restore_sweep(store: Store, header: SweepHeader) -> int:
    """Bring back a deleted sweep with the trials that were deleted; give their number.

    Raises:
        StoreError: MLflow refuses.
    """
    with store_errors(store.shown):
        runs = _children(store, header, deleted=True)
        _move(store, [header.run_id, *runs], deleted=False)
    return len(runs)


def find_deleted(store: Store, ref: str) -> SweepHeader:
    """Find a deleted sweep, by run id or the start of one, or by name.

    Raises:
        UsageError: none or several are meant; or it is not deleted.
    """
    deleted = list_sweeps(store, limit=None, deleted=True)
    if not deleted:
        raise UsageError(f"sweep {ref!r}", "no deleted sweep is in this store", f"searched {store.shown}")
    return pick_header(store, ref, deleted)


def _children(store: Store, header: SweepHeader, *, deleted: bool) -> list[str]:
    """Give the ids of all runs under a sweep's, whoever made them."""
    query = f"tags.`{schema.PARENT}` = '{header.run_id}'"
    return [r.info.run_id for r in search(store, [header.experiment_id], query, None, deleted=deleted)]


def _move(store: Store, runs: list[str], *, deleted: bool) -> None:
    """Delete or restore runs: in one transaction where the database is known, else one by one."""
    database = database_of(store)
    if database is not None:
        _move_rows(database, runs, deleted=deleted)
        return
    change = store.client.delete_run if deleted else store.client.restore_run
    for run_id in runs:
        change(run_id)


def _move_rows(database: Database, runs: list[str], *, deleted: bool) -> None:
    stage, now = ("deleted", milliseconds(time.time())) if deleted else ("active", None)
    with database.begin() as connection:
        for first in range(0, len(runs), PAGE):
            some = database.runs.c.run_uuid.in_(runs[first : first + PAGE])
            connection.execute(
                database.runs.update().where(some).values(lifecycle_stage=stage, deleted_time=now)
            )
