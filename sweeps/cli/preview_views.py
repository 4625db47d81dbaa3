"""How a preview reads on a terminal."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sweeps.cli.boards import assignments, fitted_params, shared_among
from sweeps.cli.charset import speaks_unicode
from sweeps.cli.histograms import bar, coarser, histogram, size
from sweeps.cli.lint import print_findings
from sweeps.cli.output import figure, note, print_table, seconds, terminal_width
from sweeps.errors import one_line
from sweeps.preview.wall_time import FIXED_SECONDS
from sweeps.report.tables import flat
from sweeps.trial import State

if TYPE_CHECKING:
    from sweeps.api.preview import Forecast, Preview
    from sweeps.preview.branches import Branch
    from sweeps.preview.marginals import Marginal
    from sweeps.preview.trying import Tried
    from sweeps.trial import Proposal

MOST_OPTIONS = 6
MOST_BRANCHES = 20
WIDE = 110
"""Columns of a terminal that has room for fine histograms."""
STARTUP = 20
"""Trials that TPE draws at random before it learns, unless told otherwise."""


def print_preview(shown: "Preview") -> None:
    """Print all parts of a preview."""
    print_findings([f for f in shown.findings if f.severity != "hint"], err=True)
    for text in shown.warnings:
        note(f"warning: {text}")
    _print_draws(shown)
    _print_marginals(shown.marginals)
    _print_branches(shown.branches, shown.tried)
    if shown.forecast is not None:
        _print_forecast(shown, shown.forecast)


def _heading(text: str) -> None:
    click.secho(text, bold=True)


def _print_draws(shown: "Preview") -> None:
    _heading(f"the first {len(shown.draws)} points of sweeps run {shown.space.name} … --seed {shown.seed}")
    many = len({branch.name for branch in shown.branches}) > 1
    for branch in shown.branches if many else shown.branches[:1]:
        drawn = [p for p in shown.draws if branch.holds(p.point)] if many else shown.draws
        if drawn:
            _print_points(drawn, f"in {branch.name}" if many else "")
    click.echo()


def _print_points(drawn: Sequence["Proposal"], title: str) -> None:
    rows = [flat(p.params) for p in drawn]
    fixed = [("trial", [str(p.number) for p in drawn])]
    columns, left_out = fitted_params(fixed, rows, terminal_width())
    if title:
        click.echo(one_line(title))
    print_table([header for header, _ in columns], list(zip(*(c for _, c in columns), strict=True)))
    if shared := shared_among(rows):
        click.echo(f"in all: {assignments(shared)}")
    if left_out:
        note(f"no room for {', '.join(map(one_line, left_out))}: widen the terminal, or --json")


def _print_marginals(found: Sequence["Marginal"]) -> None:
    if not found:
        return
    _heading("what random draws give")
    utf8 = speaks_unicode()
    numbers = [m for m in found if m.counts]
    if numbers:
        narrow = (terminal_width() or WIDE) < WIDE
        columns = [
            "hyperparameter",
            "lowest",
            "",
            "highest",
            "scale",
            "active",
            *([] if narrow else ["median"]),
        ]
        print_table(columns, [_number_row(m, utf8, narrow) for m in numbers])
    others = [row for m in found if m.shares for row in _option_rows(m, utf8)]
    if others:
        print_table(["choice", "option", "share", "", "active"], others)
    click.echo()


def _number_row(marginal: "Marginal", utf8: bool, narrow: bool) -> list[str]:
    bins = coarser(marginal.counts, 12) if narrow else marginal.counts
    return [
        marginal.label,
        figure(marginal.low, 4),
        histogram(bins, utf8=utf8),
        figure(marginal.high, 4),
        "log" if marginal.log else "linear",
        _percent(marginal.active),
        *([] if narrow else [figure(marginal.median, 4)]),
    ]


def _option_rows(marginal: "Marginal", utf8: bool) -> list[list[str]]:
    ranked = sorted(marginal.shares, key=lambda pair: -pair[1])
    shown, rest = list(ranked[:MOST_OPTIONS]), ranked[MOST_OPTIONS:]
    if rest:
        shown.append((f"{len(rest)} more", sum(share for _, share in rest)))
    active = _percent(marginal.active)
    return [[marginal.label, text, _percent(share), bar(share, utf8=utf8), active] for text, share in shown]


def _print_branches(branches: Sequence["Branch"], tried: Sequence["Tried"]) -> None:
    fits = {t.branch.name: t for t in tried}
    rows = f"{tried[0].rows} rows" if tried else "few rows"
    _heading(f"a trial on {rows}" + (" in each branch" if len(branches) > 1 else ""))
    shown = [b for b in branches if b.name in fits][:MOST_BRANCHES]
    columns = ["branch", "share", "trial", "time", "rmse"]
    print_table(columns, [[b.name, _percent(b.share), *_fit_cells(fits[b.name])] for b in shown])
    if left := len(branches) - len(shown):
        note(f"{left} more branches combine the same options: --json")
    for branch in shown:
        if reason := fits[branch.name].outcome.reason:
            click.echo(f"{click.style('failed', fg='red')}: {one_line(f'{branch.name}: {reason}')}")
    click.echo()


def _fit_cells(tried: "Tried") -> list[str]:
    outcome = tried.outcome
    fine = outcome.state is State.COMPLETE
    spent = outcome.metrics.get("fit_seconds") if fine else tried.seconds
    return ["works" if fine else str(outcome.state), seconds(spent), figure(outcome.rmse, 4)]


def _print_forecast(shown: "Preview", forecast: "Forecast") -> None:
    time, store = forecast.time, forecast.tracking
    low, middle, high = (seconds(value) for value in time.sweep)
    one = [seconds(value) for value in time.trial]
    _heading(
        f"forecast of {forecast.trials} trials on {forecast.rows:,} training rows, "
        f"{forecast.workers} at once with {forecast.threads} thread{'s' * (forecast.threads > 1)} each"
    )
    lines = [
        ("time", f"{middle}, with 80 % between {low} and {high}"),
        ("a trial", f"{one[1]}, with 80 % between {one[0]} and {one[2]}"),
        ("disk", _disk(forecast)),
        ("tracking", f"{seconds(store.sqlite)} of writing to SQLite, or {seconds(store.server)} to an MLflow "
                     "server, beside the trials"),
        ("how", _how(forecast)),
        ("left out", _left_out(shown, forecast)),
    ]  # fmt: skip
    for word, text in lines:
        _print_pair(word, text)


def _print_pair(word: str, text: str) -> None:
    width = terminal_width()
    lines = [text] if width is None else textwrap.wrap(text, max(width - 12, 30))
    for index, line in enumerate(lines):
        click.echo(f"  {'' if index else word:<10}{line}")


def _disk(forecast: "Forecast") -> str:
    disk = forecast.disk
    model = f", the model {size(disk.model)} (as on few rows)" if disk.model else ""
    return f"{size(disk.store)} in the store and the report{model}; {size(disk.scratch)} while it runs"


def _how(forecast: "Forecast") -> str:
    time = forecast.time
    rows = ", ".join(f"{n:,}" for n in time.rows)
    timed = f"{time.timed} points were timed on this machine as busy as it is now, at {rows} rows"
    if time.largest == time.timed:
        grown = "all of them at all rows"
    else:
        low, middle, high = (f"{rows:,.2g}" if rows < 10 else f"{round(rows, -1):,.0f}" for rows in time.even)
        grown = (
            f"{time.largest} of them at all rows; the time of the others has a fixed part and one that grows "
            f"with the rows, equal at {middle} rows (80 %: {low} to {high})"
        )
    slower = f"; {forecast.slowdown:.1f} times as long with {forecast.workers} at once"
    fixed = "; {:.0f} to {:.0f} s to start and to finish".format(*FIXED_SECONDS)
    return f"{timed}, {grown}{slower if forecast.workers > 1 else ''}{fixed}"


def _left_out(shown: "Preview", forecast: "Forecast") -> str:
    made_up = ["the rows are made up: name yours with --data or --table"] if shown.made_up else []
    start = (
        "all of them are random draws, as tpe learns from trial 21 on"
        if forecast.trials <= STARTUP
        else "tpe prefers good points after 20 random draws, and those may be slower or faster"
    )
    return "; ".join([*made_up, start, "pruning, which makes it faster"])


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.005 else f"{100 * share:.1g} %"
