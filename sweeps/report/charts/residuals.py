"""How the winner's predictions miss, on held-out rows."""

import numpy as np
from numpy.typing import NDArray

from sweeps.analysis.explain import Explanation
from sweeps.record import Predictions
from sweeps.report.charts.model import Axis, Chart, Layer, Panel, Table, figure

Array = NDArray[np.float64]

SPLITS = {"test": "test", "valid": "validation"}


def residuals(found: Explanation) -> Chart | None:
    """Draw predicted against true and the residuals; None where no predictions were kept."""
    seen = found.record.predictions
    if seen is None or not len(seen.true):
        return None
    true, predicted = (np.array(values, dtype=float) for values in (seen.true, seen.predicted))
    panels = [_predicted(true, predicted), _missed(predicted, predicted - true)]
    sentence, table = _sentence(seen, predicted - true), _table(true, predicted - true)
    return Chart("residuals", "Residuals of the winner", sentence, panels, table)


def _predicted(true: Array, predicted: Array) -> Panel:
    ends = [float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))]
    rows = Layer("points", "rows", "main", _short(true), _short(predicted))
    line = Layer("line", "predicted = true", "best", ends, ends, dashed=True)
    return Panel("Predicted over true", Axis("true"), Axis("predicted"), [rows, line])


def _missed(predicted: Array, missed: Array) -> Panel:
    ends = [float(predicted.min()), float(predicted.max())]
    rows = Layer("points", "rows", "main", _short(predicted), _short(missed))
    line = Layer("line", "no error", "best", ends, [0.0, 0.0], dashed=True)
    return Panel("Residuals over predicted", Axis("predicted"), Axis("predicted less true"), [rows, line])


def _short(values: Array) -> list[float]:
    return [float(f"{v:.5g}") for v in values]


def _sentence(seen: Predictions, missed: Array) -> str:
    split, low, high = SPLITS.get(seen.split, seen.split), *np.quantile(missed, (0.25, 0.75))
    rmse, mean = float(np.sqrt(np.mean(missed**2))), float(missed.mean())
    return (
        f"What the winner, trial {seen.trial}, predicts for {len(missed):,} of {seen.rows:,} {split} rows: "
        f"rmse {figure(rmse)}, mean error {figure(mean)}, half of the errors between {figure(float(low))} "
        f"and {figure(float(high))}."
    )


def _table(true: Array, missed: Array) -> Table:
    """The errors by quarter of the true value."""
    quarters = np.array_split(np.argsort(true), min(4, len(true)))
    rows = [_row(true[part], missed[part]) for part in quarters]
    return Table(["true value", "rows", "mean error", "rmse"], rows)


def _row(true: Array, missed: Array) -> tuple[str, int, str, str]:
    ends = f"{figure(float(true.min()), 4)} to {figure(float(true.max()), 4)}"
    rmse = float(np.sqrt(np.mean(missed**2)))
    return ends, len(true), figure(float(missed.mean()), 4), figure(rmse, 4)
