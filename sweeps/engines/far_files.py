"""On a worker of a cluster: the driver's files, found where they are or brought here, once for each machine.

What is brought lies in a folder of the session, among the system's temporary files. Its name cannot be
guessed, and every process that uses it holds a lock on it. The last one removes it; what killed ones left
behind is removed by the next session.
"""

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from sweeps.engines.bundles import Bundle, Chunk, digest_of

_PREFIX = "sweeps-shared-"
_LOCK = threading.RLock()
_HELD: dict[str, int] = {}
"""File descriptors of the locks on the folders of the sessions that this process takes part in."""


def hold(session: str) -> None:
    """Take part in a session: its folder stays until it is left.

    Args:
        session: its name, 32 hexadecimal digits drawn at random.
    """
    with _LOCK:
        if session not in _HELD:
            _remove_forsaken()
            while (lock := _locked(folder_of(session))) is None:
                pass
            _HELD[session] = lock


def leave(session: str) -> None:
    """Take part no more; the last process on this machine removes the folder."""
    with _LOCK:
        if session in _HELD:
            os.close(_HELD.pop(session))
            _remove_unless_held(folder_of(session))


def find(session: str, bundle: Bundle) -> str | None:
    """Give the folder here that holds a bundle: brought, or the driver's own where that is seen here."""
    brought = folder_of(session) / bundle.digest
    if brought.is_dir():
        return str(brought)
    with contextlib.suppress(OSError):
        if digest_of(Path(bundle.folder), bundle.names) == bundle.digest:
            return bundle.folder
    return None


def put(session: str, part: str, chunk: Chunk) -> None:
    """Append to a file of a bundle that is being brought.

    Args:
        session: its name.
        part: whoever brings it; two that bring the same do not meet.
        chunk: what comes next.
    """
    path = folder_of(session) / part / chunk.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(chunk.content)


def seal(session: str, part: str, bundle: Bundle) -> str:
    """Give the folder of a bundle that was brought whole.

    Raises:
        OSError: what came is not what was sent.
    """
    came, whole = folder_of(session) / part, folder_of(session) / bundle.digest
    if digest_of(came, bundle.names) != bundle.digest:
        shutil.rmtree(came)
        raise OSError(f"the files of {bundle.folder} did not come whole")
    with contextlib.suppress(OSError):  # somebody else brought the same
        came.rename(whole)
    shutil.rmtree(came, ignore_errors=True)
    return str(whole)


def folder_of(session: str) -> Path:
    """Where a session keeps files on this machine.

    Raises:
        ValueError: that is no name of a session.
    """
    if not re.fullmatch("[0-9a-f]{32}", session):
        raise ValueError(f"no name of a session: {session!r}")
    return Path(tempfile.gettempdir()) / f"{_PREFIX}{session}"


def _locked(folder: Path) -> int | None:
    """Lock a folder, made if missing; None if somebody removed it at this very moment."""
    with contextlib.suppress(FileNotFoundError):
        folder.mkdir(mode=0o700, exist_ok=True)
        if not _is_ours(folder):
            raise PermissionError(f"{folder} belongs to somebody else")
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        fcntl.flock(lock, fcntl.LOCK_SH)
        if _leads_to(folder / "lock", lock):
            return lock
        os.close(lock)
    return None


def _remove_forsaken() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if folder.name.removeprefix(_PREFIX) not in _HELD:
            _remove_unless_held(folder)


def _remove_unless_held(folder: Path) -> None:
    with contextlib.suppress(OSError), _only_lock(folder):
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _only_lock(folder: Path) -> Iterator[None]:
    """Hold a folder of ours alone.

    Raises:
        OSError: it is not ours, is used, or is just being made.
    """
    if not _is_ours(folder):
        raise PermissionError(folder)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _leads_to(folder / "lock", lock):
            raise FileNotFoundError(folder)
        yield
    finally:
        os.close(lock)


def _is_ours(folder: Path) -> bool:
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def _leads_to(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False
