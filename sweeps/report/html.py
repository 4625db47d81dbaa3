"""The report as one HTML file that asks for nothing: style, script, data and charting library are in it.

Names, params and errors are foreign text. The template escapes all of it; the charts' data is JSON in which
no character can end the element; the charts draw their texts on a canvas; and the page's policy lets no
script run but the two whose digests it names, and nothing be fetched.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sweeps.analysis.explain import Explanation
from sweeps.credentials import redact
from sweeps.record import SweepRecord
from sweeps.report.charts.model import Cell, Chart, figure
from sweeps.report.command import run_command
from sweeps.report.echarts import height_of, options_of
from sweeps.report.facts import board, facts, settings_rows
from sweeps.report.summary import plain
from sweeps.report.tables import flat, param_names

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_PARAMS = 30
"""Shown of a trial under the pointer."""
PAGE = files("sweeps.report.page")


def report_html(found: Explanation, charts: Sequence[Chart]) -> str:
    """Write the page; equal sweeps give equal texts.

    Args:
        found: the sweep, explained.
        charts: in their order.
    """
    library, script, css = (_asset(name) for name in ("echarts.min.js", "report.js", "report.css"))
    own = {"library": _own(library), "script": _own(script), "css": _own(css)}
    words = {**own, **_words(found), "policy": policy([library, script], css)}
    heights = {c.id: [height_of(c, i) for i in range(max(1, len(c.panels)))] for c in charts}
    payload = _payload(found.record, charts)
    page = _environment().get_template("report.html.j2")
    text: str = page.render(charts=charts, heights=heights, payload=payload, cell_text=cell_text, **words)
    return text


def _words(found: Explanation) -> dict[str, Any]:
    record, short = found.record, found.record.run_id[:8]
    rows = board(record)
    return {
        "record": record,
        "state": record.state.lower(),
        "space": record.extra.get("space", "?"),
        "data_name": record.extra.get("data", "?"),
        "version": record.extra.get("version", ""),
        "facts": facts(record),
        "findings": found.findings,
        "board": rows.table,
        "board_note": rows.note,
        "settings": settings_rows(record),
        "command": run_command(record.settings),
        "rebuild": f"sweeps report {short}",
        "next": f"sweeps next-space {short}" if found.figures.trials else "",
    }


def _own(text: str) -> Any:
    """Mark a file of ours as markup: the policy names its digest, so no other text can stand in its place."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704


def _shown(value: Any) -> Any:
    """Keep passwords out of every text on the page."""
    return value if not isinstance(value, str) or hasattr(value, "__html__") else redact(value)


def policy(scripts: Sequence[str], css: str) -> str:
    """Give a Content-Security-Policy that allows these scripts and this style, and no request at all."""
    allowed = " ".join(_digest(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_digest(css)}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def cell_text(cell: Cell) -> str:
    """Write a cell of a table."""
    if cell is None:
        return "–"
    return figure(cell, 6) if isinstance(cell, float) else str(cell)


def _payload(record: SweepRecord, charts: Sequence[Chart]) -> Any:
    from jinja2.utils import htmlsafe_json_dumps

    names = param_names(record.trials)[:MOST_PARAMS]
    data = {
        "charts": {chart.id: options_of(chart) for chart in charts},
        "params": names,
        "trials": {t.number: _trial(t, names) for t in record.trials},
    }
    return htmlsafe_json_dumps(data, allow_nan=False, separators=(",", ":"))


def _trial(finished: Any, names: Sequence[str]) -> list[Any]:
    params: Mapping[str, Any] = flat(finished.trial.proposal.params)
    outcome, seconds = finished.outcome, finished.ended - finished.trial.started
    values = [_short(plain(params.get(name))) for name in names]
    return [str(outcome.state), _short(outcome.rmse), round(seconds, 2), *values]


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return value[:80] if isinstance(value, str) else value


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    return PAGE.joinpath(name).read_text("utf-8")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        autoescape=True,
        loader=FunctionLoader(_asset),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
