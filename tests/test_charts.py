"""What charts say of figures that have no place on them: wild ones, none at all, and pauses."""

from dataclasses import replace

import pytest

from sweeps.analysis.explain import Explanation
from sweeps.record import Finalist, SweepRecord
from sweeps.report.charts.finalists import finalists
from sweeps.report.charts.history import history
from sweeps.report.charts.model import Chart, Layer
from sweeps.report.charts.timeline import lanes_of, timeline
from sweeps.report.echarts import options_of
from sweeps.report.html import report_html
from sweeps.trial import Finished, Outcome, Proposal, State, Trial
from tests.made_search import SETTINGS

NIGHT = 14 * 3600.0


def made(trials: list[Finished], tested: list[Finalist] | None = None) -> Explanation:
    record = SweepRecord("a" * 32, "made", "diabetes", "1", "COMPLETE", 0.0, 1.0, SETTINGS, trials)
    return Explanation(replace(record, finalists=tested or []))


def trial(number: int, outcome: Outcome, started: float = 0.0, ended: float = 1.0) -> Finished:
    return Finished(Trial(Proposal(number, {}, {}, 0), f"{number:032x}", started), outcome, ended)


def complete(number: int, rmse: float, started: float = 0.0) -> Finished:
    return trial(number, Outcome(State.COMPLETE, rmse), started, started + 1.0)


def layer(chart: Chart, name: str) -> Layer:
    [found] = [one for one in chart.panels[0].layers if one.name == name]
    return found


@pytest.fixture(scope="module")
def wild() -> Chart:
    """A history with some figures far above the others, below and above the finalists, and some of none."""
    usual = [complete(n, 52 + 0.1 * (n % 10)) for n in range(20)]
    far = [complete(20 + i, rmse) for i, rmse in enumerate((55.0, 70.0, 1e6))]
    states = [(State.PRUNED, 51.9), (State.PRUNED, None), (State.FAILED, None), (State.LOST, None)]
    none = [trial(23 + i, Outcome(state, rmse, error="why")) for i, (state, rmse) in enumerate(states)]
    return history(made([*usual, *far, *none], [Finalist(0, 52.0, 56.5), Finalist(1, 52.1, 56.0)]))


def test_trials_above_the_upper_edge_are_above_all_that_is_shown(wild: Chart) -> None:
    above, figures = layer(wild, "far above"), layer(wild, "rmse on validation")
    assert list(above.trials) == [21, 22]
    assert 20 in figures.trials  # below the finalists, so there is room for it
    highest = max([y or 0.0 for y in (*figures.y, *layer(wild, "finalists on test").y)])
    assert highest == 56.5
    assert min(y or 0.0 for y in above.y) > highest
    assert "2 trials above 56.5 stand at the upper edge." in wild.note


def test_trials_without_an_rmse_are_below_all_that_is_shown_and_said_to_be(wild: Chart) -> None:
    lowest = min(y or 0.0 for y in layer(wild, "rmse on validation").y)
    for name in ("pruned", "failed", "lost"):
        assert max(y or 0.0 for y in layer(wild, name).y) < lowest
    assert "Pruned, failed and lost trials stand at the lower edge: they have no final rmse." in wild.note


def test_the_place_of_a_mark_at_an_edge_is_never_told_as_a_figure(wild: Chart) -> None:
    """The script leaves out the coordinates of series with this flag, and tells of the trial alone."""
    [panel] = options_of(wild)
    told = {series["name"]: series.get("edge", False) for series in panel["series"]}
    edges = {name for name, edge in told.items() if edge}
    assert edges == {"far above", "pruned", "failed", "lost"}


def test_a_history_where_all_have_a_place_needs_no_note() -> None:
    assert history(made([complete(n, 5.0 + n) for n in range(4)])).note == ""
    assert history(made([])).note == ""


