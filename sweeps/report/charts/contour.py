"""The rmse expected over the two weightiest hyperparameters."""

from sweeps.analysis.explain import Explanation
from sweeps.analysis.surface import Surface
from sweeps.report.charts.model import Chart, Heat, Layer, Panel, Table, figure
from sweeps.report.charts.scales import axis_of, shown
from sweeps.report.charts.thin import thinned

POINTS = 300


def contour(found: Explanation) -> Chart | None:
    """Draw the expected rmse as bands, with the trials; None where no two were active together enough."""
    seen = found.surface
    if seen is None:
        return None
    figures = found.figures
    ix, iy = (
        next(i for i, a in enumerate(figures.axes) if a.label == axis.label) for axis in (seen.x, seen.y)
    )
    rows = thinned(figures, seen.rows, POINTS)
    x, y = [shown(figures.raw[r, ix]) for r in rows], [shown(figures.raw[r, iy]) for r in rows]
    heat = Heat("expected rmse", seen.xs, seen.ys, [[float(f"{v:.5g}") for v in row] for row in seen.rmse])
    trials = Layer("points", "trials", "paper", x, y, "circle", [figures.trials[r].number for r in rows])
    low = min((v, i, j) for i, row in enumerate(heat.values) for j, v in enumerate(row))
    best = (
        f"{seen.x.label} = {seen.x.text(seen.xs[low[2]])} and {seen.y.label} = {seen.y.text(seen.ys[low[1]])}"
    )
    sentence = (
        f"Expected rmse over {seen.x.label} and {seen.y.label}, the two of most weight that were active "
        "together. "
        f"It is lowest, {figure(low[0])}, near {best}."
    )
    note = (
        "The expectation is that of a forest of randomised trees, averaged over the other "
        "hyperparameters of the best "
        "trials (partial dependence); where there are few trials it is a guess."
    )
    panel = Panel("", axis_of(seen.x, 0.0), axis_of(seen.y, 0.0), [trials], heat)
    return Chart("contour", "Contour", sentence, [panel], _table(heat, seen), note=note)


def _table(heat: Heat, seen: Surface) -> Table:
    every = max(1, len(heat.xs) // 6), max(1, len(heat.ys) // 6)
    columns, rows = range(0, len(heat.xs), every[0]), range(0, len(heat.ys), every[1])
    x, y = seen.x, seen.y
    header = [f"{y.label} \\ {x.label}", *(x.text(heat.xs[j]) for j in columns)]
    return Table(header, [[y.text(heat.ys[i]), *(figure(heat.values[i][j]) for j in columns)] for i in rows])
