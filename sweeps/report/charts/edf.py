"""Empirical distribution of the rmse: which share of the trials is at least that good."""

import numpy as np

from sweeps.analysis.explain import Explanation
from sweeps.report.charts.model import Axis, Chart, Layer, Panel, Table, figure

MOST = 500
LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9)


def distribution(found: Explanation) -> Chart | None:
    """Draw it for all trials, and for the earlier and the later half; None for fewer than two trials."""
    figures = found.figures
    if len(figures.trials) < 2:
        return None
    half = len(figures.trials) // 2
    layers = [_layer("all trials", "best", figures.tame)]
    if half >= 10:
        layers += [
            _layer("earlier half", "quiet", figures.tame[:half], True),
            _layer("later half", "main", figures.tame[half:]),
        ]
    panel = Panel("", Axis("rmse"), Axis("share of trials", low=0, high=1), layers)
    middle = float(np.median(figures.rmse))
    sentence = f"Share of the trials with an rmse of at most so much. Half of them reach {figure(middle)}."
    levels = [(f"{level:.0%}", figure(float(np.quantile(figures.rmse, level)))) for level in LEVELS]
    return Chart(
        "edf",
        "Distribution of the rmse",
        sentence,
        [panel],
        Table(["share of trials", "rmse at most"], levels),
    )


def _layer(name: str, role: str, values: "np.typing.NDArray[np.float64]", dashed: bool = False) -> Layer:
    ordered = np.sort(values)
    shares = np.arange(1, len(ordered) + 1) / len(ordered)
    picked = np.unique(np.linspace(0, len(ordered) - 1, min(MOST, len(ordered))).astype(int))
    x, y = [float(f"{v:.6g}") for v in ordered[picked]], [round(float(v), 4) for v in shares[picked]]
    return Layer("step", name, role, x, y, dashed=dashed)
