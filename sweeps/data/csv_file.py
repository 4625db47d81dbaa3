"""Read a CSV file so that nothing in it is silently renamed, shifted or lost."""

import csv
import gzip
import io
import zlib
from pathlib import Path

import pandas as pd

from sweeps.errors import DataError

MAX_BYTES = 2 * 2**30
_GZIP = b"\x1f\x8b"


def read_csv(path: Path, what: str, max_bytes: int = MAX_BYTES) -> pd.DataFrame:
    """Rows of a UTF-8 CSV file with a header, plain or gzip.

    Args:
        path: the file; its name ends in ``.csv`` or ``.csv.gz``.
        what: how errors name it, e.g. ``--train data.csv``.
        max_bytes: refuse more than this after decompression.

    Raises:
        DataError: not readable as such, or rows that do not fit the header.
    """
    text = _decode(_read(path, what, max_bytes), what)
    _check_fields(text, what)
    try:
        return pd.read_csv(io.StringIO(text), index_col=False, low_memory=False, skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError, OverflowError) as error:
        raise DataError(what, f"not a readable CSV file: {error}") from None


def _read(path: Path, what: str, max_bytes: int) -> bytes:
    zipped = path.name.lower().endswith(".gz")
    try:
        with path.open("rb") as file:
            magic = file.read(2)
            file.seek(0)
            _check_magic(magic, zipped, what)
            data = (gzip.GzipFile(fileobj=file) if zipped else file).read(max_bytes + 1)
    except EOFError:
        raise DataError(what, "truncated gzip file", "copy or download it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(what, f"damaged gzip file: {error}", "copy or download it again") from None
    except OSError as error:
        raise DataError(what, f"cannot be read: {error.strerror or error}") from None
    if len(data) > max_bytes:
        raise DataError(what, f"holds more than {max_bytes / 2**30:.2g} GiB", "use Parquet, or fewer rows")
    return data


def _check_magic(magic: bytes, zipped: bool, what: str) -> None:
    if zipped and magic != _GZIP:
        raise DataError(what, "not gzip data", "rename it to .csv")
    if not zipped and magic == _GZIP:
        raise DataError(what, "is gzip data", "rename it to .csv.gz")


def _decode(data: bytes, what: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(what, f"not UTF-8 at byte {error.start}", "convert it to UTF-8") from None
    if "\0" in text:
        raise DataError(what, f"has a NUL character at position {text.index(chr(0))}", "is it a CSV file?")
    if not text.strip():
        raise DataError(what, "file is empty")
    return text


def _check_fields(text: str, what: str) -> None:
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        header = next(row for row in reader if row)
        _check_header(header, what)
        for row in reader:
            if row and len(row) != len(header):
                counts = f"line {reader.line_num} has {len(row)} fields, the header has {len(header)}"
                raise DataError(
                    what, counts, "quote fields that hold a comma; write a missing value as nothing"
                )
    except csv.Error as error:
        raise DataError(what, f"line {reader.line_num}: {error}") from None


def _check_header(header: list[str], what: str) -> None:
    separator = next((s for s in ";\t|" if s in header[0]), None)
    if len(header) == 1 and separator:
        raise DataError(what, f"one column named {header[0]!r}", f"separate by commas, not by {separator!r}")
    names = [name.strip() for name in header]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DataError(what, f"column {twice!r} appears twice", "rename one of them")
