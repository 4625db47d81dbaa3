"""What every shipped search space trains can be registered: on any table, in a safe format."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hyperopt import pyll
from sklearn.pipeline import Pipeline

from sweeps.data.datasets import Dataset, load_dataset
from sweeps.data.prepared import open_folds, prepare
from sweeps.data.spec import DataSpec
from sweeps.models import build, encoding_of, fit
from sweeps.registry.formats import untrusted_types
from sweeps.space.search_space import list_spaces, load_space

SEEDS = range(8)
"""Enough draws to meet every family of ``any_regressor``."""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A table with numbers, missing ones, text and dates."""
    rng = np.random.default_rng(0)
    rows = 120
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=rows),
            "age": np.where(rng.random(rows) < 0.2, np.nan, rng.integers(1, 50, rows)),
            "town": rng.choice(["Ghent", "Mechelen", "Ieper"], rows),
            "sold": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), unit="h"),
        }
    )
    path = tmp_path_factory.mktemp("mixed") / "mixed.csv"
    frame.assign(price=frame["size"] + (frame["town"] == "Ghent")).to_csv(path, index=False)
    return load_dataset(DataSpec(table=str(path), target="price"))


@pytest.mark.parametrize("name", [listing.name for listing in list_spaces()])
def test_a_shipped_space_trains_what_can_be_registered(name: str, mixed: Dataset, tmp_path: Path) -> None:
    space = load_space(name)
    families = set()
    for seed in SEEDS:
        params = pyll.stochastic.sample(space.expression, np.random.default_rng(seed))
        params = {**params, "n_estimators": 5} if "n_estimators" in params else params
        estimator = build(space.model, params)
        if type(estimator) in families:
            continue
        families.add(type(estimator))
        folder = tmp_path / str(seed)
        prepared = prepare(mixed, encoding_of(estimator), space.features, folder)
        fitted = fit(estimator, open_folds(folder)[0], seed=0, threads=1)
        pipeline = Pipeline([("features", prepared.transformer), ("model", fitted.model)])
        untrusted_types(pipeline)  # raises on what no safe format can hold
        assert np.isfinite(pipeline.predict(mixed.train.X.head(3))).all()
