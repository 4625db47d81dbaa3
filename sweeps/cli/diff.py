"""``sweeps diff``."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from sweeps.cli.boards import assignments, params_of, value_text
from sweeps.cli.chart import Curve, chart
from sweeps.cli.completion import trial_names
from sweeps.cli.lookup import read_trials
from sweeps.cli.options import store_options
from sweeps.cli.output import bold, note, print_grid, print_json, terminal_width
from sweeps.cli.views import environment_of, flat_settings
from sweeps.record import SweepRecord
from sweeps.report.summary import plain, trial_summary
from sweeps.report.tables import Cell, flat
from sweeps.trial import Finished
from sweeps.wording import figure, seconds

Pair = tuple[SweepRecord, Finished]

CHART_WIDTH = 80

SEPARATE = ("name", "experiment", "space", "data.name")
"""Settings that other lines show, or that do not change what is trained."""


@click.command("diff")
@click.argument("one", metavar="TRIAL", shell_complete=trial_names)
@click.argument("other", metavar="TRIAL", shell_complete=trial_names)
@store_options
def diff_command(one: str, other: str, tracking_uri: str | None, as_json: bool) -> None:
    """Show in what two trials differ: params, metrics, curves, settings and versions.

    TRIAL is SWEEP:NUMBER, SWEEP:best, a number, of the latest sweep, or the trial's run id.

    \b
    sweeps diff 3 7
    sweeps diff last:best tpe-42:best
    """
    from sweeps.tracking.curves import with_curve

    store, pairs = read_trials([one, other], tracking_uri)
    (a, b) = ((record, with_curve(store, trial)) for record, trial in pairs)
    if as_json:
        print_json(answer(a, b))
    else:
        show(a, b)


def show(a: Pair, b: Pair) -> None:
    """Print the differences, what is equal in one line each."""
    rows = [row for row in zip(HEAD, head(a), head(b), strict=True) if row[1:] != (NONE, NONE)]
    print_grid(
        [(title, list(cells)) for title, cells in zip(("", *"AB"), zip(*rows, strict=True), strict=True)]
    )
    _print_values("params", params_of(a[1]), params_of(b[1]))
    print_metrics(metrics(a[1]), metrics(b[1]))
    print_curves(a[1], b[1])
    _print_values("sweep", context(a[0]), context(b[0]))


NONE = "none"

HEAD = ("trial", "run", "state", "started in", "took", "seed", "error")


def head(pair: Pair) -> list[str]:
    """Give what a trial is, a cell for each word of ``HEAD``."""
    record, trial = pair
    outcome = trial.outcome
    number, run = f"{trial.number} of {record.name}", trial.trial.run_id[:8]
    took = seconds(trial.ended - trial.trial.started)
    seed = str(trial.trial.proposal.seed)
    return [number, run, str(outcome.state), record.run_id[:8], took, seed, outcome.reason or NONE]


def metrics(trial: Finished) -> dict[str, float]:
    """Give a trial's figures by name, rmse first."""
    rmse = {} if trial.outcome.rmse is None else {"rmse": trial.outcome.rmse}
    return {**rmse, **trial.outcome.metrics}


def context(record: SweepRecord) -> dict[str, Cell]:
    """Give what a sweep brought along: settings, digests of space and data, versions."""
    digests = {name: str(record.extra.get(name, "–"))[:12] for name in ("space_digest", "data_digest")}
    settings = {k: v for k, v in flat_settings(record).items() if k not in SEPARATE}
    named = {"space": record.extra.get("space"), "data": record.extra.get("data")}
    return {**named, **digests, **settings, **environment_of(record)}


def differing(a: Mapping[str, Cell], b: Mapping[str, Cell]) -> list[str]:
    """Give the names whose values differ, or which one of the two lacks."""
    names = dict.fromkeys([*a, *b])
    return [name for name in names if (name in a, a.get(name)) != (name in b, b.get(name))]


def _print_values(title: str, a: Mapping[str, Cell], b: Mapping[str, Cell]) -> None:
    names = differing(a, b)
    click.echo()
    if names:
        cells = [[value_text(side.get(name, "–")) for name in names] for side in (a, b)]
        print_grid([(title, names), ("A", cells[0]), ("B", cells[1])])
    else:
        click.echo(bold(title))
    same: dict[str, Cell] = {n: v for n, v in a.items() if n not in names and v is not None}
    if same:
        click.echo(f"in both: {assignments(same)}")


def print_metrics(a: Mapping[str, float], b: Mapping[str, float]) -> None:
    """Print the figures and their differences."""
    names = list(dict.fromkeys([*a, *b]))
    if not names:
        return
    gaps = [f"{b[name] - a[name]:+.4g}" if name in a and name in b else "–" for name in names]
    click.echo()
    cells = [[figure(side.get(name)) for name in names] for side in (a, b)]
    print_grid([("metrics", names), ("A", cells[0]), ("B", cells[1]), ("B less A", gaps)])


def print_curves(a: Finished, b: Finished) -> None:
    """Draw the curves, where there are any."""
    curves = [a.outcome.curve, b.outcome.curve]
    if not any(curves):
        return
    click.echo(f"\n{bold('curves')}: validation rmse by step, * where they meet")
    drawn = [Curve(curve, curve[-1][0] if curve else 0) for curve in curves]
    for line in chart(drawn, terminal_width() or CHART_WIDTH, begin=0, log=False):
        click.echo(line)
    for sign, curve in zip("AB", curves, strict=True):
        if curve:
            step, best = min(curve, key=lambda point: point[1])
            note(f"{sign}: best {figure(best)} at step {step}, last {figure(curve[-1][1])} at {curve[-1][0]}")
        else:
            note(f"{sign}: no curve")


def answer(a: Pair, b: Pair) -> dict[str, Any]:
    """Give both trials and what differs as JSON values."""
    found = [(flat(t.trial.proposal.params), metrics(t), context(r)) for r, t in (a, b)]
    names = [differing(one, other) for one, other in zip(*found, strict=True)]
    kinds = ("params", "metrics", "sweep")
    return {
        "a": side(a),
        "b": side(b),
        "differ": {
            kind: {n: [plain(found[0][i].get(n)), plain(found[1][i].get(n))] for n in names[i]}
            for i, kind in enumerate(kinds)
        },
    }


def side(pair: Pair) -> dict[str, Any]:
    """Give a trial with its curve and what its sweep brought along, as JSON values."""
    record, trial = pair
    curve: Sequence[Sequence[float]] = [list(point) for point in trial.outcome.curve]
    known = {name: plain(value) for name, value in context(record).items()}
    named = {"sweep": record.run_id, "name": record.name}
    return {**named, **trial_summary(trial), "curve": curve, "context": known}
