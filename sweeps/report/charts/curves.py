"""Learning curves: validation rmse by boosting round or reported step, with those that were pruned."""

from collections.abc import Sequence

from sweeps.analysis.explain import Explanation
from sweeps.record import SweepRecord
from sweeps.report.charts.model import Axis, Chart, Layer, Number, Panel, Table, figure
from sweeps.report.charts.thin import MOST_CURVES
from sweeps.selection import rank
from sweeps.trial import Finished, State


def curve_trials(record: SweepRecord) -> set[int]:
    """Give the numbers of the trials whose curves are drawn: the best, and an even choice of the others."""
    complete = [t.number for t in rank(record.trials)]
    pruned = [t.number for t in record.trials if t.outcome.state is State.PRUNED]
    return {*complete[:5], *_even(complete[5:], MOST_CURVES // 2 - 5), *_even(pruned, MOST_CURVES // 2)}


def curves(found: Explanation) -> Chart | None:
    """Draw some curves; None where no trial has one of two points or more."""
    wanted = curve_trials(found.record)
    drawn = [t for t in found.record.trials if t.number in wanted and len(t.outcome.curve) > 1]
    if not drawn:
        return None
    best = {t.number for t in rank(drawn, 5)}
    groups = {
        "pruned": [t for t in drawn if t.outcome.state is State.PRUNED],
        "complete": [t for t in drawn if t.outcome.state is State.COMPLETE and t.number not in best],
        "the five best": [t for t in drawn if t.number in best],
    }
    roles = {"pruned": "bad", "complete": "main", "the five best": "best"}
    layers = [_layer(name, roles[name], trials) for name, trials in groups.items() if trials]
    panel = Panel(
        "",
        Axis("boosting round or step", low=0),
        Axis("rmse on validation", high=_top(drawn), loose=True),
        layers,
    )
    parts = [f"{len(trials)} {name}" for name, trials in groups.items() if trials]
    sentence = f"Validation rmse by round of {len(drawn)} trials: {', '.join(parts)}."
    return Chart(
        "curves", "Learning curves", sentence, [panel], _table(drawn), note=_note(found.record, len(drawn))
    )


def _even(numbers: Sequence[int], most: int) -> list[int]:
    if len(numbers) <= most:
        return list(numbers)
    return [numbers[int(i * len(numbers) / most)] for i in range(most)]


def _layer(name: str, role: str, trials: Sequence[Finished]) -> Layer:
    x: list[Number] = []
    y: list[Number] = []
    numbers: list[int] = []
    for trial in trials:
        for step, value in trial.outcome.curve:
            x.append(step)
            y.append(value)
            numbers.append(trial.number)
        x.append(None)
        y.append(None)
        numbers.append(trial.number)
    return Layer("line", name, role, x, y, trials=numbers, dashed=role == "bad")


def _top(trials: Sequence[Finished]) -> float:
    """Give a height under which most of the curves lie; their first rounds are far above."""
    ends = [t.outcome.curve[-1][1] for t in trials]
    starts = sorted(t.outcome.curve[0][1] for t in trials)
    low, high = min(ends), max(ends)
    return min(starts[-1], high + 1.5 * (high - low)) if high > low else starts[-1]


def _note(record: SweepRecord, drawn: int) -> str:
    candidates = sum(t.outcome.state in (State.COMPLETE, State.PRUNED) for t in record.trials)
    more = (
        f" Of {candidates:,} trials {drawn} are drawn: the five best and an even choice."
        if drawn < candidates
        else ""
    )
    return f"First rounds far above the others are cut off.{more}"


def _table(trials: Sequence[Finished]) -> Table:
    rows = [
        (
            t.number,
            t.outcome.state.lower(),
            t.outcome.curve[-1][0],
            figure(min(v for _, v in t.outcome.curve)),
        )
        for t in sorted(trials, key=lambda t: min(v for _, v in t.outcome.curve))
    ]
    return Table(["trial", "state", "last round", "lowest rmse"], rows[:20])
