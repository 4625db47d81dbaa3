"""The collector has nothing to do with what was there before the trials, and everything again after them."""

import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

from sweeps import run_sweep
from sweeps.heap import set_aside, uncollected
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


def test_nothing_is_collected_while_libraries_are_imported_and_everything_afterwards() -> None:
    before = gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() is before is True


def test_a_command_looks_for_garbage_seldom_and_others_as_they_like(tmp_path: Path) -> None:
    code = """
import gc, sys
from sweeps.cli.main import main
theirs = gc.get_threshold()
sys.argv = ["sweeps", "--version"]
try:
    main()
except SystemExit as end:
    print(end.code, gc.get_threshold()[0] > theirs[0], gc.isenabled())
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "0 True True"
