"""Optimisation history: rmse by trial number."""

from itertools import accumulate

from sweeps.analysis.explain import Explanation
from sweeps.record import SweepRecord
from sweeps.report.charts.model import Axis, Chart, Layer, Panel, Table, count, figure
from sweeps.trial import State

FLOOR = {State.PRUNED: ("pruned", "quiet", "down"), State.FAILED: ("failed", "bad", "cross"),
         State.LOST: ("lost", "bad", "diamond")}  # fmt: skip
"""Trials that have no final rmse stand on the floor of the chart."""


def history(found: Explanation) -> Chart:
    """Draw every trial, the best so far, the finalists on test, and what has no rmse."""
    record, figures = found.record, found.figures
    tested = [(f.number, f.test_rmse) for f in record.finalists if f.test_rmse is not None]
    edge = max(figures.ceiling, *(test for _, test in tested), 0.0)
    shown = [*(float(v) for v in figures.rmse if v <= edge), *(test for _, test in tested)] or [0.0, 1.0]
    room = 0.08 * (max(shown) - min(shown) or abs(max(shown)) or 1.0)
    layers = _figures(found, edge, edge + room)
    if tested:
        x, y = [number for number, _ in tested], [test for _, test in tested]
        layers.append(Layer("points", "finalists on test", "test", x, y, "diamond", x))
    layers += _without_rmse(record, min(shown) - room)
    panel = Panel("", Axis("trial", whole=True, low=0), Axis("rmse"), layers)
    note = f"{_above(found, edge)} {_below(record)}".strip()
    return Chart("history", "Optimisation history", _sentence(found), [panel], _table(found), note=note)


def _figures(found: Explanation, edge: float, beyond: float) -> list[Layer]:
    """The trials with an rmse, and the best so far; those over the edge stand beyond it."""
    numbers, rmse = [t.number for t in found.figures.trials], [float(v) for v in found.figures.rmse]
    if not numbers:
        return []
    kept = [i for i, value in enumerate(rmse) if value <= edge]
    above = [numbers[i] for i, value in enumerate(rmse) if value > edge]
    x, y = [numbers[i] for i in kept], [rmse[i] for i in kept]
    layers = [Layer("points", "rmse on validation", "main", x, y, "circle", x)]
    if above:
        y = [beyond] * len(above)
        layers.append(Layer("points", "far above", "main", above, y, "triangle", above, edge=True))
    best = list(accumulate(rmse, min))
    steps = [i for i in range(len(best)) if i in (0, len(best) - 1) or best[i] < best[i - 1]]
    x, y = [numbers[i] for i in steps], [best[i] if best[i] <= edge else beyond for i in steps]
    return [*layers, Layer("step", "best so far", "best", x, y)]


def _without_rmse(record: SweepRecord, floor: float) -> list[Layer]:
    layers = []
    for state, (name, role, mark) in FLOOR.items():
        if those := [t.number for t in record.trials if t.outcome.state is state]:
            y = [floor] * len(those)
            layers.append(Layer("points", name, role, those, y, mark, those, edge=True))
    return layers


def _above(found: Explanation, edge: float) -> str:
    above = int((found.figures.rmse > edge).sum())
    stand = "stands" if above == 1 else "stand"
    return f"{count(above, 'trial')} above {figure(edge)} {stand} at the upper edge." if above else ""


def _below(record: SweepRecord) -> str:
    names = [name for state, (name, _, _) in FLOOR.items() if record.count(state)]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
    return f"{listed.capitalize()} trials stand at the lower edge: they have no final rmse." if names else ""


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
