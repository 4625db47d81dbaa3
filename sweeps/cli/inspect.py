"""``sweeps list``, ``sweeps show`` and ``sweeps best``."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.options import Count, store_options
from sweeps.cli.output import figure, note, print_json, print_table, seconds
from sweeps.cli.views import print_trials, show_sweep, show_trial, when
from sweeps.errors import NoUsableTrialError, UsageError
from sweeps.record import SweepRecord
from sweeps.trial import Finished

if TYPE_CHECKING:
    from sweeps.tracking.reader import SweepHeader
    from sweeps.tracking.store import Store


def _limit(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    return None if value.lower() == "all" else Count(1).convert(value, param, ctx)


@click.command("list")
@click.option("--experiment", metavar="NAME", help="Only the sweeps of this experiment.")
@click.option("--limit", type=Count(1), default=20, show_default=True, help="The latest so many sweeps.")
@store_options
def list_command(experiment: str | None, limit: int, tracking_uri: str | None, as_json: bool) -> None:
    """List the sweeps of the store, the latest first."""
    from sweeps.tracking.reader import list_sweeps
    from sweeps.tracking.store import find_store, is_missing, resolve_uri

    uri = resolve_uri(tracking_uri)
    fresh = experiment is None and is_missing(uri)
    headers = [] if fresh else list_sweeps(find_store(uri), experiment=experiment, limit=limit)
    if as_json:
        print_json({"sweeps": [_line_json(header) for header in headers]})
    elif headers:
        columns = ["sweep", "name", "experiment", "state", "trials", "rmse", "started", "took"]
        print_table(columns, [_line(header) for header in headers])
    else:
        note("no sweep yet; sweeps run xgboost --data diabetes --trials 20")


@click.command("show")
@click.argument("sweep")
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
    from sweeps.cli.ui import sweep_link
    from sweeps.report.summary import history, summary

    store, record = read_record(sweep, tracking_uri)
    if trial is not None:
        found = trial_of(record, trial)
        show_trial(record, found, traceback_of(store, found.trial.run_id), as_json)
    elif as_json:
        link = sweep_link(store, record.experiment_id, record.run_id)
        print_json({**summary(record), "ui": link, "running": record.running, "history": history(record)})
    else:
        show_sweep(record, limit)


@click.command("best")
@click.argument("sweep")
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


def read_record(sweep: str, tracking_uri: str | None) -> "tuple[Store, SweepRecord]":
    """Open the store and read a sweep, named as on the command line.

    Raises:
        StoreError: the store is unreachable or unfit.
        UsageError: there is no such sweep.
    """
    from sweeps.tracking.reader import find_sweep, read_sweep
    from sweeps.tracking.store import find_store, resolve_uri

    store = find_store(resolve_uri(tracking_uri))
    return store, read_sweep(store, find_sweep(store, sweep))


def trial_of(record: SweepRecord, number: int) -> Finished:
    """Give the trial of that number.

    Raises:
        UsageError: the sweep has none, or it still runs.
    """
    found = next((t for t in record.trials if t.number == number), None)
    if found is None:
        last = max((t.number for t in record.trials), default=None)
        known = "it has no finished trial yet" if last is None else f"its finished trials go from 0 to {last}"
        raise UsageError(f"trial {number}", f"sweep {record.name} has no such finished trial: {known}")
    return found


def traceback_of(store: "Store", run_id: str) -> str | None:
    """Read the traceback that was kept with a trial's run; None where there is none."""
    from sweeps.tracking.store import store_errors

    with store_errors(store.shown), TemporaryDirectory(prefix="sweeps-") as folder:
        if not any(file.path == "error.txt" for file in store.client.list_artifacts(run_id)):
            return None
        path = store.client.download_artifacts(run_id, "error.txt", folder)
        return Path(path).read_text("utf-8", "replace")


def _line(header: "SweepHeader") -> list[str]:
    took = None if header.ended is None else header.ended - header.started
    return [
        header.run_id[:8],
        header.name,
        header.experiment,
        header.state,
        str(sum(header.counts.values())),
        figure(header.best_rmse),
        when(header.started),
        seconds(took),
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
