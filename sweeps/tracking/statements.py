"""The SQL that changes are written with, built once: building it costs more than carrying it out."""

from dataclasses import dataclass
from typing import Any

from sweeps.tracking.database import Database


@dataclass(frozen=True)
class Statements:
    """Statements for many rows at a time, but for the two questions."""

    stage_of_experiment: Any
    """Takes ``experiment``; gives ``active`` or ``deleted``."""
    active_runs: Any
    """Takes ``runs``, a list of ids; gives those that were not deleted."""
    add_runs: Any
    """One that is there, since the answer to an earlier try was lost, gets its end. What else
    was written then stays as it is."""
    end_runs: Any
    """Takes ``run`` besides the columns to set."""
    add_params: Any
    add_metrics: Any
    set_latest: Any
    """A value is replaced by a newer one only."""
    set_tags: Any


def statements_for(database: Database) -> Statements:
    """Build the statements for a database."""
    from sqlalchemy import bindparam, select

    experiments, runs = database.experiments.c, database.runs.c
    return Statements(
        select(experiments.lifecycle_stage).where(experiments.experiment_id == bindparam("experiment")),
        select(runs.run_uuid).where(
            runs.run_uuid.in_(bindparam("runs", expanding=True)), runs.lifecycle_stage == "active"
        ),
        _add_runs(database),
        database.runs.update().where(runs.run_uuid == bindparam("run")),
        _upsert(database, database.params).on_conflict_do_nothing(),
        _upsert(database, database.metrics).on_conflict_do_nothing(),
        _set_latest(database),
        _set_tags(database),
    )


def _add_runs(database: Database) -> Any:
    statement, old = _upsert(database, database.runs), database.runs.c
    ended = {name: statement.excluded[name] for name in ("status", "end_time")}
    return statement.on_conflict_do_update(index_elements=[old.run_uuid], set_=ended)


def _set_tags(database: Database) -> Any:
    statement, old = _upsert(database, database.tags), database.tags.c
    return statement.on_conflict_do_update(
        index_elements=[old.key, old.run_uuid], set_={"value": statement.excluded.value}
    )


def _set_latest(database: Database) -> Any:
    from sqlalchemy import tuple_

    statement, old = _upsert(database, database.latest), database.latest.c
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=[old.key, old.run_uuid],
        set_={name: new[name] for name in ("value", "timestamp", "step", "is_nan")},
        where=tuple_(new.step, new.timestamp, new.value) > tuple_(old.step, old.timestamp, old.value),
    )


def _upsert(database: Database, table: Any) -> Any:
    """Begin an insertion that knows what to do where the row is there; SQL has no common word for it."""
    if database.engine.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
