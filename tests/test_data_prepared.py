"""Encoded data on disk: what is written is what is opened, and every model takes it."""

import operator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import xgboost as xgb
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Lasso, Ridge
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVR

from sweeps.data.datasets import Dataset, load_dataset
from sweeps.data.prepared import open_folds, open_refit, prepare, prepare_refit
from sweeps.data.spec import DataSpec
from sweeps.errors import SpaceError
from sweeps.trial import Encoding

NATIVE, ONE_HOT = Encoding(True, True), Encoding(False, False)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return load_dataset(DataSpec(table=_table(tmp_path), target="y"))


def _table(folder: Path) -> str:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=300), "c": rng.choice(list("uvw"), 300)})
    frame["a"] = frame["a"].mask(rng.random(300) < 0.1)
    frame.assign(y=rng.normal(size=300)).to_csv(folder / "t.csv", index=False)
    return str(folder / "t.csv")


def test_what_is_opened_is_what_the_transformer_gives(dataset: Dataset, tmp_path: Path) -> None:
    prepared = prepare(dataset, NATIVE, "auto", tmp_path / "p")
    (fold,) = open_folds(prepared.folder)
    assert dataset.valid is not None
    np.testing.assert_array_equal(fold.X_train, prepared.transformer.transform(dataset.train.X))
    np.testing.assert_array_equal(fold.X_valid, prepared.transformer.transform(dataset.valid.X))
    np.testing.assert_array_equal(fold.y_train, dataset.train.y)
    np.testing.assert_array_equal(fold.y_valid, dataset.valid.y)
    assert isinstance(fold.X_train, np.memmap)
    assert fold.categorical == (0,)


@pytest.mark.parametrize(
    "model", [RandomForestRegressor(3), Ridge(), Lasso(0.1), LinearSVR(), xgb.XGBRegressor(n_jobs=1)]
)
@pytest.mark.parametrize("features", ["auto", "sparse"])
def test_models_take_mapped_matrices(model: Any, features: str, dataset: Dataset, tmp_path: Path) -> None:
    chosen = ColumnTransformer([("c", OneHotEncoder(), ["c"])]) if features == "sparse" else features
    prepare(dataset, ONE_HOT, chosen, tmp_path / "p")
    (fold,) = open_folds(tmp_path / "p")
    predicted = model.fit(fold.X_train, fold.y_train).predict(fold.X_valid)
    assert np.isfinite(predicted).all()


def test_boosted_trees_take_native_categories(dataset: Dataset, tmp_path: Path) -> None:
    prepare(dataset, NATIVE, "auto", tmp_path / "p")
    (fold,) = open_folds(tmp_path / "p")
    types = ["c" if i in fold.categorical else "q" for i in range(fold.X_train.shape[1])]
    matrix = xgb.DMatrix(fold.X_train, fold.y_train, feature_types=types, enable_categorical=True)
    assert xgb.train({"nthread": 1}, matrix, 2).num_boosted_rounds() == 2
    HistGradientBoostingRegressor(categorical_features=list(fold.categorical)).fit(fold.X_train, fold.y_train)


def test_explicit_zeros_stay(dataset: Dataset, tmp_path: Path) -> None:
    # What a dictionary vectorizer gives for a distance of 0; to XGBoost an absent entry would be missing.
    chosen = FunctionTransformer(_sparse_with_zeros)
    prepare(dataset, NATIVE, chosen, tmp_path / "p")
    (fold,) = open_folds(tmp_path / "p")
    assert fold.X_train.nnz == len(dataset.train.y)


def _sparse_with_zeros(X: pd.DataFrame) -> Any:
    n = len(X)
    return sp.csr_matrix(
        (np.zeros(n), np.zeros(n, dtype=np.int32), np.arange(n + 1, dtype=np.int32)), shape=(n, 1)
    )


