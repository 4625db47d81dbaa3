"""Folders for files that pass, among the system's temporary files: nobody has to clean up by hand.

Each is locked for as long as its process lives, so what a killed process left behind can be told from what is
in use, and the next process removes it. The lock is ``flock`` on a folder around it: it ends with the
process, however that ends, and is in nobody's way.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

_PREFIX = "sweeps-scratch-"
_NEW = "sweeps-new-"
"""While it is not locked yet, so that nobody takes it for a forsaken one."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give an empty folder that only this user may enter, and remove it on leaving.

    The first of a process also removes those that killed processes of this user left behind.
    """
    _remove_forsaken(tempfile.gettempdir())
    made = Path(tempfile.mkdtemp(prefix=_NEW))
    with _opened(made) as lock:
        with suppress(OSError):  # a file system without locks: nobody can lock it, so nobody removes it
            fcntl.flock(lock, fcntl.LOCK_SH)
        around = made.rename(made.with_name(made.name.replace(_NEW, _PREFIX)))
        try:
            (folder := around / "files").mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(around, ignore_errors=True)


@cache
def _remove_forsaken(parent: str) -> None:
    for folder in Path(parent).glob(f"{_PREFIX}*"):
        with suppress(OSError), _opened(folder) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock).st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield lock
    finally:
        os.close(lock)
