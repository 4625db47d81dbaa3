"""A SQLite store: look before MLflow touches it, and make a new one so that no kill can ruin it.

MLflow makes a new store by 67 migrations in place; killed among them it leaves a file that nothing opens
again. Here a new store is a copy of a template, put in place whole.
"""

import os
import sqlite3
import stat
import tempfile
import uuid
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from sweeps.errors import StoreError
from sweeps.tracking.files import copy_durably, locked, sync_folder
from sweeps.tracking.schema_version import BOOKKEEPING, check_foreign, check_version, is_empty

LOCK_SECONDS = 4.0
"""How long a probe waits for another writer."""

_HINT = "name a file you may write: --tracking-uri sqlite:///PATH"


def path_of(uri: str) -> Path:
    """Give the file of a canonical SQLite URI."""
    return Path(uri.partition(":///")[2].partition("?")[0])


def ensure_sqlite(path: Path) -> None:
    """Make the store where there is none; else check that it can be used.

    Raises:
        StoreError: it is not a file, not writable, not MLflow's, or of another schema version.
    """
    what = f"sqlite {path}"
    _sweep_leftovers(path)
    if _is_blank(path, what):
        _create(path, what)
    _check(path, what)


def check_sqlite(path: Path) -> None:
    """Check that the store can be used or, where there is none, made; leaves nothing behind.

    Raises:
        StoreError: as ``ensure_sqlite``.
    """
    what = f"sqlite {path}"
    if not _is_blank(path, what):
        _check(path, what)
        return
    _check_folder(path, what)
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise StoreError(what, _why(error), _HINT) from None


def checkpoint(path: Path) -> None:
    """Move the write-ahead log into the file, so that a copy of it is whole; skipped while it is busy."""
    with suppress(sqlite3.Error), closing(_connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _is_blank(path: Path, what: str) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return True
    except OSError as error:
        raise StoreError(what, _why(error), _HINT) from None
    if stat.S_ISDIR(status.st_mode):
        raise StoreError(what, "is a directory", f"write sqlite:///{path}/mlflow.db")
    return status.st_size == 0


def _create(path: Path, what: str) -> None:
    from sweeps.tracking.template import template

    _check_folder(path, what)
    fresh = path.parent / f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.new"
    try:
        fresh.touch(exist_ok=False)  # a folder we may not write is known before any work
        with template() as source:
            copy_durably(source, fresh)
        _put_in_place(fresh, path)
    except OSError as error:
        raise StoreError(what, _why(error), _HINT) from None
    finally:
        fresh.unlink(missing_ok=True)


def _check_folder(path: Path, what: str) -> None:
    if not path.parent.is_dir():
        raise StoreError(what, f"folder {path.parent} does not exist", f"mkdir -p {path.parent}")


def _put_in_place(fresh: Path, path: Path) -> None:
    """Give the new store its name, unless another process was faster; never over a store with content."""
    with locked(path.parent):
        if path.exists() and path.stat().st_size == 0:
            fresh.replace(path)
            return
        try:
            os.link(fresh, path)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links: our own lock must do
            if not path.exists():
                fresh.replace(path)
    sync_folder(path.parent)


def _sweep_leftovers(path: Path) -> None:
    """Remove what killed processes left of their attempts."""
    for leftover in path.parent.glob(f".{path.name}.*.new"):
        pid = leftover.name.split(".")[-3]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            with suppress(OSError):
                leftover.unlink()


def _check(path: Path, what: str) -> None:
    # Never opened but by SQLite: closing it would lift the locks of all its connections in this process, and
    # others would then delete the write-ahead log under them (https://www.sqlite.org/howtocorrupt.html, 2.2).
    if not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise StoreError(what, "read-only", _HINT)
    try:
        with closing(_connect(path)) as connection:
            tables = [
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            tables = [name for name in tables if not name.startswith("sqlite_")]
            if is_empty(tables):
                raise StoreError(what, "half-created by a killed process", "delete it")
            check_foreign(what, tables)
            check_version(what, _version(connection, tables), f"sqlite:///{path}")
            _try_to_write(connection)
    except sqlite3.Error as error:
        raise _trouble(what, error) from None
    if not os.access(
        path.parent, os.W_OK, effective_ids=os.access in os.supports_effective_ids
    ):  # SQLite writes its journal beside the file
        raise StoreError(what, "its folder is read-only, and SQLite writes beside the file", _HINT)


def _try_to_write(connection: sqlite3.Connection) -> None:
    """Write what is there already, and take it back: BEGIN itself does not tell that a file is read-only."""
    connection.execute("BEGIN IMMEDIATE")
    [version] = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {int(version)}")
    connection.execute("ROLLBACK")


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path))}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS, isolation_level=None)


def _version(connection: sqlite3.Connection, tables: list[str]) -> str | None:
    if BOOKKEEPING not in tables:
        return None
    row = connection.execute(f"SELECT version_num FROM {BOOKKEEPING}").fetchone()  # noqa: S608 - our own constant
    return None if row is None else str(row[0])


def _trouble(what: str, error: sqlite3.Error) -> StoreError:
    text = str(error)
    if "locked" in text:
        return StoreError(what, f"locked by another process for {LOCK_SECONDS:g} s", "wait until it is done")
    if "readonly" in text or "unable to open" in text:
        return StoreError(what, "read-only" if "readonly" in text else "cannot be opened for writing", _HINT)
    if "full" in text:
        return StoreError(what, "the disk is full", "make room, or name a file elsewhere")
    if (
        "disk I/O error" in text
    ):  # what a full disk is, too, where SQLite has yet to make its index of the log
        return StoreError(what, f"the disk cannot be written ({text})", "make room, or name a file elsewhere")
    return StoreError(
        what, f"not a valid database ({text})", "restore it from a backup, or name another file"
    )


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
