"""The whole path on the real months: a forest is champion, XGBoost challenges it on the rows of March."""

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from sweeps import Gate, SweepRecord, run_sweep
from sweeps.registry import history, rollback
from sweeps.tracking.store import open_store

MONTHS = "green-taxi:2023-01,2023-02,2023-03"


@pytest.mark.slow
def test_xgboost_replaces_the_forest_by_a_significant_verdict(
    taxi_dir: Path, sqlite_uri: str, tmp_path: Path
) -> None:
    """A minute: trials of the course are long, and two of the challenger give a selection effect."""

    def sweep(space: str, trials: int, gate: Gate | None) -> SweepRecord:
        return run_sweep(
            space, MONTHS, trials=trials, seed=42, data_dir=taxi_dir, tracking_uri=sqlite_uri,
            results=tmp_path, gate=gate,
        )  # fmt: skip

    forest = sweep("random_forest", 1, None)
    boosted = sweep("xgboost", 2, Gate("significant", min_gain=0.05))
    assert forest.model is not None
    assert boosted.model is not None
    assert (forest.model.alias, boosted.model.alias) == ("champion", "champion")
    assert "significantly better" in boosted.model.reason
    client, name = MlflowClient(sqlite_uri), boosted.model.name
    folder = client.download_artifacts(boosted.run_id, f"verdicts/{name}-2")
    verdict = json.loads((Path(folder) / "verdict.json").read_text())
    assert verdict["rows"]["count"] > 60_000
    assert verdict["comparison"]["low"] > 0.5
    assert verdict["selection"]["finalists"] == 2
    assert all(check["passed"] for check in verdict["checks"])
    store = open_store(sqlite_uri)
    assert rollback(store, name).version == 1
    assert [event.what for event in history(store, name)] == ["promoted", "promoted", "rolled back"]
