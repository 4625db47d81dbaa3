"""MLflow's own tables, where a store is a database whose schema we know.

The public client needs 36 statements and four transactions for a trial. Reading and writing the same rows
directly costs a tenth of that (see docs/decisions/0011-tracking-in-the-background.md), but leans on a schema
that is not public: so only in the versions for which the tests have compared every row.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sweeps.credentials import without_secrets
from sweeps.errors import StoreDownError, StoreError
from sweeps.tracking.probe import scheme_of
from sweeps.tracking.schema_version import BOOKKEEPING
from sweeps.tracking.sqlite import path_of
from sweeps.tracking.store import Store, telling_line

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

VERIFIED = frozenset({"dc11669786a5"})
"""Schema versions in which our rows are those of MLflow's client, as ``tests/test_tracking_sql.py`` shows."""

DIALECTS = ("sqlite", "postgresql")
PASSING = ("locked", "busy", "full", "disk I/O error", "unable to open")
"""Words of SQLite for what may be otherwise a moment later."""

LOCK_SECONDS = 20
"""How long to wait for another writer; as MLflow."""


@dataclass(frozen=True)
class Database:
    """The database of a store, and MLflow's own description of its tables."""

    engine: "Engine"
    about: str
    """The store as it may be printed."""
    experiments: Any
    runs: Any
    tags: Any
    params: Any
    metrics: Any
    latest: Any
    """The newest value of each metric, which MLflow keeps apart."""
    file: "DatabaseFile | None" = None
    """Of SQLite."""

    @contextmanager
    def begin(self) -> "Iterator[Connection]":
        """Give a connection; what is done with it is one transaction.

        Raises:
            StoreDownError: the database is gone, locked or full; waiting may help.
            StoreError: it refuses.
        """
        from sqlalchemy.exc import SQLAlchemyError

        if self.file is not None:
            self.file.check()
        try:
            with self.engine.begin() as connection:
                if self.engine.dialect.name == "sqlite":  # not kept in the file; MLflow sets the same
                    connection.exec_driver_sql("PRAGMA foreign_keys = ON")
                    connection.exec_driver_sql(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")
                yield connection
        except SQLAlchemyError as error:
            kind = StoreDownError if self._may_pass(error) else StoreError
            raise kind(f"MLflow {self.about}", telling_line(str(error))) from without_secrets(error)

    def _may_pass(self, error: Exception) -> bool:
        """Whether the database may take later what it refuses now."""
        from sqlalchemy.exc import InterfaceError, OperationalError

        if self.file is not None:
            return any(word in str(error) for word in PASSING)
        return isinstance(error, OperationalError | InterfaceError)


@dataclass(frozen=True)
class DatabaseFile:
    """A SQLite file in use: should its name lead to another one, what is written would be lost."""

    path: Path
    device: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Take note of the file at a path."""
        status = path.stat()
        return cls(path, status.st_dev, status.st_ino)

    def check(self) -> None:
        """Make sure that it is still the same.

        Raises:
            StoreError: it was moved, deleted or replaced.
        """
        try:
            same = DatabaseFile.of(self.path) == self
        except OSError:
            same = False
        if not same:
            wrong = "was moved, deleted or replaced while it was in use"
            raise StoreError(f"sqlite {self.path}", wrong, "bring it back, then: sweeps resume last")


def database_of(store: Store) -> Database | None:
    """Give the database behind a store; None where it is not one that we know."""
    if scheme_of(store.uri) not in DIALECTS:
        return None
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    inner = store.client._tracking_client.store  # noqa: SLF001 - there is no public way to it
    if type(inner) is not SqlAlchemyStore:  # nor a subclass, which would keep more than we write
        return None
    file = DatabaseFile.of(path_of(store.uri)) if scheme_of(store.uri) == "sqlite" else None
    found = replace(_tables(inner.engine, store.shown), file=file)
    with found.begin() as connection:
        version = connection.exec_driver_sql(f"SELECT version_num FROM {BOOKKEEPING}").scalar()  # noqa: S608 - our constant
    return found if version in VERIFIED else None


def _tables(engine: "Engine", about: str) -> Database:
    from mlflow.store.tracking.dbmodels import models

    return Database(
        engine,
        about,
        models.SqlExperiment.__table__,
        models.SqlRun.__table__,
        models.SqlTag.__table__,
        models.SqlParam.__table__,
        models.SqlMetric.__table__,
        models.SqlLatestMetric.__table__,
    )
