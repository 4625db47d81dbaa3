"""Write ``results/<sweep>/``: whole files or none, the same bytes for the same record."""

import json
import os
from pathlib import Path

from sweeps.errors import UsageError
from sweeps.record import SweepRecord
from sweeps.report.plots import history_png
from sweeps.report.summary import summary
from sweeps.report.tables import csv_text, leaderboard


def write_report(record: SweepRecord, folder: Path) -> list[Path]:
    """Write ``leaderboard.csv``, ``summary.json`` and ``history.png``.

    Args:
        record: the sweep; nothing else is looked at.
        folder: made where it is missing; files of an earlier report are replaced, others left alone.

    Returns:
        The files' paths.

    Raises:
        UsageError: the folder cannot be written.
    """
    contents = {
        "leaderboard.csv": csv_text(*leaderboard(record)).encode(),
        "summary.json": (json.dumps(summary(record), indent=2, allow_nan=False) + "\n").encode(),
        "history.png": history_png(record),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_replace(folder / name, content) for name, content in contents.items()]
    except OSError as error:
        raise UsageError(
            f"results folder {folder}", f"cannot be written: {error.strerror or error}", "choose another one"
        ) from error


def _replace(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
