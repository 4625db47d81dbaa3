"""``sweeps explain`` and ``sweeps next-space``: what a sweep says, and what to search next."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweeps.cli.completion import sweep_names
from sweeps.cli.options import store_options
from sweeps.cli.output import note, print_json, terminal_width
from sweeps.errors import UsageError, one_line

if TYPE_CHECKING:
    from sweeps.analysis.next.space import NextSpace

HEADS = {
    "importance": "what mattered",
    "range": "range",
    "outlook": "more trials",
    "failures": "failures",
    "test": "test",
    "drift": "rows",
}


@click.command("explain")
@click.argument("sweep", shell_complete=sweep_names)
@store_options
def explain_command(sweep: str, tracking_uri: str | None, as_json: bool) -> None:
    """Explain SWEEP in plain sentences: what mattered, which ranges to change, what more trials would bring.

    SWEEP is a run id or its beginning, a name, or `last`. --json adds the figures each sentence rests on.
    """
    from sweeps.analysis.explain import Explanation
    from sweeps.api.evidence import read_evidence

    _, record = read_evidence(sweep, tracking_uri)
    findings = Explanation(record).findings
    if as_json:
        listed = [{"topic": f.topic, "text": f.text, "evidence": dict(f.evidence)} for f in findings]
        print_json({"sweep": record.run_id, "name": record.name, "findings": listed})
        return
    click.secho(one_line(record.name), bold=True)
    for finding in findings:
        _print_wrapped(HEADS[finding.topic], one_line(finding.text))
    note(f"the next search space: sweeps next-space {record.run_id[:8]}")


@click.command("next-space")
@click.argument("sweep", shell_complete=sweep_names)
@click.option(
    "--to", "file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Write it there, a new .py file; else it is printed.",
)  # fmt: skip
@store_options
def next_space_command(sweep: str, file: Path | None, tracking_uri: str | None, as_json: bool) -> None:
    """Write the search space to try after SWEEP: its own, with the ranges that its trials ask for.

    SWEEP is a run id or its beginning, a name, or `last`. Every change has its reason in a comment, and the
    best trials become FIRST. Nothing of the sweep is run to make it.
    """
    from sweeps.analysis.explain import Explanation
    from sweeps.analysis.next.space import next_space
    from sweeps.api.evidence import read_evidence
    from sweeps.tracking.reader import read_source

    if file is not None:
        _check_new(file)
    store, record = read_evidence(sweep, tracking_uri)
    made = next_space(read_source(store, record), Explanation(record))
    if file is not None:
        _write(file, made.source)
    if as_json:
        answer = {"file": None if file is None else str(file), "changed": made.changed, "left": made.left}
        print_json({"sweep": record.run_id, "name": record.name, **answer, "source": made.source})
    else:
        _print_space(made, file)


def _print_space(made: "NextSpace", file: Path | None) -> None:
    if file is None:
        for line in made.source.rstrip("\n").split("\n"):
            click.echo("".join(c for c in line if c.isprintable() or c == "\t"))
    else:
        click.echo(str(file))
    for text in (*made.changed, *(f"not changed, since it is computed: {t}" for t in made.left)):
        note(one_line(text))
    if not made.changed:
        note("no range asks for a change")
    if file is not None:
        note(f"check it and run it: sweeps lint {file}; sweeps run {file}")


def _check_new(file: Path) -> None:
    if file.suffix != ".py":
        raise UsageError(f"--to {file}", "a search space is a .py file", f"--to {file.with_suffix('.py')}")
    if file.exists():
        raise UsageError(f"--to {file}", "there is such a file already", "choose another name")


def _write(file: Path, source: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as out:
            out.write(source)
    except OSError as error:
        wrong = f"cannot be written: {error.strerror or error}"
        raise UsageError(f"--to {file}", wrong, "choose another place") from error


def _print_wrapped(head: str, text: str) -> None:
    width = terminal_width()
    margin = max(map(len, HEADS.values())) + 4
    lines = [text] if width is None else textwrap.wrap(text, max(width - margin, 30))
    for i, line in enumerate(lines):
        click.echo(f"  {head if i == 0 else '':<{margin - 2}}{line}")
