"""A dataset on disk: read back, it equals what was written in every value and type."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.data.arrays import save_array
from sweeps.data.cache_entries import NotStorableError
from sweeps.data.datasets import Dataset, Split

_ABOUT, _TEXTS = "dataset.json", "texts.json"
_FIELDS = ("name", "slug", "target", "categorical", "recipe", "cv", "seed", "warnings")
_TYPES = ("int64", "float64", "bool", "datetime64[us]")
"""Of columns that are arrays as they are; text is stored as codes into a list of its values."""


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write a dataset into an empty folder.

    Raises:
        OSError: it cannot be written.
        NotStorableError: a column of a type that no normalised column has.
    """
    splits = {name: _save_split(split, name, folder) for name, split in dataset.splits.items()}
    about = {name: getattr(dataset, name) for name in _FIELDS} | {"splits": splits}
    (folder / _ABOUT).write_text(json.dumps(about))


def open_dataset(folder: Path) -> Dataset:
    """Read what ``save_dataset`` wrote.

    Raises:
        OSError: it is not there.
    """
    about: dict[str, Any] = json.loads((folder / _ABOUT).read_text())
    splits = {name: _open_split(entry, name, folder) for name, entry in about.pop("splits").items()}
    about |= {name: tuple(about[name]) for name in ("categorical", "warnings")}
    return Dataset(train=splits["train"], valid=splits.get("valid"), test=splits.get("test"), **about)


def _save_split(split: Split, name: str, folder: Path) -> dict[str, Any]:
    types = [_type(split.X[column]) for column in split.X.columns]
    for kind in _TYPES:
        columns = [split.X.iloc[:, i].to_numpy() for i, found in enumerate(types) if found == kind]
        if columns:
            save_array(_array(folder, name, kind), np.stack(columns))
    texts = [_factorized(split.X.iloc[:, i]) for i, found in enumerate(types) if found == "text"]
    if texts:
        save_array(_array(folder, name, "text"), np.stack([codes for codes, _ in texts]))
        (folder / f"{name}.{_TEXTS}").write_text(json.dumps([values for _, values in texts]))
    save_array(folder / f"{name}.y.npy", split.y)
    return {"columns": list(zip(split.X.columns, types, strict=True)), "digest": split.digest}


def _open_split(entry: dict[str, Any], name: str, folder: Path) -> Split:
    arrays = {kind: _arrays(folder, name, kind) for kind in {kind for _, kind in entry["columns"]}}
    columns = {column: next(arrays[kind]) for column, kind in entry["columns"]}
    y: NDArray[np.float64] = np.load(folder / f"{name}.y.npy")
    return Split(pd.DataFrame(columns, index=pd.RangeIndex(len(y))), y, entry["digest"])


def _type(column: "pd.Series[Any]") -> str:
    if column.dtype == object:
        return "text"
    if str(column.dtype) in _TYPES:
        return str(column.dtype)
    raise NotStorableError(f"column {column.name!r} has type {column.dtype}")


def _factorized(column: "pd.Series[Any]") -> tuple[NDArray[np.intp], list[str]]:
    """Codes, -1 for missing, and the texts they stand for."""
    codes, values = pd.factorize(column)
    if not all(type(value) is str for value in values):
        raise NotStorableError(f"column {column.name!r} holds more than text")
    return codes, list(values)


def _arrays(folder: Path, name: str, kind: str) -> Iterator[Any]:
    """Give the columns of one type, in order."""
    stored = np.load(_array(folder, name, kind))
    if kind != "text":
        yield from stored
        return
    texts = json.loads((folder / f"{name}.{_TEXTS}").read_text())
    for codes, values in zip(stored, texts, strict=True):
        # -1 takes the last one. A Series, as pandas would take an array of texts for its string type.
        yield pd.Series(np.array([*values, np.nan], dtype=object)[codes], dtype=object)


def _array(folder: Path, name: str, kind: str) -> Path:
    return folder / f"{name}.{kind.partition('[')[0]}.npy"
