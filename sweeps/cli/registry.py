"""``sweeps history`` and ``sweeps rollback``."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sweeps.cli.completion import model_names
from sweeps.cli.options import Count, store_options
from sweeps.cli.output import figure, print_json, print_table

if TYPE_CHECKING:
    from sweeps.registry import Event
    from sweeps.tracking.store import Store

COLUMNS = ["when", "version", "is", "what", "instead of", "rmse", "champion's", "who", "reason"]


@click.command("history")
@click.argument("model", shell_complete=model_names)
@store_options
def history_command(model: str, tracking_uri: str | None, as_json: bool) -> None:
    """Show every promotion and rollback of MODEL, oldest first, with its verdict.

    The rmse of a version and that of the champion it met are of the same rows.
    """
    from sweeps.errors import UsageError
    from sweeps.registry import history

    events = history(_store(tracking_uri), model)
    if not events:
        wrong = "nothing was promoted to a model of that name"
        raise UsageError(f"model {model}", wrong, "sweeps promote SWEEP --as MODEL")
    if as_json:
        print_json([asdict(event) for event in events])
    else:
        print_table(COLUMNS, [_row(event) for event in events])


@click.command("rollback")
@click.argument("model", shell_complete=model_names)
@click.option("--to", type=Count(), metavar="VERSION", help="Version [the champion before this one].")
@store_options
def rollback_command(model: str, to: int | None, tracking_uri: str | None, as_json: bool) -> None:
    """Make an earlier version of MODEL champion again; the one it replaces is withdrawn.

    The version is loaded first, as a check. One that was withdrawn is not promoted again, but --to brings
    it back.
    """
    from sweeps.registry import rollback

    done = rollback(_store(tracking_uri), model, to)
    if as_json:
        print_json({**asdict(done), "uri": done.uri})
    else:
        click.echo(f"model   {done.name} version {done.version} is {done.alias}: {done.reason}")


def _store(tracking_uri: str | None) -> "Store":
    from sweeps.tracking.store import find_store, resolve_uri

    return find_store(resolve_uri(tracking_uri))


def _row(event: "Event") -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.when))
    instead = "–" if event.instead_of is None else str(event.instead_of)
    rmses = figure(event.rmse), figure(event.rival_rmse)
    return [when, str(event.version), event.verdict, event.what, instead, *rmses, event.who, event.reason]
