"""Parallel coordinates: each trial a line over the hyperparameters and its rmse."""

import numpy as np

from sweeps.analysis.axes import Array
from sweeps.analysis.axes import Axis as Searched
from sweeps.analysis.explain import Explanation
from sweeps.report.charts.model import Axis, Chart, Lines, Parallel, Table, count, figure
from sweeps.report.charts.scales import axis_of, shown
from sweeps.report.charts.thin import MOST_LINES, thin_note, thinned

MOST_AXES = 8


def parallel(found: Explanation) -> Chart | None:
    """Draw the best tenth over the rest; None for fewer than two trials with an rmse, or nothing searched."""
    figures = found.figures
    if len(figures.trials) < 2 or not figures.axes:
        return None
    chosen = columns(found, MOST_AXES)
    rows = thinned(figures, range(len(figures.trials)), MOST_LINES)
    best = set(figures.order[: max(3, len(figures.order) // 10)])
    axes = [
        *(axis_of(figures.axes[i], 0.0) for i in chosen),
        Axis("rmse", low=float(figures.rmse.min()), high=figures.ceiling),
    ]
    groups = [
        _lines("the rest", "quiet", found, chosen, [r for r in rows if r not in best]),
        _lines("the best tenth", "best", found, chosen, [r for r in rows if r in best]),
    ]
    sentence = (
        f"Each line is a trial: {count(sum(len(g.rows) for g in groups), 'trial')} over "
        f"{', '.join(axis.name for axis in axes)}; the best tenth is set apart."
    )
    left = len(figures.axes) - len(chosen)
    fewer = f" {left} hyperparameters of less weight are left out." if left else ""
    note = (thin_note(len(rows), len(figures.trials)) + fewer).strip()
    table = _table(found, chosen, best)
    drawn = Parallel(axes, groups)
    return Chart("parallel", "Parallel coordinates", sentence, [], table, drawn, note)


def columns(found: Explanation, most: int) -> list[int]:
    """Give the columns of the weightiest hyperparameters; in the order of the space where none is weighed."""
    figures = found.figures
    if found.importance is None:
        return list(range(len(figures.axes)))[:most]
    labels = [axis.label for axis in figures.axes]
    return [labels.index(w.axis.label) for w in found.importance.weights][:most]


def _lines(name: str, role: str, found: Explanation, chosen: list[int], rows: list[int]) -> Lines:
    figures = found.figures
    values = [[*(shown(figures.raw[r, i]) for i in chosen), shown(figures.tame[r])] for r in rows]
    return Lines(name, role, values, [figures.trials[r].number for r in rows])


def _table(found: Explanation, chosen: list[int], best: set[int]) -> Table:
    """Where the best tenth lies on each axis."""
    rows = [_range_of(found.figures.axes[i], found.figures.raw[sorted(best), i]) for i in chosen]
    return Table(["hyperparameter", "in the best tenth", "searched"], rows)


def _range_of(axis: Searched, values: Array) -> tuple[str, str, str]:
    active = values[np.isfinite(values)]
    if not len(active):
        return axis.label, "not active", ""
    if axis.options:
        names = [axis.text(v) for v in active]
        top = max(set(names), key=names.count)
        return axis.label, f"{top} in {names.count(top)} of {len(names)}", ", ".join(axis.options[:8])
    best, searched = (
        (figure(float(v), 4) for v in pair) for pair in ((min(active), max(active)), (axis.low, axis.high))
    )
    return axis.label, " to ".join(best), " to ".join(searched)
