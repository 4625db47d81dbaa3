"""Drift on real stores and real rows: what is told, where it is kept, and that it blocks nothing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from sweeps.api.drift import drift_of
from sweeps.data.datasets import load_dataset
from sweeps.data.spec import DataSpec
from tests.inside import Inside
from tests.laws.make import write_space
from tests.made_trips import write_months
from tests.shell import RIDGE

NOT_ALIKE = "warning: the test rows are not distributed like the training rows: "


def table(rows: int = 400) -> pd.DataFrame:
    """A year in which the distances grow and a zone opens near its end."""
    draw = np.random.default_rng(0)
    day = np.arange(rows)
    late = day >= 0.85 * rows
    distance = draw.normal(5 + day / 100, 1)
    return pd.DataFrame(
        {
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, unit="D"),
            "distance": distance,
            "zone": np.where(late, "new", draw.choice(["north", "south"], rows)),
            "steady": draw.normal(size=rows),
            "minutes": 3 * distance + draw.normal(size=rows),
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table().to_csv(tmp_path / "year.csv", index=False)
    write_space(tmp_path, RIDGE)
    return tmp_path


@pytest.fixture
def sweeps(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Inside:
    return Inside(folder, monkeypatch, capsys)


def kept(folder: Path, model: str, version: int) -> tuple[dict[str, object], str]:
    """The drift in the evidence of a verdict, and the card."""
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    run_id, _, place = client.get_model_version(model, str(version)).tags["sweeps.evidence"].partition("/")
    files = [client.download_artifacts(run_id, f"{place}/{name}") for name in ("verdict.json", "card.md")]
    verdict, card = (Path(file).read_text() for file in files)
    return json.loads(verdict)["drift"], card


def test_drift_is_told_and_kept_and_blocks_nothing(sweeps: Inside, folder: Path) -> None:
    words = "run made.py --table year.csv --target minutes --trials 2 --engine serial --seed 1 --name year"
    done = sweeps(*words.split(), "--split-by", "day", "--register-as", "year", "--gate", "better")
    assert done.returncode == 0, done.stderr
    [warning] = [line for line in done.stderr.splitlines() if line.startswith(NOT_ALIKE)]
    assert all(name in warning for name in ("zone (", "distance (", "target minutes (", "order of day"))
    assert "steady" not in warning
    drift, card = kept(folder, "year", 1)
    assert set(drift["drifted"]) == {"zone", "distance", "minutes"}  # type: ignore[call-overload]
    assert (drift["split"], drift["rows"], drift["training_rows"]) == ("test", 80, 240)
    assert "The test rows are not distributed like the training rows" in card
    assert "| zone&emsp; |" in card

    told = sweeps.json("explain", "year")["findings"]
    [finding] = [one for one in told if one["topic"] == "drift"]
    assert finding["text"] == drift["summary"]
    assert "day: 2024-" in finding["text"]
    assert "not distributed like" in (folder / "results" / "year" / "report.html").read_text()

    again = sweeps("promote", "year", "--as", "another")
    assert again.returncode == 0, again.stderr
    assert (again.returncode, again.stderr.count(NOT_ALIKE)) == (0, 1)
    assert kept(folder, "another", 1)[0] == drift


def test_rows_drawn_at_random_are_alike(sweeps: Inside, folder: Path) -> None:
    words = "run made.py --table year.csv --target minutes --trials 2 --engine serial --seed 1 --name year"
    done = sweeps(*words.split(), "--register-as", "year")
    assert done.returncode == 0, done.stderr
    assert "distributed" not in done.stderr
    drift, card = kept(folder, "year", 1)
    assert drift["drifted"] == []
    assert "The test rows are distributed like the training rows" in card


def test_folds_leave_nothing_to_compare_unless_there_are_test_rows(folder: Path) -> None:
    table().iloc[:200].to_csv(folder / "train.csv", index=False)
    table().iloc[200:].to_csv(folder / "test.csv", index=False)
    train, test = str(folder / "train.csv"), str(folder / "test.csv")
    assert drift_of(load_dataset(DataSpec(train=train, target="minutes", cv=3)), None) is None
    found = drift_of(load_dataset(DataSpec(train=train, test=test, target="minutes", cv=3)), None)
    assert found is not None
    assert (found.split, found.training_rows) == ("test", 200)
    shared = drift_of(load_dataset(DataSpec(train=train, valid=test, target="minutes")), None)
    assert shared is not None
    assert (shared.split, shared.rows) == ("validation", 200)
    assert "distance" in {shift.column for shift in shared.drifted}


def test_made_months_differ_in_time_alone(tmp_path: Path) -> None:
    write_months(tmp_path, 1, 2, 3)
    found = drift_of(
        load_dataset(DataSpec("green-taxi:2023-01,2023-02,2023-03", data_dir=str(tmp_path))), None
    )
    assert found is not None
    assert found.drifted == ()
    assert [shift.column for shift in found.expected] == ["lpep_pickup_datetime"]


@pytest.mark.slow
def test_real_months_differ_in_time_and_in_trifles(taxi_dir: Path) -> None:
    """March 2023 against January: longer by a little, elsewhere by a little; no sweep should warn of that."""
    found = drift_of(
        load_dataset(DataSpec("green-taxi:2023-01,2023-02,2023-03", data_dir=str(taxi_dir))), None
    )
    assert found is not None
    assert found.drifted == ()
    assert [shift.column for shift in found.expected] == ["lpep_pickup_datetime"]
    assert min(shift.distance.p for shift in found.shifts) < 1e-6
