"""How a sweep and its trials read on a terminal."""

import shlex
import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from sweeps.cli.boards import assignments, fitted, params_of, shared_params
from sweeps.cli.output import figure, note, print_json, print_table, seconds, terminal_width
from sweeps.errors import one_line
from sweeps.record import SweepRecord
from sweeps.report.summary import duration, trial_summary
from sweeps.selection import pick, rank
from sweeps.trial import Finished, State

DATA_OPTIONS = ("train", "valid", "test", "table", "target", "split-by", "categorical", "data-dir", "cv")
SWEEP_OPTIONS = ("seed", "algo", "engine", "workers", "threads", "features", "top")
DEFAULTS = {"algo": "tpe", "engine": "local", "top": 5}
"""Options a command need not repeat."""


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
        click.echo(line)


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
    if record.finalists and (winner := pick(record.finalists)).test_rmse is not None:
        pairs.append(("winner", f"rmse {figure(winner.test_rmse)} on test, trial {winner.number}"))
    if model is not None:
        pairs.append(("model", f"{model.uri} is {model.alias}: {model.reason}"))
    if isinstance(overhead, float):
        pairs.append(("tracking", f"{100 * overhead:.1f} % of wall time"))
    pairs.append(("in the UI", f"sweeps ui {record.run_id[:8]}"))
    command = run_command(record.settings)
    return [*pairs, ("again", command)] if command else pairs


def show_trial(record: SweepRecord, finished: Finished, traceback: str | None, as_json: bool) -> None:
    """Print all that is known of a trial; its traceback where the store kept one."""
    outcome = finished.outcome
    if as_json:
        point = dict(finished.trial.proposal.point)
        known = {**trial_summary(finished), "point": point, "traceback": traceback}
        print_json({"sweep": record.run_id, **known})
        return
    figures = {"rmse": outcome.rmse, **outcome.metrics}
    head = [
        ("run", finished.trial.run_id),
        ("state", f"{outcome.state}, after {seconds(finished.ended - finished.trial.started)}"),
        ("seed", str(finished.trial.proposal.seed)),
        *((one_line(name), figure(value)) for name, value in figures.items() if value is not None),
    ]
    _print_pairs(f"trial {finished.number} of {record.name}", head)
    _print_pairs("\nparams", [(one_line(name), one_line(str(v))) for name, v in params_of(finished).items()])
    if error := traceback or outcome.error:
        click.echo(f"\n{click.style('error', bold=True)}")
        for line in error.rstrip().split("\n"):
            click.echo("  " + printable(line))


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
    fixed.append(("rmse", [figure(t.outcome.rmse) for t in trials]))
    if any(tests.get(t.number) is not None for t in trials):
        fixed.append(("test", [figure(tests.get(t.number)) for t in trials]))
    fixed.append(("time", [seconds(t.ended - t.trial.started) for t in trials]))
    columns, left_out = fitted(fixed, trials, terminal_width())
    if title:
        click.secho(title, bold=True)
    print_table([header for header, _ in columns], list(zip(*(cells for _, cells in columns), strict=True)))
    if shared := shared_params(trials):
        click.echo(f"in all: {assignments(shared)}")
    if left_out:
        note(f"no room for {', '.join(map(one_line, left_out))}: widen the terminal, or --json")


def run_command(settings: Mapping[str, Any]) -> str:
    """Give the command that runs a sweep of these settings; empty where they are not known."""
    data, stop = settings.get("data") or {}, settings.get("stop") or {}
    if not settings.get("space"):
        return ""
    words = ["sweeps", "run", str(settings["space"])]
    values: dict[str, Any] = {
        "data": data.get("name"),
        **{option: data.get(option.replace("-", "_")) for option in DATA_OPTIONS},
        "trials": stop.get("trials"),
        "time": f"{stop['seconds']:g}s" if stop.get("seconds") else None,
        "target-rmse": stop.get("target"),
        "patience": stop.get("patience"),
        **{option: settings.get(option) for option in SWEEP_OPTIONS},
    }
    values["algo-option"] = [
        f"{name}={value}" for name, value in (settings.get("algo_options") or {}).items()
    ]
    for option, value in values.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None and one != DEFAULTS.get(option):
                words += [f"--{option}", str(one)]
    return shlex.join(words)


def failures(trials: Sequence[Finished]) -> list[str]:
    """Say why trials are not COMPLETE, one line for each state and reason."""
    numbers: dict[tuple[State, str], list[int]] = {}
    for trial in trials:
        if trial.outcome.state is not State.COMPLETE:
            numbers.setdefault((trial.outcome.state, one_line(trial.outcome.reason)), []).append(trial.number)
    return [f"{state.lower()} ({_listed(which)}): {reason}" for (state, reason), which in numbers.items()]


def printable(line: str) -> str:
    """Give a line of foreign text without what could command the terminal; its indent stays."""
    return "".join(c for c in line.expandtabs(4) if c.isprintable())


def _print_pairs(title: str, pairs: Sequence[tuple[str, str]]) -> None:
    click.secho(title if title.startswith("\n") else one_line(title), bold=True)
    margin = max(len(word) for word, _ in pairs) + 4 if pairs else 0
    width = terminal_width()
    for word, text in pairs:
        clean = one_line(text)
        lines = [clean] if width is None else textwrap.wrap(clean, max(width - margin, 30)) or [""]
        click.echo(f"  {word:<{margin - 2}}{lines[0]}")
        for line in lines[1:]:
            click.echo(" " * margin + line)


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
