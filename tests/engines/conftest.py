"""``pytest --engines serial,local,dask,ray,spark`` chooses the engines whose laws are tested."""

import os
import sys
from pathlib import Path

import pytest

from sweeps.engines import open_engine
from tests.stores import free_port

sys.path.insert(0, str(Path(__file__).parent))  # workers take over the path, and so find engine_jobs

from clusters import PACKAGES, Dask, Ray, Spark, marks

ONE_AT_A_TIME = ("serial",)
EVERY_TIME = {
    "test_an_aside_is_heard_while_the_task_runs",
    "test_each_future_ends_with_its_own_result",
    "test_a_killed_process_loses_one_task_and_starts_it_once",
    "test_cancel_kills_what_runs_with_all_it_started",
    "test_a_task_past_its_limit_is_killed_with_all_it_started",
    "test_processes_start_afresh_and_know_nothing_of_the_store",
}
"""What Spark is held to with every commit; a Spark application takes ten seconds for each test."""


def pytest_addoption(parser):
    default = ",".join(["serial", "local", *PACKAGES])
    parser.addoption("--engines", default=default, help="engines to hold to the contract")


def pytest_generate_tests(metafunc):
    chosen = metafunc.config.getoption("--engines").split(",")
    for fixture, engines in (
        ("engine", chosen),
        ("parallel", [engine for engine in chosen if engine not in ONE_AT_A_TIME]),
    ):
        if fixture in metafunc.fixturenames:
            found = [pytest.param(e, marks=marks_for(e, metafunc.function.__name__)) for e in engines]
            metafunc.parametrize(fixture, found, indirect=True)


def marks_for(engine, test):
    """What holds for a law, held by an engine."""
    rare = engine == "spark" and test not in EVERY_TIME
    return [*(marks(engine) if engine in PACKAGES else ()), *([pytest.mark.nightly] if rare else ())]


def url_of(request):
    """What a user types for an engine; that of a cluster is started for the tests."""
    return request.getfixturevalue(f"{request.param}_url") if request.param in PACKAGES else request.param


@pytest.fixture
def engine(request):
    """An open engine."""
    with open_engine(url_of(request), None if request.param in ONE_AT_A_TIME else 2, 1) as opened:
        yield opened


@pytest.fixture
def parallel(request):
    """An open engine with two slots, each in a process of its own."""
    with open_engine(url_of(request), 2, 1) as opened:
        yield opened


@pytest.fixture(scope="session")
def dask_url(tmp_path_factory):
    """A Dask scheduler with two workers."""
    dask = Dask(tmp_path_factory.mktemp("dask"), free_port())
    dask.worker()
    dask.worker()
    yield dask.url
    dask.kill_all()


@pytest.fixture
def dask(tmp_path):
    """A Dask scheduler that has no worker yet."""
    dask = Dask(tmp_path / "dask", free_port())
    yield dask
    dask.kill_all()


@pytest.fixture(scope="module")
def ray_url():
    """A Ray cluster, and a connection to it that engines use: making one takes ten seconds.

    Not for longer than a module, since ``--engine ray`` finds it, too.
    """
    from sweeps.engines.ray import RayCluster

    cluster = Ray(free_port(), free_port())
    connection = RayCluster(cluster.url, threads=1)
    connection.open()
    yield cluster.url
    connection.close()
    cluster.kill_all()


@pytest.fixture(scope="session")
def spark_url(tmp_path_factory):
    """A standalone Spark master with two workers."""
    spark = Spark(tmp_path_factory.mktemp("spark"), free_port())
    spark.worker()
    spark.worker()
    yield spark.url
    spark.kill_all()


@pytest.fixture
def spark(tmp_path):
    """A standalone Spark master that has no worker yet."""
    spark = Spark(tmp_path / "spark", free_port())
    yield spark
    spark.kill_all()


@pytest.fixture
def fifo(tmp_path):
    """Makes named pipes: reading one waits until a task writes to it."""
    made = []

    def make():
        made.append(tmp_path / f"fifo-{len(made)}")
        os.mkfifo(made[-1])
        return made[-1]

    return make
