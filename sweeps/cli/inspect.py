"""``sweeps list``, ``sweeps show`` and ``sweeps best``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.completion import sweep_names
from sweeps.cli.grid import without
from sweeps.cli.lookup import read_record, traceback_of, trial_of
from sweeps.cli.options import Count, store_options
from sweeps.cli.output import note, print_grid, print_json, terminal_width
from sweeps.cli.views import print_trials, show_sweep, show_trial, when
from sweeps.errors import NoUsableTrialError
from sweeps.wording import figures, seconds

if TYPE_CHECKING:
    from sweeps.cli.boards import Column
    from sweeps.tracking.reader import SweepHeader


LEAST = ("experiment", "started")
"""Columns of the list that go first where there is no room."""


def _limit(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    return None if value.lower() == "all" else Count(1).convert(value, param, ctx)


@click.command("list")
@click.option("--experiment", metavar="NAME", help="Only the sweeps of this experiment.")
@click.option("--limit", type=Count(1), default=20, show_default=True, help="The latest so many sweeps.")
@store_options
def list_command(experiment: str | None, limit: int, tracking_uri: str | None, as_json: bool) -> None:
    """List the sweeps of the store, the latest first."""
    from sweeps.tracking.claim import close_abandoned
    from sweeps.tracking.reader import list_sweeps
    from sweeps.tracking.store import find_store, is_missing, resolve_uri

    uri = resolve_uri(tracking_uri)
    fresh = experiment is None and is_missing(uri)
    headers = []
    if not fresh:
        store = find_store(uri)
        headers = close_abandoned(store, list_sweeps(store, experiment=experiment, limit=limit))
    if as_json:
        print_json({"sweeps": [_line_json(header) for header in headers]})
    elif headers:
        print_grid(without(_board(headers), LEAST, terminal_width()))
    else:
        note("no sweep yet; sweeps run xgboost --data diabetes --trials 20")


@click.command("show")
@click.argument("sweep", shell_complete=sweep_names)
@click.argument("trial", type=Count(0), required=False)
@click.option(
    "--trials",
    "limit",
    metavar="N|all",
    callback=_limit,
    default="10",
    show_default=True,
    help="The last N trials.",
)
@store_options
def show_command(
    sweep: str, trial: int | None, limit: int | None, tracking_uri: str | None, as_json: bool
) -> None:
    """Show a sweep, or one of its trials.

    SWEEP is a run id or its beginning, a name, or `last`; TRIAL is a trial's number.
    """
    from sweeps.cli.ui import links
    from sweeps.report.summary import history, summary
    from sweeps.tracking.curves import with_curve

    store, record = read_record(sweep, tracking_uri)
    if trial is not None:
        found = with_curve(store, trial_of(record, trial))
        show_trial(record, found, traceback_of(store, found.trial.run_id), as_json)
    elif as_json:
        known = {**summary(record), **links(store, record), "running": record.running}
        print_json({**known, "history": history(record)})
    else:
        show_sweep(record, limit)


@click.command("best")
@click.argument("sweep", shell_complete=sweep_names)
@click.option("--top", type=Count(1), default=10, show_default=True, help="The best so many trials.")
@store_options
def best_command(sweep: str, top: int, tracking_uri: str | None, as_json: bool) -> None:
    """Show the best trials of a sweep, the lowest rmse first.

    SWEEP is a run id or its beginning, a name, or `last`.
    """
    from sweeps.report.summary import trial_summary
    from sweeps.selection import rank

    _, record = read_record(sweep, tracking_uri)
    best = rank(record.trials, top)
    if not best:
        raise NoUsableTrialError(
            f"sweep {record.name}", "no trial has an rmse", f"sweeps show {record.run_id[:8]} says why"
        )
    if as_json:
        tests = {f.number: f.test_rmse for f in record.finalists}
        rows = [
            {"rank": position, **trial_summary(t), "test_rmse": tests.get(t.number)}
            for position, t in enumerate(best, 1)
        ]
        print_json({"sweep": record.run_id, "name": record.name, "trials": rows})
    else:
        print_trials(record, best, ranked=True)


def _board(headers: "Sequence[SweepHeader]") -> "list[Column]":
    return [
        ("sweep", [h.run_id[:8] for h in headers]),
        ("name", [h.name for h in headers]),
        ("experiment", [h.experiment for h in headers]),
        ("state", [h.state for h in headers]),
        ("trials", [f"{sum(h.counts.values()):,}" for h in headers]),
        ("best rmse", figures([h.best_rmse for h in headers])),
        ("started", [when(h.started) for h in headers]),
        ("took", [seconds(None if h.ended is None else h.ended - h.started) for h in headers]),
    ]


def _line_json(header: "SweepHeader") -> dict[str, Any]:
    best = None if header.best_rmse is None else {"trial": header.best_trial, "rmse": header.best_rmse}
    took = None if header.ended is None else round(header.ended - header.started, 3)
    return {
        "sweep": header.run_id,
        "name": header.name,
        "experiment": header.experiment,
        "state": header.state,
        "space": header.space,
        "data": header.data,
        "trials": dict(header.counts),
        "best": best,
        "started": header.started,
        "seconds": took,
    }
