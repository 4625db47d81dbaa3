"""The figures of a running sweep, and the picture made of them."""

import math
import os
import subprocess

import pytest

from sweeps.cli.grid import cut, grid
from sweeps.cli.live import View, lines_of
from sweeps.cli.progress import closing
from sweeps.cli.spill import Spill
from sweeps.live.spark import sparkline, stepped
from sweeps.live.tally import Tally
from sweeps.live.underway import UnderWay
from sweeps.trial import Finished, Outcome, Proposal, State, Task, Trial
from sweeps.wording import figures, per_time, seconds


def trial(number: int, outcome: Outcome) -> Finished:
    params = {"max_depth": number, "learning_rate": 0.1 / (number + 1), "objective": "reg:squarederror"}
    return Finished(Trial(Proposal(number, {}, params, 0), "r", 0.0), outcome, 1.0)


def complete(number: int, rmse: float) -> Finished:
    return trial(number, Outcome(State.COMPLETE, rmse))


def failed(number: int, error: str) -> Finished:
    return trial(number, Outcome(State.FAILED, error=error))


class Clock:
    """A time that goes on when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_time_left_come_from_this_session_alone() -> None:
    clock = Clock()
    tally = Tally(total=10, before=[complete(n, 9.0) for n in range(4)], clock=clock)
    assert (tally.ended, tally.rate, tally.left) == (4, None, None)
    for number in (4, 5):
        clock.now += 2
        tally.add(complete(number, 8.0))
    assert tally.rate == pytest.approx(0.5)
    assert tally.left == pytest.approx(8)
    assert tally.share == pytest.approx(0.6)


def test_what_comes_after_the_last_trial_is_no_time_of_trials() -> None:
    """Finalists, the registry and the report take their time before the line is written."""
    clock = Clock()
    tally = Tally(total=2, clock=clock)
    for number in range(2):
        clock.now += 2
        tally.add(complete(number, 8.0))
    clock.now += 30
    assert closing(tally) == "2 trials in 4.0 s: 2 complete"


def test_the_time_limit_bounds_the_time_left() -> None:
    clock = Clock()
    tally = Tally(total=None, limit=60, clock=clock)
    clock.now += 15
    assert (tally.left, tally.share) == (45, 0.25)


def test_a_lost_trial_counts_as_lost_and_not_as_ended() -> None:
    tally = Tally(total=3)
    tally.add(trial(0, Outcome(State.LOST, error="worker died")))
    tally.add(complete(0, 5.0))
    assert (tally.ended, tally.counts[State.LOST]) == (1, 1)


def test_the_best_and_how_long_ago() -> None:
    tally = Tally()
    for number, rmse in enumerate([7.0, 5.0, 6.0, 5.5]):
        tally.add(complete(number, rmse))
    assert [t.number for t in tally.best] == [1, 3, 2, 0]
    assert tally.history == [(0, 7.0), (1, 5.0)]
    assert tally.since_best == 2


def test_sparklines_hold_a_figure_until_the_next() -> None:
    assert sparkline([4.0, None, 1.0]) == "█ ▁"
    assert sparkline([2.0, 2.0]) == "▁▁"
    assert stepped([(1, 5.0), (3, 4.0)], 6, 3) == [5.0, 4.0, 4.0]
    assert stepped([(2, 5.0)], 4, 9) == [None, None, 5.0, 5.0]


def test_figures_of_one_size_share_their_decimals() -> None:
    assert figures([60.47594, 61.5, None]) == ["60.4759", "61.5000", "–"]
    assert figures([1e-5, 0.1], 4) == ["1e-05", "0.1"]
    assert figures([math.inf, 2.0], 4) == ["inf", "2"]
    assert [per_time(r) for r in (25.0, 1.2, 0.01, 1e-5)] == [
        "25 trials/s", "1.2 trials/s", "36 trials/h", "0.86 trials/day",
    ]  # fmt: skip
    assert [seconds(s) for s in (0.04, 59.7, 3599.6, 300_000)] == ["0.0 s", "1m 00s", "1h 00m", "3d 11h"]


def test_a_grid_aligns_and_cuts_texts_but_no_numbers() -> None:
    columns = [("trial", ["1", "12"]), ("time", ["1.5 s", "–"]), ("name", ["a" * 30, "b"])]
    assert grid(columns)[1].startswith("    1  1.5 s  aaa")
    narrow = grid(columns, 24)
    assert max(map(len, narrow)) == 24
    assert narrow[1].endswith("…")
    assert cut("日本語テキスト", 5) == "日本…"


def view_of_some() -> View:
    tally = Tally(total=20)
    for number in range(6):
        tally.add(complete(number, 60.0 - number))
    tally.add(failed(6, "ValueError: \x1b[31mred"))
    under_way = UnderWay()
    for number in (7, 8):
        under_way.began(Proposal(number, {}, {"max_depth": number, "learning_rate": 0.5}, 0))
    under_way.hear(Task(7, {}, 0, None), ("round 12", 58.25))  # type: ignore[arg-type]
    under_way.hear(Task(99, {}, 0, None), ("round 1", 1.0))  # type: ignore[arg-type]  # a refit
    return View(tally, under_way.runners)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50), (40, 10), (20, 4), (1, 1)])
def test_the_picture_has_no_more_rows_than_the_terminal(columns: int, rows: int) -> None:
    assert len(lines_of(view_of_some(), columns, rows)) <= max(rows, 3)


def test_the_picture_shows_who_runs_who_is_best_and_what_failed() -> None:
    text = "\n".join(line.plain for line in lines_of(view_of_some(), 100, 40))
    for words in (
        "7/20 trials",
        "rmse 55  trial 5",
        "58.25",
        "round 12",
        "6 complete · 1 failed",
        "1 failed: ",
    ):
        assert words in text
    assert "\x1b" not in text
    assert "reg:squarederror" not in text  # the same in all


def test_what_others_write_to_the_terminal_is_caught_and_cleaned() -> None:
    before = os.fstat(2).st_ino
    with Spill() as spill:
        subprocess.run(["sh", "-c", r"printf '10 %%\r90 %%\n  \033[31mred\n' >&2"], check=True, timeout=120)
        os.write(2, b"half a")
        assert spill.lines() == ["90 %", "  [31mred"]
        os.write(2, b" line\nthe rest")
        assert spill.lines() == ["half a line"]
        assert spill.lines(all_of_it=True) == ["the rest"]
    assert os.fstat(2).st_ino == before
