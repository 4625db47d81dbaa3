"""Data from the user's own function, ``module.py:function``."""

import contextlib
import importlib.machinery
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sweeps.errors import DataError, unknown

SPLITS = ("train", "valid", "test")


def call_user_function(path: Path, function: str, target: str | None) -> tuple[dict[str, pd.DataFrame], str]:
    """Frames by split name (``table`` for one that is still to be split), and the target's name.

    The function takes no arguments and returns a DataFrame with the target among its columns; or a dict with
    ``train``, ``valid`` and perhaps ``test``, or a tuple in that order, of such DataFrames or pairs (X, y).

    Raises:
        DataError: the file does not import, has no such function, or that raises or returns otherwise.
    """
    what = f"--data {path}:{function}"
    returned = _call(path, function, what)
    if isinstance(returned, pd.DataFrame):
        parts: Mapping[str, Any] = {"table": returned}
    elif isinstance(returned, tuple) and 2 <= len(returned) <= 3:
        parts = dict(zip(SPLITS, returned, strict=False))
    else:
        parts = _check_parts(returned, what)
    frames = {name: _frame(part, target, f"{what} {name}") for name, part in parts.items()}
    found = target or next(iter(frames.values()))[1]
    return {name: frame for name, (frame, _) in frames.items()}, found


class _NoBytecode(importlib.machinery.SourceFileLoader):
    """Leaves no ``__pycache__`` beside the user's file."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing."""


def _call(path: Path, function: str, what: str) -> Any:
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for answers
            return _load(path, function, what)()
    except DataError:
        raise
    except (Exception, SystemExit) as error:
        raise DataError(what, f"it raised {type(error).__name__}: {error}") from error


def _load(path: Path, function: str, what: str) -> Any:
    loader = _NoBytecode(path.stem, str(path.resolve()))
    module = types.ModuleType(path.stem)
    module.__file__ = loader.path
    # Its own folder comes first, so that it finds the modules beside it, as a script would.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        loader.exec_module(module)
    finally:
        sys.path.pop(0)
    known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    if function not in known:
        raise DataError(what, unknown("function", function, known))
    return getattr(module, function)


def _check_parts(returned: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(returned, Mapping):
        expected = "a DataFrame, or a dict or tuple of train, valid and test"
        raise DataError(what, f"returned {type(returned).__name__}; expected {expected}")
    odd = next((str(name) for name in returned if name not in SPLITS), None)
    if odd is not None:
        raise DataError(what, f"returned {unknown('split', odd, SPLITS)}")
    if "train" not in returned:
        raise DataError(what, "returned no split named 'train'")
    return {name: returned[name] for name in SPLITS if name in returned}


def _frame(part: Any, target: str | None, what: str) -> tuple[pd.DataFrame, str]:
    if isinstance(part, pd.DataFrame):
        if target is None:
            raise DataError(what, "is a DataFrame, and no target column is named", "pass --target COL")
        return part, target
    if not (isinstance(part, tuple) and len(part) == 2):
        raise DataError(what, f"is {type(part).__name__}; expected a DataFrame or a pair (X, y)")
    X, y = part
    name = target or str(getattr(y, "name", None) or "target")
    X = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X).rename(columns=lambda i: f"x{i}")
    if len(X) != len(y):
        raise DataError(what, f"X has {len(X)} rows, y has {len(y)}")
    if name in X.columns:
        raise DataError(what, f"X already has a column {name!r}", "leave the target out of X")
    return X.assign(**{name: np.asarray(y)}), name
