"""Trees from folded one-hot columns are the trees that the columns themselves give."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import skops.io
import xgboost
from numpy.typing import NDArray
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sweeps.data.datasets import load_dataset
from sweeps.data.prepared import open_folds, prepare
from sweeps.data.spec import DataSpec
from sweeps.models import fit
from sweeps.models.matrices import Matrices, open_matrices
from sweeps.models.onehot import Folding, Layout, find_layout
from sweeps.models.ubjson import decode, encode
from sweeps.models.unfold import unfold
from sweeps.trial import Encoding, Fold

BOOSTED = ["xgboost.core.Booster", "xgboost.sklearn.XGBRegressor"]
SHAPES = [((1600,), 0), ((1600,), 1), ((1500, 40, 300), 3)]
"""Cardinalities of the groups, and how many columns of numbers stand between and behind them."""
PARAMS = [
    {},
    {"max_depth": 30, "min_child_weight": 0.4, "reg_lambda": 0.01, "reg_alpha": 0.05},
    {"max_depth": 20, "min_child_weight": 0},
    {"max_depth": 20, "min_child_weight": 2},
    {"max_depth": 14, "min_child_weight": 3.5, "gamma": 0.2},
    {"max_depth": 10, "min_child_weight": 30, "max_bin": 16},
    {"max_depth": 8, "subsample": 0.6, "max_delta_step": 0.7},
    {"max_depth": 0, "max_leaves": 50, "grow_policy": "lossguide", "tree_method": "hist"},
    {"max_depth": 9, "booster": "dart", "rate_drop": 0.4},
    {"max_depth": 9, "num_parallel_tree": 3, "subsample": 0.7},
    {"max_depth": 7, "objective": "count:poisson", "min_child_weight": 4},  # a row weighs more than 1
    {"max_depth": 7, "objective": "reg:absoluteerror", "colsample_bytree": 1.0},
]


def make_fold(cardinalities: tuple[int, ...], numbers: int, *, rows: int = 4000, refit: bool = False) -> Fold:
    """Skewed categories, of which some are only in validation rows; numbers with zeros and missing ones."""
    rng = np.random.default_rng(len(cardinalities) + numbers)
    y, blocks = rng.normal(size=rows), []
    for size in cardinalities:
        shares = 1 / np.arange(50, size + 50)
        category = rng.permutation(size)[rng.choice(size, rows, p=shares / shares.sum())]
        y += 2 * rng.normal(size=size)[category]
        blocks.append(sp.csr_matrix((np.ones(rows), (np.arange(rows), category)), (rows, size)))
    for place in range(numbers):
        values = np.round(rng.normal(size=rows), 1)
        y += np.sin(2 * values)
        stored = rng.random(rows) < 0.9  # a zero among them is stored, and is no missing value
        where = np.flatnonzero(stored)
        column = sp.csr_matrix((values[where], (where, np.zeros_like(where))), (rows, 1))
        blocks.insert(2 * place + 1, column)
    X, y, cut = sp.hstack(blocks).tocsr(), y - y.min(), rows * 3 // 4
    valid = with_strange_rows(X[cut:], np.flatnonzero(np.diff(X[:cut].tocsc().indptr)))
    return Fold(X[:cut], y[:cut], None if refit else valid, None if refit else y[cut:])


def with_strange_rows(X: Any, used: NDArray[np.int64]) -> Any:
    """The first rows are all zero, the next have only categories of the training rows' last columns."""
    X = X.tolil()
    X[:3] = 0
    X[3:6] = 0
    X[3:6, used[-1]] = 1.0
    return X.tocsr()


def matrices(fold: Fold, **params: Any) -> Matrices:
    estimator = xgboost.XGBRegressor(**params)
    given = {name: value for name, value in estimator.get_xgb_params().items() if value is not None}
    return open_matrices(fold, estimator, given, 1)


