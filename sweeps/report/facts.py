"""The head and the tables of a report."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sweeps.record import SweepRecord
from sweeps.report.charts.model import Table, figure
from sweeps.report.summary import duration
from sweeps.report.tables import leaderboard
from sweeps.selection import pick
from sweeps.trial import State

BOARD_ROWS = 30
BOARD_COLUMNS = 24


class Board(NamedTuple):
    """The top of the leaderboard."""

    table: Table
    note: str


def facts(record: SweepRecord) -> list[tuple[str, str]]:
    """Give what one wants to know first, as pairs of a word and a figure."""
    counts = ", ".join(f"{record.count(s)} {s.lower()}" for s in State if record.count(s)) or "none"
    pairs = [("trials", counts)]
    if record.best is not None:
        pairs.append((f"best rmse, trial {record.best.number}", figure(record.best.outcome.rmse, 6)))
    if record.finalists and (winner := pick(record.finalists)).test_rmse is not None:
        spread = "" if winner.low is None else f" ({figure(winner.low, 4)} to {figure(winner.high, 4)})"
        pairs.append((f"rmse on test, trial {winner.number}", f"{figure(winner.test_rmse, 6)}{spread}"))
    pairs += _finish(record)
    if record.model is not None:
        pairs.append(("model", f"{record.model.name} version {record.model.version}, {record.model.alias}"))
    started = datetime.fromtimestamp(record.started, UTC).strftime("%Y-%m-%d %H:%M UTC")
    took = duration(record)
    return [*pairs, ("started", started), ("took", "not ended" if took is None else _span(took))]


def _finish(record: SweepRecord) -> list[tuple[str, str]]:
    """Give the figures of a blend and of a refit, each under the name of what it belongs to."""
    blend, refit = record.blend, record.refit
    pairs = []
    if blend is not None and blend.test_rmse is not None:
        taken = "taken" if blend.taken else "not taken"
        pairs.append((f"rmse on test, blend ({taken})", f"{figure(blend.test_rmse, 6)}: {blend.formula}"))
    if refit is not None:
        pairs.append((f"rmse on test, refitted on {refit.rows}", figure(refit.test_rmse, 6)))
    return pairs


def board(record: SweepRecord) -> Board:
    """Give the first rows of the leaderboard, without the run ids."""
    header, rows = leaderboard(record)
    kept = [i for i, name in enumerate(header) if name != "run_id"][:BOARD_COLUMNS]
    kept = [i for i in kept if any(row[i] not in (None, "") for row in rows)]
    shown = [[row[i] for i in kept] for row in rows[:BOARD_ROWS]]
    more = f"The first {BOARD_ROWS} of {len(rows):,} trials; " if len(rows) > BOARD_ROWS else ""
    note = f"{more}leaderboard.csv beside this file holds them all, with the run ids."
    return Board(Table([header[i] for i in kept], shown), note)


def settings_rows(record: SweepRecord) -> list[tuple[str, str]]:
    """Give the settings that are set, nested ones by dotted name."""
    return [(name, str(value)) for name, value in _flat(record.settings) if value not in (None, "", [], {})]


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, value in values.items():
        nested = isinstance(value, Mapping)
        pairs += _flat(value, f"{prefix}{name}.") if nested else [(f"{prefix}{name}", value)]
    return pairs


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
