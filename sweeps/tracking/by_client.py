"""Write changes through MLflow's public client: any store, three calls a run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sweeps.tracking.change import Change
from sweeps.tracking.store import Store, store_errors

if TYPE_CHECKING:
    from mlflow.entities import RunTag

PARAMS_PER_CALL = 100
VALUES_PER_CALL = 1000
"""MLflow cuts what is more into several calls."""


class ClientPen:
    """Writes one run after the other.

    Args:
        store: where.
        experiment_id: of the runs to be made.
    """

    batch = 1
    """Changes worth handing over at once: the first is in the store long before the last one is."""
    doubles = True
    """Whether a lost answer may leave a second run: MLflow's client sends what makes one again by itself."""

    def __init__(self, store: Store, experiment_id: str) -> None:
        self._store, self._client, self._experiment_id = store, store.client, experiment_id
        self._made: dict[tuple[str, int], str] = {}

    def write(self, changes: Sequence[Change]) -> list[str]:
        """Write changes in order; give the ids of their runs.

        Raises:
            StoreError: MLflow refuses, or is gone; the changes before are written.
        """
        with store_errors(self._store.shown):
            return [self._write(change) for change in changes]

    def _write(self, change: Change) -> str:
        run_id = change.run_id or self._create(change)
        if change.error:
            text = change.error.encode("utf-8", "replace").decode()
            self._client.log_text(run_id, text, "error.txt")
        self._log(run_id, change)
        if change.status is not None:
            self._client.set_terminated(run_id, change.status, change.ended)
        self._made.clear()
        return run_id

    def _create(self, change: Change) -> str:
        """Make a run, once: a change that is written again, after an outage, finds the run it made."""
        key = change.name, change.started
        if key not in self._made:
            made = self._client.create_run(
                self._experiment_id, change.started, dict(change.tags), run_name=change.name
            )
            self._made[key] = str(made.info.run_id)
        return self._made[key]

    def _log(self, run_id: str, change: Change) -> None:
        """Log all in one call, in which MLflow writes tags last; or the tags in a call after it."""
        from mlflow.entities import Metric, Param

        params = [Param(key, value) for key, value in change.params.items()]
        metrics = [Metric(point.key, point.value, point.timestamp, point.step) for point in change.metrics]
        tags = tags_of(change.verdict)
        if len(params) > PARAMS_PER_CALL or len(params) + len(metrics) + len(tags) > VALUES_PER_CALL:
            self._client.log_batch(run_id, metrics, params)
            metrics, params = [], []
        self._client.log_batch(run_id, metrics, params, tags)


def tags_of(tags: Mapping[str, str]) -> "list[RunTag]":
    """Give tags as MLflow takes them."""
    from mlflow.entities import RunTag

    return [RunTag(key, str(value)) for key, value in tags.items()]
