"""Load what a DataSpec names into checked splits."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.data.checks import (
    MIN_ROWS,
    check_features,
    check_rows,
    constant_warning,
    overlap_warning,
    take_target,
)
from sweeps.data.columns import align, normalise, numeric_categories
from sweeps.data.digest import digest_all, digest_split
from sweeps.data.months import data_folder, require_months
from sweeps.data.spec import DataSpec, check_spec
from sweeps.data.splits import split_by_column, split_by_seed
from sweeps.errors import DataError
from sweeps.exposed import exposed


@dataclass(frozen=True)
class Split:
    """Rows of one split."""

    X: pd.DataFrame
    """Raw rows without the target; columns of int64, float64, bool, datetime64[us] or object (text)."""
    y: NDArray[np.float64]
    digest: str
    """Of the content, 16 hexadecimal digits."""


@dataclass(frozen=True)
class Dataset:
    """Checked splits with the same columns."""

    name: str
    """As the user named it."""
    slug: str
    """Short and fit for a model's name: ``green-taxi``, ``diabetes``, the stem of a file."""
    target: str
    train: Split
    valid: Split | None
    """None only under ``cv`` where the user gave no validation rows."""
    test: Split | None
    categorical: tuple[str, ...] = ()
    """Columns to take as categories although they hold numbers."""
    recipe: str | None = None
    """Name of the dataset's own features, see ``sweeps.data.recipes``; None where it has none."""
    cv: int | None = None
    seed: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def splits(self) -> dict[str, Split]:
        """The splits there are, by name: train, valid, test."""
        named = {"train": self.train, "valid": self.valid, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}

    @property
    def digest(self) -> str:
        """Digest over all splits."""
        return digest_all([f"{name} {split.digest}" for name, split in self.splits.items()])


@dataclass(frozen=True)
class _Source:
    """Frames by split name (``table``: still to be split), target included, and how errors name each."""

    frames: dict[str, pd.DataFrame]
    whats: dict[str, str]
    name: str
    slug: str
    target: str
    categorical: tuple[str, ...] = ()
    recipe: str | None = None


def load_dataset(spec: DataSpec) -> Dataset:
    """Read, check, split and digest the data.

    Raises:
        DataError: the data cannot be used; one line says why.
    """
    check_spec(spec)
    source = _read(spec)
    declared = [numeric_categories(frame) for frame in source.frames.values()]
    categorical = tuple(
        dict.fromkeys((*source.categorical, *spec.categorical, *(n for d in declared for n in d)))
    )
    plain = {name: normalise(frame, source.whats[name]) for name, frame in source.frames.items()}
    told = exposed(spec.function[0]) if spec.function else ""
    warnings = [told] if told else []
    warnings += [warning for _, found in plain.values() for warning in found]
    frames = _align({name: frame for name, (frame, _) in plain.items()}, source.whats)
    categorical = tuple(name for name in categorical if name != source.target)
    _check(frames, source.whats, source.target, categorical)
    parts = _split(frames, source.whats, spec)
    splits = {name: take_target(frame, source.target, name) for name, frame in parts.items()}
    warnings += _judge(splits, source.target, spec)
    named = {name: Split(X, y, digest_split(X, y, source.target)) for name, (X, y) in splits.items()}
    if "table" not in source.frames:
        _refuse_same_rows({source.whats[name]: split.digest for name, split in named.items()})
    return Dataset(
        name=source.name, slug=source.slug, target=source.target,
        train=named["train"], valid=named.get("valid"), test=named.get("test"),
        categorical=categorical, recipe=source.recipe, cv=spec.cv, seed=spec.seed, warnings=tuple(warnings),
    )  # fmt: skip


def _read(spec: DataSpec) -> _Source:
    if spec.name is None:
        return _read_files(spec)
    if spec.function is not None:
        return _read_function(spec, spec.name)
    readers: dict[str, Callable[[DataSpec, str], _Source]] = {"diabetes": _read_diabetes}
    return readers.get(spec.name, _read_taxi)(spec, spec.name)


def _read_diabetes(_spec: DataSpec, name: str) -> _Source:
    from sklearn.datasets import load_diabetes

    frame = load_diabetes(as_frame=True, scaled=False).frame
    return _Source({"table": frame}, {"table": name}, name, name, "target")


