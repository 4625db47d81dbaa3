"""Reading files: what is accepted, and the one line each mistake gets."""

import gzip
import io
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweeps.data.csv_file import read_csv
from sweeps.data.datasets import Dataset, load_dataset
from sweeps.data.spec import DataSpec
from sweeps.errors import DataError

ROWS = [f"{i},{i * i % 7},{i / 3:.3f}" for i in range(20)]
GOOD = "\n".join(["a,b,y", *ROWS]) + "\n"


def frame(rows: int = 20) -> pd.DataFrame:
    i = np.arange(rows)
    return pd.DataFrame({"a": i * 0.5, "b": i * i % 7, "y": i / 3})


def table(path: Path, content: str | bytes | pd.DataFrame, name: str = "t.csv", **spec: Any) -> Dataset:
    file = path / name
    if isinstance(content, pd.DataFrame):
        content.to_parquet(file)
    elif isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content)
    return load_dataset(DataSpec(table=str(file), target=spec.pop("target", "y"), **spec))


def with_cell(text: str, column: str = "b", row: int = 3) -> str:
    lines = GOOD.splitlines()
    cells = lines[row].split(",")
    cells["aby".index(column)] = text
    lines[row] = ",".join(cells)
    return "\n".join(lines)


BAD_CSV: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "file is empty"),
    "blank": ("\n\n", "file is empty"),
    "header only": ("a,b,y\n", "no rows"),
    "one row": ("a,b,y\n1,2,3\n", "1 row; at least 10 needed"),
    "few rows": ("\n".join(["a,b,y", *ROWS[:9]]), "9 rows; at least 10 needed"),
    "no target": (GOOD.replace("y", "z"), "no column 'y' (columns: a, b, z)"),
    "semicolons": (GOOD.replace(",", ";"), "one column named 'a;b;y'"),
    "target missing": ("a,b,y\n" + "1,2,\n" * 20, "target 'y' has all values missing (first in row 1)"),
    "target partly missing": (with_cell("", "y"), "target 'y' has 1 of 20 values missing (first in row 3)"),
    "target text": (with_cell("high", "y"), "target 'y' is text, e.g. 'high' in row 3"),
    "target dates": ("a,y\n" + "1,2020-01-02\n" * 20, "target 'y' holds dates"),
    "infinite": (with_cell("inf"), "column 'b' has an infinite value in row 3"),
    "1e999": (with_cell("1e999"), "column 'b' has an infinite value in row 3"),
    "beyond float32": (with_cell("1e39"), "too large for a model, 1e+39, in row 3"),
    "infinite target": (with_cell("-inf", "y"), "column 'y' has an infinite value in row 3"),
    "beyond 2**53": (with_cell("9007199254740995"), "column 'b' has 9007199254740995 in row 3"),
    "beyond 2**64": (with_cell("99999999999999999999991"), "has 99999999999999999999991 in row 3"),
    "question mark": (with_cell("?"), "column 'b' is text because of '?' in row 3; 95% of its values"),
    "decimal comma": ("a,y\n" + '"1,5",2\n' * 20, "text with commas in numbers, e.g. '1,5'"),
    "twice": (GOOD.replace("a,b,y", "a,a,y"), "column 'a' appears twice"),
    "twice but for spaces": (GOOD.replace("a,b,y", "a,a ,y"), "column 'a' appears twice"),
    "long row": (GOOD + "1,2,3,4\n", "line 22 has 4 fields, the header has 3"),
    "all rows long": ("a,y\n" + "1,2,3\n" * 20, "line 2 has 3 fields, the header has 2"),
    "short row": (GOOD + "1,2\n", "line 22 has 2 fields, the header has 3"),
    "utf-16": (GOOD.encode("utf-16"), "not UTF-8 at byte 0"),
    "latin-1": (GOOD.replace("a,", "ä,").encode("latin-1"), "not UTF-8 at byte 0"),
    "nul": (GOOD + "\0", "NUL character"),
    "gzip named csv": (gzip.compress(GOOD.encode()), "is gzip data (rename it to .csv.gz)"),
    "target only": ("y\n" + "1\n2\n" * 10, "no column but the target"),
}


