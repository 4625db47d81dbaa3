"""Equal validation rows are predicted once, and count as often as they are there."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.models import fit
from sweeps.trial import Fold
from tests.test_models_onehot import SHAPES, direct, make_fold, matrices


def rows_of(X: Any) -> list[tuple[Any, ...]]:
    """Each row's columns and values; a stored zero is a value."""
    return [tuple(zip(row.indices.tolist(), row.data.tolist(), strict=True)) for row in X]


def repeated(fold: Fold, chosen: Any) -> Fold:
    return Fold(fold.X_train, fold.y_train, fold.X_valid[chosen], fold.y_valid[: len(chosen)])


class Told:
    """A watch that remembers."""

    steps: tuple[int, ...] = ()

    def __init__(self) -> None:
        self.rmse: list[float] = []

    def report(self, step: int, rmse: float) -> None:
        assert step == len(self.rmse)
        self.rmse.append(rmse)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 999), min_size=1, max_size=60), st.integers(0, 2))
def test_each_row_has_the_place_of_an_equal_one(chosen: list[int], shape: int) -> None:
    fold = repeated(make_fold(*SHAPES[shape]), chosen)
    data = matrices(fold)
    assert data.folding is not None
    assert data.place is not None
    seen = np.flatnonzero(data.folding.layout.counts)  # columns that a tree can split
    distinct = rows_of(data.rows[:, seen])
    assert rows_of(fold.X_valid[:, seen]) == [distinct[place] for place in data.place]
    assert data.valid is not None
    assert data.valid.num_row() == len(distinct) == data.place.max() + 1
    if shape < 2:  # with few features equal rows stand together; with many they may not
        assert len(set(distinct)) == len(distinct)


def test_a_stored_zero_is_no_missing_value() -> None:
    fold = make_fold(*SHAPES[1])
    number = fold.X_train.shape[1] - 1
    row = fold.X_valid[10].tolil()
    row[0, number] = 1.5
    zero, missing = row.tocsr(), row.tolil()
    zero.data[zero.indices == number] = 0.0
    missing[0, number] = 0
    X = sp.vstack([zero, missing.tocsr(), zero], format="csr")
    data = matrices(Fold(fold.X_train, fold.y_train, X, fold.y_valid[:3]))
    assert data.place is not None
    assert data.place[0] == data.place[2] != data.place[1]


@pytest.mark.parametrize("objective", ["squarederror", "pseudohubererror", "tweedie", "gamma"])
def test_the_curve_and_the_watch_know_every_row(objective: str) -> None:
    made = make_fold(*SHAPES[1])
    fold = repeated(Fold(made.X_train, made.y_train + 1, made.X_valid, made.y_valid + 1), np.arange(900) % 7)
    params: dict[str, Any] = {
        "objective": f"reg:{objective}",
        "max_depth": 12,
        "early_stopping_rounds": 3,
        "learning_rate": 0.9,
    }
    slow, told = direct(fold, 60, **params), Told()
    fast = fit(xgboost.XGBRegressor(n_estimators=60, **params), fold, seed=1, threads=1, watch=told)
    assert matrices(fold, **params).rows.shape[0] <= 7
    curve = [value for _, value in fast.curve]
    assert curve == pytest.approx(slow.curve, rel=1e-6)
    assert told.rmse == curve[: len(told.rmse)]
    assert len(told.rmse) >= len(curve) - 1
    assert fast.metrics["best_iteration"] == slow.best
    assert fast.predictions is not None
    assert np.array_equal(fast.predictions, slow.predictions)
