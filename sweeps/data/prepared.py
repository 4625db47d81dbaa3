"""Encoded data in a folder: written once per sweep and encoding by the driver, opened by the workers.

Opening imports NumPy and SciPy only; what fitting needs is imported by ``prepare``.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweeps.data.arrays import open_matrix, save_array, save_matrix
from sweeps.trial import Encoding, Fold

if TYPE_CHECKING:
    from sweeps.data.datasets import Dataset
    from sweeps.data.encode import Encoded

INDEX = "prepared.json"


@dataclass(frozen=True)
class Prepared:
    """Features, fitted and written."""

    folder: Path
    """For ``open_folds``; nobody writes there again."""
    load: Callable[[], Any]
    """Gives the transformer; called once at most."""
    warnings: tuple[str, ...]

    @cached_property
    def transformer(self) -> Any:
        """Fitted, from raw rows to X: on training rows; with ``cv`` and for a refit, validation rows too."""
        return self.load()


def prepare(dataset: "Dataset", encoding: Encoding, features: Any, folder: Path) -> Prepared:
    """Fit the features on the training rows and write all encoded arrays.

    Args:
        dataset: the splits.
        encoding: what the model takes; decides the automatic features only.
        features: ``"auto"``, ``"dataset"`` (its own recipe, else automatic), or a scikit-learn transformer.
        folder: where to write; made if missing. Its index is written last.

    Raises:
        DataError: no column is usable, or the folder cannot be written.
        SpaceError: the given transformer fails on these rows, or gives no matrix of numbers.
    """
    from sweeps.data.encode import encode_folds

    return _save(encode_folds(dataset, encoding, features), folder)


def prepare_refit(dataset: "Dataset", encoding: Encoding, features: Any, folder: Path) -> Prepared:
    """Fit the features on training and validation rows together and write these rows, for ``open_refit``.

    Args:
        dataset: the splits.
        encoding: as for ``prepare``, as are the others.
        features: likewise.
        folder: likewise.

    Raises:
        DataError: as ``prepare``.
        SpaceError: likewise.
    """
    from sweeps.data.encode import encode_refit

    return _save(encode_refit(dataset, encoding, features), folder)


def _save(encoded: "Encoded", folder: Path) -> Prepared:
    """Write encoded arrays; the index comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    folds = [_save_fold(folder, f"fold{i}", fold) for i, fold in enumerate(encoded.folds)]
    refit = _save_fold(folder, "refit", encoded.refit) if encoded.refit else None
    part = folder / f"{INDEX}.part"
    part.write_text(json.dumps({"folds": folds, "refit": refit, "warnings": encoded.warnings}))
    part.replace(folder / INDEX)
    transformer = encoded.transformer  # not the arrays beside it: they are on disk now
    return Prepared(folder, lambda: transformer, encoded.warnings)


def open_prepared(folder: Path, load: Callable[[], Any]) -> Prepared:
    """Give what was prepared in a folder before.

    Raises:
        FileNotFoundError: nothing was prepared there.
    """
    return Prepared(folder, load, tuple(_index(folder)["warnings"]))


def open_folds(folder: Path | str) -> tuple[Fold, ...]:
    """The folds, memory-mapped: one, or K under ``cv``.

    Raises:
        FileNotFoundError: nothing was prepared there.
    """
    return tuple(_open_fold(Path(folder), entry) for entry in _index(folder)["folds"])


def open_refit(folder: Path | str) -> Fold:
    """Training and validation rows together, without validation rows.

    Raises:
        FileNotFoundError: nothing was prepared there.
        ValueError: prepared without ``cv``, and not for a refit.
    """
    entry = _index(folder)["refit"]
    if entry is None:
        raise ValueError(f"{folder} was prepared without cross-validation: it has no rows to refit on")
    return _open_fold(Path(folder), entry)


def _index(folder: Path | str) -> dict[str, Any]:
    index: dict[str, Any] = json.loads((Path(folder) / INDEX).read_text())
    return index


def _save_fold(folder: Path, name: str, fold: Fold) -> dict[str, Any]:
    entry: dict[str, Any] = {"categorical": list(fold.categorical)}
    for part in ("train", "valid"):
        X, y = getattr(fold, f"X_{part}"), getattr(fold, f"y_{part}")
        if X is not None:
            save_array(folder / f"{name}.y_{part}.npy", y)
            entry[part] = save_matrix(folder, f"{name}.X_{part}", X) | {"y": f"{name}.y_{part}.npy"}
    return entry


def _open_fold(folder: Path, entry: dict[str, Any]) -> Fold:
    pairs = [_open_pair(folder, entry.get(part)) for part in ("train", "valid")]
    (X_train, y_train), (X_valid, y_valid) = pairs
    return Fold(X_train, y_train, X_valid, y_valid, tuple(entry["categorical"]))


def _open_pair(folder: Path, entry: dict[str, Any] | None) -> tuple[Any, Any]:
    if entry is None:
        return None, None
    # The target is small, and some estimators write to it: a copy in memory.
    return open_matrix(folder, entry), np.load(folder / entry["y"])
