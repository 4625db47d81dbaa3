"""Laws of the stop rules and of the shelf of kept models."""

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.api.shelf import Shelf
from sweeps.errors import UsageError
from sweeps.selection import rank
from sweeps.stopping import Standing, StopRules
from sweeps.trial import Outcome, State
from tests.laws.make import finished, outcome


def history(*rmse: float | None) -> list[Outcome]:
    """Outcomes in this order; None for a trial that failed."""
    return [outcome(state=State.FAILED) if value is None else outcome(value) for value in rmse]


@pytest.mark.parametrize(
    ("rules", "trials", "asked", "elapsed", "said"),
    [
        (StopRules(trials=3), history(), 2, 1e9, None),
        (StopRules(trials=3), history(), 3, 0, "3 trials"),
        (StopRules(seconds=60), history(), 1000, 59.9, None),
        (StopRules(seconds=60), history(), 0, 60, "time limit of 60 s"),
        (StopRules(9, target=1.5), history(1.51, None), 2, 0, None),
        (StopRules(9, target=1.5), history(1.5, 2.0), 2, 0, "target rmse of 1.5 reached"),
        (StopRules(9, patience=2), history(1.0, 2.0), 2, 0, None),
        (StopRules(9, patience=2), history(1.0, 2.0, 1.0), 3, 0, "no better rmse in 2 trials"),
        (StopRules(9, patience=2), history(1.0, 2.0, 0.9), 3, 0, None),
        (StopRules(9, patience=2), history(1.0, None, None), 3, 0, "no better rmse in 2 trials"),
        (StopRules(9, patience=2), history(None, None), 2, 0, "no better rmse in 2 trials"),
        (StopRules(9, max_failures=1), history(None, 1.0), 2, 0, None),
        (StopRules(9, max_failures=1), history(None, 1.0, None), 3, 0, "more than 1 trials failed"),
        (StopRules(9, max_failures=0), history(None), 1, 0, "more than 0 trials failed"),
        (StopRules(9, max_failures=0), history(), 0, 0, None),
    ],
)
def test_when_a_sweep_ends(
    rules: StopRules, trials: Sequence[Outcome], asked: int, elapsed: float, said: str | None
) -> None:
    assert rules.reason(Standing(trials), asked, elapsed) == said


def test_once_stopped_it_stays_stopped_as_time_and_trials_go_on() -> None:
    for rules in (
        StopRules(trials=3),
        StopRules(seconds=5),
        StopRules(9, target=1.0),
        StopRules(9, max_failures=1),
    ):
        stopped = False
        for n in range(8):
            trials = history(*[2.0, None, 0.9, None, 3.0, 3.0, 3.0, 3.0][:n])
            now = rules.reason(Standing(trials), n, n) is not None
            assert now or not stopped
            stopped = now
        assert stopped


def test_a_new_best_resets_patience_and_an_equal_one_does_not() -> None:
    assert Standing(history(3.0, 2.0, 2.0, 2.0)).since_best == 2
    assert Standing(history(3.0, 2.0, 1.0)).since_best == 0
    assert Standing(history()).since_best == 0


def test_only_complete_trials_have_an_rmse() -> None:
    standing = Standing([outcome(5.0, State.PRUNED), *history(None)])
    assert (standing.best_rmse, standing.failures, standing.since_best) == (math.inf, 1, 2)


def test_best_and_failures_do_not_depend_on_order() -> None:
    trials = history(3.0, None, 1.0, 2.0, None)
    for order in itertools.permutations(trials):
        standing = Standing(order)
        assert (standing.best_rmse, standing.failures) == (1.0, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"patience": 3},
        {"trials": 0},
        {"trials": -1},
        {"seconds": 0},
        {"seconds": -1.0},
        {"seconds": math.inf},
        {"seconds": math.nan},
        {"trials": 1, "target": -1.0},
        {"trials": 1, "target": math.nan},
        {"trials": 1, "patience": 0},
        {"trials": 1, "max_failures": -1},
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        StopRules(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def modelled(number: int, rmse: float) -> Outcome:
    return replace(outcome(rmse), model=f"model {number}".encode())


@pytest.mark.parametrize("order", range(8))
def test_the_shelf_keeps_exactly_the_best_whatever_the_order(tmp_path: Path, order: int) -> None:
    figures = [5.0, 3.0, 4.0, 3.0, 1.0, 9.0, 3.0, 2.0, 8.0]
    outcomes = [*(modelled(n, rmse) for n, rmse in enumerate(figures)), outcome(state=State.FAILED)]
    shelf = Shelf(tmp_path, 4)
    for number in random.Random(order).sample(range(len(outcomes)), len(outcomes)):
        shelf.put(number, outcomes[number])
    best = {t.number for t in rank([finished(n, rmse) for n, rmse in enumerate(figures)], 4)}
    assert best == {4, 7, 1, 3}
    assert {n for n in range(len(outcomes)) if shelf.get(n) is not None} == best
    assert all(shelf.get(n) == f"model {n}".encode() for n in best)
    assert len(list(tmp_path.iterdir())) == 4


def test_the_threshold_is_the_kth_best_and_only_falls(tmp_path: Path) -> None:
    shelf, seen = Shelf(tmp_path, 2), []
    for number, rmse in enumerate([5.0, 4.0, 9.0, 3.0, 1.0]):
        seen.append(shelf.threshold)
        shelf.put(number, modelled(number, rmse))
    assert [*seen, shelf.threshold] == [math.inf, math.inf, 5.0, 5.0, 4.0, 3.0]


def test_a_trial_whose_model_did_not_come_back_still_counts(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 1)
    shelf.put(0, modelled(0, 2.0))
    shelf.put(1, outcome(1.0))
    assert (shelf.get(0), shelf.get(1), shelf.threshold) == (None, None, 1.0)


def test_it_knows_which_models_there_never_were(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 2)
    for number, made in enumerate([outcome(2.0), modelled(1, 1.0), outcome(5.0)]):
        shelf.put(number, made)
    assert [shelf.never_had(n) for n in range(3)] == [True, False, False]
