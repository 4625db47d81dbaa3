"""Slices: rmse over one hyperparameter after the other."""

from sweeps.analysis.explain import Explanation
from sweeps.report.charts.model import Axis, Chart, Layer, Panel, Table, figure
from sweeps.report.charts.parallel import columns
from sweeps.report.charts.scales import axis_of, shown
from sweeps.report.charts.thin import MOST_POINTS, thin_note, thinned

MOST_PANELS = 9


def slices(found: Explanation) -> Chart | None:
    """Draw a panel for each hyperparameter, the weightiest first; None where there is nothing to draw."""
    figures = found.figures
    chosen = columns(found, MOST_PANELS)
    if len(figures.trials) < 2 or not chosen:
        return None
    most = MOST_POINTS // 2 if len(chosen) > 4 else MOST_POINTS
    rows = thinned(figures, range(len(figures.trials)), most)
    names = ", ".join(figures.axes[i].label for i in chosen)
    left = len(figures.axes) - len(chosen)
    note = thin_note(len(rows), len(figures.trials)) + (
        f" {left} hyperparameters of less weight are left out." if left else ""
    )
    sentence = (
        f"Rmse of the trials over each hyperparameter: {names}. Earlier and later halves have "
        "marks of their own."
    )
    panels = [_panel(found, i, rows) for i in chosen]
    return Chart("slices", "Slices", sentence, panels, _table(found, chosen), note=note.strip())


def _panel(found: Explanation, index: int, rows: list[int]) -> Panel:
    figures = found.figures
    half = len(figures.trials) // 2
    layers = []
    for name, role, mark, part in (
        ("earlier half", "quiet", "ring", [r for r in rows if r < half]),
        ("later half", "main", "circle", [r for r in rows if r >= half]),
    ):
        active = [r for r in part if shown(figures.raw[r, index]) is not None]
        x, y = [shown(figures.raw[r, index]) for r in active], [shown(figures.tame[r]) for r in active]
        layers.append(Layer("points", name, role, x, y, mark, [figures.trials[r].number for r in active]))
    searched = figures.axes[index]
    return Panel(searched.label, axis_of(searched), Axis("rmse"), layers)


def _table(found: Explanation, chosen: list[int]) -> Table:
    """The best value of each, and the median rmse of its quarters or options."""
    rows = [_row(found, i) for i in chosen]
    return Table(
        ["hyperparameter", "best value", "lowest rmse", "median rmse by option or quarter of the range"], rows
    )


def _row(found: Explanation, index: int) -> tuple[str, str, str, str]:
    figures, axis = found.figures, found.figures.axes[index]
    [best] = figures.best(index, 1) or [0]
    raw, places = figures.raw[:, index], figures.places[:, index]
    parts = []
    bins = range(len(axis.options)) if axis.options else range(4)
    for part in bins:
        inside = raw == part if axis.options else (places >= part / 4) & (places <= (part + 1) / 4)
        median = sorted(figures.rmse[inside])[int(inside.sum()) // 2] if inside.any() else None
        parts.append(f"{axis.options[part]}: {figure(median)}" if axis.options else figure(median))
    return axis.label, axis.text(float(raw[best])), figure(float(figures.rmse[best])), ", ".join(parts[:8])
