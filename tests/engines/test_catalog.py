"""Which engine a name opens, and how the cores are divided."""

import subprocess
import sys

import pytest

from sweeps.engines import available_cores, open_engine, split_cores
from sweeps.errors import UsageError


@pytest.mark.parametrize(
    ("workers", "cores", "split"),
    [
        (None, 1, (1, 1)),
        (None, 2, (2, 1)),
        (None, 8, (8, 1)),
        (None, 11, (5, 2)),
        (None, 16, (8, 2)),
        (None, 64, (8, 8)),
        (1, 8, (1, 8)),
        (3, 8, (3, 2)),
        (12, 8, (12, 1)),
    ],
)
def test_cores_are_divided(workers, cores, split):
    assert split_cores(workers, cores) == split


@pytest.mark.parametrize("cores", range(1, 130))
def test_by_default_few_cores_idle_and_none_is_shared(cores):
    workers, threads = split_cores(None, cores)
    assert cores * 0.8 <= workers * threads <= cores


def test_the_machine_has_cores():
    assert available_cores() >= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("locl", None, None), "unknown engine 'locl', did you mean 'local'? known: local, serial"),
        (("local", 0, None), "--workers: 0 is not a number of workers"),
        (("local", -1, None), "--workers: -1"),
        (("local", None, 0), "--threads: 0"),
        (("serial", 2, None), "use --engine local"),
    ],
)
def test_what_cannot_be_opened_is_said(arguments, said):
    with pytest.raises(UsageError) as refused:
        open_engine(*arguments)
    assert said in str(refused.value)


def test_what_was_asked_for_is_what_one_gets():
    engine = open_engine("local", 3, 2)
    assert (engine.name, engine.slots, engine.threads) == ("local", 3, 2)
    assert open_engine("serial", 1, None).threads == available_cores()
    assert open_engine("local", None, available_cores()).slots == 1


def test_listing_engines_imports_nothing_heavy():
    heavy = ("joblib", "numpy", "multiprocessing")
    code = f"import sys, sweeps.engines; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "[]\n"
