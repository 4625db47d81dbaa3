"""Files that are there whole or not at all, also after a kill."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


def copy_durably(source: Path, target: Path) -> None:
    """Copy a file and wait until it is on disk."""
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer)
        writer.flush()
        os.fsync(writer.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; the system lifts it when the process dies.

    Where there are no such locks (some network drives) it goes on without: the worst is work done twice.
    """
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
