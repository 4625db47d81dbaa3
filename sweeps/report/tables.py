"""The leaderboard of a sweep, as rows and as CSV text."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sweeps.record import SweepRecord
from sweeps.selection import rank
from sweeps.trial import Finished

Cell = str | int | float | None

FIRST_METRICS = ("mae", "r2")
"""Shown before the other metrics."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, Cell]:
    """Give params as cells by dotted name: nested mappings flattened, classes by their name."""
    cells: dict[str, Cell] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            cells |= flat(value, f"{prefix}{name}.")
        else:
            cells[f"{prefix}{name}"] = _cell(value)
    return cells


def ordered(record: SweepRecord) -> list[Finished]:
    """Give the trials best first, then those that are not COMPLETE, by number."""
    best = rank(record.trials)
    ranked = {t.number for t in best}
    return [*best, *sorted((t for t in record.trials if t.number not in ranked), key=lambda t: t.number)]


def leaderboard(record: SweepRecord) -> tuple[list[str], list[list[Cell]]]:
    """Give the header and one row per trial: rank, figures, params, run.

    A param or metric that bears the name of another column is shown as ``param.NAME`` or ``metric.NAME``.
    """
    trials = ordered(record)
    ranks = {t.number: position for position, t in enumerate(rank(record.trials), 1)}
    own = ["test_rmse"] if record.sample is None else ["whole_rmse", "test_rmse"]
    finals = {f.number: [getattr(f, name) for name in own] for f in record.finalists}
    none: list[Cell] = [None] * len(own)
    metrics, params = metric_names(trials), param_names(trials)
    fixed = ["rank", "trial", "state", "rmse", *own, "seconds", "error", "run_id"]
    named_metrics = _distinct(metrics, fixed, "metric.")
    named_params = _distinct(params, [*fixed, *named_metrics], "param.")
    header = [*fixed[:-3], *named_metrics, "seconds", *named_params, "error", "run_id"]
    found = [(t, ranks.get(t.number), finals.get(t.number, none)) for t in trials]
    return header, [_row(*one, metrics, params) for one in found]


def metric_names(trials: Iterable[Finished]) -> list[str]:
    """Give the names of all metrics of these trials but rmse: mae and r2 first, the others by name."""
    others = {name for t in trials for name in t.outcome.metrics} - {"rmse", "whole_rmse", "test_rmse"}
    names = others | set(FIRST_METRICS)
    return [*FIRST_METRICS, *sorted(names - set(FIRST_METRICS))]


def param_names(trials: Iterable[Finished]) -> list[str]:
    """Give the dotted names of all params of these trials, by name."""
    return sorted({name for t in trials for name in flat(t.trial.proposal.params)})


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Write a table as CSV that a spreadsheet shows as it is.

    A text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay numbers.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_safe(name) for name in header])
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _row(
    finished: Finished, position: int | None, finals: list[Cell], metrics: list[str], params: list[str]
) -> list[Cell]:
    outcome, cells = finished.outcome, flat(finished.trial.proposal.params)
    figures: list[Cell] = [outcome.rmse, *finals, *(outcome.metrics.get(name) for name in metrics)]
    seconds = round(finished.ended - finished.trial.started, 3)
    start: list[Cell] = [position, finished.number, str(outcome.state)]
    return [*start, *figures, seconds, *(cells.get(n) for n in params), outcome.reason, finished.trial.run_id]


def _distinct(names: Sequence[str], taken: Sequence[str], prefix: str) -> list[str]:
    return [f"{prefix}{name}" if name in taken else name for name in names]


def _cell(value: Any) -> Cell:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, type) or callable(value):
        return str(getattr(value, "__name__", value))
    return str(value)


def _safe(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    text = "".join(c for c in cell if c.isprintable() or c in "\n\t")  # a terminal may show it, too
    return f"'{text}" if text.startswith(_FORMULA_STARTS) and not is_number(text) else text


def is_number(text: str) -> bool:
    """Whether a text is a finite number, as MLflow gives params back."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
