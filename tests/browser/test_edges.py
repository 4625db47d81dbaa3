"""What the pointer tells of marks that stand at an edge of a chart, and where a pause is drawn."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweeps.analysis.explain import Explanation
from sweeps.record import SweepRecord
from sweeps.report.charts.history import history
from sweeps.report.charts.timeline import timeline
from sweeps.report.html import report_html
from sweeps.trial import Finished, Outcome, Proposal, State, Trial
from tests.browser.chromium import Seen
from tests.made_search import SETTINGS

if TYPE_CHECKING:
    from playwright.sync_api import Page

TOLD = """(name) => {
    const chart = echarts.getInstanceByDom(document.querySelector('[data-chart=history]'));
    const option = chart.getOption(), index = option.series.findIndex((one) => one.name === name);
    const value = option.series[index].data[0];
    const found = { seriesIndex: index, seriesName: name, seriesType: 'scatter', value };
    return option.tooltip[0].formatter(found);
}"""
LINES = """() => echarts.getInstanceByDom(document.querySelector('[data-chart=timeline]')).getZr().storage
    .getDisplayList().filter((one) => one.style.lineDash === 'dashed').length"""


def finished(number: int, outcome: Outcome, pause: float) -> Finished:
    began = 1000.0 + number + (pause if number > 9 else 0.0)
    return Finished(Trial(Proposal(number, {}, {}, 0), f"{number:032x}", began), outcome, began + 1.0)


def written(folder: Path, pause: float) -> str:
    """Write a page of a sweep with a wild figure, a failure and a pause; give its address."""
    outcomes = [Outcome(State.COMPLETE, 52 + 0.1 * n) for n in range(20)]
    outcomes += [Outcome(State.COMPLETE, 7e5), Outcome(State.FAILED, error="why")]
    trials = [finished(number, outcome, pause) for number, outcome in enumerate(outcomes)]
    record = SweepRecord("a" * 32, "edges", "diabetes", "1", "COMPLETE", 0.0, 1.0, SETTINGS, trials)
    found = Explanation(record)
    charts = [chart for chart in (history(found), timeline(found)) if chart is not None]
    (folder / "report.html").write_text(report_html(found, charts))
    return (folder / "report.html").as_uri()


def test_a_mark_at_an_edge_tells_of_its_trial_and_not_of_its_place(
    page: "Page", seen: Seen, tmp_path: Path
) -> None:
    page.goto(written(tmp_path, pause=0.0))
    told: Any = {name: page.evaluate(TOLD, name) for name in ("rmse on validation", "far above", "failed")}
    assert told["rmse on validation"].splitlines()[:3] == ["rmse on validation", "trial: 0", "rmse: 52"]
    assert told["far above"].splitlines() == ["far above", "trial 20: COMPLETE, rmse 700000, 1 s"]
    assert told["failed"].splitlines() == ["failed", "trial 21: FAILED, rmse –, 1 s"]
    assert seen.errors == []


@pytest.mark.parametrize("pause", [0.0, 36_000.0])
def test_a_pause_that_is_left_out_is_a_dashed_line(page: "Page", tmp_path: Path, pause: float) -> None:
    page.goto(written(tmp_path, pause))
    assert (page.evaluate(LINES) > 0) == (pause > 0)
