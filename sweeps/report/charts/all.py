"""All charts of a report, in its order."""

from sweeps.analysis.explain import Explanation
from sweeps.report.charts.contour import contour
from sweeps.report.charts.curves import curves
from sweeps.report.charts.edf import distribution
from sweeps.report.charts.failed import failed
from sweeps.report.charts.finalists import finalists
from sweeps.report.charts.history import history
from sweeps.report.charts.model import Chart
from sweeps.report.charts.parallel import parallel
from sweeps.report.charts.rank import rank_pairs
from sweeps.report.charts.residuals import residuals
from sweeps.report.charts.slices import slices
from sweeps.report.charts.timeline import timeline
from sweeps.report.charts.weights import weights

ORDER = (history, finalists, residuals, weights, parallel, slices, contour, rank_pairs, curves, distribution,
         failed, timeline)  # fmt: skip


def charts_of(found: Explanation) -> list[Chart]:
    """Give the charts that there is something to draw for."""
    return [chart for chart in (draw(found) for draw in ORDER) if chart is not None]
