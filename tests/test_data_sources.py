"""What a DataSpec may name, and what is said about the rest."""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sweeps.data.datasets import load_dataset
from sweeps.data.digest import digest_split
from sweeps.data.spec import DataSpec, check_spec
from sweeps.errors import DataError, UsageError

TABLE = "day,a,y\n" + "".join(f"2024-03-{29 - i:02},{i % 5},{i}\n" for i in range(29))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    names = {name: str(tmp_path / f"{name}.csv") for name in ("train", "valid", "test", "table")}
    for i, path in enumerate(names.values()):
        Path(path).write_text(TABLE.replace("2024", str(2020 + i)))
    (tmp_path / "x.pkl").write_bytes(b"x")
    (tmp_path / "empty.csv").touch()
    return names | {
        "pickle": str(tmp_path / "x.pkl"),
        "folder": str(tmp_path),
        "empty": str(tmp_path / "empty.csv"),
    }


BAD: dict[str, tuple[dict[str, object], str]] = {
    "nothing": ({}, "none is named"),
    "two sources": ({"name": "diabetes", "table": "TABLE", "target": "y"}, "name the data twice"),
    "unknown": ({"name": "diabets"}, "unknown data 'diabets', did you mean 'diabetes'?"),
    "missing file": ({"table": "nowhere.csv", "target": "y"}, "--table nowhere.csv: no such file"),
    "folder": ({"table": "FOLDER", "target": "y"}, "is a folder"),
    "pickle": ({"table": "PICKLE", "target": "y"}, "pickle files can run code"),
    "address": ({"table": "https://x.org/a.csv", "target": "y"}, "is a web address"),
    "empty": ({"table": "EMPTY", "target": "y"}, "file is empty"),
    "no target": ({"table": "TABLE"}, "pass --target COL"),
    "target of diabetes": ({"name": "diabetes", "target": "y"}, "diabetes has its own target"),
    "no validation": ({"train": "TRAIN", "test": "TEST", "target": "y"}, "pass --valid FILE, or --cv 5"),
    "same file": ({"train": "TRAIN", "valid": "TRAIN", "target": "y"}, "is the same file as --train"),
    "valid without train": ({"table": "TABLE", "valid": "VALID", "target": "y"}, "goes with --train"),
    "split by with files": (
        {"train": "TRAIN", "valid": "VALID", "target": "y", "split_by": "day"}, "--train is split already",
    ),
    "split by an unknown column": ({"table": "TABLE", "target": "y", "split_by": "b"}, "no such column"),
    "unknown category": ({"table": "TABLE", "target": "y", "categorical": ("b",)}, "no column 'b' to take"),
    "one fold": ({"name": "diabetes", "cv": 1}, "--cv 1"),
    "seed": ({"name": "diabetes", "seed": -1}, "--split-seed -1"),
    "no month": ({"name": "green-taxi:2023-13,2023-01"}, "'2023-13' is no month"),
    "month twice": ({"name": "green-taxi:2023-01,2023-01"}, "named twice"),
    "one month": ({"name": "green-taxi:2023-01"}, "no month to validate on"),
    "four months": ({"name": "green-taxi:2023-01,2023-02,2023-03,2023-04"}, "4 months"),
    "no function file": ({"name": "nowhere.py:load"}, "no such file: nowhere.py"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_one_line(name: str, files: dict[str, str]) -> None:
    values, expected = BAD[name]
    spec = DataSpec(**{k: files.get(v.lower(), v) if isinstance(v, str) else v for k, v in values.items()})
    with pytest.raises((DataError, UsageError)) as caught:
        load_dataset(spec)
    assert expected in str(caught.value)


def test_a_missing_month_names_file_folder_and_command(tmp_path: Path) -> None:
    spec = DataSpec(name="green-taxi:2023-01,2023-02", data_dir=str(tmp_path))
    with pytest.raises(DataError) as caught:
        check_spec(spec)
    for part in ("green_tripdata_2023-01.parquet", str(tmp_path), "sweeps fetch green-taxi:2023-01,2023-02"):
        assert part in str(caught.value)


def test_months_are_looked_for_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWEEPS_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match=str(tmp_path)):
        check_spec(DataSpec(name="green-taxi:2023-01,2023-02"))


def test_checking_a_spec_imports_nothing_heavy() -> None:
    code = (
        "import sys; from sweeps.data.spec import *; check_spec(DataSpec(name='diabetes'));"
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_opening_prepared_data_imports_only_numpy_and_scipy() -> None:
    code = (
        "import sys; from sweeps.data.prepared import open_folds, open_refit;"
        "print([m for m in ('pandas', 'sklearn', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"


def test_diabetes_is_split_by_seed() -> None:
    first, again = load_dataset(DataSpec(name="diabetes")), load_dataset(DataSpec(name="diabetes"))
    other = load_dataset(DataSpec(name="diabetes", seed=1))
    assert [len(split.y) for split in first.splits.values()] == [265, 89, 88]
    assert first.digest == again.digest != other.digest
    assert first.slug == "diabetes"
    assert first.target == "target"


def test_a_spec_comes_back_from_its_dict(files: dict[str, str]) -> None:
    spec = DataSpec(table=files["table"], target="y", categorical=("a",))
    stored = asdict(spec) | {"categorical": ["a"]}
    assert DataSpec(**stored) == spec


def test_a_table_split_by_a_column_trains_on_the_earliest_rows(files: dict[str, str]) -> None:
    loaded = load_dataset(DataSpec(table=files["table"], target="y", split_by="day"))
    days = [split.X["day"] for split in loaded.splits.values()]
    assert days[0].max() < days[1].min()
    assert days[1].max() < days[2].min()


def test_with_folds_validation_rows_may_be_absent(files: dict[str, str]) -> None:
    loaded = load_dataset(DataSpec(train=files["train"], test=files["test"], target="y", cv=3))
    assert loaded.valid is None
    assert loaded.test is not None


FUNCTIONS = """
import numpy as np
import pandas as pd
import helper

def table():
    return pd.DataFrame({"a": range(20), "y": np.arange(20) * helper.FACTOR})
def splits():
    return {"train": table(), "valid": table().head(5)}
def pairs():
    X = np.ones((12, 2)).cumsum(0)
    return (X, np.arange(12)), (X[:3], np.arange(3))
def only_train():
    return {"train": table()}
def wrong():
    return 5
def misspelt():
    return {"train": table(), "val": table()}
def raises():
    raise KeyError("no such key")
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    (tmp_path / "helper.py").write_text("FACTOR = 2.0\n")
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    return str(tmp_path / "mine.py")


@pytest.mark.parametrize(
    ("function", "target", "rows"),
    [("table", "y", [12, 4, 4]), ("splits", "y", [20, 5]), ("pairs", None, [12, 3])],
)
def test_data_from_a_function(module: str, function: str, target: str | None, rows: list[int]) -> None:
    loaded = load_dataset(DataSpec(name=f"{module}:{function}", target=target))
    assert [len(split.y) for split in loaded.splits.values()] == rows
    assert loaded.slug == "mine"
    assert loaded.target == (target or "target")


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("tabel", "unknown function 'tabel', did you mean 'table'?"),
        ("wrong", "returned int"),
        ("misspelt", "unknown split 'val'"),
        ("raises", "it raised KeyError: 'no such key'"),
        ("only_train", "return a split 'valid', or --cv 5"),
    ],
)
def test_a_function_that_gives_no_data(module: str, function: str, expected: str) -> None:
    with pytest.raises(DataError, match="--data") as caught:
        load_dataset(DataSpec(name=f"{module}:{function}", target="y"))
    assert expected in str(caught.value)


def test_the_digest_is_of_the_content() -> None:
    X = pd.DataFrame(
        {"t": ["a", None, "b"], "n": [1.0, np.nan, 3.0], "d": pd.to_datetime(["2024-01-01", None, None])}
    )
    y = np.array([1.0, 2.0, 3.0])
    digest = digest_split(X.astype({"t": object}), y, "y")
    assert digest == digest_split(X.astype({"t": "string"}), y, "y")
    assert digest == digest_split(X.astype({"d": "datetime64[ns]"}), y, "y")
    assert digest == "9a887c039a3d1fe0"
    others = (
        digest_split(X.rename(columns={"n": "m"}), y, "y"),
        digest_split(X.iloc[::-1], y, "y"),
        digest_split(X, y + 1, "y"),
        digest_split(X, y, "z"),
        digest_split(X.astype({"n": str}), y, "y"),
    )
    assert len({digest, *others}) == 6
