"""Write ``results/<sweep>/``: whole files or none, the same bytes for the same record."""

import json
import os
from pathlib import Path

from psutil import pid_exists

from sweeps.analysis.explain import Explanation
from sweeps.errors import UsageError
from sweeps.record import SweepRecord
from sweeps.report.charts.all import charts_of
from sweeps.report.html import report_html
from sweeps.report.plots import history_png
from sweeps.report.png import png
from sweeps.report.summary import summary
from sweeps.report.tables import csv_text, leaderboard

PLOTS = "plots"
"""Folder of the pictures."""


def write_report(record: SweepRecord, folder: Path, *, plot: bool = True) -> list[Path]:
    """Write ``leaderboard.csv``, ``summary.json``, ``report.html``, ``history.png`` and ``plots/*.png``.

    Args:
        record: the sweep, with its ranges, predictions and some curves where it has them
            (``sweeps.tracking.evidence``); nothing else is looked at.
        folder: made where it is missing; files of an earlier report are replaced, others left alone.
        plot: whether to explain and draw; that takes some seconds with the imports of Matplotlib and
            scikit-learn.

    Returns:
        The files' paths.

    Raises:
        UsageError: the folder cannot be written.
    """
    contents = {
        "leaderboard.csv": csv_text(*leaderboard(record)).encode(),
        "summary.json": (json.dumps(summary(record), indent=2, allow_nan=False) + "\n").encode(),
    }
    if plot:
        contents |= _drawn(record)
    try:
        (folder / PLOTS if plot else folder).mkdir(parents=True, exist_ok=True)
        return [_replace(folder / name, content) for name, content in contents.items()]
    except OSError as error:
        raise UsageError(
            f"results folder {folder}", f"cannot be written: {error.strerror or error}", "choose another one"
        ) from error


def _drawn(record: SweepRecord) -> dict[str, bytes]:
    found = Explanation(record)
    charts = charts_of(found)
    plots = {f"{PLOTS}/{chart.id}.png": png(chart, record.name) for chart in charts if chart.id != "history"}
    page = report_html(found, charts).encode("utf-8", "replace")
    return {"report.html": page, "history.png": history_png(record), **plots}


def _replace(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    _clear(path)
    try:
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as file:  # new, so that no link is followed
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _clear(path: Path) -> None:
    """Take away what a process that was killed left beside a file."""
    for left in path.parent.glob(f".{path.name}.*"):
        pid = left.suffix[1:]
        if pid.isdigit() and not pid_exists(int(pid)):
            left.unlink(missing_ok=True)
