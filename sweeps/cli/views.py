"""How a sweep and its trials read on a terminal."""

import json
import textwrap
from collections.abc import Sequence
from datetime import datetime

import click

from sweeps.causes import Causes
from sweeps.cli.boards import assignments, fitted, params_of, shared_params
from sweeps.cli.finish import finish_lines
from sweeps.cli.output import answer, bold, note, print_grid, print_json, print_text, terminal_width
from sweeps.errors import one_line
from sweeps.live.spark import sparkline, stepped
from sweeps.record import SweepRecord
from sweeps.report.command import run_command
from sweeps.report.summary import duration, trial_summary
from sweeps.report.tables import Cell, flat
from sweeps.selection import pick, rank
from sweeps.trial import Curve, Finished, State
from sweeps.wording import counted, figure, figures, seconds

HISTORY_WIDTH = 40
"""Columns of the line of bars."""

MOST_CAUSES = 8
"""Causes of failures that are shown."""


def show_sweep(record: SweepRecord, limit: int | None) -> None:
    """Print a sweep: what it is, what came out, its last trials, and why some failed."""
    _print_pairs(record.name, overview(record))
    if record.finalists:
        click.echo()
        chosen = {f.number for f in record.finalists}
        print_trials(record, [t for t in rank(record.trials) if t.number in chosen], title="finalists")
    trials = sorted(record.trials, key=lambda t: t.number)
    shown = trials if limit is None else trials[-limit:]
    if shown:
        click.echo()
        print_trials(record, shown, title=f"trials {shown[0].number} to {shown[-1].number}", states=True)
    if len(shown) < len(trials):
        note(f"{len(trials) - len(shown)} earlier trials: --trials all")
    for line in failures(trials):
        print_text(line, indent="    ")


def overview(record: SweepRecord) -> list[tuple[str, str]]:
    """Give the head of a sweep as pairs of a word and what there is to say."""
    best, model, overhead = record.best, record.model, record.extra.get("overhead")
    pairs = [
        ("sweep", record.run_id),
        ("experiment", record.experiment),
        ("state", f"{record.state}, started {when(record.started)}{_took(record)}"),
        ("trials", _counts(record)),
    ]
    if best is not None:
        pairs.append(("best", f"rmse {figure(best.outcome.rmse)} in trial {best.number}"))
        pairs.append(("", assignments(params_of(best))))
        pairs += _history(record)
    if record.finalists and (winner := pick(record.finalists)).test_rmse is not None:
        pairs.append(("winner", f"rmse {figure(winner.test_rmse)} on test, trial {winner.number}"))
    pairs += finish_lines(record)
    if model is not None:
        pairs.append(("model", f"{model.uri} is {model.alias}: {model.reason}"))
    if isinstance(overhead, float):
        share = f"{100 * overhead:.1f} % of the time"
        pairs.append(("overhead", f"while trials ran, no worker trained for {share}"))
    pairs.append(("in the UI", f"sweeps ui {record.run_id[:8]}"))
    command = run_command(record.settings)
    return [*pairs, ("again", command)] if command else pairs


def _curve(curve: Curve) -> list[tuple[str, str]]:
    """Give a learning curve as a line of bars."""
    if len(curve) < 2:
        return []
    length = curve[-1][0] - curve[0][0] + 1
    values = stepped([(step - curve[0][0], rmse) for step, rmse in curve], length, HISTORY_WIDTH)
    best = min(curve, key=lambda point: point[1])
    text = f"{sparkline(values)} from {figure(curve[0][1])}, best {figure(best[1])} at step {best[0]}"
    return [("curve", text)]


def _history(record: SweepRecord) -> list[tuple[str, str]]:
    """Give the best rmse so far as a line of bars."""
    from sweeps.live.tally import Tally

    tally = Tally(before=sorted(record.trials, key=lambda t: t.ended))
    if tally.ended < 3:
        return []
    values = stepped(tally.history, tally.ended, HISTORY_WIDTH)
    first, last = tally.history[0][1], tally.history[-1][1]
    return [("best so far", f"{sparkline(values).strip()} from {figure(first)} to {figure(last)}")]


