"""``sweeps spaces``."""

import os
from pathlib import Path

import click

from sweeps.cli.output import note, print_json, print_table

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


def short(path: Path) -> str:
    """Give a path relative to here where it is below, else to the home folder, else as it is."""
    for base, prefix in ((Path.cwd(), ""), (Path.home(), f"~{os.sep}")):
        if path.is_absolute() and path.is_relative_to(base):
            return f"{prefix}{path.relative_to(base)}"
    return str(path)
