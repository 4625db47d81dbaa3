"""Files of a folder of the driver, on their way to the workers of a cluster; known there by their digest."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

CHUNK = 8 * 1024 * 1024
"""Bytes that travel at once: below what Dask warns of, and little beside what a worker has."""


class Bundle(NamedTuple):
    """Some files of a folder, as they lie on the driver."""

    folder: str
    """Absolute."""
    names: tuple[str, ...]
    """Of the files, relative to the folder, sorted."""
    digest: str
    """Of names and contents: SHA-256, in hex."""


class Chunk(NamedTuple):
    """A part of a file of a bundle."""

    digest: str
    """Of the bundle."""
    name: str
    """Of the file in it."""
    content: bytes


def bundle(folder: Path, names: Iterable[str] | None = None) -> Bundle:
    """Describe files of a folder.

    Args:
        folder: where they lie.
        names: relative to it; None for all files in it and below.

    Raises:
        OSError: one cannot be read.
    """
    found = tuple(sorted(_all(folder) if names is None else names))
    return Bundle(str(folder), found, digest_of(folder, found))


def digest_of(folder: Path, names: Iterable[str]) -> str:
    """Give the digest of files of a folder.

    Raises:
        OSError: one cannot be read.
    """
    total = hashlib.sha256()
    for name in names:
        with (folder / name).open("rb") as file:
            inner = hashlib.file_digest(file, "sha256")
        total.update(f"{name}\0{inner.hexdigest()}\0".encode())
    return total.hexdigest()


def chunks(bundle: Bundle) -> Iterator[Chunk]:
    """Read the files in the order of their names, piece by piece; an empty file is one empty piece."""
    for name in bundle.names:
        with (Path(bundle.folder) / name).open("rb") as file:
            content = file.read(CHUNK)
            yield Chunk(bundle.digest, name, content)
            while content := file.read(CHUNK):
                yield Chunk(bundle.digest, name, content)


def _all(folder: Path) -> Iterator[str]:
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
