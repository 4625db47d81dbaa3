"""A running sweep as a small page for notebooks, and as text for whatever shows no pages."""

from collections.abc import Sequence
from html import escape

from sweeps.errors import one_line
from sweeps.live.spark import sparkline, stepped
from sweeps.live.tally import Tally
from sweeps.live.underway import Runner
from sweeps.trial import Finished, Params, State
from sweeps.wording import figure, figures, per_time, seconds

WIDTH = 40
BEST, RUNNING, CAUSES, PARAMS = 5, 8, 3, 120
"""Most rows of each table, and letters of the params in one."""

_CELL = "text-align:left;padding:0 1em 0 0"
_FIGURES = "text-align:right;padding:0 1em 0 0;font-variant-numeric:tabular-nums"

Rows = Sequence[Sequence[str]]


def text(name: str, tally: Tally, phase: str = "") -> str:
    """Give the sweep in two lines of text."""
    return f"{name}: {_progress(tally, phase)}\n{_standing(tally)}"


def html(name: str, tally: Tally, runners: Sequence[Runner], phase: str = "") -> str:
    """Give the sweep as HTML without scripts or outer styles; whatever is foreign in it is escaped."""
    share = "" if tally.share is None else f'<progress value="{tally.share:.4f}" max="1"></progress> '
    parts = [
        f"<div><b>{escape(name)}</b></div>",
        f"<div>{share}{escape(_progress(tally, phase))}</div>",
        f"<div>{escape(_standing(tally))} {_spark(tally)}</div>",
        _table("running", ("trial", "rmse now", "at", "age", "params"), _running(runners)),
        _table("best", ("trial", "rmse", "time", "params"), _best(tally.best[:BEST])),
        _table("failures", ("trials", "state", "reason"), _failures(tally)),
    ]
    return f'<div style="line-height:1.6">{"".join(parts)}</div>'


def _progress(tally: Tally, phase: str) -> str:
    of = f"/{tally.total:,}" if tally.total else ""
    parts = [f"{tally.ended:,}{of} trials", seconds(tally.elapsed)]
    if tally.rate is not None:
        parts.append(per_time(tally.rate))
    if phase:
        parts.append(phase)
    elif tally.left is not None:
        parts.append(f"{seconds(tally.left)} left")
    return " · ".join(parts)


def _standing(tally: Tally) -> str:
    best = tally.best[0] if tally.best else None
    parts = [f"best rmse {figure(best.outcome.rmse)} in trial {best.number}" if best else "no rmse yet"]
    return " · ".join([*parts, *(f"{tally.counts[s]:,} {s.lower()}" for s in State if tally.counts[s])])


def _spark(tally: Tally) -> str:
    if len(tally.history) < 2:
        return ""
    bars = sparkline(stepped(tally.history, tally.ended, WIDTH)).strip()
    label = f"best rmse so far, from {figure(tally.history[0][1])} to {figure(tally.history[-1][1])}"
    return f'<span role="img" aria-label="{label}" title="{label}">{bars}</span>'


def _table(title: str, headers: Sequence[str], rows: Rows) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col" style="{_CELL}">{header}</th>' for header in headers)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    caption = f'<caption style="text-align:left"><b>{title}</b></caption>'
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: str) -> str:
    style = _FIGURES if cell[:1].isdigit() else _CELL
    return f'<td style="{style}">{escape(one_line(cell))}</td>'


def _running(runners: Sequence[Runner]) -> Rows:
    shown = runners[:RUNNING]
    now = figures([r.rmse for r in shown])
    return [
        (str(r.proposal.number), rmse, r.place or "–", seconds(r.age), _params(r.proposal.params))
        for r, rmse in zip(shown, now, strict=True)
    ]


def _best(trials: Sequence[Finished]) -> Rows:
    rmse = figures([t.outcome.rmse for t in trials])
    return [
        (str(t.number), one, seconds(t.ended - t.trial.started), _params(t.trial.proposal.params))
        for t, one in zip(trials, rmse, strict=True)
    ]


def _failures(tally: Tally) -> Rows:
    causes = tally.causes.ranked[:CAUSES]
    return [(f"{len(c.numbers):,}", c.state.lower(), c.reason) for c in causes]


def _params(params: Params) -> str:
    words = [
        f"{k}={figure(v, 4) if isinstance(v, float) else getattr(v, '__name__', v)}"
        for k, v in params.items()
    ]
    found = " ".join(words)
    return found if len(found) <= PARAMS else f"{found[: PARAMS - 1]}…"