@pytest.mark.parametrize("name", BAD_CSV)
def test_a_bad_csv_gets_one_line(name: str, tmp_path: Path) -> None:
    content, expected = BAD_CSV[name]
    with pytest.raises(DataError) as caught:
        table(tmp_path, content)
    message = str(caught.value)
    assert expected in message
    assert message.startswith("--table ")
    assert "\n" not in message
    assert caught.value.exit_code == 4


BAD_GZIP: dict[str, tuple[bytes, str]] = {
    "truncated": (gzip.compress(GOOD.encode())[:-9], "truncated gzip file"),
    "damaged": (b"\x1f\x8b\x09" + b"x" * 40, "damaged gzip file"),
    "plain": (GOOD.encode(), "not gzip data"),
}


@pytest.mark.parametrize("name", BAD_GZIP)
def test_a_bad_gzip_gets_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=BAD_GZIP[name][1]):
        table(tmp_path, BAD_GZIP[name][0], "t.csv.gz")


def test_a_gzip_that_expands_too_far_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a" * 100_000))
    with pytest.raises(DataError, match="holds more than"):
        read_csv(path, "--table t.csv.gz", max_bytes=10_000)


def _parquet_bytes(content: pd.DataFrame, tmp_path: Path) -> bytes:
    path = tmp_path / "source.parquet"
    content.to_parquet(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda _: GOOD.encode(), "magic bytes missing"),
        (lambda b: b[:-20], "truncated Parquet file"),
        (lambda b: b[:-60] + b"\xff" * 52 + b[-8:], "not a readable Parquet file"),
    ],
)
def test_a_bad_parquet_gets_one_line(spoil: Callable[[bytes], bytes], expected: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=expected):
        table(tmp_path, spoil(_parquet_bytes(frame(), tmp_path)), "t.parquet")


@pytest.mark.parametrize("value", [[1, 2], {"k": 1}, b"x"])
def test_parquet_types_that_are_no_features_are_refused(value: object, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="column 'c' has type"):
        table(tmp_path, frame().assign(c=[value] * 20), "t.parquet")


