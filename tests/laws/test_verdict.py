"""Laws of the verdict, on models whose truth is known: they are made of random errors."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from sweeps.errors import UsageError
from sweeps.selection.comparison import Comparison, compare
from sweeps.selection.gate import Check, Gate, decide
from sweeps.selection.optimism import Optimism, optimism
from sweeps.selection.segments import by_segment

PAIRS = 400


def errors(seed: int, rows: int, models: int = 2, better: float = 0.0) -> NDArray[np.float64]:
    """Squared errors of models that find the same rows hard; the first one's rmse is lower by a share."""
    draw = np.random.default_rng(seed)
    hard = draw.normal(size=rows)
    own = 0.7 * hard + 0.7 * draw.normal(size=(models, rows))
    own[0] *= 1 - better
    return np.asarray(own**2)


def compared(seed: int, rows: int, better: float = 0.0, resamples: int = 400) -> Comparison:
    own, rival = errors(seed, rows, better=better)
    return compare(own, rival, resamples=resamples, seed=seed)


def test_equal_models_are_seldom_called_different() -> None:
    """Not more than 5 % of 400 pairs, both directions together; the gate asks for one of them."""
    found = [compared(seed, 88, resamples=1000) for seed in range(PAIRS)]
    different = sum(not one.low <= 0 <= one.high for one in found)
    assert 1 <= different <= 0.05 * PAIRS
    gate = Gate("significant")
    promoted = sum(decide(gate, one, None, []).alias == "champion" for one in found)
    assert 1 <= promoted <= 0.035 * PAIRS


def power(rows: int, better: float, simulated: int = 100_000) -> float:
    """What a paired z test on the rmse finds, from the spread of a very large sample."""
    own, rival = errors(7, simulated, better=better)
    rmses = np.sqrt(own.mean()), np.sqrt(rival.mean())
    spread = np.std(rival / (2 * rmses[1]) - own / (2 * rmses[0])) / math.sqrt(rows)
    return float(norm.cdf((rmses[1] - rmses[0]) / spread - norm.ppf(0.975)))


@pytest.mark.parametrize("rows", [60, 240, 960])
def test_a_better_model_is_found_as_often_as_the_rows_allow(rows: int) -> None:
    found = np.mean([compared(seed, rows, better=0.1).low > 0 for seed in range(100)])
    assert abs(float(found) - power(rows, 0.1)) < 0.1


def test_the_same_rows_give_the_same_figures_and_the_mirror_image() -> None:
    own, rival = errors(3, 300, better=0.1)
    one, other = compare(own, rival, seed=5), compare(rival, own, seed=5)
    assert one == compare(own, rival, seed=5)
    assert (one.gain, one.low, one.high) == pytest.approx((-other.gain, -other.high, -other.low))
    assert one.probability == pytest.approx(1 - other.probability)
    assert one.low < one.gain < one.high


def test_many_rows_have_the_interval_that_theory_gives() -> None:
    """Groups of rows are resampled; the width is that of the rows."""
    own, rival = errors(1, 30_000, better=0.02)
    found = compare(own, rival, resamples=2000)
    rmses = np.sqrt(own.mean()), np.sqrt(rival.mean())
    spread = float(np.std(rival / (2 * rmses[1]) - own / (2 * rmses[0])) / math.sqrt(30_000))
    assert found.high - found.low == pytest.approx(2 * 1.96 * spread, rel=0.08)


@pytest.mark.parametrize("shapes", [((3,), (4,)), ((1,), (1,))])
def test_errors_of_other_rows_are_refused(shapes: tuple[tuple[int], tuple[int]]) -> None:
    with pytest.raises(ValueError, match="same rows"):
        compare(np.ones(shapes[0]), np.ones(shapes[1]))


def test_the_best_of_many_equals_is_flattered_by_what_it_says() -> None:
    """The truth is an rmse of 0.99 for all; what the winner shows is lower, what is said is right."""
    truth = math.sqrt(0.98)
    found = [optimism(errors(seed, 200, models=10), halvings=40, seed=seed) for seed in range(60)]
    shown = np.mean([one.rmse for one in found])
    honest = np.mean([one.honest_rmse for one in found])
    assert shown < truth - 0.03
    assert abs(honest - truth) < 0.02
    assert all(one.finalists == 10 and 0 <= one.share <= 1 for one in found)


