"""``sweeps lint``."""

import shlex
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.completion import space_names
from sweeps.cli.options import Count
from sweeps.cli.output import note, print_json
from sweeps.errors import SpaceError, one_line

if TYPE_CHECKING:
    from sweeps.lint.finding import Finding
    from sweeps.lint.repeats import Repeats
    from sweeps.space.search_space import SearchSpace

COLOURS = {"error": "red", "warning": "yellow", "hint": "cyan"}


@click.command("lint")
@click.argument("space", shell_complete=space_names)
@click.option(
    "--trials", type=Count(), default=20, show_default=True, metavar="N", help="Of the sweep it is for."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
def lint_command(space: str, trials: int, as_json: bool) -> None:
    """Check a search space without running it.

    SPACE is a name that `sweeps spaces` lists, or the path of a .py file. An error is what cannot work (exit
    code 3), a warning what does something else than was probably meant, a hint what has a better way.

    \b
    sweeps lint xgboost
    sweeps lint search_spaces/mine.py --trials 200
    sweeps lint ridge --json
    """
    from sweeps.lint.judge import judge
    from sweeps.space.search_space import open_space

    try:
        opened = open_space(space)
    except SpaceError as error:
        if as_json:
            print_json(_unreadable(space, error))
        raise
    found, repeats = judge(opened, trials)
    if as_json:
        print_json(_answer(opened, found, repeats))
    else:
        _print(opened, found, repeats)
        _suggest(space, found)
    if any(finding.severity == "error" for finding in found):
        raise click.exceptions.Exit(SpaceError.exit_code)


def print_findings(found: "list[Finding]", *, err: bool = False) -> None:
    """Print findings, one line each."""
    for finding in found:
        mark = click.style(str(finding.severity), fg=COLOURS[finding.severity], bold=True)
        click.echo(f"{mark}: {finding.text}", err=err)


def _print(space: "SearchSpace", found: "list[Finding]", repeats: "Repeats | None") -> None:
    print_findings(found)
    labels = ", ".join(one_line(str(label)) for label in space.labels)
    click.echo(f"{space.name}: {_verdict(found)}; hyperparameters: {labels or 'none'}")
    if repeats is not None and repeats.share:
        error = f" (± {100 * repeats.error:.2g})" if repeats.error else ""
        share = f"{100 * repeats.share:.2g} %{error}"
        note(f"of {repeats.trials} points drawn at random {share} repeat an earlier one")


def _suggest(space: str, found: "list[Finding]") -> None:
    if all(finding.severity == "hint" for finding in found):
        note(f"next: sweeps preview {shlex.quote(space)}")


def _verdict(found: "list[Finding]") -> str:
    counts = {kind: sum(f.severity == kind for f in found) for kind in COLOURS}
    told = [f"{count} {kind}{'s' * (count > 1)}" for kind, count in counts.items() if count]
    return ", ".join(told) or "ok"


def _answer(space: "SearchSpace", found: "list[Finding]", repeats: "Repeats | None") -> dict[str, Any]:
    return {
        "space": space.name,
        "path": str(space.path),
        "labels": [str(label) for label in space.labels],
        "findings": [finding.to_json() for finding in found],
        "warnings": [finding.text for finding in found if finding.severity == "warning"],
        "repeats": None if repeats is None else vars(repeats),
    }


def _unreadable(space: str, error: SpaceError) -> dict[str, Any]:
    from sweeps.lint.finding import refused

    nothing: dict[str, Any] = {"path": None, "labels": [], "warnings": [], "repeats": None}
    return {"space": space, "findings": [refused("unreadable", error).to_json()], **nothing}
