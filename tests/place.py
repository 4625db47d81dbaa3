"""A store with trials whose models are logged and promoted: for tests of the registry."""

import operator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from sweeps.record import ModelVersion
from sweeps.registry import (
    Candidate,
    Judged,
    LoggedModel,
    Version,
    champion_of,
    load_pipeline,
    log_model,
    promote,
)
from sweeps.registry.standing import RMSE_ON
from sweeps.selection import Verdict, verdict
from sweeps.tracking.store import Store, ensure_experiment, open_store


def table(rows: int = 80, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    distance = draw.normal(5, 2, rows)
    distance[::7] = np.nan
    return pd.DataFrame(
        {
            "zone": draw.choice(["north", "south", "east"], rows),
            "distance": distance,
            "passengers": draw.integers(1, 6, rows),
            "pickup": pd.Timestamp("2023-01-01")
            + pd.to_timedelta(draw.integers(0, 10_000, rows), unit="min"),
        }
    )


def pipeline(model: Any) -> Pipeline:
    hour = FunctionTransformer(operator.methodcaller("apply", operator.attrgetter("dt.hour")))
    features = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["zone"]),
        (SimpleImputer(), ["distance", "passengers"]),
        (hour, ["pickup"]),
        sparse_threshold=0,
    )
    X = table()
    return make_pipeline(features, model).fit(X, X["passengers"] * 3.0 + X["pickup"].dt.hour)


RIDGE = pipeline(Ridge())


class Place:
    """A store with trials to log models of."""

    def __init__(self, uri: str) -> None:
        self.store: Store = open_store(uri)
        self.experiment = ensure_experiment(self.store, "exp")

    def trial(self) -> str:
        run = self.store.client.create_run(self.experiment)
        self.store.client.log_metric(run.info.run_id, "rmse", 1.5)
        self.store.client.set_terminated(run.info.run_id, end_time=run.info.start_time + 5)
        return str(run.info.run_id)

    def log(self, run_id: str, pipe: Any = RIDGE) -> LoggedModel:
        return log_model(
            self.store, self.experiment, run_id, pipe, table(3), params={"alpha": "1.0"},
            metrics={"rmse": 1.5, "test_rmse": 1.75}, data_name="rides", data_digest="d1",
        )  # fmt: skip

    def promote(self, name: str, run_id: str, verdict: str = "champion", reason: str = "why") -> int:
        return self.version(name, run_id, verdict, reason).version

    def version(self, name: str, run_id: str, verdict: str, reason: str = "why") -> ModelVersion:
        tags = {"sweep": "s1", "trial": 3, "rmse": 1.5}
        candidate = Candidate(self.log(run_id), run_id, tags)
        judged = Judged(Verdict(verdict, reason), "a model")
        return promote(self.store, name, candidate, lambda _: judged)[0]

    def aliases(self, name: str) -> dict[str, int]:
        return {a: int(v) for a, v in self.store.client.get_registered_model(name).aliases.items()}

    def files(self, logged: LoggedModel) -> Path:
        return Path(
            self.store.client.get_logged_model(logged.model_id).artifact_location.removeprefix("file://")
        )

    def judged(self, name: str, run_id: str, rmse: float) -> ModelVersion:
        """Promote a trial's model as one of this rmse; the champion's is on its version."""

        def judge(rival: Version | None) -> Judged:
            theirs = None if rival is None else float(rival.tags[f"{RMSE_ON}march"])
            return Judged(verdict(rmse, theirs), rival_rmse=theirs)

        return promote(self.store, name, Candidate(self.log(run_id), run_id, {}, "march", rmse), judge)[0]

    def whole(self, name: str, champion: int) -> None:
        """The alias leads to this version, which loads and predicts; no trial has two versions."""
        found = champion_of(self.store, name)
        assert found is not None
        assert found.number == champion
        assert load_pipeline(self.store, f"models:/{name}@champion").predict(table(4)).shape == (4,)
        runs = [v.run_id for v in self.store.client.search_model_versions(f"name = '{name}'")]
        assert len(runs) == len(set(runs))