def test_a_clear_winner_is_not_flattered() -> None:
    found = optimism(errors(0, 2000, models=3, better=0.5))
    assert found.share == 1
    assert found.excess < 0.005


def test_choosing_among_equals_does_not_make_a_champion() -> None:
    """The best of ten equal models against an equal champion looks significant too often by itself."""
    gate, naive, judged = Gate("significant"), 0, 0
    for seed in range(100):
        squared = errors(seed, 150, models=11)
        finalists, champion = squared[:10], squared[10]
        winner = finalists[np.argmin(finalists.mean(axis=1))]
        comparison = compare(winner, champion, resamples=300, seed=seed)
        naive += decide(gate, comparison, None, []).alias == "champion"
        chosen = optimism(finalists, halvings=20, seed=seed)
        judged += decide(gate, comparison, chosen, []).alias == "champion"
    assert naive > 10
    assert judged <= 5


def comparison(rmse: float, rival: float, low: float) -> Comparison:
    return Comparison(100, rmse, rival, low, 1.0, 0.9, 0.95, 1000)


FLATTERED = Optimism(5, 1.9, 1.95, 0.6)


@pytest.mark.parametrize(
    ("gate", "found", "selected", "alias", "says"),
    [
        (Gate(), None, None, "champion", "the first version"),
        (Gate(), comparison(1.9, 2.0, -0.1), FLATTERED, "champion", "rmse 1.9 beats the champion's 2"),
        (Gate(), comparison(2.0, 2.0, -0.1), None, "challenger", "does not beat"),
        (Gate(min_gain=0.1), comparison(1.9, 2.0, 0.05), None, "challenger", "by 10 % or more"),
        (Gate(min_gain=0.05), comparison(1.9, 2.0, 0.05), None, "champion", "by 5 % or more"),
        (Gate("significant"), comparison(1.9, 2.0, 0.06), None, "champion", "significantly better"),
        (Gate("significant"), comparison(1.9, 2.0, -0.01), None, "challenger", "not significantly"),
        (Gate("significant"), comparison(1.9, 2.0, 0.04), FLATTERED, "challenger", "less 0.05 for choosing"),
        (Gate("significant", min_gain=0.05), comparison(1.8, 2.0, 0.05), None, "challenger", "more than 0.1"),
        (Gate("none"), comparison(2.5, 2.0, -0.9), None, "champion", "no gate was asked for"),
    ],
)
def test_the_gate(
    gate: Gate, found: Comparison | None, selected: Optimism | None, alias: str, says: str
) -> None:
    judged = decide(gate, found, selected, [Check("size", passed=True, figure="1 MB")])
    assert judged.alias == alias
    assert says in judged.reason


@pytest.mark.parametrize("kind", ["better", "significant", "none"])
def test_a_check_that_failed_stops_every_gate(kind: str) -> None:
    checks = [Check("size", True, "1 MB"), Check("latency", False, "90 ms", "at most 50 ms")]
    for found in (None, comparison(1.0, 2.0, 0.5)):
        judged = decide(Gate(kind), found, None, checks)
        assert (judged.alias, judged.reason) == (
            "challenger", "it did not pass: latency: 90 ms, asked for at most 50 ms",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        ({"kind": "best"}, "--gate"),
        ({"confidence": 1.0}, "--confidence"),
        ({"min_gain": math.nan}, "--min-gain"),
        ({"max_latency": 0.0}, "--max-latency"),
        ({"max_size": math.inf}, "--max-size"),
        ({"max_segment_loss": -0.1}, "--max-segment-loss"),
    ],
)
def test_a_gate_that_makes_no_sense(settings: dict[str, float], option: str) -> None:
    with pytest.raises(UsageError, match=option):
        Gate(**settings)  # type: ignore[arg-type]  # as from JSON


def test_segments_are_told_by_value_and_small_ones_together() -> None:
    values = ["a"] * 60 + ["b"] * 40 + ["c"] * 10 + [None] * 5
    own, rival = np.ones(115), np.full(115, 4.0)
    own[60:100] = 9.0
    found = by_segment(values, own, rival)
    assert [(s.value, s.rows, s.rmse, s.rival_rmse) for s in found] == [
        ("a", 60, 1.0, 2.0), ("b", 40, 3.0, 2.0), ("the rest", 15, 1.0, 2.0),
    ]  # fmt: skip
    assert [s.loss for s in found] == [-0.5, 0.5, -0.5]
    assert by_segment(values, own, None)[0].loss == 0.0