def test_parquet_types_that_are_features_become_plain(tmp_path: Path) -> None:
    rows = frame(20)
    columns = {
        "price": pa.array([Decimal("1.50"), None] * 10),
        "day": pa.array(pd.date_range("2024-01-01", periods=20).date),
        "zoned": pa.array(pd.date_range("2024-01-01", periods=20), pa.timestamp("us", "Europe/Berlin")),
        "took": pa.array(pd.to_timedelta(range(20), unit="min")),
        "flag": pa.array([True, False] * 10),
        "maybe": pa.array([True, None] * 10),
        "kind": pa.array(["u", "v"] * 10).dictionary_encode(),
        "none": pa.nulls(20),
        "small": pa.array([3, 4] * 10, pa.int8()),
        "a": pa.array(rows["a"]),
        "y": pa.array(rows["y"]),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    loaded = load_dataset(DataSpec(table=str(tmp_path / "t.parquet"), target="y"))
    kinds = {str(name): str(dtype) for name, dtype in loaded.train.X.dtypes.items()}
    assert kinds == {
        "price": "float64", "day": "datetime64[us]", "zoned": "datetime64[us]", "took": "float64",
        "flag": "bool", "maybe": "float64", "kind": "object", "none": "float64",
        "small": "int64", "a": "float64",
    }  # fmt: skip


def test_numbers_stored_as_pandas_categories_stay_categories(tmp_path: Path) -> None:
    rows = frame().astype({"b": "category"}).assign(k=pd.Categorical(["u", "v"] * 10))
    assert table(tmp_path, rows, "t.parquet").categorical == ("b",)


def test_a_stored_index_is_no_column(tmp_path: Path) -> None:
    loaded = table(tmp_path, frame().iloc[::-1], "t.parquet")
    assert list(loaded.train.X.columns) == ["a", "b"]


def test_csv_and_its_gzip_and_parquet_hold_the_same_data(tmp_path: Path) -> None:
    plain = table(tmp_path, GOOD)
    zipped = table(tmp_path, gzip.compress(b"\xef\xbb\xbf" + GOOD.encode()), "z.csv.gz")
    parquet = table(tmp_path, pd.read_csv(tmp_path / "t.csv"), "t.parquet")
    assert plain.digest == zipped.digest == parquet.digest
    assert plain.slug == "t"


def test_missing_dates_text_and_flags_are_kept(tmp_path: Path) -> None:
    lines = ["when,kind,flag,y"] + [f"2024-01-{i + 1:02} 05:30,k{i % 3},{i % 2 == 0},{i}" for i in range(19)]
    loaded = table(tmp_path, "\n".join([*lines, ",,,3"]))
    X = pd.concat([split.X for split in loaded.splits.values()])
    assert [str(dtype) for dtype in X.dtypes] == ["datetime64[us]", "object", "float64"]
    assert X.isna().sum().tolist() == [1, 1, 1]


def test_header_spaces_are_normalised_with_a_warning(tmp_path: Path) -> None:
    loaded = table(tmp_path, GOOD.replace("a,b,y", "a,b ,y"))
    assert list(loaded.train.X.columns) == ["a", "b"]
    assert any("normalised: b" in warning for warning in loaded.warnings)


def _splits(tmp_path: Path, other: str, **spec: Any) -> Dataset:
    (tmp_path / "train.csv").write_text(GOOD)
    (tmp_path / "test.csv").write_text(other)
    files = {"train": str(tmp_path / "train.csv"), "valid": str(tmp_path / "test.csv")}
    return load_dataset(replace(DataSpec(target="y", **files), **spec))


def test_columns_that_differ_between_splits_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"columns differ from --train .*: missing 'b'; extra 'c', 'd'"):
        _splits(tmp_path, "c,a,d,y\n" + "1,2,3,4\n" * 10)


def test_columns_in_another_order_are_reordered(tmp_path: Path) -> None:
    loaded = _splits(tmp_path, "y,b,a\n" + "".join(f"{i},2,3\n" for i in range(10)))
    assert loaded.valid is not None
    assert list(loaded.valid.X.columns) == ["a", "b"]
    assert loaded.valid.y[:3].tolist() == [0, 1, 2]


def test_another_kind_of_values_in_a_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"column 'b' holds text, e.g. 'red', but numbers in --train"):
        _splits(tmp_path, "a,b,y\n" + "1,red,4\n" * 10)


def test_numbers_have_one_type_in_all_splits(tmp_path: Path) -> None:
    loaded = _splits(tmp_path, "a,b,y\n" + "1,,4\n" * 10)
    assert {str(split.X["b"].dtype) for split in loaded.splits.values()} == {"float64"}


def test_rows_shared_between_splits_are_a_warning(tmp_path: Path) -> None:
    but_one = "".join(GOOD.splitlines(keepends=True)[:-1])
    told = _splits(tmp_path, but_one).warnings
    assert "100% of the valid rows also occur among the training rows" in told


def test_the_same_rows_in_another_format_are_refused(tmp_path: Path) -> None:
    pd.read_csv(io.StringIO(GOOD)).to_parquet(tmp_path / "copy.parquet")
    with pytest.raises(DataError, match=r"--test .*copy.parquet: has the same rows as --train .*train.csv"):
        _splits(tmp_path, GOOD.replace("1", "2"), test=str(tmp_path / "copy.parquet"))


def test_a_constant_target_is_a_warning(tmp_path: Path) -> None:
    loaded = table(tmp_path, "a,y\n" + "".join(f"{i},3\n" for i in range(20)))
    assert "target 'y' is constant (3)" in loaded.warnings


def test_a_real_table(mpg_csv: Path) -> None:
    loaded = load_dataset(DataSpec(table=str(mpg_csv), target="mpg"))
    assert [len(split.y) for split in loaded.splits.values()] == [239, 79, 80]
    assert all(math.isfinite(value) for value in loaded.train.y)
