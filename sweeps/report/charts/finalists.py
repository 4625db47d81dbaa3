"""The finalists on test, with intervals, beside validation."""

from collections.abc import Sequence

from sweeps.analysis.explain import Explanation
from sweeps.analysis.intervals import RESAMPLES
from sweeps.record import Finalist
from sweeps.report.charts.model import Axis, Cell, Chart, Layer, Panel, Table, figure
from sweeps.selection import pick

MOST = 20
NOTE = (
    f"The intervals come from {RESAMPLES:,} draws of the test rows with replacement, the same for all; a "
    "finalist wins the draws on which its rmse is lowest. They answer for the choice of rows, not for the "
    "luck of the training."
)
CHOSEN = (
    " The winner was chosen on these very rows, so its rmse and its interval are somewhat too low; a verdict "
    "with --gate significant takes that off."
)


def finalists(found: Explanation) -> Chart | None:
    """Draw test rmse with intervals beside validation rmse; None where nothing was scored on test."""
    scored = [f for f in found.record.finalists if f.test_rmse is not None]
    if not scored:
        return None
    winner = pick(scored)
    top = sorted(scored, key=lambda f: (f.test_rmse or 0.0, f.number))[:MOST]
    names = tuple(f"trial {f.number}{' (winner)' if f.number == winner.number else ''}" for f in top[::-1])
    panel = Panel("", Axis("rmse"), Axis("", "category", names), _layers(top[::-1]))
    lowest = f"Trial {winner.number} has the lowest rmse on test, {figure(winner.test_rmse)}"
    header = ["trial", "rmse on validation", "rmse on test", "95 % interval", "draws won"]
    table = Table(header, [_row(f) for f in top])
    sentence, note = f"{lowest}, of {len(scored)} finalists.", NOTE + CHOSEN * (len(scored) > 1)
    return Chart("finalists", "Finalists", sentence, [panel], table, note=note)


def _layers(top: Sequence[Finalist]) -> list[Layer]:
    numbers, places = [f.number for f in top], list(range(len(top)))
    valid = Layer("points", "on validation", "main", [f.rmse for f in top], places, "circle", numbers)
    test = Layer("points", "on test", "test", [f.test_rmse for f in top], places, "diamond", numbers)
    judged = [(i, f, f.low, f.high) for i, f in enumerate(top) if f.low is not None and f.high is not None]
    if not judged:
        return [test, valid]
    at, those, low, high = zip(*judged, strict=True)
    middles, trials = [f.test_rmse for f in those], [f.number for f in those]
    spread = Layer("intervals", "95 % interval on test", "test", middles, at, "none", trials, low, high)
    return [spread, test, valid]


def _row(finalist: Finalist) -> list[Cell]:
    low, high, wins = finalist.low, finalist.high, finalist.wins
    spread = "–" if low is None else f"{figure(low)} to {figure(high)}"
    won = "–" if wins is None else f"{wins:.0%}"
    return [finalist.number, figure(finalist.rmse), figure(finalist.test_rmse), spread, won]
