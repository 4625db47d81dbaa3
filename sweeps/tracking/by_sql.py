"""Write changes straight into MLflow's tables: many runs in one transaction (see ``database``)."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sweeps.errors import StoreError
from sweeps.scratch import scratch_folder
from sweeps.tracking import schema
from sweeps.tracking.change import Change, Point
from sweeps.tracking.database import Database
from sweeps.tracking.statements import Statements, statements_for
from sweeps.tracking.store import store_errors

if TYPE_CHECKING:
    from sqlalchemy import Connection

Row = dict[str, Any]
Named = tuple[str, Change]
"""A run id, and what is to be added to that run."""


class SqlPen:
    """Writes all it is given, or nothing; what may have been written although no answer came, once.

    Args:
        database: where.
        experiment_id: of the runs to be made.
        location: of the experiment's artifacts.
    """

    batch = 256
    """Changes worth handing over at once."""
    doubles = False
    """Whether a lost answer may leave a second run."""

    def __init__(self, database: Database, experiment_id: str, location: str) -> None:
        self._database, self._experiment_id, self._location = database, int(experiment_id), location
        self._named: dict[tuple[str, int, int], str] = {}
        """Ids of runs of which it is not known whether they were made."""

    def write(self, changes: Sequence[Change]) -> list[str]:
        """Write changes; give the ids of their runs.

        Raises:
            StoreError: the database refuses, or is gone, or somebody deleted a run or the experiment.
        """
        named = list(zip(self._names(changes), changes, strict=True))
        for run_id, change in named:
            if change.error:
                self._keep_error(run_id, change.error)
        with self._database.begin() as connection:
            self._check(connection, changes)
            for statement, rows in self._rows(named):
                if rows:
                    connection.execute(statement, rows)
        self._named.clear()
        return [run_id for run_id, _ in named]

    def _names(self, changes: Sequence[Change]) -> Iterator[str]:
        """Give the ids of the runs; those to be made get the same again where a try had no answer."""
        same: Counter[tuple[str, int]] = Counter()
        for change in changes:
            key = change.name, change.started
            same[key] += change.run_id is None
            yield change.run_id or self._named.setdefault((*key, same[key]), uuid.uuid4().hex)

    @cached_property
    def _sql(self) -> Statements:
        return statements_for(self._database)

    def _check(self, connection: "Connection", changes: Sequence[Change]) -> None:
        """Refuse what MLflow would refuse: to write to what was deleted."""
        if any(change.run_id is None for change in changes):
            own = {"experiment": self._experiment_id}
            if connection.execute(self._sql.stage_of_experiment, own).scalar() != "active":
                raise StoreError(f"experiment {self._experiment_id}", "was deleted during the sweep")
        known = {change.run_id for change in changes if change.run_id is not None}
        if known:
            active = connection.execute(self._sql.active_runs, {"runs": sorted(known)}).scalars()
            for run_id in sorted(known.difference(active)):
                raise StoreError(f"run {run_id}", "was deleted during the sweep")

    def _rows(self, named: Sequence[Named]) -> Iterator[tuple[Any, list[Row]]]:
        """Give the statements and what to carry them out with, in the order in which rows refer to others."""
        sql = self._sql
        yield sql.add_runs, [self._run(*one) for one in named if one[1].run_id is None]
        yield sql.end_runs, [_end(*one) for one in named if one[1].run_id and one[1].status]
        yield sql.add_params, _texts((run, change.params) for run, change in named)
        yield sql.add_metrics, _values((run, change.metrics) for run, change in named)
        yield sql.set_latest, _values((run, _latest(change.metrics)) for run, change in named)
        yield sql.set_tags, _texts((run, _tags(change)) for run, change in named)

    def _run(self, run_id: str, change: Change) -> Row:
        return {
            "run_uuid": run_id,
            "name": change.name,
            "source_type": "UNKNOWN",
            "source_name": "",
            "entry_point_name": "",
            "user_id": change.tags.get("mlflow.user", "unknown"),
            "status": change.status or "RUNNING",
            "start_time": change.started,
            "end_time": change.ended,
            "deleted_time": None,
            "source_version": "",
            "lifecycle_stage": "active",
            "artifact_uri": self._artifacts(run_id),
            "experiment_id": self._experiment_id,
        }

    def _artifacts(self, run_id: str) -> str:
        from mlflow.utils.uri import append_to_uri_path

        joined: Any = append_to_uri_path  # untyped
        return str(joined(self._location, run_id, "artifacts"))

    def _keep_error(self, run_id: str, text: str) -> None:
        """Keep the traceback before its run is there: a run that is there is whole."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        with scratch_folder() as folder, store_errors(self._database.about):
            path = folder / "error.txt"
            path.write_bytes(text.encode("utf-8", "replace"))
            repository: Any = get_artifact_repository(self._artifacts(run_id))
            repository.log_artifact(str(path))


def _end(run_id: str, change: Change) -> Row:
    return {"run": run_id, "status": change.status, "end_time": change.ended}


def _tags(change: Change) -> dict[str, str]:
    name = {schema.RUN_NAME: change.name} if change.run_id is None else {}
    return {**change.tags, **name, **change.verdict}


def _texts(texts: Iterable[tuple[str, Mapping[str, str]]]) -> list[Row]:
    return [{"run_uuid": run, "key": key, "value": text} for run, one in texts for key, text in one.items()]


def _values(points: Iterable[tuple[str, Iterable[Point]]]) -> list[Row]:
    return [{"run_uuid": run, "is_nan": False, **point._asdict()} for run, some in points for point in some]


def _latest(points: Iterable[Point]) -> Iterator[Point]:
    """Give the newest value of each metric, as MLflow sees it."""
    newest: dict[str, Point] = {}
    for point in points:
        old = newest.setdefault(point.key, point)
        if (point.step, point.timestamp, point.value) > (old.step, old.timestamp, old.value):
            newest[point.key] = point
    yield from newest.values()
