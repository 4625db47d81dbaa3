"""Rows made for benchmarks, written to Parquet a piece at a time, so that making them takes little memory."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NUMBERS = 10
PIECE = 500_000
"""Rows made at once; a row group of the file."""
TOWNS, KINDS = 200, 12


def write_rows(path: Path, rows: int, seed: int) -> None:
    """Write rows of ten numbers (float32), two categories (text) and a target ``y`` that depends on some."""
    rng = np.random.default_rng(seed)
    first = _piece(rng, min(rows, PIECE))
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for start in range(PIECE, rows, PIECE):
            writer.write_table(_piece(rng, min(PIECE, rows - start)))


def _piece(rng: np.random.Generator, rows: int) -> pa.Table:
    numbers = rng.standard_normal((NUMBERS, rows), dtype=np.float32)
    town, kind = (rng.integers(count, size=rows, dtype=np.int32) for count in (TOWNS, KINDS))
    y = 10 * numbers[0] + 5 * np.abs(numbers[1]) + numbers[2] * kind + 3 * np.sin(town)
    columns = {f"number_{i}": column for i, column in enumerate(numbers)}
    columns |= {"town": _text("town", town, TOWNS), "kind": _text("kind", kind, KINDS)}
    return pa.table({**columns, "y": y + rng.standard_normal(rows, dtype=np.float32)})


def _text(word: str, codes: np.ndarray, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(codes, [f"{word} {i}" for i in range(count)]).cast(pa.string())