@dataclass(frozen=True)
class Direct:
    """What XGBoost itself trains on the columns as they are."""

    booster: xgboost.Booster
    curve: list[float]
    fold: Fold

    @property
    def predictions(self) -> NDArray[np.float64]:
        """On the validation rows, by the rounds that early stopping keeps."""
        used = (0, self.best + 1)
        values = self.booster.inplace_predict(self.fold.X_valid, iteration_range=used)
        return np.asarray(values, dtype=np.float64)

    @property
    def best(self) -> int:
        return int(self.booster.attr("best_iteration") or self.booster.num_boosted_rounds() - 1)


def direct(fold: Fold, rounds: int, *, early_stopping_rounds: int | None = None, **params: Any) -> Direct:
    log: dict[str, dict[str, list[float]]] = {"valid": {"rmse": []}}
    evals = [] if fold.X_valid is None else [(xgboost.DMatrix(fold.X_valid, fold.y_valid), "valid")]
    booster = xgboost.train(
        {"nthread": 1, "seed": 1, "eval_metric": "rmse", **params},
        xgboost.DMatrix(fold.X_train, fold.y_train),
        rounds,
        evals=evals,
        evals_result=log,
        early_stopping_rounds=early_stopping_rounds,
        verbose_eval=False,
    )
    return Direct(booster, log["valid"]["rmse"] if evals else [], fold)


def trees(booster: xgboost.Booster) -> list[dict[str, Any]]:
    found = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    return list(found.get("gbtree", found)["model"]["trees"])


def outline(tree: dict[str, Any], layout: Layout) -> Iterator[tuple[float, ...]]:
    """Splits and leaves from the root on, whichever side a category is on."""
    groups = {int(c) for columns in layout.features if len(columns) > 1 for c in columns}
    waiting = [0]
    while waiting:
        node = waiting.pop()
        sides = [tree["left_children"][node], tree["right_children"][node]]
        column, condition = tree["split_indices"][node], tree["split_conditions"][node]
        if sides[0] == -1:
            yield (-1, condition)
        elif column in groups:
            yield (column,)
            waiting += sides if condition <= 1 else sides[::-1]
        else:
            yield (column, condition, tree["default_left"][node])
            waiting += sides


