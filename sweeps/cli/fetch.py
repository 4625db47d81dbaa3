"""``sweeps fetch``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from sweeps.cli.output import answer, note, print_json

Report = Callable[[str, int, int | None], None]
"""Takes a file's name, the bytes it has, and the bytes it will have where that is known."""

MEGABYTE = 1_000_000


@click.command("fetch")
@click.argument("data")
@click.option(
    "--data-dir",
    metavar="DIR",
    help="Where the files go; else SWEEPS_DATA_DIR, else ./data.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def fetch_command(data: str, data_dir: str | None, as_json: bool) -> None:
    """Download a public dataset; files that are there already are kept.

    DATA is green-taxi and its months: green-taxi:2023-01,2023-02,2023-03
    """
    from sweeps.data.fetch import fetch

    with progress() as report:
        paths = fetch(data, data_dir, report)
    if as_json:
        print_json({"files": [str(path) for path in paths]})
        return
    for path in paths:
        answer(str(path))


@contextmanager
def progress() -> Iterator[Report]:
    """Show bars on a terminal, elsewhere one line when a file starts and one when it is whole; on stderr."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield show


def _lines() -> Report:
    begun: set[str] = set()

    def show(name: str, done: int, total: int | None) -> None:
        size = f" ({total / MEGABYTE:.1f} MB)" if total else ""
        if name not in begun:
            begun.add(name)
            note(f"downloading {name}{size}")
        if total is not None and done >= total:
            note(f"downloaded {name}{size}")

    return show
