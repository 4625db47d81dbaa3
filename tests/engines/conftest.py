"""``pytest --engines serial,local`` chooses the engines whose laws are tested."""

import os
import sys
from pathlib import Path

import pytest

from sweeps.engines import open_engine

sys.path.insert(0, str(Path(__file__).parent))  # workers take over the path, and so find engine_jobs

ONE_AT_A_TIME = ("serial",)


def pytest_addoption(parser):
    parser.addoption("--engines", default="serial,local", help="engines to hold to the contract")


def pytest_generate_tests(metafunc):
    chosen = metafunc.config.getoption("--engines", default="serial,local").split(",")
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", chosen, indirect=True)
    if "parallel" in metafunc.fixturenames:
        metafunc.parametrize("parallel", [e for e in chosen if e not in ONE_AT_A_TIME], indirect=True)


@pytest.fixture
def engine(request):
    """An open engine."""
    with open_engine(request.param, None if request.param in ONE_AT_A_TIME else 2, 1) as opened:
        yield opened


@pytest.fixture
def parallel(request):
    """An open engine with two slots, each in a process of its own."""
    with open_engine(request.param, 2, 1) as opened:
        yield opened


@pytest.fixture
def fifo(tmp_path):
    """Makes named pipes: reading one waits until a task writes to it."""
    made = []

    def make():
        made.append(tmp_path / f"fifo-{len(made)}")
        os.mkfifo(made[-1])
        return made[-1]

    return make
