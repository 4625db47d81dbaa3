"""The pages for those who come from another tool: both sides run, where that tool is installed."""

from pathlib import Path

import pytest

from docs.generate.walk import Walk, walk
from sweeps.tracking.reader import find_sweep, read_sweep
from sweeps.tracking.store import find_store

DOCS = Path(__file__).parents[2] / "docs"


def both_sides(page: str, folder: Path, theirs: str) -> tuple[dict[str, int], int]:
    """Walk through a page; give the aliases in their store, and the number of our trials."""
    walk(DOCS / page, Walk(folder))
    [model] = find_store(f"sqlite:///{folder / theirs}").client.search_registered_models()
    store = find_store(f"sqlite:///{folder / 'mlflow.db'}")
    record = read_sweep(store, find_sweep(store, "boosted"))
    assert record.model is not None
    assert record.model.alias == "champion"
    return {alias: int(version) for alias, version in model.aliases.items()}, len(record.trials)


@pytest.mark.slow
def test_from_optuna(tmp_path: Path) -> None:
    pytest.importorskip("optuna_integration", reason="Optuna is not installed (pip install '.[peers]')")
    assert both_sides("from-optuna.md", tmp_path, "optuna-runs.db") == ({"champion": 1}, 12)


@pytest.mark.slow
def test_from_ray_tune(tmp_path: Path) -> None:
    """Starting and stopping Ray alone takes some ten seconds."""
    pytest.importorskip("ray.tune", reason="Ray is not installed (pip install '.[peers]')")
    assert both_sides("from-ray-tune.md", tmp_path, "ray-runs.db") == ({"champion": 1}, 8)
