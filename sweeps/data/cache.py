"""Data that was read, checked and encoded before, by any sweep on this machine: taken from disk.

What is built anew is written in ``flush``, so that the first trial need not wait for it.
"""

import os
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sweeps.data.cache_entries import LIMIT, Entries, NotStorableError, digest_file
from sweeps.data.cache_keys import encoded_key, rows_key
from sweeps.data.months import PREFIX, data_folder, require_months
from sweeps.data.prepared import Prepared, open_prepared, prepare
from sweeps.data.spec import DataSpec, check_spec
from sweeps.data.stored_transformer import dump_transformer, load_transformer
from sweeps.exposed import writers
from sweeps.trial import Encoding

if TYPE_CHECKING:
    from sweeps.data.datasets import Dataset

FOLDER = "rows"
_TRANSFORMER = "transformer.skops"


class DataCache:
    """Loads and prepares datasets, and keeps what that gave; use it as a context.

    What it has given out stays on disk until it is left, whatever other processes do with the cache.

    Args:
        folder: of the caches, see ``sweeps.data.cache_folder``; None keeps nothing and finds nothing.
        limit: bytes; beyond it the least recently used goes, unless a running process uses it.
    """

    def __init__(self, folder: Path | None, limit: int = LIMIT) -> None:
        self._entries = None if folder is None or os.name != "posix" else Entries(folder / FOLDER, limit)
        self._unwritten: deque[tuple[str, Callable[[Path], None]]] = deque()
        self.warnings: list[str] = []
        """Why nothing can be kept."""
        if self._entries is not None and (who := writers(self._entries.folder)):
            self.warnings.append(f"cache {self._entries.folder}: may be written by {who}, and is not used")
            self._entries = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._entries is not None:
            self._entries.close()

    def load(self, spec: DataSpec) -> "Dataset":
        """Read, check, split and digest the data; see ``load_dataset``, which this is but for the time.

        Raises:
            UsageError: what is asked for contradicts itself.
            DataError: the data cannot be used.
        """
        from sweeps.data.datasets import load_dataset
        from sweeps.data.stored_rows import open_dataset, save_dataset

        check_spec(spec)
        if self._entries is None or spec.function is not None:  # a function may give other rows each time
            return load_dataset(spec)
        files = _files(spec)
        try:
            before = _states(files)
            key = rows_key(spec, [digest_file(path) for path in files])
        except OSError:
            return load_dataset(spec)  # says what is wrong with the file
        if found := self._entries.open(key):
            return open_dataset(found)
        dataset = load_dataset(spec)
        if _still(files, before):
            self._unwritten.append((key, partial(save_dataset, dataset)))
        return dataset

    def prepare(self, dataset: "Dataset", encoding: Encoding, features: Any, folder: Path) -> Prepared:
        """Give the encoded arrays: in the cache, or built anew in ``folder``; see ``prepare``.

        Raises:
            DataError: no column is usable, or the folder cannot be written.
            SpaceError: the given transformer fails on these rows, or gives no matrix of numbers.
        """
        key = None if self._entries is None else encoded_key(dataset, encoding, features)
        if self._entries is None or key is None:
            return prepare(dataset, encoding, features, folder)
        if found := self._entries.open(key):
            # Read now, since the check of the entry has just been: its end may be hours away.
            stored = (found / _TRANSFORMER).read_bytes()
            return open_prepared(found, partial(load_transformer, stored))
        prepared = prepare(dataset, encoding, features, folder)
        self._unwritten.append((key, partial(_save_prepared, prepared)))
        return prepared

    def flush(self) -> None:
        """Write what was built, when it suits; what is not written by the end is built again next time.

        May run in another thread than the rest, but not beside itself, nor beyond the life of the folders
        that ``prepare`` was given. Where the cache cannot be written it leaves a warning.
        """
        while self._entries is not None and self._unwritten:
            key, write = self._unwritten.popleft()
            try:
                self._entries.add(key, write)
            except NotStorableError:
                continue  # the user's transformer: works, but must be fitted each time
            except OSError as error:
                self._unwritten.clear()
                self.warnings.append(_unwritable(self._entries.folder, error))


def _unwritable(folder: Path, error: OSError) -> str:
    reason = error.strerror or f"cannot be written ({error})"  # NumPy names no reason where a disk is full
    return (
        f"cache {folder}: {reason}; the data will be read and encoded again next time"
        " (set SWEEPS_CACHE_DIR to another folder, or pass --no-cache)"
    )


def _save_prepared(prepared: Prepared, folder: Path) -> None:
    (folder / _TRANSFORMER).write_bytes(dump_transformer(prepared.transformer))
    for path in prepared.folder.iterdir():
        shutil.copyfile(path, folder / path.name)


def _files(spec: DataSpec) -> list[Path]:
    """Every file the rows come from, in order."""
    if spec.name is not None and spec.name.startswith(PREFIX):
        return require_months(spec.name, data_folder(spec.data_dir))
    return [Path(path) for path in spec.files.values()]


def _still(files: Sequence[Path], states: list[tuple[int, int, int]]) -> bool:
    """Whether no file was written since: else what was read may not be what was digested."""
    try:
        return _states(files) == states
    except OSError:
        return False


def _states(files: Sequence[Path]) -> list[tuple[int, int, int]]:
    return [(s.st_ino, s.st_size, s.st_mtime_ns) for s in (path.stat() for path in files)]
