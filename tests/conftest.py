"""Fixtures every test may use."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def taxi_dir() -> Path:
    """Folder with three real months of green taxi trips; skips where they are not at hand."""
    if not (SHARED_DATA / "green_tripdata_2023-01.parquet").exists():
        pytest.skip("the green taxi months are not at hand (sweeps fetch green-taxi:2023-01,2023-02,2023-03)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def mpg_csv() -> Path:
    """A small real table with text, missing numbers and an identifier; skips where it is not at hand."""
    path = SHARED_DATA / "mpg.csv"
    if not path.exists():
        pytest.skip("mpg.csv is not at hand")
    return path