def show_trial(record: SweepRecord, finished: Finished, traceback: str | None, as_json: bool) -> None:
    """Print all that is known of a trial; its traceback where the store kept one."""
    outcome = finished.outcome
    if as_json:
        point = dict(finished.trial.proposal.point)
        curve = [list(place) for place in outcome.curve]
        known = {**trial_summary(finished), "point": point, "curve": curve, "traceback": traceback}
        print_json({"sweep": record.run_id, **known})
        return
    figures = {"rmse": outcome.rmse, **outcome.metrics}
    head = [
        ("run", finished.trial.run_id),
        ("state", f"{outcome.state}, after {seconds(finished.ended - finished.trial.started)}"),
        ("seed", str(finished.trial.proposal.seed)),
        *((one_line(name), figure(value)) for name, value in figures.items() if value is not None),
    ]
    _print_pairs(f"trial {finished.number} of {record.name}", [*head, *_curve(outcome.curve)])
    _print_pairs("\nparams", [(one_line(name), one_line(str(v))) for name, v in params_of(finished).items()])
    if error := traceback or outcome.error:
        click.echo(f"\n{bold('error')}")
        for line in error.rstrip().split("\n"):
            answer(f"  {line}")


def print_trials(
    record: SweepRecord,
    trials: Sequence[Finished],
    title: str = "",
    ranked: bool = False,
    states: bool = False,
) -> None:
    """Print trials as a table; params with one value in all of them stand in one line below it."""
    tests = {f.number: f.test_rmse for f in record.finalists}
    fixed = [("trial", [str(t.number) for t in trials])]
    if ranked:
        fixed.insert(0, ("rank", [str(i) for i in range(1, len(trials) + 1)]))
    if states:
        fixed.append(("state", [str(t.outcome.state) for t in trials]))
    fixed.append(("rmse", figures([t.outcome.rmse for t in trials])))
    if any(tests.get(t.number) is not None for t in trials):
        fixed.append(("test", figures([tests.get(t.number) for t in trials])))
    fixed.append(("time", [seconds(t.ended - t.trial.started) for t in trials]))
    columns, left_out = fitted(fixed, trials, terminal_width())
    if title:
        click.echo(bold(title))
    print_grid(columns)
    if shared := shared_params(trials):
        answer(f"in all: {assignments(shared)}")
    if left_out:
        note(f"no room for {', '.join(map(one_line, left_out))}: widen the terminal, or --json")


def flat_settings(record: SweepRecord) -> dict[str, Cell]:
    """Give a sweep's settings by dotted name, those that are set."""
    return {name: value for name, value in flat(record.settings).items() if value is not None}


def environment_of(record: SweepRecord) -> dict[str, Cell]:
    """Give the versions, machine and threads a sweep ran with; empty for one of an older version of ours."""
    try:
        found: dict[str, Cell] = dict(json.loads(record.extra.get("environment", "{}")))
    except (TypeError, ValueError):
        return {}
    return found


def failures(trials: Sequence[Finished]) -> list[str]:
    """Say why trials failed or were lost: a line for reasons that are alike, the most frequent first."""
    causes = Causes(trials).ranked
    lines = [f"{c.state.lower()} ({_listed(c.numbers)}): {c.reason}" for c in causes[:MOST_CAUSES]]
    more = len(causes) - MOST_CAUSES
    return [*lines, f"and {counted(more, 'more cause')}: sweeps export has all"] if more > 0 else lines


def _print_pairs(title: str, pairs: Sequence[tuple[str, str]]) -> None:
    click.echo(bold(title if title.startswith("\n") else one_line(title)))
    margin = max(len(word) for word, _ in pairs) + 4 if pairs else 0
    width = terminal_width()
    for word, text in pairs:
        clean = one_line(text)
        lines = [clean] if width is None else textwrap.wrap(clean, max(width - margin, 30)) or [""]
        answer(f"  {word:<{margin - 2}}{lines[0]}")
        for line in lines[1:]:
            answer(" " * margin + line)


def _took(record: SweepRecord) -> str:
    return "" if record.ended is None else f", took {seconds(duration(record))}"


def _counts(record: SweepRecord) -> str:
    parts = [f"{record.count(state)} {state.lower()}" for state in State if record.count(state)]
    running = [f"{record.running} running"] if record.running else []
    return ", ".join([*parts, *running]) or "none yet"


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(n) for n in numbers[:8])
    rest = f" and {len(numbers) - 8} more" if len(numbers) > 8 else ""
    return f"trial{'s' if len(numbers) > 1 else ''} {shown}{rest}"


def when(unix: float) -> str:
    """Write a moment in local time."""
    return datetime.fromtimestamp(unix).astimezone().strftime("%Y-%m-%d %H:%M")
