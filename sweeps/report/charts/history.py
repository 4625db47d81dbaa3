"""Optimisation history: rmse by trial number."""

from itertools import accumulate

from sweeps.analysis.explain import Explanation
from sweeps.report.charts.model import Axis, Chart, Layer, Panel, Table, count, figure
from sweeps.trial import State

FLOOR = {State.PRUNED: ("pruned", "quiet", "down"), State.FAILED: ("failed", "bad", "cross"),
         State.LOST: ("lost", "bad", "diamond")}  # fmt: skip
"""Trials that have no rmse of their own stand on the floor of the chart."""


def history(found: Explanation) -> Chart:
    """Draw every trial, the best so far, the finalists on test, and what has no rmse."""
    record, figures = found.record, found.figures
    numbers = [t.number for t in figures.trials]
    rmse = [float(v) for v in figures.rmse]
    tested = [f for f in record.finalists if f.test_rmse is not None]
    shown = [*(v for v in rmse if v <= figures.ceiling), *(f.test_rmse or 0.0 for f in tested)] or [0.0, 1.0]
    floor = min(shown) - 0.08 * (max(shown) - min(shown) or abs(max(shown)) or 1.0)
    layers = _figures(numbers, rmse, figures.ceiling)
    if tested:
        x, y = [f.number for f in tested], [f.test_rmse for f in tested]
        layers.append(Layer("points", "finalists on test", "test", x, y, "diamond", x))
    for state, (name, role, mark) in FLOOR.items():
        those = [t.number for t in record.trials if t.outcome.state is state]
        if those:
            layers.append(Layer("points", name, role, those, [floor] * len(those), mark, those))
    panel = Panel("", Axis("trial", whole=True, low=0), Axis("rmse"), layers)
    above = sum(v > figures.ceiling for v in rmse)
    note = (
        f"{count(above, 'trial')} above {figure(figures.ceiling)} stand at the upper edge." if above else ""
    )
    return Chart("history", "Optimisation history", _sentence(found), [panel], _table(found), note=note)


def _figures(numbers: list[int], rmse: list[float], ceiling: float) -> list[Layer]:
    if not numbers:
        return []
    kept = [i for i, value in enumerate(rmse) if value <= ceiling]
    above = [numbers[i] for i, value in enumerate(rmse) if value > ceiling]
    best = list(accumulate(rmse, min))
    x, y = [numbers[i] for i in kept], [rmse[i] for i in kept]
    layers = [Layer("points", "rmse on validation", "main", x, y, "circle", x)]
    if above:
        layers.append(Layer("points", "far above", "main", above, [ceiling] * len(above), "triangle", above))
    steps = [i for i in range(len(best)) if i in (0, len(best) - 1) or best[i] < best[i - 1]]
    x, y = [numbers[i] for i in steps], [min(best[i], ceiling) for i in steps]
    return [*layers, Layer("step", "best so far", "best", x, y)]


def _sentence(found: Explanation) -> str:
    record = found.record
    states = [f"{record.count(s)} {s.lower()}" for s in State if record.count(s)]
    text = (
        f"Validation rmse of {count(len(record.trials), 'trial')} by number ({', '.join(states) or 'none'})."
    )
    if record.best is None:
        return f"{text} No trial has an rmse."
    return f"{text} The lowest is {figure(record.best.outcome.rmse)}, in trial {record.best.number}."


def _table(found: Explanation) -> Table:
    """The trials that lowered the best rmse."""
    rows: list[tuple[int, str]] = []
    best = float("inf")
    for trial, value in zip(found.figures.trials, found.figures.rmse, strict=True):
        if value < best:
            best = float(value)
            rows.append((trial.number, figure(best, 6)))
    return Table(["trial", "best rmse so far"], rows[-25:])
