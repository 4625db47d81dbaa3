"""Laws of the greedy average: weights, members, and that it is never worse than its best member."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from sweeps.record import Member
from sweeps.selection.blend import greedy

Values = NDArray[np.float64]


@st.composite
def models(draw: st.DrawFn) -> tuple[dict[int, Values], Values]:
    """Predictions of some models for some rows, and the truth; with equal models and perfect ones."""
    count, rows = draw(st.integers(1, 6)), draw(st.integers(1, 12))
    numbers = draw(st.lists(st.integers(0, 99), min_size=count, max_size=count, unique=True))
    figures = st.floats(-1e3, 1e3, allow_subnormal=False)
    values = draw(arrays(np.float64, (count + 1, rows), elements=figures))
    if draw(st.booleans()):
        values[0] = values[draw(st.integers(0, count))]
    return dict(zip(numbers, values[:-1], strict=True)), values[-1]


def rmse(predicted: Values, truth: Values) -> float:
    return math.sqrt(float(np.mean((predicted - truth) ** 2)))


@settings(max_examples=200, deadline=None)
@given(models())
def test_weights_are_shares_and_the_average_is_not_worse_than_its_best_member(
    made: tuple[dict[int, Values], Values],
) -> None:
    predictions, truth = made
    found = greedy(predictions, truth)
    assert math.isclose(sum(m.weight for m in found.members), 1, rel_tol=1e-12)
    assert all(0 < m.weight <= 1 and m.number in predictions for m in found.members)
    assert len({m.number for m in found.members}) == len(found.members)
    average = sum((m.weight * predictions[m.number] for m in found.members), np.zeros(len(truth)))
    alone = {number: rmse(values, truth) for number, values in predictions.items()}
    assert found.rmse == pytest.approx(rmse(average, truth), rel=1e-9, abs=1e-9)
    assert found.rmse <= min(alone.values()) * (1 + 1e-9) + 1e-9
    assert [m.number for m in found.members] == [
        m.number for m in sorted(found.members, key=lambda m: (-m.weight, m.number))
    ]


@settings(max_examples=100, deadline=None)
@given(models(), st.randoms(use_true_random=False))
def test_the_order_of_the_models_does_not_matter(
    made: tuple[dict[int, Values], Values], draw: random.Random
) -> None:
    predictions, truth = made
    mixed = list(predictions)
    draw.shuffle(mixed)
    assert greedy({number: predictions[number] for number in mixed}, truth) == greedy(predictions, truth)


@settings(max_examples=100, deadline=None)
@given(models(), st.integers(1, 30))
def test_more_rounds_are_never_worse(made: tuple[dict[int, Values], Values], rounds: int) -> None:
    predictions, truth = made
    fewer, more = (greedy(predictions, truth, rounds=n) for n in (rounds, rounds + 10))
    assert more.rmse <= fewer.rmse * (1 + 1e-9) + 1e-9


def test_two_halves_of_the_truth_are_averaged() -> None:
    truth, errors = np.arange(4.0), np.array([1.0, 1.0, -1.0, -1.0])
    found = greedy({7: truth + errors, 3: truth - errors}, truth)
    assert (found.members, found.rmse) == ((Member(3, 0.5), Member(7, 0.5)), 0.0)


def test_weights_follow_the_variances() -> None:
    """Of two independent errors the best average weighs by the other one's variance."""
    draw = np.random.default_rng(0)
    truth = draw.normal(size=20_000)
    good, bad = (truth + spread * draw.normal(size=truth.size) for spread in (1.0, 2.0))
    found = {m.number: m.weight for m in greedy({0: bad, 1: good}, truth).members}
    assert found[1] == pytest.approx(0.8, abs=0.03)


def test_a_twin_adds_nothing() -> None:
    draw = np.random.default_rng(0)
    truth = draw.normal(size=50)
    same = truth + draw.normal(size=50)
    assert greedy({4: same, 2: same.copy(), 9: same.copy()}, truth).members == (Member(2, 1.0),)


def test_a_model_that_ran_away_is_left_out() -> None:
    truth = np.zeros(3)
    away = np.array([np.nan, 0.0, np.inf])
    assert greedy({0: away, 1: truth + 1, 2: truth + 1e200}, truth).members == (Member(1, 1.0),)
    with pytest.raises(ValueError, match="none of 1 models has a finite rmse on 3 rows"):
        greedy({0: away}, truth)
    with pytest.raises(ValueError, match="on 0 rows"):
        greedy({0: truth[:0]}, truth[:0])