@pytest.mark.parametrize("params", PARAMS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_trees_are_those_of_the_one_hot_columns(
    shape: tuple[tuple[int, ...], int], params: dict[str, Any]
) -> None:
    fold = make_fold(*shape)
    folding = matrices(fold, **params).folding
    assert folding is not None
    assert len(folding.kinds) == sum(shape[1:]) + len(shape[0])
    slow = direct(fold, 10, **params)
    fast = fit(xgboost.XGBRegressor(n_estimators=10, **params), fold, seed=1, threads=1)
    for ours, theirs in zip(trees(fast.model.get_booster()), trees(slow.booster), strict=True):
        assert list(outline(ours, folding.layout)) == list(outline(theirs, folding.layout))
    assert np.array_equal(fast.predictions, slow.predictions)
    assert [value for _, value in fast.curve] == pytest.approx(slow.curve, rel=1e-12)


def test_early_stopping_ends_at_the_same_round() -> None:
    fold, params = make_fold(*SHAPES[2]), {"early_stopping_rounds": 4, "max_depth": 20, "learning_rate": 0.9}
    slow = direct(fold, 200, **params)
    fast = fit(xgboost.XGBRegressor(n_estimators=200, **params), fold, seed=1, threads=1)
    assert fast.metrics["best_iteration"] == slow.best < 190
    assert len(fast.curve) == slow.best + 1 + 4
    assert np.array_equal(fast.predictions, slow.predictions)


def test_a_refit_is_folded_as_well() -> None:
    fold = make_fold(*SHAPES[2], refit=True)
    fast = fit(xgboost.XGBRegressor(), fold, seed=1, threads=1, rounds=6)
    assert matrices(fold).folding is not None
    assert fast.predictions is None
    slow = direct(fold, 6).booster.predict(xgboost.DMatrix(fold.X_train))
    assert np.array_equal(fast.model.predict(fold.X_train), slow)


def test_the_saved_model_knows_nothing_of_categories(tmp_path: Path) -> None:
    fold = make_fold(*SHAPES[2])
    fast = fit(xgboost.XGBRegressor(n_estimators=5), fold, seed=1, threads=1)
    slow = direct(fold, 5).booster.get_score(importance_type="total_gain")
    loaded = skops.io.loads(skops.io.dumps(fast.model), trusted=BOOSTED)
    for name in ("model.json", "model.ubj"):
        fast.model.save_model(tmp_path / name)
        again = xgboost.XGBRegressor()
        again.load_model(tmp_path / name)
        assert np.array_equal(again.predict(fold.X_valid).astype(float), fast.predictions)
    assert np.array_equal(loaded.predict(fold.X_valid).astype(float), fast.predictions)
    assert loaded.n_features_in_ == len(loaded.feature_importances_) == fold.X_train.shape[1]
    assert loaded.get_booster().feature_types is None
    assert loaded.get_booster().get_score(importance_type="total_gain") == pytest.approx(slow, rel=1e-5)
    assert all(
        not any(tree["split_type"]) and tree["categories_nodes"] == tree["categories"] == []
        for tree in trees(loaded.get_booster())
    )


def test_rows_take_the_same_way_before_and_after() -> None:
    fold = make_fold(*SHAPES[2])
    data = matrices(fold)
    params = {"max_depth": 12, "eta": 0.5, "nthread": 1, **data.params}
    booster = xgboost.train(params, data.train, 8)
    unfolded = xgboost.Booster({"nthread": 1})
    unfolded.load_model(data.model(booster))
    assert np.array_equal(booster.predict(data.train), unfolded.predict(xgboost.DMatrix(fold.X_train)))
    assert np.array_equal(booster.predict(data.valid), unfolded.predict(xgboost.DMatrix(data.rows)))
    dense = fold.X_valid.toarray()
    dense[:, [columns[0] for columns in find_numbers(data)]] = np.nan
    without = sp.csr_matrix(np.nan_to_num(dense))
    assert np.array_equal(
        unfolded.predict(xgboost.DMatrix(dense)), unfolded.predict(xgboost.DMatrix(without))
    )


def find_numbers(data: Matrices) -> list[NDArray[np.int64]]:
    assert data.folding is not None
    return [columns for columns in data.folding.layout.features if len(columns) == 1]


def test_a_tree_that_splits_off_a_shared_code_is_refused() -> None:
    fold = make_fold(*SHAPES[0])
    data = matrices(fold, min_child_weight=30)
    assert data.folding is not None
    booster = xgboost.train({**data.params, "nthread": 1, "min_child_weight": 0}, data.train, 1)
    with pytest.raises(IndexError):
        unfold(booster.save_raw("ubj"), data.folding.columns, fold.X_train.shape[1])


@pytest.mark.parametrize(
    "params",
    [
        {"colsample_bytree": 0.9},
        {"colsample_bynode": 0.5},
        {"tree_method": "approx"},
        {"tree_method": "exact"},
        {"booster": "gblinear"},
        {"missing": 0.0},
        {"max_cat_to_onehot": 3},
        {"max_cached_hist_node": 100},
        {"monotone_constraints": {"f1": 1}},
        {"interaction_constraints": [["f1", "f2"]]},
        {"feature_weights": np.ones(1600)},
        {"callbacks": [xgboost.callback.LearningRateScheduler(lambda _: 0.1)]},
        {"updater": "grow_histmaker"},
    ],
    ids="-".join,
)
def test_other_params_train_on_the_columns_as_they_are(params: dict[str, Any]) -> None:
    data = matrices(make_fold((1600,), 0), **params)
    assert data.folding is None
    assert data.train.num_col() == 1600
    assert data.params == {}


def test_a_forest_that_samples_columns_is_not_folded() -> None:
    fold, forest = make_fold((1600,), 0), xgboost.XGBRFRegressor()
    given = {name: value for name, value in forest.get_xgb_params().items() if value is not None}
    assert open_matrices(fold, forest, given, 1).folding is None


@pytest.mark.parametrize("part", ["X_train", "X_valid"])
@pytest.mark.parametrize("value", [0.0, 2.0, np.nan])
def test_anything_but_ones_is_not_folded(part: str, value: float) -> None:
    fold = make_fold((1600,), 0)
    getattr(fold, part).data[0] = value
    assert matrices(fold).folding is None


@pytest.mark.parametrize("part", ["X_train", "X_valid"])
def test_an_entry_given_in_two_pieces_is_not_folded(part: str) -> None:
    fold = make_fold((1600,), 1)
    X = getattr(fold, part)
    last = np.flatnonzero(X.indices == 1600)[-1]
    pieces = sp.csr_matrix(
        (np.insert(X.data, last, X.data[last]), np.insert(X.indices, last, X.indices[last]),
         X.indptr + (X.indptr > last)),
        X.shape,
    )  # fmt: skip
    assert matrices(replace(fold, **{part: pieces})).folding is None


def test_rows_without_a_known_category_have_a_code_of_their_own() -> None:
    fold = make_fold((1600,), 1)
    folding = matrices(fold).folding
    assert folding is not None
    numbers, kinds = folding.fold(fold.X_valid).tocsc(), folding.kinds
    codes = numbers[:, kinds.index("c")].toarray().ravel()
    known = np.isin(fold.X_valid.indices, folding.layout.features[kinds.index("c")])
    without = np.setdiff1d(
        np.arange(len(codes)), np.repeat(np.arange(len(codes)), np.diff(fold.X_valid.indptr))[known]
    )
    assert {0, 1, 2} < set(without)
    assert (codes[without] == folding.sizes[kinds.index("c")]).all()


def test_a_validation_row_with_two_categories_is_not_folded() -> None:
    fold = make_fold((1600,), 0)
    twice = fold.X_valid.tolil()
    twice[7, np.flatnonzero(np.ravel(fold.X_train.sum(axis=0)))[:2]] = 1.0
    assert matrices(Fold(fold.X_train, fold.y_train, twice.tocsr(), fold.y_valid)).folding is None


def test_few_columns_are_not_worth_it() -> None:
    assert matrices(make_fold((300,), 1)).folding is None
    assert matrices(make_fold((1600,), 1, rows=150_000)).folding is None


def test_native_categories_stay_as_they_are() -> None:
    fold = replace(make_fold((1600,), 1), categorical=(1600,))
    assert matrices(fold).folding is None


def test_trials_share_matrices() -> None:
    fold = make_fold((1600,), 1)
    assert matrices(fold, min_child_weight=1.0) is matrices(fold, min_child_weight=2.0, max_depth=9)
    assert matrices(fold, min_child_weight=6.5) is matrices(fold, min_child_weight=5.2)
    assert matrices(fold, min_child_weight=6.5) is not matrices(fold, min_child_weight=2.0)
    assert matrices(fold, min_child_weight=6.5).train.num_row() == 3000


def grouped(layout: Layout | None) -> list[tuple[int, int]]:
    """First and last column of each group."""
    assert layout is not None
    return [(int(c[0]), int(c[-1])) for c in layout.features if len(c) > 1]


def test_groups_of_scikit_learns_encoders_are_found() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"zone": rng.integers(0, 9, 500), "far": rng.normal(size=500), "day": rng.integers(0, 7, 500)}
    )
    columns = make_column_transformer(
        (OneHotEncoder(), ["zone"]), (StandardScaler(), ["far"]), (OneHotEncoder(), ["day"]),
        sparse_threshold=1.0,
    )  # fmt: skip
    assert grouped(find_layout(columns.fit_transform(frame).tocsr())) == [(0, 8), (10, 16)]
    named = frame.astype({"zone": str, "day": str}).to_dict(orient="records")
    assert grouped(find_layout(DictVectorizer().fit_transform(named).tocsr())) == [(0, 6), (8, 16)]


