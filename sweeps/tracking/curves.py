"""The curve of one trial: what a look at it needs, without those of all others."""

from dataclasses import replace

from sweeps.tracking import schema
from sweeps.tracking.store import Store, store_errors
from sweeps.trial import Finished


def with_curve(store: Store, finished: Finished) -> Finished:
    """Give a trial with its curve, as it was thinned when it was written; one request.

    Raises:
        StoreError: MLflow refuses.
    """
    with store_errors(store.shown):
        history = store.client.get_metric_history(finished.trial.run_id, schema.CURVE)
    curve = tuple(schema.finite((point.step, point.value) for point in history))
    return replace(finished, outcome=replace(finished.outcome, curve=curve))
