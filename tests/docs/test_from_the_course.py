"""The course's scripts and ours, as the page has them, on small made months."""

from pathlib import Path
from typing import Any

import pytest

from docs.generate.walk import Walk, walk
from sweeps.record import SweepRecord
from sweeps.tracking.reader import find_sweep, read_sweep
from sweeps.tracking.store import find_store
from tests.made_trips import write_months

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "from-the-course.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page was walked through, with half the trials."""
    folder = tmp_path_factory.mktemp("course")
    write_months(folder / "data", 1, 2, 3)
    fewer = {"TOP = 15, 5": "TOP = 6, 2", "--trials 15": "--trials 6", "trials=15": "trials=6"}
    walk(PAGE, Walk(folder, fewer))
    return folder


@pytest.fixture(scope="module")
def theirs(folder: Path) -> list[Any]:
    client = find_store(f"sqlite:///{folder / 'course.db'}").client
    experiment = client.get_experiment_by_name("random-forest-hyperopt")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"]))


@pytest.fixture(scope="module")
def ours(folder: Path) -> SweepRecord:
    store = find_store(f"sqlite:///{folder / 'mlflow.db'}")
    return read_sweep(store, find_sweep(store, "course"))


def test_both_visit_the_same_points(theirs: list[Any], ours: SweepRecord) -> None:
    points = [{k: str(v) for k, v in t.trial.proposal.params.items()} for t in ours.trials]
    assert points == [dict(run.data.params) for run in theirs]


def test_both_reach_the_same_rmse(theirs: list[Any], ours: SweepRecord) -> None:
    reached = [run.data.metrics["rmse"] for run in theirs]
    assert [t.outcome.rmse for t in ours.trials] == pytest.approx(reached, rel=1e-6)


def test_both_register_a_model(folder: Path, ours: SweepRecord) -> None:
    client = find_store(f"sqlite:///{folder / 'course.db'}").client
    assert [m.name for m in client.search_registered_models()] == ["green-taxi-course"]
    assert ours.model is not None
