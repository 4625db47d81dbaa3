"""Laws of the forecast of a curve's end, and of the pruner that judges by it."""

import math
import random

import pytest

from sweeps.forecast import UNKNOWN_DOUBLINGS, doublings_left, heading
from sweeps.pruning import ForecastWatch, open_pruner, survives
from sweeps.trial import Curve, Outcome, State

RUNGS = [step for step, _ in open_pruner("forecast", {}).cutoffs()]


def power_law(end: float, gain: float, exponent: float, rounds: int) -> Curve:
    """What a smooth learner does: ``end + gain * n**-exponent`` after n rounds."""
    return tuple((n, end + gain * (n + 1) ** -exponent) for n in range(rounds))


def complete(*rmse: float) -> list[Outcome]:
    return [Outcome(State.COMPLETE, value) for value in rmse]


def watched(curve: Curve, highest: float, most: int | None = None) -> ForecastWatch:
    watch = survives(tuple((step, highest) for step in RUNGS), forecast=True)
    assert isinstance(watch, ForecastWatch)
    watch.most = most
    for step, rmse in curve:
        if not watch(step, rmse):
            break
    return watch


@pytest.mark.parametrize("exponent", [0.1, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("rounds", [16, 100, 1000])
def test_the_end_of_a_power_law_is_foreseen(exponent: float, rounds: int) -> None:
    at = {n: 5 + 20 * n**-exponent for n in (rounds / 4, rounds / 2, rounds)}
    assert heading(*at.values(), doublings=0) == pytest.approx(5)


@pytest.mark.parametrize("seed", range(50))
def test_a_forecast_is_optimistic_and_moves_with_the_curve(seed: int) -> None:
    rng = random.Random(seed)
    quarter, half, now = sorted((rng.uniform(1, 9) for _ in range(3)), reverse=True)
    left = rng.uniform(0, 8)
    end = heading(quarter, half, now, left)
    assert end <= now
    assert end <= heading(quarter, half, now, left / 2), "the more is left, the better it may end"
    assert heading(quarter + 2, half + 2, now + 2, left) == pytest.approx(end + 2)
    assert heading(3 * quarter, 3 * half, 3 * now, left) == pytest.approx(3 * end)


def test_what_gains_the_same_by_each_doubling_is_foreseen_too() -> None:
    """Boosting that has fitted what is plain: a steep fall, then a slow one that does not slacken."""
    curve = {n: 6 * math.exp(-n / 4) + 5.5 - 0.06 * math.log2(n) for n in (8, 16, 32, 1024)}
    end = heading(curve[8], curve[16], curve[32], doublings_left(32, 1024))
    assert end < curve[1024]
    assert heading(curve[8], curve[16], curve[32], 0) > curve[1024], "the fall before tells nothing of it"


def test_the_doublings_left_are_those_to_the_most_rounds() -> None:
    assert doublings_left(32, 1024) == 5
    assert doublings_left(1024, 1024) == 0
    assert doublings_left(2000, 1024) == 0
    assert doublings_left(7, None) == UNKNOWN_DOUBLINGS


def test_a_flat_curve_ends_where_it_is_and_a_steep_one_nobody_knows_where() -> None:
    assert heading(7.0, 6.0, 6.0, 3) == 6.0
    assert heading(6.0, 6.0, 6.0, 3) == 6.0
    assert heading(9.0, 8.0, 7.0, 3) == -math.inf
    assert heading(math.inf, 8.0, 7.0, 3) == -math.inf
    assert heading(math.inf, math.inf, 7.0, 3) == -math.inf
    assert heading(math.inf, math.inf, math.inf, 3) == math.inf


def test_a_slow_learner_that_ends_better_survives_a_fast_one() -> None:
    fast, slow = power_law(5.0, 3, 2.0, 500), power_law(4.0, 30, 0.7, 500)
    assert all(slow[n][1] > fast[n][1] for n in (20, 50, 100))
    assert watched(slow, highest=fast[-1][1], most=500).reason == ""
    late = watched(fast, highest=slow[-1][1], most=500)
    assert late.reason.startswith("pruned at round ")
    assert ": heading for rmse " in late.reason
    assert late.curve == fast[: len(late.curve)]
    assert late.figure == min(rmse for _, rmse in late.curve)


@pytest.mark.parametrize("seed", range(20))
def test_who_is_measured_at_few_steps_is_never_judged_harder(seed: int) -> None:
    """Forests are measured at the steps that matter; rungs between are settled at the next one."""
    rng = random.Random(seed)
    curve = power_law(rng.uniform(4, 6), rng.uniform(1, 9), rng.uniform(0.3, 2), 600)
    steps = set(watched((), 5.0).steps)
    some = tuple(point for point in curve if point[0] in steps)
    whole, sparse = watched(curve, 5.0), watched(some, 5.0)
    assert whole.reason or not sparse.reason
    assert 5 < len(some) < 10


def test_nothing_is_pruned_before_enough_trials_are_finished() -> None:
    pruner = open_pruner("forecast", {"min_trials": "3"})
    for outcome in [*complete(5.0, 6.0), Outcome(State.FAILED, error="no"), Outcome(State.PRUNED, 1.0)]:
        pruner.learn(outcome)
        assert {highest for _, highest in pruner.cutoffs()} == {math.inf}
    pruner.learn(complete(7.0)[0])
    assert {highest for _, highest in pruner.cutoffs()} == {6.0}


@pytest.mark.parametrize("seed", range(10))
def test_the_cutoff_is_that_of_the_best_in_eta_whatever_the_order(seed: int) -> None:
    rng = random.Random(seed)
    ends = [rng.uniform(1, 9) for _ in range(rng.randint(4, 40))]
    pruner = open_pruner("forecast", {"eta": "4"})
    for outcome in rng.sample(complete(*ends), len(ends)):
        pruner.learn(outcome)
    [highest] = {highest for _, highest in pruner.cutoffs()}
    assert highest == sorted(ends)[math.ceil((len(ends) + 1) / 4) - 1]


def test_figures_that_are_no_numbers_are_infinitely_bad() -> None:
    broken = tuple((n, math.nan) for n in range(40))
    assert watched(broken, 5.0).reason.startswith("pruned at round 16: heading for rmse inf")
    assert watched(((0, 9.0), *broken[1:]), 5.0).reason.startswith("pruned at round ")


def test_folds_are_judged_by_their_mean() -> None:
    pruner = open_pruner("forecast", {})
    for rmse in (5.0, 6.0, 7.0):
        pruner.learn(Outcome(State.COMPLETE, rmse, folds=(rmse, rmse, rmse)))
    assert pruner.cutoffs()[0] == (0, 6.0)
    watch = survives(pruner.cutoffs(), folds=True, forecast=True)
    assert not watch(0, 6.5)
    assert watch.reason == "pruned at fold 1: mean rmse 6.5 > 6"