def test_groups_are_found_among_flags_and_empty_columns() -> None:
    rng = np.random.default_rng(0)
    category = sp.csr_matrix((np.ones(400), (np.arange(400), 2 * rng.integers(0, 5, 400))), (400, 10))
    flags = sp.csr_matrix((rng.random((400, 3)) < 0.3).astype(float))
    layout = find_layout(sp.hstack([flags, category, category, flags]).tocsr())
    assert grouped(layout) == [(3, 11), (13, 21)]
    assert layout is not None
    assert sum(len(columns) == 1 for columns in layout.features) == 6


def test_words_are_no_groups() -> None:
    words = (sp.random(2000, 3000, 0.01, format="csr", random_state=0) != 0).astype(float)
    assert find_layout(words) is None
    assert find_layout(sp.csr_matrix((5, 4))) is None


@pytest.mark.parametrize("rare", [0, 2, 3, 4, 7, 50, 10_000])
def test_codes_are_shared_by_so_few_rows_that_none_is_split_off(rare: int) -> None:
    fold = make_fold((1600,), 1)
    layout = find_layout(fold.X_train)
    assert layout is not None
    folding = Folding(layout, rare)
    counts, codes = layout.counts[layout.features[0]], folding.codes[0]
    rows = np.bincount(codes, counts)
    frequent = counts >= rare
    assert list(codes[frequent]) == list(range(frequent.sum()))
    assert (rows[frequent.sum() :] < rare).all()
    assert (rows > 0).all()
    assert list(folding.columns[0]) == list(layout.features[0][frequent])
    assert len(rows) <= frequent.sum() + max(1, 2 * counts[~frequent].sum() / max(rare, 1))


