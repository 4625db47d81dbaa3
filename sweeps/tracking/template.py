"""The template of a new SQLite store: MLflow's migrations run once per MLflow version, not once per store."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sweeps.data.cache_folder import cache_folder
from sweeps.scratch import scratch_folder
from sweeps.tracking.files import locked, sync_folder
from sweeps.tracking.quiet import quiet
from sweeps.tracking.schema_version import BOOKKEEPING, revisions


@contextmanager
def template() -> Iterator[Path]:
    """Give a template, building it where there is none; a passing one where the cache is read-only."""
    try:
        found = _cached(cache_folder())
    except OSError:
        with scratch_folder() as folder:
            yield _cached(folder)
    else:
        yield found


def _cached(folder: Path) -> Path:
    path = folder / f"mlflow-{version('mlflow')}.db"
    if _is_good(path):
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):  # of several first users one builds, the others wait for it
        if not _is_good(path):
            _build(folder, path)
    return path


def _is_good(path: Path) -> bool:
    """Whether a template is whole; it lies in the open, so anything may have happened to it."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            row = connection.execute(f"SELECT version_num FROM {BOOKKEEPING}").fetchone()  # noqa: S608 - our constant
            whole = connection.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error:
        return False
    return row is not None and row[0] == revisions().head and whole[0] == "ok"


def _build(folder: Path, path: Path) -> None:
    for leftover in folder.glob("build-*"):  # we hold the lock, so nobody works in them
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=folder, ignore_cleanup_errors=True) as scratch:
        fresh = Path(scratch) / "new.db"
        _migrate(fresh)
        _clean(fresh)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(folder)


def _migrate(path: Path) -> None:
    quiet()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    open_store: Any = SqlAlchemyStore  # untyped
    open_store(f"sqlite:///{path}", path.parent.as_uri()).engine.dispose()


def _clean(path: Path) -> None:
    """Drop what names the folder of the build; MLflow makes its default experiment anew in each store."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM experiments")
        connection.execute("DELETE FROM sqlite_sequence") if _has_sequence(connection) else None
        connection.execute("VACUUM")
        connection.execute(
            "PRAGMA journal_mode = WAL"
        )  # kept in the file: four times faster beside other writers
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _has_sequence(connection: sqlite3.Connection) -> bool:
    return (
        connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone()
        is not None
    )
