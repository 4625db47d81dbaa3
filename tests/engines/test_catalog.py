"""Which engine a name opens, and how the cores are divided."""

import subprocess
import sys

import pytest

from sweeps.engines import available_cores, catalog, check_engine, open_engine, split_cores
from sweeps.engines.cluster import places
from sweeps.engines.versions import difference
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
        (
            ("locl", None, None),
            "unknown engine 'locl', did you mean 'local'? known: dask, local, ray, serial, spark (",
        ),
        (("dask://", None, None), "'dask://' is no address (such as dask, dask://HOST:PORT)"),
        (("dask://scheduler", None, None), "is no address"),
        (("ray://me:secret@host:1", None, None), "is no address"),
        (("spark", None, None), "'spark' is no address (such as local[N], spark://HOST:PORT)"),
        (("local[0]", None, None), "unknown engine 'local[0]', did you mean 'local'?"),
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


@pytest.mark.parametrize(
    ("url", "extra"),
    [
        ("dask", "dask"),
        ("dask://127.0.0.1:8786", "dask"),
        ("ray", "ray"),
        ("ray://head.example:10001", "ray"),
        ("spark://master.example:7077", "spark"),
        ("local[2]", "spark"),
    ],
)
def test_an_extra_that_is_not_installed_is_named(url, extra, monkeypatch):
    monkeypatch.setattr(catalog, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=rf"is not installed \(pip install 'sweeps\[{extra}\]'\)"):
        check_engine(url)


def test_checking_an_engine_imports_none():
    heavy = ("distributed", "dask", "ray", "pyspark")
    code = (
        "import contextlib, sys\nfrom sweeps.engines import check_engine\n"
        "from sweeps.errors import UsageError\n"
        "for url in ('dask', 'ray', 'dask://127.0.0.1:1', 'local[2]'):\n"
        "    with contextlib.suppress(UsageError): check_engine(url, 2, 1, 10.0)\n"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("room", "taken", "most", "chosen"),
    [
        ({"a": 2, "b": 1}, {}, None, "aba"),
        ({"a": 3, "b": 3}, {}, 2, "ab"),
        ({"a": 3, "b": 3}, {"a": 2}, 4, "bb"),
        ({"a": 1}, {"a": 1}, None, ""),
        ({"a": 1}, {"gone": 1}, 2, "a"),
        ({}, {}, 2, ""),
    ],
)
def test_slots_are_spread_over_the_workers(room, taken, most, chosen):
    assert "".join(places(room, taken, most)) == chosen


def test_versions_that_differ_are_told_with_what_brings_them_back():
    driver = {"python": "3.11.7", "numpy": "2.1.0", "xgboost": "3.1.0", "mlflow": "3.17.0", "sweeps": "0.1.0"}
    assert difference(driver, {**driver, "python": "3.11.2", "mlflow": "2.0", "threads": "9"}) == ""
    assert difference(driver, {**driver, "numpy": "2.0.0", "python": "3.12.1"}) == (
        "python 3.12 where the driver has 3.11, numpy 2.0.0 where the driver has 2.1.0 "
        "(type there: pip install numpy==2.1.0)"
    )
    without = {name: version for name, version in driver.items() if name != "xgboost"}
    assert "xgboost is missing where the driver has 3.1.0" in difference(driver, without)
    assert difference(without, driver) == ""
    assert "pip" not in difference(driver, {**driver, "sweeps": "0.2.0"})