@pytest.mark.parametrize(
    "params", [{}, {"booster": "dart", "rate_drop": 0.5}, {"booster": "gblinear"}, {"max_depth": 1}], ids=str
)
def test_xgboosts_format_is_read_and_written(params: dict[str, Any]) -> None:
    fold = make_fold((1600,), 1)
    booster = xgboost.train({"nthread": 1, **params}, xgboost.DMatrix(fold.X_train, fold.y_train), 4)
    booster.set_attr(note="naïve ☃", empty="")
    raw = bytes(booster.save_raw("ubj"))
    assert encode(decode(raw)) == raw
    assert decode(raw)["learner"]["attributes"] == {"empty": "", "note": "naïve ☃"}
    as_text = json.loads(booster.save_raw("json"))
    assert decode(raw).keys() == as_text.keys()


def test_values_of_every_kind_are_read_and_written() -> None:
    kinds = [np.array([-1, 2], kind) for kind in ("i1", "i2", "i4", "i8", "f4", "f8")]
    value = {"a": [None, True, False, {}, []], "b": kinds, "c": [np.uint8(7), np.float64(1e300)]}
    again = decode(encode(value))
    assert again["a"] == value["a"]
    assert again["c"] == value["c"]
    for written, read in zip(kinds, again["b"], strict=True):
        assert read.dtype == written.dtype
        assert np.array_equal(read, written)


@pytest.mark.parametrize("data", [b"?", b"[$d", b"[x", b"Si\x05"])
def test_another_format_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="byte"):
        decode(data)


def test_a_value_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="a set cannot be written"):
        encode([{1}])


@pytest.mark.slow
@pytest.mark.parametrize("params", [{"min_child_weight": 2.0}, {"min_child_weight": 8.5}], ids=str)
def test_the_courses_trees_are_the_same(params: dict[str, Any], taxi_dir: Path, tmp_path: Path) -> None:
    trips = load_dataset(DataSpec(name="green-taxi:2023-01,2023-02,2023-03", data_dir=str(taxi_dir)))
    (fold,) = open_folds(prepare(trips, Encoding(True, True), "dataset", tmp_path / "p").folder)
    params = {**params, "max_depth": 20, "learning_rate": 0.2, "reg_alpha": 0.05, "reg_lambda": 0.05}
    folding = matrices(fold, **params).folding
    assert folding is not None
    assert folding.layout.folded == fold.X_train.shape[1] - 1 == 5701
    slow = direct(fold, 30, **params)
    fast = fit(xgboost.XGBRegressor(n_estimators=30, **params), fold, seed=1, threads=1)
    assert [value for _, value in fast.curve] == pytest.approx(slow.curve, rel=1e-12)
    assert np.array_equal(fast.predictions, slow.predictions)
