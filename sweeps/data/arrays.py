"""Matrices on disk: dense ones as one ``.npy`` file, sparse ones (CSR) as three; opened memory-mapped."""

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

_CSR = ("data", "indices", "indptr")


def save_matrix(folder: Path, name: str, X: Any) -> dict[str, Any]:
    """Write a dense or CSR matrix; returns what ``open_matrix`` needs to find it again."""
    if not isinstance(X, sp.csr_matrix):
        save_array(folder / f"{name}.npy", np.ascontiguousarray(X))
        return {"name": name, "kind": "dense"}
    # Sorted here, since a mapped matrix is read-only. Explicit zeros stay: to XGBoost they are not absent.
    X.sort_indices()
    for part in _CSR:
        save_array(folder / f"{name}.{part}.npy", getattr(X, part))
    return {"name": name, "kind": "csr", "shape": [int(n) for n in X.shape]}


def open_matrix(folder: Path, entry: dict[str, Any]) -> Any:
    """Map a matrix into memory, read-only."""
    name = entry["name"]
    if entry["kind"] == "dense":
        return np.load(folder / f"{name}.npy", mmap_mode="r")
    parts = tuple(np.load(folder / f"{name}.{part}.npy", mmap_mode="r") for part in _CSR)
    matrix = sp.csr_matrix(parts, shape=tuple(entry["shape"]), copy=False)
    matrix.has_sorted_indices = True
    return matrix


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array whole or not at all: a worker may have the old file mapped."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    part.replace(path)
