"""Laws of the comparison of held-out with training rows, on rows whose truth is known."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sweeps.data.columns import normalise
from sweeps.selection.distances import Distance, between_shares, kolmogorov_smirnov, lumped, total_variation
from sweeps.selection.drift import BY_ORDER, BY_TIME, Drift, find_drift

TIMES = 200
ZONES = np.array([f"zone {number}" for number in range(150)], dtype=object)


def rows(count: int, seed: int) -> pd.DataFrame:
    """Rows of every kind of column, always of the same distribution."""
    draw = np.random.default_rng(seed)
    often = 1 / np.arange(1, len(ZONES) + 1)
    distance = draw.lognormal(size=count)
    distance[draw.random(count) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "distance": distance,
            "rooms": draw.poisson(3, count),
            "zone": pd.Series(draw.choice(ZONES, count, p=often / often.sum()), dtype=object),
            "code": draw.choice([1.0, 2.0, 5.0], count, p=[0.6, 0.3, 0.1]),
            "garden": draw.random(count) < 0.2,
            "seen": pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 40_000, count), unit="min"),
            "price": draw.normal(size=count),
        }
    )


def compared(train: pd.DataFrame, test: pd.DataFrame, **options: str) -> Drift:
    return find_drift(train, test, target="price", categorical=("code",), **options)


def shift(found: Drift, column: str, what: str = "values") -> Distance:
    [one] = [s for s in found.shifts if (s.column, s.what) == (column, what)]
    return one.distance


@pytest.fixture(scope="module")
def alike() -> list[Drift]:
    """Comparisons of rows that differ by chance alone."""
    return [compared(rows(400, 2 * seed), rows(280, 2 * seed + 1)) for seed in range(TIMES)]


def test_alike_rows_seldom_raise_an_alarm(alike: list[Drift]) -> None:
    """One in a hundred is meant, over all columns together; four standard deviations more are given."""
    assert sum(bool(found.drifted) for found in alike) <= 0.01 * TIMES + 4 * np.sqrt(0.01 * TIMES)
    assert all(found.warnings == [] for found in alike if not found.drifted)


@pytest.mark.parametrize("column", ["distance", "zone", "code", "garden", "seen", "price"])
def test_p_is_what_it_says(alike: list[Drift], column: str) -> None:
    """So that the rate above does not come from a test that never finds anything."""
    below = np.mean([shift(found, column).p < 0.1 for found in alike])
    assert 0.04 < below < 0.18


def test_ties_make_the_comparison_of_numbers_careful(alike: list[Drift]) -> None:
    assert np.mean([shift(found, "rooms").p < 0.1 for found in alike]) < 0.1


def test_the_part_of_chance_is_known(alike: list[Drift]) -> None:
    for column in ("distance", "zone", "price"):
        found = [shift(one, column) for one in alike]
        mean = np.mean([one.distance for one in found])
        assert mean == pytest.approx(np.mean([one.by_chance for one in found]), rel=0.1)


def test_new_values_come_as_often_as_is_expected(alike: list[Drift]) -> None:
    assert np.mean([shift(found, "zone", "unseen").p < 0.05 for found in alike]) < 0.08


Change = Callable[[pd.DataFrame], pd.DataFrame]
CHANGES: dict[str, tuple[str, str, Change]] = {
    "numbers move": ("distance", "values", lambda t: t.assign(distance=2 * t.distance)),
    "numbers spread": ("price", "values", lambda t: t.assign(price=3 * t.price)),
    "counts grow": ("rooms", "values", lambda t: t.assign(rooms=t.rooms + 1)),
    "another mix": ("zone", "values", lambda t: t.assign(zone=t.zone.where(t.index % 2 == 0, ZONES[9]))),
    "another mix of codes": ("code", "values", lambda t: t.assign(code=t.code.where(t.index % 3 > 0, 5.0))),
    "yes instead of no": ("garden", "values", lambda t: t.assign(garden=True)),
    "gaps": ("distance", "missing", lambda t: t.assign(distance=t.distance.where(t.index % 3 > 0))),
    "gaps where there were none": ("code", "missing", lambda t: t.assign(code=t.code.where(t.index % 9 > 0))),
    "another target": ("price", "values", lambda t: t.assign(price=t.price + 1)),
    "new categories": ("zone", "unseen", lambda t: t.assign(zone=t.zone.where(t.index % 6 > 0, "abroad"))),
    "earlier rows": ("seen", "values", lambda t: t.assign(seen=t.seen - pd.Timedelta("90D"))),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_found_and_nothing_else(name: str) -> None:
    column, what, change = CHANGES[name]
    found = compared(rows(600, 1), change(rows(300, 2)))
    assert [one.column for one in found.drifted] == [column]
    assert [s.what for s in found.shifts if s.column == column and s.drifted(len(found.shifts))].count(what)
    [warning] = found.warnings
    named = f"target {column}" if column == "price" else column
    assert warning.startswith(f"the test rows are not distributed like the training rows: {named} (")
    assert "in training" in warning


def test_a_column_that_was_constant_is_looked_at_too() -> None:
    train, test = (rows(count, count).assign(open=True, fee=0.0) for count in (300, 100))
    assert not compared(train, test).drifted
    changed = compared(train, test.assign(open=False, fee=1.0))
    assert {one.column for one in changed.drifted} == {"open", "fee"}


def test_the_figures_are_those_of_the_rows() -> None:
    train = pd.DataFrame({"kind": ["a"] * 60 + ["b"] * 40, "price": np.arange(100.0)})
    test = pd.DataFrame({"kind": ["a"] * 10 + ["b"] * 40, "price": np.arange(50.0) + 30.0})
    found = find_drift(normalise(train, "train")[0], normalise(test, "test")[0], target="price")
    kind, price = found.shifts[1], found.shifts[0]
    assert kind.distance.distance == pytest.approx(0.4)
    assert kind.figure == "'a': 20% of the rows, in training 60%"
    assert price.distance.distance == pytest.approx(0.3)
    assert price.figure == "0% of the rows are at or below 29, in training 30%"


def test_trifles_among_many_rows_are_no_alarm() -> None:
    """Half a tenth of a standard deviation is certain here, and of no account."""
    train, test = rows(40_000, 1), rows(30_000, 2)
    found = compared(train, test.assign(price=test.price + 0.05))
    assert shift(found, "price").p < 1e-6
    assert found.drifted == ()


def test_noise_among_few_rows_is_no_alarm_and_another_world_is() -> None:
    train, test = rows(60, 1), rows(12, 8)
    assert compared(train, test).drifted == ()
    found = compared(train, test.assign(price=test.price + 100))
    assert [one.column for one in found.drifted] == ["price"]


def test_rows_split_by_time_differ_in_time_and_nobody_cries_wolf() -> None:
    train, test = rows(500, 1), rows(200, 2)
    later = test.assign(seen=test.seen + pd.Timedelta("60D"))
    found = compared(train, later)
    assert (found.drifted, found.warnings) == ((), [])
    assert [(s.column, s.expected) for s in found.expected] == [("seen", BY_TIME)]
    assert (
        "2023-03-02 to 2023-03-29, in training 2023-01-01 to 2023-01-28; the rows are split" in found.summary
    )
    [warning] = compared(train, later.assign(price=later.price + 1)).warnings
    assert "; a split in the order of seen makes for some of it; " in warning


def test_the_column_that_rows_are_split_by_may_be_a_number() -> None:
    train, test = rows(500, 1), rows(200, 2)
    found = compared(train, test.assign(rooms=test.rooms + 9), split_by="rooms")
    assert found.drifted == ()
    assert [(s.column, s.expected) for s in found.expected] == [("rooms", BY_ORDER)]


def test_what_names_rows_is_not_compared() -> None:
    train, test = rows(500, 1), rows(200, 2)
    train, test = train.assign(id=np.arange(500)), test.assign(id=np.arange(200) + 500)
    found = compared(train, test)
    assert (found.left_out, found.drifted) == (("id",), ())
    assert "id" not in {one.column for one in found.shifts}


def test_columns_without_values_do_no_harm() -> None:
    train, test = rows(100, 1), rows(50, 2)
    empty = np.nan
    assert not compared(train.assign(x=empty), test.assign(x=empty)).drifted
    [gone] = compared(train.assign(x=1.5), test.assign(x=empty)).drifted
    assert (gone.column, gone.what, gone.figure) == ("x", "missing", "100% missing, in training 0%")


def test_the_order_of_rows_says_nothing_and_a_sample_repeats_itself() -> None:
    train, test = rows(60_000, 1), rows(300, 2)
    assert compared(train, test) == compared(train, test)
    small = train.iloc[:500]
    turned = compared(small.iloc[::-1].reset_index(drop=True), test)
    assert {s.distance for s in turned.shifts} == {s.distance for s in compared(small, test).shifts}


def test_many_rows_take_little_time() -> None:
    train, test = rows(60_000, 1), rows(60_000, 2)
    wide = [frame.assign(a=frame.price, b=frame.zone, c=frame.code) for frame in (train, test)]
    began = time.process_time()
    compared(*wide)
    assert time.process_time() - began < 5


def test_many_drifted_columns_are_told_in_one_line() -> None:
    train = pd.DataFrame({f"c{i}": np.arange(200.0) for i in range(30)} | {"price": np.arange(200.0)})
    [warning] = compared(train, train + 500).warnings
    assert "; also " in warning
    assert " and 18 more" in warning


def test_the_evidence_is_plain_values() -> None:
    import json

    found = compared(rows(300, 1), rows(200, 2).assign(price=9.0))
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["drifted"] == ["price"]
    assert told["summary"] == found.summary
    assert {"column", "what", "distance", "by_chance", "p", "figure", "expected", "drifted"} == set(
        told["comparisons"][0]
    )


def test_rare_categories_are_taken_together() -> None:
    counts = np.array([[100, 50, 1, 0, 2, 0], [90, 60, 0, 1, 3, 0]])
    assert lumped(counts).tolist() == [[100, 50, 3], [90, 60, 4]]
    assert lumped(np.array([[100, 50, 1], [900, 450, 0]])).tolist() == [[100, 51], [900, 450]]
    assert lumped(np.array([[1, 0, 1], [0, 1, 1]])).tolist() == [[2], [2]]
    assert total_variation(np.array([[7], [9]])) == Distance(0.0, 0.0, 1.0)


def test_shares_of_few_rows_are_compared_exactly() -> None:
    from scipy.stats import fisher_exact

    found = between_shares(4, 40, 0, 200)
    assert found.distance == pytest.approx(0.1)
    assert found.p == pytest.approx(float(fisher_exact([[4, 36], [0, 200]]).pvalue))
    assert between_shares(0, 40, 9, 200, only_more=True) == Distance(0.0, 0.0, 1.0)


def test_who_is_higher_is_said() -> None:
    low, high = np.arange(50.0), np.arange(50.0) + 20
    assert kolmogorov_smirnov(high, low)[2]
    assert not kolmogorov_smirnov(low, high)[2]
