"""From a searched hyperparameter to an axis of a chart."""

import math

from sweeps.analysis.axes import Axis as Searched
from sweeps.report.charts.model import Axis, Number


def axis_of(searched: Searched, margin: float = 0.03) -> Axis:
    """Give the axis that shows a hyperparameter on its own scale, with some room at the ends."""
    if searched.options:
        return Axis(searched.label, "category", searched.options)
    low, high = searched.value(-margin), searched.value(1 + margin)
    whole = bool(searched.q and searched.q == int(searched.q)) and searched.high - searched.low >= 2
    return Axis(searched.label, "log" if searched.is_log else "value", (), low, high, whole, margin > 0)


def shown(value: float) -> Number:
    """Give a coordinate to draw; None for one that is not active."""
    return None if math.isnan(value) else float(f"{value:.5g}")
