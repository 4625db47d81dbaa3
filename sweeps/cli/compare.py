"""``sweeps compare``."""

from collections.abc import Sequence
from typing import Any

import click

from sweeps.cli.chart import SIGNS, Curve, chart
from sweeps.cli.completion import sweep_names
from sweeps.cli.lookup import read_records, unique
from sweeps.cli.options import Count, store_options
from sweeps.cli.output import bold, note, print_grid, print_json, print_text, terminal_width
from sweeps.comparison import DRAWS, LEVEL, Difference, best_at, best_of, difference, landmarks, results
from sweeps.errors import NoUsableTrialError, UsageError
from sweeps.record import SweepRecord
from sweeps.report.summary import duration, plain
from sweeps.selection import pick
from sweeps.wording import figures, seconds

MOST = len(SIGNS)
PIPED = 100
"""Columns of a chart that no terminal limits."""


@click.command("compare")
@click.argument("sweeps", metavar="SWEEP SWEEP...", nargs=-1, required=True, shell_complete=sweep_names)
@click.option(
    "--at", "trials", type=Count(2), metavar="N", help="Look at the first N trials only [all of the shorter]."
)
@store_options
def compare_command(
    sweeps: tuple[str, ...], trials: int | None, tracking_uri: str | None, as_json: bool
) -> None:
    """Compare sweeps at equal numbers of trials: best rmse after n trials, and the difference to the first.

    SWEEP is a run id or its beginning, a name, or `last`. The intervals are bootstrapped over the trials, not
    over seeds or rows.

    \b
    sweeps compare tpe-42 random-42
    sweeps compare last 8180c31b --at 50
    """
    _check(unique(sweeps))
    found = {record.run_id: record for record in read_records(sweeps, tracking_uri)[1]}
    records = list(found.values())
    _check(records)  # one sweep may be named in two ways
    values = [results(record)[:trials] for record in records]
    for record, one in zip(records, values, strict=True):
        if best_of(one, len(one)) is None:
            hint = f"sweeps show {record.run_id[:8]} says why"
            raise NoUsableTrialError(f"sweep {record.name}", "has no rmse to compare", hint)
    differences = [difference(one, values[0]) for one in values[1:]]
    if as_json:
        print_json(answer(records, values, differences))
    else:
        show(records, values, differences, whole=trials is None)
    for text in remarks(records):
        note(f"warning: {text}")


def _check(sweeps: Sequence[object]) -> None:
    if not 2 <= len(sweeps) <= MOST:
        wrong = f"needs 2 to {MOST} different sweeps, got {len(sweeps)}"
        raise UsageError("sweeps compare", wrong, "sweeps list shows them")


def remarks(records: Sequence[SweepRecord]) -> list[str]:
    """Say why the figures may not be comparable."""
    first, *others = records
    odd = [r.name for r in others if r.extra.get("data_digest") != first.extra.get("data_digest")]
    if not odd:
        return []
    return [f"{', '.join(odd)} saw other data than {first.name}: the rmse of different rows do not compare"]


def show(
    records: Sequence[SweepRecord],
    values: Sequence[list[float]],
    differences: Sequence[Difference | None],
    *,
    whole: bool = True,
) -> None:
    """Print the table, the curves and the differences.

    Args:
        records: the sweeps.
        values: their results by trial, or of their first trials only.
        differences: of each but the first to the first.
        whole: whether the values are all; else what is of whole sweeps only is left out.
    """
    print_grid(_overview(records, values, whole=whole))
    click.echo()
    click.echo(bold("best rmse after so many trials, * where curves meet"))
    for line in chart([Curve(best_at(v), len(v)) for v in values], terminal_width() or PIPED):
        click.echo(line)
    print_grid(_landmarks(values))
    click.echo()
    click.echo(bold(f"difference to A, {records[0].name} (below 0: better than A)"))
    known = [d for d in differences if d is not None]
    if not known:
        click.echo("too few trials to tell")
        return
    print_grid(_differences(records, differences))
    print_text(
        f"bootstrap over trials: {DRAWS:,} times, half of each sweep's first n trials are drawn with "
        "replacement, and the best of them compared. Other seeds and other rows are not in it."
    )


def _overview(
    records: Sequence[SweepRecord], values: Sequence[list[float]], *, whole: bool
) -> list[tuple[str, list[str]]]:
    tests = [pick(r.finalists).test_rmse if r.finalists else None for r in records]
    best = [best_of(v, len(v)) for v in values]
    columns = [
        ("", list(SIGNS[: len(records)])),
        ("sweep", [r.run_id[:8] for r in records]),
        ("name", [r.name for r in records]),
        ("trials", [str(len(v)) for v in values]),
        ("with rmse", [str(sum(x < float("inf") for x in v)) for v in values]),
        ("best rmse", figures(best)),
        ("found at", [str(best_at(v)[-1][0]) for v in values]),
    ]
    if whole and any(test is not None for test in tests):
        columns.append(("test rmse", figures(tests)))
    return [*columns, ("took", [seconds(duration(r)) for r in records])] if whole else columns


def _landmarks(values: Sequence[list[float]]) -> list[tuple[str, list[str]]]:
    marks = landmarks([len(v) for v in values])
    found = [[best_of(v, mark) for mark in marks] for v in values]
    columns = [("trials", [f"{mark:,}" for mark in marks])]
    return [*columns, *((sign, figures(one)) for sign, one in zip(SIGNS, found, strict=False))]


def _differences(
    records: Sequence[SweepRecord], differences: Sequence[Difference | None]
) -> list[tuple[str, list[str]]]:
    def cells(write: Any) -> list[str]:
        return ["–" if d is None else write(d) for d in differences]

    return [
        ("", list(SIGNS[1 : len(records)])),
        ("name", [r.name for r in records[1:]]),
        ("first n", cells(lambda d: f"{d.trials:,}")),
        ("difference", cells(lambda d: f"{d.observed:+.4g}")),
        (f"{LEVEL:.0%} of draws".replace("%", " %"), cells(lambda d: f"{d.low:+.4g} to {d.high:+.4g}")),
        ("better in", cells(lambda d: f"{100 * d.better:.0f} %")),
    ]


def answer(
    records: Sequence[SweepRecord], values: Sequence[list[float]], differences: Sequence[Difference | None]
) -> dict[str, Any]:
    """Give the comparison as JSON values."""
    sweeps = [
        {
            "sweep": record.run_id,
            "name": record.name,
            "state": record.state,
            "trials": len(found),
            "with_rmse": sum(x < float("inf") for x in found),
            "best_rmse": best_of(found, len(found)),
            "test_rmse": pick(record.finalists).test_rmse if record.finalists else None,
            "seconds": duration(record),
            "data_digest": record.extra.get("data_digest"),
            "best_at": [{"trials": n, "rmse": rmse} for n, rmse in best_at(found)],
            "difference": None if gap is None else difference_json(gap),
        }
        for record, found, gap in zip(records, values, [None, *differences], strict=True)
    ]
    return {"baseline": records[0].run_id, "sweeps": sweeps, "warnings": remarks(records)}


def difference_json(gap: Difference) -> dict[str, Any]:
    """Give a difference to the baseline as JSON values, with what was resampled."""
    return {
        "first_trials": gap.trials,
        "best_rmse": gap.observed,
        "interval": [plain(gap.low), plain(gap.high)],
        "level": LEVEL,
        "better_in": gap.better,
        "resampled": "trials, with replacement, half of the first ones of each sweep",
        "drawn": gap.drawn,
        "draws": DRAWS,
    }
