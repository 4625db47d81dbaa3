"""Finished work on disk, found again by name: whole or absent, checked when opened, bounded in size.

An entry is a folder of files with a manifest of their sizes and SHA-256 digests. It is written aside and gets
its name by a rename, so that no reader meets half of it; the digests find what a power failure or a curious
hand did to it later, and make waiting for the disk needless. Whoever uses an entry holds a shared lock on its
manifest; the system lifts it when the process ends. Needs POSIX.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

MANIFEST = "manifest.json"
LIMIT = 5 * 2**30
"""Bytes that all entries together may take."""

_NAME = re.compile(r"[a-z]+-[0-9a-f]{32}")
"""Nothing else in the folder is ours to remove."""
_ABANDONED = 86_400
"""Seconds after which what a killed process left half-written is removed."""


class NotStorableError(Exception):
    """What was to become an entry cannot be kept in files."""


class Entries:
    """The entries in a folder, and the locks on those in use.

    Args:
        folder: where they lie; made, for this user alone, when the first is added.
        limit: bytes; beyond it the least recently used entries go.
    """

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder = folder
        self._limit = limit
        self._held: list[int] = []

    def open(self, name: str) -> Path | None:
        """Give the folder of an entry, which stays until ``close``; None where there is none.

        A damaged entry is removed. The cost is reading it once, at the speed of SHA-256.
        """
        path = self.folder / name
        lock = _share(path)
        if lock is not None and _whole(path):
            with contextlib.suppress(OSError):  # a read-only cache still serves
                os.utime(path / MANIFEST)
            self._held.append(lock)
            return path
        if lock is not None:
            os.close(lock)
        _remove(path)
        return None

    def add(self, name: str, write: Callable[[Path], None]) -> None:
        """Make an entry, unless there is one or it alone is beyond the limit; then make room for it.

        Args:
            name: a word, a dash and 32 hexadecimal digits.
            write: writes the entry's files into the empty folder that it is given.

        Raises:
            OSError: the folder cannot be written, or the disk is full.
            NotStorableError: ``write`` says so; nothing is left behind.
        """
        path = self.folder / name
        if path.exists():
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".build-", dir=self.folder, ignore_cleanup_errors=True) as scratch:
            part = Path(scratch) / "entry"
            part.mkdir(mode=0o700)
            write(part)
            _seal(part)
            if _size(part) <= self._limit:
                _rename(part, path)
        self._make_room()

    def close(self) -> None:
        """Let go of the entries in use."""
        while self._held:
            os.close(self._held.pop())

    def _make_room(self) -> None:
        _sweep_up(self.folder)
        found = sorted(_measured(path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)))
        excess = sum(size for _, size, _ in found) - self._limit
        for _, size, path in found:
            if excess <= 0:
                return
            if _remove(path):
                excess -= size


def _seal(folder: Path) -> None:
    """Write the manifest, the last of an entry's files."""
    files = {path.name: [path.stat().st_size, digest_file(path)] for path in sorted(folder.iterdir())}
    (folder / MANIFEST).write_text(json.dumps({"files": files}))


def _whole(folder: Path) -> bool:
    try:
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        return all((folder / name).stat().st_size == size for name, (size, _) in files.items()) and all(
            digest_file(folder / name) == digest for name, (_, digest) in files.items()
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def digest_file(path: Path) -> str:
    """Digest of a file's bytes, 64 hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rename(part: Path, path: Path) -> None:
    try:
        part.rename(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another process was faster
            raise


def _share(path: Path) -> int | None:
    """Lock an entry against removal; None where there is none, or it is being removed."""
    try:
        lock = os.open(path / MANIFEST, os.O_RDONLY)
    except OSError:
        return None
    if _locked(lock, exclusive=False) and _is_open(path / MANIFEST, lock):
        return lock
    os.close(lock)
    return None


def _locked(lock: int, *, exclusive: bool) -> bool:
    """Take a lock without waiting. Where there are no locks, reading goes on and removing does not."""
    import fcntl

    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return not exclusive
    return True


def _is_open(path: Path, descriptor: int) -> bool:
    """Whether a path still leads to the open file: the entry may have been removed before we had the lock."""
    with contextlib.suppress(OSError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _remove(path: Path) -> bool:
    """Remove an entry that nobody uses; whoever looks for it meanwhile finds none."""
    with contextlib.ExitStack() as stack:
        try:
            lock = os.open(path / MANIFEST, os.O_RDWR)
        except FileNotFoundError:  # a damaged one, or none at all
            return path.exists() and _discard(path)
        except OSError:
            return False
        stack.callback(os.close, lock)
        return _locked(lock, exclusive=True) and _discard(path)


def _discard(path: Path) -> bool:
    try:
        with TemporaryDirectory(prefix=".trash-", dir=path.parent, ignore_cleanup_errors=True) as trash:
            path.rename(Path(trash) / "entry")
    except OSError:
        return False
    return True


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _measured(paths: Iterable[Path]) -> Iterable[tuple[float, int, Path]]:
    """When each entry was last used, its bytes, its path; entries that vanish meanwhile are left out."""
    for path in paths:
        with contextlib.suppress(OSError):
            yield (path / MANIFEST).stat().st_mtime, _size(path), path


def _sweep_up(folder: Path) -> None:
    for pattern in (".build-*", ".trash-*"):
        for left in folder.glob(pattern):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(left, ignore_errors=True)