def test_folds_cover_training_and_validation_rows_once(tmp_path: Path) -> None:
    dataset = load_dataset(DataSpec(table=_table(tmp_path), target="y", cv=4))
    prepared = prepare(dataset, NATIVE, "auto", tmp_path / "p")
    folds, refit = open_folds(tmp_path / "p"), open_refit(tmp_path / "p")
    assert dataset.valid is not None
    y = np.concatenate([dataset.train.y, dataset.valid.y])
    assert len(folds) == 4
    assert sorted(np.concatenate([fold.y_valid for fold in folds])) == sorted(y)
    assert all(len(fold.y_train) + len(fold.y_valid) == len(y) for fold in folds)
    assert refit.X_valid is None
    np.testing.assert_array_equal(refit.y_train, y)
    np.testing.assert_array_equal(
        refit.X_train[:240], prepared.transformer.transform(pd.concat([dataset.train.X, dataset.valid.X]))
    )


def test_features_are_fitted_on_the_training_part_of_each_fold(tmp_path: Path) -> None:
    dataset = load_dataset(DataSpec(table=_table(tmp_path), target="y", cv=3))
    prepare(dataset, ONE_HOT, "auto", tmp_path / "p")
    for fold in open_folds(tmp_path / "p"):
        scaled = fold.X_train[:, np.abs(fold.X_train).max(axis=0) > 1.5]
        np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
        assert np.abs(fold.X_valid.mean(axis=0)).max() > 1e-6


def test_without_folds_there_is_nothing_to_refit(dataset: Dataset, tmp_path: Path) -> None:
    prepare(dataset, NATIVE, "auto", tmp_path / "p")
    with pytest.raises(ValueError, match="without cross-validation"):
        open_refit(tmp_path / "p")


def test_a_refit_has_all_rows_but_the_test_rows_with_features_fitted_on_them(
    dataset: Dataset, tmp_path: Path
) -> None:
    prepared = prepare_refit(dataset, ONE_HOT, "auto", tmp_path / "p")
    fold = open_refit(prepared.folder)
    assert dataset.valid is not None
    np.testing.assert_array_equal(fold.y_train, np.concatenate([dataset.train.y, dataset.valid.y]))
    rows = pd.concat([dataset.train.X, dataset.valid.X])
    np.testing.assert_array_equal(fold.X_train, prepared.transformer.transform(rows))
    scaled = fold.X_train[:, np.abs(fold.X_train).max(axis=0) > 1.5]
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    assert (fold.X_valid, open_folds(prepared.folder)) == (None, ())


def test_the_given_transformer_is_cloned(dataset: Dataset, tmp_path: Path) -> None:
    mine = ColumnTransformer([("a", StandardScaler(), ["a"])])
    prepared = prepare(dataset, NATIVE, mine, tmp_path / "p")
    assert not hasattr(mine, "transformers_")
    assert prepared.transformer.transform(dataset.train.X).shape == (180, 1)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (ColumnTransformer([("z", "passthrough", ["z"])]), "cannot be fitted"),
        (StandardScaler(), "cannot be fitted"),
        (FunctionTransformer(), "could not convert string"),
        (FunctionTransformer(operator.methodcaller("count")), "shape (2,)"),
        ("automatic", "unknown features 'automatic'"),
        (5, "FEATURES"),
    ],
)
def test_features_that_fail_say_why(features: Any, expected: str, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match="FEATURES") as caught:
        prepare(dataset, NATIVE, features, tmp_path / "p")
    assert expected in str(caught.value)
    assert not (tmp_path / "p").exists()


def test_preparing_again_replaces_what_was_there(dataset: Dataset, tmp_path: Path) -> None:
    prepare(dataset, NATIVE, "auto", tmp_path / "p")
    (before,) = open_folds(tmp_path / "p")
    prepare(dataset, ONE_HOT, "auto", tmp_path / "p")
    (after,) = open_folds(tmp_path / "p")
    assert before.X_train.shape != after.X_train.shape
    assert np.isfinite(after.X_train).all()
    assert not list((tmp_path / "p").glob("*.part"))
