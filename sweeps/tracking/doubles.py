"""Runs that were made twice: a request whose answer was lost is sent again, and MLflow makes another run."""

import time
from collections.abc import Collection

from sweeps.tracking import schema
from sweeps.tracking.change import Change, milliseconds
from sweeps.tracking.rows import search
from sweeps.tracking.store import Store, store_errors
from sweeps.trial import State

WHY = "made twice: the answer to the first request was lost"


def delete_doubles(store: Store, experiment_id: str, run_id: str, key: str) -> None:
    """Delete the other runs that the request which made a sweep's run may have made.

    Args:
        store: where.
        experiment_id: of the sweep.
        run_id: the one that stays.
        key: of the request, which all of them have as a tag.

    Raises:
        StoreError: MLflow refuses.
    """
    with store_errors(store.shown):
        for run in search(store, [experiment_id], f"tags.`{schema.KEY}` = '{key}'", None):
            if run.info.run_id != run_id:
                store.client.delete_run(run.info.run_id)


def doubled_trials(store: Store, experiment_id: str, sweep: str, known: Collection[str]) -> list[Change]:
    """Give what closes the runs of trials that only a lost answer can have left running.

    Args:
        store: where.
        experiment_id: of the sweep.
        sweep: its run id.
        known: ids of runs that do run.

    Raises:
        StoreError: MLflow refuses.
    """
    query = f"tags.`{schema.PARENT}` = '{sweep}' and attributes.status = 'RUNNING'"
    with store_errors(store.shown):
        found = [run.info.run_id for run in search(store, [experiment_id], query, None)]
    verdict = {schema.STATE: str(State.LOST), schema.ERROR: WHY}
    status, now = schema.STATUS[State.LOST], milliseconds(time.time())
    return [
        Change(one, verdict=verdict, status=status, ended=now) for one in sorted(set(found).difference(known))
    ]