def _read_taxi(spec: DataSpec, name: str) -> _Source:
    from sweeps.data.green_taxi import CATEGORICAL, TARGET, read_month

    paths = require_months(name, data_folder(spec.data_dir))
    named = dict(zip(("train", "valid", "test"), paths, strict=False))
    frames = {split: read_month(path) for split, path in named.items()}
    whats = {split: path.name for split, path in named.items()}
    return _Source(frames, whats, name, "green-taxi", TARGET, CATEGORICAL, "green-taxi")


def _read_files(spec: DataSpec) -> _Source:
    whats = {option.removeprefix("--"): f"{option} {path}" for option, path in spec.files.items()}
    frames = {
        option.removeprefix("--"): _read_file(Path(path), f"{option} {path}")
        for option, path in spec.files.items()
    }
    first = Path(next(iter(spec.files.values())))
    slug = _slug(first.name.split(".")[0])
    return _Source(frames, whats, str(first), slug, (spec.target or "").strip())


def _read_file(path: Path, what: str) -> pd.DataFrame:
    from sweeps.data.csv_file import read_csv
    from sweeps.data.parquet_file import read_parquet

    reader = read_parquet if path.suffix.lower() == ".parquet" else read_csv
    return reader(path, what)


def _read_function(spec: DataSpec, name: str) -> _Source:
    from sweeps.data.user_function import call_user_function

    path, function = spec.function or (Path(), "")
    frames, target = call_user_function(path, function, spec.target)
    if "valid" not in frames and "table" not in frames and spec.cv is None:
        raise DataError(
            f"--data {name}", "returned no rows to validate on", "return a split 'valid', or --cv 5"
        )
    return _Source(
        frames, {split: f"--data {name} {split}" for split in frames}, name, _slug(path.stem), target
    )


def _slug(text: str) -> str:
    """Make a name that a registered model may carry of a file's."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:200] or "data"


def _align(frames: dict[str, pd.DataFrame], whats: dict[str, str]) -> dict[str, pd.DataFrame]:
    for name, frame in frames.items():
        check_rows(len(frame), whats[name], MIN_ROWS if name in ("table", "train") else 2)
    named = [whats[name] for name in frames]
    return dict(zip(frames, align(list(frames.values()), named), strict=True))


def _check(
    frames: dict[str, pd.DataFrame], whats: dict[str, str], target: str, categorical: tuple[str, ...]
) -> None:
    for name, frame in frames.items():
        X, _ = take_target(frame, target, whats[name])
        if X.shape[1] == 0:
            raise DataError(whats[name], f"no column but the target {target!r}")
        check_features(X, whats[name], categorical)


def _split(frames: dict[str, pd.DataFrame], whats: dict[str, str], spec: DataSpec) -> dict[str, pd.DataFrame]:
    if "table" not in frames:
        return frames
    table = frames["table"]
    if spec.split_by is None:
        parts = split_by_seed(table, spec.seed)
    else:
        parts = split_by_column(table, spec.split_by, whats["table"])
    return dict(zip(("train", "valid", "test"), parts, strict=True))


def _refuse_same_rows(digests: dict[str, str]) -> None:
    """Refuse a copy of one split as another: under another name, or in another format."""
    seen: dict[str, str] = {}
    for what, digest in digests.items():
        first = seen.setdefault(digest, what)
        if first != what:
            reason = f"has the same rows as {first}, the figures would be worthless"
            raise DataError(what, reason, "name other rows, or --table to split them")


def _judge(
    splits: dict[str, tuple[pd.DataFrame, NDArray[np.float64]]], target: str, spec: DataSpec
) -> list[str]:
    found = [constant_warning(splits["train"][1], target)]
    whole = {name: X.assign(**{target: y}) for name, (X, y) in splits.items()}
    found += [overlap_warning(whole[name], whole["train"], name) for name in whole if name != "train"]
    if spec.cv is not None and spec.split_by is not None:
        found.append(f"--cv {spec.cv}: folds are drawn at random, not in the order of {spec.split_by!r}")
    return [warning for warning in found if warning is not None]
