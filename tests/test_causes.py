"""Why trials failed: one grouping, whoever tells it."""

from pathlib import Path

import pytest

from sweeps.analysis.explain import Explanation
from sweeps.causes import Causes
from sweeps.cli.views import failures
from sweeps.live.page import html
from sweeps.live.tally import Tally
from sweeps.record import SweepRecord
from sweeps.report.charts.failed import failed as failed_chart
from sweeps.trial import Finished, Outcome, Proposal, State, Trial
from tests.inside import Inside
from tests.made_large import entries, write_large
from tests.made_search import SETTINGS

TRIALS = 150


def failed(number: int, text: str, state: State = State.FAILED) -> Finished:
    return Finished(Trial(Proposal(number, {}, {}, 0), "r", 0.0), Outcome(state, error=text), 1.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x 0.25 is bad", "x 1e-05 is bad"),
        ("<Tree object at 0x7f01ab> is bad", "<Tree object at 0x55fe900cc> is bad"),
        ("[10:11:12] src/tree.cc:7: no room", "[23:59:00] src/tree.cc:7: no room"),
        ("Traceback\nValueError: depth 3", "Traceback\n  more\nValueError: depth 12"),
    ],
)
def test_reasons_that_differ_in_numbers_only_are_one(first: str, second: str) -> None:
    causes = Causes([failed(0, first), failed(1, "no file"), failed(2, second)]).ranked
    assert [c.numbers for c in causes] == [[0, 2], [1]]
    assert causes[0].reason == first.splitlines()[-1]


def test_what_failed_and_what_was_lost_are_two() -> None:
    causes = Causes([failed(0, "gone"), failed(1, "gone", State.LOST)]).ranked
    assert [(c.state, c.numbers) for c in causes] == [(State.FAILED, [0]), (State.LOST, [1])]


def test_a_cause_is_one_line_without_secrets() -> None:
    [cause] = Causes([failed(0, "OSError:\x1b[31m postgresql://me:hunter2@host/db\trefused")]).ranked
    assert "hunter2" not in cause.reason
    assert cause.reason.isprintable()


@pytest.fixture(scope="module")
def record() -> SweepRecord:
    """A sweep in which each error has a figure of its own in it."""
    trials = [
        Finished(Trial(e.proposal, f"{e.proposal.number:032x}", e.began or 0.0), e.outcome, e.ended)
        for e in entries(TRIALS, seed=0, floor=50.0)
        if e.outcome is not None
    ]
    return SweepRecord("a" * 32, "large", "diabetes", "1", "COMPLETE", 0.0, 1.0, SETTINGS, trials)


def test_every_view_tells_one_cause_for_errors_with_figures_in_them(record: SweepRecord) -> None:
    times, lost = record.count(State.FAILED), record.count(State.LOST)
    assert min(times, lost) > 1, "or it proves nothing"
    assert [len(c.numbers) for c in Tally(before=record.trials).causes.ranked] == [times, lost]
    assert html("large", Tally(before=record.trials), []).count("ValueError: depth") == 1
    assert [line.split(" (")[0] for line in failures(record.trials)] == ["failed", "lost"]
    found = Explanation(record)
    [finding] = [f for f in found.findings if f.topic == "failures"]
    assert f"{times} of {TRIALS - lost} trials failed; all with: ValueError: depth 0." in finding.text
    assert list(finding.evidence["reasons"].values()) == [times]
    chart = failed_chart(found)
    assert chart is not None
    assert list(chart.panels[0].layers[0].x) == [lost, times]
    assert [row[2] for row in chart.table.rows] == [times, lost]


def test_commands_tell_the_same_of_what_a_store_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_large(tmp_path, "large", TRIALS)
    sweeps = Inside(tmp_path, monkeypatch, capsys)
    told = [f for f in sweeps.json("explain", "large")["findings"] if f["topic"] == "failures"]
    [(reason, times)] = told[0]["evidence"]["reasons"].items()
    [line] = [text for text in sweeps("show", "large").stdout.splitlines() if text.startswith("failed (")]
    assert line.endswith(reason)
    assert times == sweeps.json("show", "large")["trials"]["failed"] > 1
