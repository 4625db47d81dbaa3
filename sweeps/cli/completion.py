"""``sweeps completion``, and what the shell offers for the names of sweeps, trials, models and search spaces.

What is offered comes at a key press: nothing heavy is imported, only a SQLite store is looked into, without
MLflow, and whatever goes wrong offers nothing.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from sweeps.cli.output import print_json

SHELLS = ("bash", "zsh", "fish")
MOST = 50
"""Names offered."""

_SWEEPS = (
    "SELECT runs.name, runs.run_uuid FROM runs JOIN tags USING (run_uuid) "
    "WHERE tags.key = 'sweeps.kind' AND tags.value = 'sweep' AND runs.lifecycle_stage = 'active' "
    "ORDER BY runs.start_time DESC LIMIT 1000"
)
_MODELS = "SELECT name, name FROM registered_models ORDER BY last_updated_time DESC LIMIT 1000"


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def completion_command(shell: str, as_json: bool) -> None:
    """Print the script that completes commands, options, sweeps and search spaces in a SHELL.

    \b
    eval "$(sweeps completion bash)"     in ~/.bashrc
    eval "$(sweeps completion zsh)"      in ~/.zshrc
    sweeps completion fish | source      in ~/.config/fish/config.fish
    """
    from sweeps.cli.main import cli

    kind = get_completion_class(shell)
    if kind is None:  # not for the shells above
        raise click.UsageError(f"no completion for {shell}")
    script = kind(cli, {}, "sweeps", "_SWEEPS_COMPLETE").source()
    if as_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)


def sweep_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer ``last``, then the names, then the ids of sweeps that begin so."""
    known = _known(ctx, _SWEEPS)
    names = ["last", *dict.fromkeys(name for name, _ in known)] if known else []
    offered = [CompletionItem(name) for name in names if name.startswith(incomplete)]
    if incomplete:
        ids = [(run, name) for name, run in known if run.startswith(incomplete)]
        offered += [CompletionItem(run[:8], help=name) for run, name in ids]
    return offered[:MOST]


def trial_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the best trials of the sweeps that begin so."""
    return [
        CompletionItem(f"{item.value}:best") for item in sweep_names(ctx, param, incomplete.partition(":")[0])
    ]


def model_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the registered models that begin so."""
    names = (name for name, _ in _known(ctx, _MODELS) if name.startswith(incomplete))
    return [CompletionItem(name) for name in names][:MOST]


def space_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the search spaces that begin so, and files."""
    from sweeps.space.search_space import list_spaces

    found = [
        CompletionItem(one.name, help=one.summary) for one in list_spaces() if one.name.startswith(incomplete)
    ]
    return found or [CompletionItem(incomplete, type="file")]


def _known(ctx: click.Context, query: str) -> list[tuple[str, str]]:
    """Give pairs of a name and an id that the store holds, the latest first; none where it is no file."""
    uri = ctx.params.get("tracking_uri") or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
    path = Path(str(uri).removeprefix("sqlite:///"))
    if not str(uri).startswith("sqlite:///") or not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.5)) as store:
            return [(str(name), str(run)) for name, run in store.execute(query)]
    except sqlite3.Error:
        return []
