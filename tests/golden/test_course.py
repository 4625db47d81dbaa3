"""The course's published figures come out of the whole job, on the real months."""

from pathlib import Path

import pytest

from sweeps import run_sweep
from sweeps.selection import pick

MONTHS = "green-taxi:2023-01,2023-02,2023-03"

COURSE_RMSES = [
    5.3701, 6.3360, 5.6177, 5.3575, 5.4431, 5.3547, 5.3637, 5.4646,
    5.4105, 5.3634, 5.3354, 5.4841, 5.5381, 5.3716, 5.3550,
]  # fmt: skip
"""Validation rmse of 15 random forests in order: ``fmin`` with TPE and ``default_rng(42)``."""


@pytest.mark.slow
def test_the_course_random_forest_sweep(taxi_dir: Path, sqlite_uri: str, tmp_path: Path) -> None:
    record = run_sweep(
        "random_forest",
        MONTHS,
        trials=15,
        seed=42,
        data_dir=taxi_dir,
        tracking_uri=sqlite_uri,
        results=tmp_path,
    )
    rmses = [t.outcome.rmse for t in record.trials]
    assert rmses == pytest.approx(COURSE_RMSES, abs=5e-5)
    assert record.best is not None
    assert record.best.number == 10
    assert record.best.outcome.rmse == pytest.approx(5.33542, abs=5e-6)
    assert pick(record.finalists).test_rmse == pytest.approx(5.5674, abs=5e-5)
    assert record.model is not None
    assert record.model.alias == "champion"


@pytest.mark.slow
def test_the_shipped_xgboost_space_beats_the_course_by_far(
    taxi_dir: Path, sqlite_uri: str, tmp_path: Path
) -> None:
    """30 trials are allowed for these bounds; 3 suffice."""
    record = run_sweep(
        "xgboost", MONTHS, trials=3, seed=42, data_dir=taxi_dir, tracking_uri=sqlite_uri, results=tmp_path
    )
    assert record.best is not None
    assert record.best.outcome.rmse is not None
    assert record.best.outcome.rmse <= 4.48
    test_rmse = pick(record.finalists).test_rmse
    assert test_rmse is not None
    assert test_rmse <= 4.66
