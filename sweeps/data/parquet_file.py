"""Read a Parquet file into columns that can become features."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sweeps.errors import DataError


def read_parquet(path: Path, what: str) -> pd.DataFrame:
    """Rows of a Parquet file; decimals become floats and dates timestamps.

    Args:
        path: the file.
        what: how errors name it.

    Raises:
        DataError: not a whole Parquet file, or a column of a type that cannot become a feature.
    """
    _check_magic(path, what)
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            _check_schema(schema, what)
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(what, f"not a readable Parquet file: {error}", "copy or download it again") from None
    frame: pd.DataFrame = _plain(table).to_pandas(ignore_metadata=True)
    stored = (schema.pandas_metadata or {}).get("columns", [])
    categories = [column["name"] for column in stored if column["pandas_type"] == "categorical"]
    return frame.astype({name: "category" for name in categories if name in frame.columns})


def _check_magic(path: Path, what: str) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(max(0, path.stat().st_size - 4))
            tail = file.read(4)
    except OSError as error:
        raise DataError(what, f"cannot be read: {error.strerror or error}") from None
    if head != b"PAR1":
        raise DataError(what, "not a readable Parquet file (magic bytes missing)")
    if tail != b"PAR1":
        raise DataError(what, "truncated Parquet file", "copy or download it again")


def _check_schema(schema: pa.Schema, what: str) -> None:
    twice = next((name for name in schema.names if schema.names.count(name) > 1), None)
    if twice is not None:
        raise DataError(what, f"column {twice!r} appears twice", "rename one of them")
    for field in schema:
        if not _usable(field.type):
            hint = "leave the column out, or make it numbers, text or dates"
            raise DataError(what, f"column {field.name!r} has type {field.type}", hint)


def _usable(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _usable(kind.value_type)
    tests = (
        pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null,
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view,
        pa.types.is_date, pa.types.is_timestamp, pa.types.is_duration,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def _plain(table: pa.Table) -> pa.Table:
    fields = [pa.field(f.name, _plain_type(f.type)) for f in table.schema]
    index = [name for name in table.column_names if name.startswith("__index_level_")]
    return table.cast(pa.schema(fields)).drop_columns(index)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return pa.float64()
    return pa.timestamp("us") if pa.types.is_date(kind) else kind
