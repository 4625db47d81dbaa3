"""The collector has nothing to do with what was there before the trials, and everything again after them."""

import gc
import weakref
from pathlib import Path
from typing import Any

from sweeps import run_sweep
from sweeps.heap import set_aside
from tests.laws.make import write_space

RIDGE = """
from sklearn.linear_model import Ridge as MODEL
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
"""


class Knot:
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.me = self


def test_what_is_set_aside_is_collected_later_and_what_is_new_at_once() -> None:
    old = weakref.ref(Knot())
    with set_aside():
        new = weakref.ref(Knot())
        gc.collect()
        assert (old() is None, new() is None) == (False, True)
    gc.collect()
    assert old() is None


def test_what_others_set_aside_is_left_to_them() -> None:
    gc.freeze()
    try:
        with set_aside():
            assert gc.get_freeze_count() > 0
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_a_sweep_sets_the_libraries_aside_and_gives_them_back(tmp_path: Path) -> None:
    counts: list[int] = []

    def look(_: object) -> None:
        counts.append(gc.get_freeze_count())

    space, uri = write_space(tmp_path, RIDGE), f"sqlite:///{tmp_path / 'mlflow.db'}"
    given: dict[str, Any] = {"trials": 3, "engine": "serial", "register": False, "on_trial": look}
    run_sweep(space, "diabetes", tracking_uri=uri, results=tmp_path / "results", **given)
    assert len(counts) == 3
    assert min(counts) > 100_000
    assert gc.get_freeze_count() == 0
