"""``sweeps resume``."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.completion import sweep_names
from sweeps.cli.data_options import add_options
from sweeps.cli.notify import NOTIFY_OPTIONS
from sweeps.cli.options import Count, Duration, store_options
from sweeps.cli.output import answer, note, print_json, warn
from sweeps.cli.run import VIEW_OPTIONS, drive, view_of

if TYPE_CHECKING:
    from sweeps.api.earlier import NothingLeftError
    from sweeps.api.resume import Resumable
    from sweeps.cli.progress import Progress
    from sweeps.notify.target import Target

SETTINGS = ("workers", "threads", "engine", "space", "worker_env")
FILES = ("train", "valid", "test", "table", "data_dir")


@click.command("resume")
@click.argument("sweep", shell_complete=sweep_names)
@click.option("--trials", type=Count(), metavar="N", help="Trials in all, the finished ones included.")
@click.option("--time", "seconds_", type=Duration(), metavar="10m", help="Time in all, likewise.")
@click.option("--workers", type=Count(1, 1024), metavar="W", help="Trials at once [as before].")
@click.option("--threads", type=Count(1, 1024), metavar="T", help="Threads per trial [as before].")
@click.option("--engine", metavar="URL", help="local, serial, dask://HOST:PORT and so on [as before].")
@click.option("--worker-env", multiple=True, metavar="NAME", help="Pass this credential on to the workers.")
@click.option("--accept-changes", is_flag=True, help="Go on although search space or data were changed.")
@click.option("--space", metavar="FILE", help="Where the search space lies now.")
@click.option("--data-dir", metavar="DIR", help="Where the downloaded months lie now.")
@click.option("--train", metavar="FILE", help="Where the rows to train on lie now.")
@click.option("--valid", metavar="FILE", help="Where the rows to validate on lie now.")
@click.option("--test", metavar="FILE", help="Where the test rows lie now.")
@click.option("--table", metavar="FILE", help="Where the one file lies now.")
@click.option("--no-cache", is_flag=True, help="Read and encode the data anew, and keep nothing of it.")
@click.option("--results-dir", default="results", show_default=True, metavar="DIR", help="For the reports.")
@add_options(NOTIFY_OPTIONS, VIEW_OPTIONS)
@store_options
def resume_command(
    sweep: str,
    trials: int | None,
    seconds_: float | None,
    accept_changes: bool,
    no_cache: bool,
    results_dir: str,
    notify: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    plain: bool,
    tracking_uri: str | None,
    as_json: bool,
    **rest: Any,
) -> None:
    """Go on with an interrupted SWEEP: finished trials stay, interrupted ones are repeated first.

    SWEEP is a run id or its beginning, a name, or `last`. Whatever is not said is as it was.

    \b
    sweeps resume last
    sweeps resume last --trials 200
    """
    from sweeps.api.earlier import NothingLeftError
    from sweeps.api.resume import Changes, resumable
    from sweeps.notify.target import read_targets

    rest["worker_env"] = rest["worker_env"] or None  # as it was
    settings, data = ({key: rest[key] for key in keys} for keys in (SETTINGS, FILES))
    changes = Changes(trials, seconds_, settings, data, accept_changes)
    view, told = view_of(quiet, verbose, plain, as_json), read_targets(notify)
    try:
        with resumable(sweep, changes, tracking_uri, waits=note) as found, view as shown:
            _go_on(found, shown, Path(results_dir), told, cache=not no_cache, as_json=as_json)
    except NothingLeftError as complete:
        _tell(complete, as_json)


def _go_on(
    found: "Resumable",
    shown: "Progress",
    results: Path,
    told: "Sequence[Target]",
    *,
    cache: bool,
    as_json: bool,
) -> None:
    from sweeps.api.workers import start_workers

    answers = sys.stdout
    with redirect_stdout(sys.stderr), start_workers(found.sweep) as engine:
        from sweeps.api.session import Session

        place, earlier = (found.sweep, engine, found.store.uri, results), found.earlier
        kept = f"{len(earlier.finished)} finished trials" if earlier.finished else "no finished trial"
        note(f"going on with sweep {earlier.record.name}: {kept}")
        session = Session(*place, cache=cache, earlier=earlier, tell=warn, notify=told)
        drive(session, shown, as_json, answers)


def _tell(complete: "NothingLeftError", as_json: bool) -> None:
    """Say what is there already, in the form in which a session would."""
    from sweeps.cli.ui import links
    from sweeps.report.summary import summary

    if as_json:
        print_json({**summary(complete.record), **links(complete.store, complete.record)})
    else:
        answer(str(complete))
