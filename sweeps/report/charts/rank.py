"""Rank: where the good and the bad trials lie, for pairs of the weightiest hyperparameters."""

from itertools import combinations

from sweeps.analysis.explain import Explanation
from sweeps.report.charts.model import Chart, Layer, Panel, Table, figure
from sweeps.report.charts.parallel import columns
from sweeps.report.charts.scales import axis_of, shown
from sweeps.report.charts.thin import MOST_POINTS, thin_note, thinned

QUARTERS = (("best quarter", "q1", "circle"), ("second quarter", "q2", "diamond"),
            ("third quarter", "q3", "triangle"), ("worst quarter", "q4", "cross"))  # fmt: skip
FEWEST = 8


def rank_pairs(found: Explanation) -> Chart | None:
    """Draw up to three panels; None where no two hyperparameters were active together in eight trials."""
    figures = found.figures
    ranges = [i for i in columns(found, len(figures.axes)) if not figures.axes[i].options][:6]
    pairs = [pair for pair in combinations(ranges, 2) if len(_both(found, pair)) >= FEWEST][:3]
    if not pairs:
        return None
    most = MOST_POINTS // 2
    panels = [_panel(found, pair, most) for pair in pairs]
    names = "; ".join(panel.title for panel in panels)
    sentence = f"The trials of each quarter by rmse rank, over pairs of hyperparameters: {names}."
    note = thin_note(min(most, len(figures.trials)), len(figures.trials))
    return Chart("rank", "Rank", sentence, panels, _table(found), note=note)


def quarter_of(position: int, of: int) -> int:
    """Give the quarter, 0 to 3, of a rank from 0."""
    return min(3, 4 * position // of)


def _both(found: Explanation, pair: tuple[int, int]) -> list[int]:
    raw = found.figures.raw
    return [
        r
        for r in found.figures.order
        if shown(raw[r, pair[0]]) is not None and shown(raw[r, pair[1]]) is not None
    ]


def _panel(found: Explanation, pair: tuple[int, int], most: int) -> Panel:
    figures = found.figures
    position = {row: i for i, row in enumerate(figures.order)}
    rows = thinned(figures, _both(found, pair), most)
    layers = []
    for quarter in (3, 2, 1, 0):  # the best on top
        name, role, mark = QUARTERS[quarter]
        those = [r for r in rows if quarter_of(position[r], len(figures.order)) == quarter]
        x, y = ([shown(figures.raw[r, i]) for r in those] for i in pair)
        layers.append(Layer("points", name, role, x, y, mark, [figures.trials[r].number for r in those]))
    first, second = (figures.axes[i] for i in pair)
    return Panel(f"{first.label} and {second.label}", axis_of(first), axis_of(second), layers)


def _table(found: Explanation) -> Table:
    figures, total = found.figures, len(found.figures.order)
    rows = []
    for quarter, (name, _, _) in enumerate(QUARTERS):
        those = [r for i, r in enumerate(figures.order) if quarter_of(i, total) == quarter]
        if those:
            low, high = figures.rmse[those[0]], figures.rmse[those[-1]]
            rows.append((name, len(those), f"{figure(float(low))} to {figure(float(high))}"))
    return Table(["quarter", "trials", "rmse"], rows)
