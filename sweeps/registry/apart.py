"""A model of unknown origin predicts in a process of its own: a crafted tree crashes nothing else.

What comes back is an array of numbers, never an object.
"""

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.credentials import for_workers, redact
from sweeps.errors import StoreError, one_line
from sweeps.scratch import scratch_folder

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SECONDS = 300
"""Of its time, and of its processors' time on each thread."""
LARGEST_FILE = 2**32
"""Bytes it may write."""

_START = "import sys; sys.path[:] = {path!r}; from sweeps.registry.apart import answer; answer(sys.argv[1])"
_ROWS, _PREDICTIONS, _WRONG = "rows.pickle", "predictions.npy", "wrong.txt"


def predict_apart(folder: Path, name: str, X: "pd.DataFrame", seconds: float = SECONDS) -> "np.ndarray":
    """Load a model from its files and predict, in another process without credentials.

    Args:
        folder: the model's, see ``load_checked``.
        name: of the model, for messages.
        X: raw rows.
        seconds: it may take.

    Returns:
        Predictions, (rows,), float64.

    Raises:
        StoreError: it is not safe to load, or its process raised, died, or took too long.
    """
    with scratch_folder() as scratch:
        (scratch / _ROWS).write_bytes(pickle.dumps((str(folder), name, X)))
        try:
            code = _run(scratch, seconds)
        except subprocess.TimeoutExpired:
            raise StoreError(f"model {name}", f"did not predict within {seconds:g} s") from None
        if code != 0:
            raise StoreError(f"model {name}", _ended(scratch, code))
        return _read(scratch / _PREDICTIONS, name, len(X))


def answer(scratch: str) -> None:
    """Be that process: read the rows, write the predictions or what went wrong."""
    import numpy as np

    place = Path(scratch)
    _limit()
    folder, name, X = pickle.loads((place / _ROWS).read_bytes())  # noqa: S301  # written by our own driver
    try:
        from sweeps.registry.formats import load_checked

        predictions = np.asarray(load_checked(Path(folder), name).predict(X), dtype=np.float64)
        np.save(place / _PREDICTIONS, predictions, allow_pickle=False)
    except Exception as error:  # noqa: BLE001  # a foreign model may raise anything
        text = error.wrong if isinstance(error, StoreError) else f"{type(error).__name__}: {error}"
        (place / _WRONG).write_text(text, "utf-8", "replace")
        sys.exit(1)


def _run(scratch: Path, seconds: float) -> int:
    path = [entry for entry in sys.path if isinstance(entry, str)]
    words = [sys.executable, "-P", "-c", _START.format(path=path), str(scratch)]
    quiet = subprocess.DEVNULL
    return subprocess.run(
        words, cwd=scratch, env=for_workers(os.environ), stdin=quiet, stdout=quiet, stderr=quiet,
        timeout=seconds, check=False,
    ).returncode  # fmt: skip


def _limit() -> None:
    """Bound what this process may use; no memory image is left of a crash."""
    if os.name != "posix":
        return
    import resource

    cores = os.cpu_count() or 1
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, SECONDS * cores),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _ended(scratch: Path, code: int) -> str:
    if (scratch / _WRONG).is_file():
        return one_line(redact((scratch / _WRONG).read_text("utf-8", "replace")))[:300]
    if code < 0:
        return f"its process was killed by {signal.Signals(-code).name} while it predicted"
    return f"its process ended with exit code {code}"


def _read(path: Path, name: str, rows: int) -> "np.ndarray":
    import numpy as np

    try:
        predictions: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise StoreError(f"model {name}", "its process left no predictions") from error
    if predictions.dtype != np.float64 or predictions.size != rows:
        raise StoreError(f"model {name}", f"predicts shape {predictions.shape} for {rows} rows")
    return predictions.reshape(rows)
