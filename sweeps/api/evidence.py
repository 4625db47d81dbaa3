"""A sweep with all that its report and its explanation rest on, read from MLflow alone."""

from sweeps.record import SweepRecord
from sweeps.report.charts.curves import curve_trials
from sweeps.tracking.claim import close_abandoned
from sweeps.tracking.evidence import with_evidence
from sweeps.tracking.reader import find_header, read_sweep
from sweeps.tracking.store import Store, find_store, resolve_uri


def read_evidence(
    sweep: str, tracking_uri: str | None = None, *, curves: bool = False
) -> tuple[Store, SweepRecord]:
    """Open the store and read a sweep with its ranges and predictions.

    Args:
        sweep: run id or its beginning, name, or ``last``.
        tracking_uri: MLflow store, as for ``run_sweep``.
        curves: whether the trials that a report draws have their curves.

    Raises:
        StoreError: the store is unreachable or unfit, or a file in it is damaged.
        UsageError: there is no such sweep.
    """
    store = find_store(resolve_uri(tracking_uri))
    [header] = close_abandoned(store, [find_header(store, sweep)])
    record = read_sweep(store, header.run_id)
    return store, with_evidence(store, record, curve_trials(record) if curves else ())
