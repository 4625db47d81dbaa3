"""Automatic features: what becomes of each column, and that one fitted object does it for any rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import skops.io
from numpy.typing import NDArray

from sweeps.data.columns import normalise
from sweeps.data.datasets import load_dataset
from sweeps.data.features import automatic
from sweeps.data.spec import DataSpec
from sweeps.errors import DataError
from sweeps.trial import Encoding

NATIVE, NATIVE_IMPUTED = Encoding(True, True), Encoding(True, False)
ONE_HOT_MISSING, ONE_HOT = Encoding(False, True), Encoding(False, False)
ENCODINGS = [NATIVE, NATIVE_IMPUTED, ONE_HOT_MISSING, ONE_HOT]
TRUSTED = {"operator.methodcaller", "operator.attrgetter", "numpy.dtype"}


def rows(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=n),
            "gaps": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "count": rng.integers(0, 9, n),
            "flag": rng.random(n) < 0.5,
            "zone": rng.integers(1, 300, n),
            "colour": rng.choice(["red", "green", "blue"], n),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 30 * 24, n), unit="h"),
            "empty": np.full(n, np.nan),
            "same": 1,
            "row_id": rng.permutation(n) + 10**6,
            "line": np.arange(n),
            "note": [f"text {i}" for i in range(n)],
        }
    )
    frame.loc[3, ["colour", "when"]] = None
    return normalise(frame, "rows")[0]


def encode(
    frame: pd.DataFrame, encoding: Encoding, categorical: tuple[str, ...] = ("zone",)
) -> tuple[Any, Any]:
    chosen = automatic(frame, categorical, encoding)
    return chosen, chosen.transformer.fit_transform(frame)


def dense(X: Any) -> NDArray[np.float64]:
    return X.toarray() if sp.issparse(X) else np.asarray(X)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_useless_columns_are_left_out_and_named(encoding: Encoding) -> None:
    chosen, _ = encode(rows(), encoding)
    reasons = {
        "empty": "no values",
        "same": "constant",
        "row_id": "own number",
        "line": "own number",
        "note": "own text",
    }
    assert len(chosen.warnings) == len(reasons)
    for column, reason in reasons.items():
        assert any(f"column {column!r} left out" in w and reason in w for w in chosen.warnings)


def test_native_categories_are_codes_in_columns_that_are_named() -> None:
    chosen, X = encode(rows(), NATIVE)
    names = list(chosen.transformer.get_feature_names_out())
    assert [names[i] for i in chosen.categorical] == ["text__colour", "code__zone"]
    assert names[2:] == [
        "number__number", "number__gaps", "number__count", "number__flag",
        "day_of_week__when", "hour__when",
    ]  # fmt: skip
    codes = X[:, list(chosen.categorical)]
    assert np.nanmax(codes) < 255
    assert np.isnan(codes[3, 0])
    assert np.isnan(X[:, 3]).sum() == rows()["gaps"].isna().sum()


@pytest.mark.parametrize("encoding", [NATIVE_IMPUTED, ONE_HOT])
def test_missing_numbers_are_imputed_and_scaled_for_models_that_need_it(encoding: Encoding) -> None:
    chosen, X = encode(rows(), encoding)
    numbers = dense(X)[:, len(chosen.categorical) :]
    assert np.isfinite(numbers).all()
    assert np.abs(numbers).max() < 25


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_output_is_float64_and_the_same_after_skops(encoding: Encoding) -> None:
    frame = rows()
    chosen, X = encode(frame, encoding)
    assert X.dtype == np.float64
    stored = skops.io.dumps(chosen.transformer)
    untrusted = skops.io.get_untrusted_types(data=stored)
    assert set(untrusted) <= TRUSTED
    loaded = skops.io.loads(stored, trusted=untrusted)
    np.testing.assert_array_equal(dense(loaded.transform(frame)), dense(X))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rows_are_taken_as_a_server_hands_them(encoding: Encoding) -> None:
    frame = rows()
    chosen, X = encode(frame, encoding)
    transform = chosen.transformer.transform
    served = frame.head(6).astype({"number": object, "count": "int32", "when": "datetime64[ns]"})
    for kind in ("str", "string", object):
        np.testing.assert_array_equal(dense(transform(served.astype({"colour": kind}))), dense(X)[:6])
    one = frame.head(1)
    np.testing.assert_array_equal(dense(transform(one)), dense(X)[:1])
    texts = frame.head(6).assign(when=frame["when"].head(6).map(str, na_action="ignore"))
    np.testing.assert_array_equal(dense(transform(texts)), dense(X)[:6])
    whole = frame.head(1).assign(number=1, gaps=2)
    assert dense(transform(whole)).shape == (1, X.shape[1])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_unseen_categories_and_missing_everything_are_no_error(encoding: Encoding) -> None:
    chosen, X = encode(rows(), encoding)
    odd = (
        rows()
        .head(3)
        .assign(colour=["violet", None, np.nan], zone=[9999, np.nan, 1], flag=[True, None, None])
    )
    odd["when"] = pd.NaT
    odd["number"] = None
    encoded = dense(chosen.transformer.transform(odd))
    assert encoded.shape == (3, X.shape[1])
    if encoding.native_categories:
        assert np.isnan(encoded[:2, :2]).all()


def test_wide_one_hot_is_sparse_and_then_always_imputed() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"c": rng.integers(0, 2000, 20_000), "n": rng.normal(size=20_000)})
    frame.loc[0, "n"] = np.nan
    _, X = encode(frame, ONE_HOT_MISSING, ("c",))
    assert sp.isspmatrix_csr(X)
    assert np.isfinite(X.data).all()
    assert X.shape[1] <= 1003


def test_the_day_counts_only_where_months_come_back() -> None:
    year = pd.DataFrame({"when": pd.date_range("2023-01-01", periods=730, freq="D")})
    chosen, _ = encode(year, NATIVE, ())
    parts = [name.split("__")[0] for name in chosen.transformer.get_feature_names_out()]
    assert parts == ["year", "month", "day", "day_of_week"]


def test_a_few_stray_dates_make_no_feature() -> None:
    when = pd.Series(pd.date_range("2023-01-01", periods=700, freq="h"))
    when[0] = pd.Timestamp("2009-07-01")
    chosen, _ = encode(pd.DataFrame({"when": when}), NATIVE, ())
    assert list(chosen.transformer.get_feature_names_out()) == ["day_of_week__when", "hour__when"]


def test_measurements_that_happen_to_differ_are_no_identifiers() -> None:
    frame = pd.DataFrame(
        {"weight": np.arange(50) * 37 + 1600, "year": np.arange(1970, 2020), "x": np.linspace(0, 1, 50)}
    )
    chosen, X = encode(frame, NATIVE, ())
    assert chosen.warnings == ()
    assert X.shape[1] == 3


def test_a_declared_category_is_kept_whatever_it_looks_like() -> None:
    chosen, _ = encode(rows(), NATIVE, ("row_id", "note"))
    assert not any("row_id" in w or "note" in w for w in chosen.warnings)


def test_a_table_without_a_usable_column_is_refused() -> None:
    with pytest.raises(DataError, match="no usable column; column 'a' left out: it is constant"):
        automatic(pd.DataFrame({"a": [1] * 20}), (), NATIVE)


def test_nearly_unique_text_of_a_real_table_is_left_out(mpg_csv: Path) -> None:
    loaded = load_dataset(DataSpec(table=str(mpg_csv), target="mpg"))
    chosen, X = encode(loaded.train.X, NATIVE, ())
    assert [w.split(":")[0] for w in chosen.warnings] == ["column 'name' left out"]
    assert chosen.transformer.get_feature_names_out()[0] == "text__origin"
    assert X.shape[1] == 7
