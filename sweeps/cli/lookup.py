"""Find what a user names: sweeps, and trials of them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.errors import UsageError
from sweeps.record import SweepRecord
from sweeps.scratch import scratch_folder
from sweeps.trial import Finished

if TYPE_CHECKING:
    from sweeps.tracking.reader import SweepHeader
    from sweeps.tracking.store import Store


def read_record(sweep: str, tracking_uri: str | None) -> "tuple[Store, SweepRecord]":
    """Open the store and read a sweep, named as on the command line.

    Raises:
        StoreError: the store is unreachable or unfit.
        UsageError: there is no such sweep.
    """
    store, [record] = read_records([sweep], tracking_uri)
    return store, record


def read_records(sweeps: Sequence[str], tracking_uri: str | None) -> "tuple[Store, list[SweepRecord]]":
    """Open the store and read sweeps; one that is named twice is read once.

    Raises:
        StoreError: the store is unreachable or unfit.
        UsageError: there is no such sweep.
    """
    from sweeps.tracking.reader import list_sweeps, pick_header
    from sweeps.tracking.store import find_store, resolve_uri

    store = find_store(resolve_uri(tracking_uri))
    known = list_sweeps(store, limit=None)
    return store, _read(store, [pick_header(store, sweep, known) for sweep in sweeps])


def _read(store: "Store", headers: "Sequence[SweepHeader]") -> list[SweepRecord]:
    from sweeps.tracking.claim import close_abandoned
    from sweeps.tracking.reader import read_sweep

    closed = close_abandoned(store, headers)
    records = {run_id: read_sweep(store, run_id) for run_id in unique(h.run_id for h in closed)}
    return [records[header.run_id] for header in closed]


def unique(names: Iterable[str]) -> list[str]:
    """Give each name once, in order."""
    return list(dict.fromkeys(names))


def read_trials(
    trials: Sequence[str], tracking_uri: str | None
) -> "tuple[Store, list[tuple[SweepRecord, Finished]]]":
    """Open the store and read trials, named as ``find_trial`` takes them.

    Raises:
        StoreError: the store is unreachable or unfit.
        UsageError: there is no such sweep or trial.
    """
    from sweeps.tracking.reader import find_trial, read_header
    from sweeps.tracking.store import find_store, resolve_uri

    store = find_store(resolve_uri(tracking_uri))
    found = [find_trial(store, trial) for trial in trials]
    records = _read(store, [read_header(store, run_id) for run_id, _ in found])
    return store, [
        (record, trial_of(record, number)) for record, (_, number) in zip(records, found, strict=True)
    ]


def trial_of(record: SweepRecord, number: int) -> Finished:
    """Give the trial of that number.

    Raises:
        UsageError: the sweep has none, or it still runs.
    """
    found = next((t for t in record.trials if t.number == number), None)
    if found is None:
        last = max((t.number for t in record.trials), default=None)
        known = "it has no finished trial yet" if last is None else f"its finished trials go from 0 to {last}"
        raise UsageError(f"trial {number}", f"sweep {record.name} has no such finished trial: {known}")
    return found


def traceback_of(store: "Store", run_id: str) -> str | None:
    """Read the traceback that was kept with a trial's run; None where there is none."""
    from sweeps.tracking.store import store_errors

    with store_errors(store.shown), scratch_folder() as folder:
        if not any(file.path == "error.txt" for file in store.client.list_artifacts(run_id)):
            return None
        path = store.client.download_artifacts(run_id, "error.txt", str(folder))
        return Path(path).read_text("utf-8", "replace")
