"""Names of cache entries: digests of everything that decides what is in them."""

import hashlib
import io
import json
import pickle
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.data.recipes import choose_features
from sweeps.data.spec import DataSpec
from sweeps.trial import Encoding

if TYPE_CHECKING:
    from sweeps.data.datasets import Dataset

_PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
_DEFINED_BY_VERSION = {
    "builtins", "collections", "copyreg", "datetime", "decimal", "functools", "math", "numpy", "operator",
    "pandas", "scipy", "sklearn",
}  # fmt: skip
"""Packages whose code stands still while their version, or Python's, does."""


def rows_key(spec: DataSpec, files: Sequence[str]) -> str:
    """Name the rows that a spec stands for.

    Args:
        spec: names no function.
        files: digests of the files it reads, in order; where they lie does not count.
    """
    return _key("rows", asdict(spec) | {"data_dir": None, "files": files})


def encoded_key(dataset: "Dataset", encoding: Encoding, features: Any) -> str | None:
    """Name what ``prepare`` makes of these arguments; None where the features have code of the user's own.

    Test rows and, where the features are given, the encoding do not count, as they decide nothing.

    Raises:
        SpaceError: a word that means nothing as features.
    """
    chosen = choose_features(dataset, features)
    named = chosen if chosen is None or isinstance(chosen, str) else digest_transformer(chosen)
    if chosen is not None and named is None:
        return None
    rows = {name: split.digest for name, split in dataset.splits.items() if name != "test"}
    types = [(name, str(dtype)) for name, dtype in dataset.train.X.dtypes.items()]
    automatic = (encoding, dataset.categorical, dataset.sampled_from) if chosen is None else None
    folds = None if dataset.cv is None else (dataset.cv, dataset.seed)
    return _key("encoded", [rows, types, named, automatic, folds])


def digest_transformer(transformer: Any) -> str | None:
    """Digest an unfitted transformer; None where more than its parameters and known versions define it.

    A function or a class of the user's is pickled by its name only, and may change under it.
    """
    try:
        data = pickle.dumps(transformer)
        _Inspected(io.BytesIO(data)).load()
    except Exception:  # noqa: BLE001  # whatever the user's object raises, it has no digest
        return None
    return hashlib.sha256(data).hexdigest()


class _Inspected(pickle.Unpickler):
    """Loads what consists of known packages only."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse the class of another package before any code of it runs."""
        if module.partition(".")[0].lstrip("_") not in _DEFINED_BY_VERSION:
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def _key(kind: str, content: Any) -> str:
    text = json.dumps([_surroundings(), content], sort_keys=True)
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


@cache
def _surroundings() -> list[Any]:
    """What decides about all entries: this package's own code, versions, and the machine's arithmetic."""
    versions = [version(package) for package in _PACKAGES]
    return [_code(), versions, sys.version_info[:2], platform.machine()]


def _code() -> str:
    """Digest this folder's sources: its version says too little while it is being worked on."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
