"""How sweeps compare: best at n, and the bootstrap of the difference."""

import math
import random

import numpy as np

from sweeps.cli.chart import Curve, chart
from sweeps.comparison import best_at, best_of, difference, landmarks, results
from tests.made_sweep import record

INF = math.inf


def test_results_are_by_trial_without_the_lost() -> None:
    assert results(record()) == [6.0, 5.5, INF, INF, 5.75]


def test_best_at_and_best_of() -> None:
    values = [INF, 6.0, 7.0, 5.0]
    assert best_at(values) == [(2, 6.0), (4, 5.0)]
    assert [best_of(values, n) for n in (1, 2, 3, 4, 5)] == [None, 6.0, 6.0, 5.0, None]


def test_landmarks_hold_the_shortest_and_the_longest() -> None:
    assert landmarks([37, 120]) == [10, 20, 37, 50, 100, 120]
    assert landmarks([7]) == [1, 2, 5, 7]


def test_the_difference_is_that_of_as_many_trials_as_the_shorter_has() -> None:
    gap = difference([5.0, 5.5, 6.0, 1.0], [7.0, 6.5, 8.0])
    assert gap is not None
    assert (gap.trials, gap.drawn, gap.observed, gap.better) == (3, 1, -1.5, 1.0)


def test_the_interval_is_that_of_draws_made_one_by_one() -> None:
    draw = random.Random(1)
    one, other = ([draw.gauss(mean, 1) for _ in range(40)] for mean in (0.0, 0.3))
    gap = difference(one, other)
    rng = np.random.default_rng(7)
    plain = rng.choice(one, (20_000, 20)).min(axis=1) - rng.choice(other, (20_000, 20)).min(axis=1)
    assert gap is not None
    assert abs(gap.better - np.mean(plain < 0)) < 0.03
    # the draws are of 40 values each, so quantiles are steps: compare how many lie beyond them
    assert 0.9 < np.mean((plain >= gap.low) & (plain <= gap.high)) < 0.99
    swapped = difference(other, one)
    assert swapped is not None
    assert swapped.observed == -gap.observed


def test_alike_sweeps_do_not_differ_and_empty_ones_are_none() -> None:
    gap = difference([5.0, 6.0, 7.0], [5.0, 6.0, 7.0])
    assert gap is not None
    assert gap.observed == 0
    assert gap.low <= 0 <= gap.high
    assert difference([INF, INF], [1.0, 2.0]) is None
    assert difference([1.0], [1.0]) is None


def test_a_chart_tells_curves_apart_by_letters_and_ends_them_where_they_end() -> None:
    lines = chart([Curve([(1, 9.0), (5, 5.0)], 5), Curve([(1, 8.0)], 10)], 40, log=False)
    assert lines[-1].split() == ["1", "6", "10"]
    assert max(map(len, lines)) <= 40
    drawn = "\n".join(lines[:-2])
    assert drawn.count("A") + drawn.count("*") == 5
    assert drawn.count("B") == 10
    assert lines[0].startswith("9 ┤")
    assert lines[11].startswith("5 ┤")
