"""``sweeps spaces`` and ``sweeps lint``."""

import os
from pathlib import Path

import click

from sweeps.cli.output import note, print_json, print_table
from sweeps.errors import one_line

_debug = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


@click.command("spaces")
@_json
@_debug
def spaces_command(as_json: bool) -> None:
    """List the search spaces: those in ./search_spaces, then the shipped ones."""
    from sweeps.space.search_space import list_spaces

    listings = list_spaces()
    if as_json:
        rows = [{"name": s.name, "summary": s.summary, "path": str(s.path)} for s in listings]
        print_json({"spaces": rows})
        return
    folders = dict.fromkeys(s.path.parent for s in listings)
    for folder in folders:
        click.secho(f"in {short(folder)}", bold=True)
        print_table(
            ["space", "what it searches"], [[s.name, s.summary] for s in listings if s.path.parent == folder]
        )
    note("sweeps run SPACE --data diabetes --trials 20; SPACE may also be the path of a .py file")


@click.command("lint")
@click.argument("space")
@_json
@_debug
def lint_command(space: str, as_json: bool) -> None:
    """Check a search space without running it.

    SPACE is a name that `sweeps spaces` lists, or the path of a .py file. Exits with 3 if it cannot work.
    """
    from sweeps.lint import check_space
    from sweeps.space.search_space import load_space

    loaded = load_space(space)
    warnings = check_space(loaded)
    if as_json:
        labels = list(loaded.labels)
        print_json({"space": loaded.name, "path": str(loaded.path), "labels": labels, "warnings": warnings})
        return
    for warning in warnings:
        click.echo(f"warning: {one_line(warning)}")
    verdict = f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}" if warnings else "ok"
    click.echo(f"{loaded.name}: {verdict}; hyperparameters: {', '.join(loaded.labels)}")


def short(path: Path) -> str:
    """Give a path relative to here where it is below, else to the home folder, else as it is."""
    for base, prefix in ((Path.cwd(), ""), (Path.home(), f"~{os.sep}")):
        if path.is_absolute() and path.is_relative_to(base):
            return f"{prefix}{path.relative_to(base)}"
    return str(path)