def resumed(pause: float) -> list[Finished]:
    """Forty trials of a second, one after the other, with a pause in the middle."""
    return [complete(n, 50 + 5 / (n + 1), 1000.0 + n + (pause if n >= 20 else 0.0)) for n in range(40)]


def test_the_night_before_a_sweep_was_resumed_is_no_time_of_trials() -> None:
    seen = made(resumed(NIGHT)).outlook
    assert seen is not None
    assert seen.seconds == pytest.approx(40)
    [text] = [f.text for f in made(resumed(NIGHT)).findings if f.topic == "outlook"]
    assert "40 more trials like these" in text
    assert "They take about 40 s." in text
    assert "complete trials ago." in text


def test_a_timeline_leaves_the_pause_out_and_says_so() -> None:
    chart = timeline(made(resumed(NIGHT)))
    assert chart is not None
    assert "40 trials in 1 lane over 40 s; 0% of the time of the lanes was idle." in chart.sentence
    assert "Left out and not counted: 1 pause of 14h 00m without any trial." in chart.sentence
    assert max(layer(chart, "complete").high) == pytest.approx(40)
    assert list(layer(chart, "pause, left out").x) == [pytest.approx(20), pytest.approx(20), None]
    [panel] = options_of(chart)
    [drawn] = [series for series in panel["series"] if "markLine" in series]
    assert [line["xAxis"] for line in drawn["markLine"]["data"]] == [pytest.approx(20)]


def test_a_timeline_without_a_pause_has_idle_lanes_and_no_mark() -> None:
    chart = timeline(made(resumed(4.0)))
    assert chart is not None
    assert "over 44 s; 9% of the time of the lanes was idle." in chart.sentence
    assert [one.name for one in chart.panels[0].layers] == ["complete"]


def test_a_timeline_has_a_lane_for_each_worker() -> None:
    """The second worker ends first: packing by times alone would mix the two. The first one is replaced."""
    spans = [("a", 0, 3), ("b", 0, 2), ("b", 4, 6), ("a", 3, 5), ("", 5, 7), ("c", 7, 8), ("b", 7, 9)]
    trials = [
        Finished(
            Trial(Proposal(number, {}, {}, 0), f"{number:032x}", float(begin)),
            Outcome(State.COMPLETE, 5.0, worker=worker) if worker else Outcome(State.LOST, error="killed"),
            float(end),
        )
        for number, (worker, begin, end) in enumerate(spans)
    ]
    assert lanes_of(trials) == {0: 0, 3: 0, 4: 0, 5: 0, 1: 1, 2: 1, 6: 1}
    chart = timeline(made(trials))
    assert chart is not None
    assert "7 trials in 2 lanes over 9.0 s; 22% of the time of the lanes was idle." in chart.sentence


def test_a_trial_lost_at_night_does_not_last_until_somebody_noticed() -> None:
    lost = trial(40, Outcome(State.LOST, error="the driver was killed"), 1020.0, 1020.0 + NIGHT)
    chart = timeline(made([*resumed(NIGHT), lost]))
    assert chart is not None
    assert "1 pause of 13h" in chart.sentence
    assert max(layer(chart, "lost").high) <= 31


def test_the_note_of_the_finalists_says_what_the_choice_among_them_does() -> None:
    two = [Finalist(0, 5.0, 5.1, 4.9, 5.3, 0.6), Finalist(1, 5.0, 5.2, 5.0, 5.4, 0.4)]
    trials = [complete(n, 5.0) for n in range(2)]
    several, only = finalists(made(trials, two)), finalists(made(trials, two[:1]))
    assert several is not None
    assert only is not None
    assert "chosen on these very rows" in several.note
    assert "chosen" not in only.note


def test_the_page_promises_no_more_of_its_tables_than_they_hold(wild: Chart) -> None:
    page = report_html(made([complete(n, 5.0) for n in range(2)]), [wild])
    assert len(wild.table.rows) < 20
    assert "A table below each sums it up; leaderboard.csv beside this file holds every trial." in page
    assert page.count("A table below sums it up.") == 1
