"""Fixtures every test may use."""

import ipaddress
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ends import end
from tests.forks import forks
from tests.shell import Shell

SLOW_FILES = ("tests/faults/", "tests/docs/", "tests/browser/", "tests/golden/", "tests/test_docs.py")
ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
LEFT_BY_SWEEPS = ("mlflow.db", "mlartifacts/*/*", "mlruns/*", "results/*", "examples/results/*", "data/*")


@pytest.fixture(scope="session", autouse=True)
def _this_machine_only() -> Iterator[None]:
    """Hold the tests to this machine: whatever connects elsewhere is refused, and told when they end."""
    real, refused = socket.socket.connect, list[str]()

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
            refused.append(str(address))
            raise OSError(f"tests connect to this machine only, not to {address}")
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield
    assert refused == []


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_in_the_checkout() -> Iterator[None]:
    """Hold the tests to their own folders: what a sweep leaves where it runs must not lie in the checkout."""
    before = _left_by_sweeps()
    yield
    assert _left_by_sweeps() - before == set(), "a test wrote into the checkout: it needs a folder of its own"


def _left_by_sweeps() -> set[str]:
    found = (path for pattern in LEFT_BY_SWEEPS for path in ROOT.glob(pattern))
    return {str(path.relative_to(ROOT)) for path in found}


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Hear signals as in a terminal: what a shell runs in its background, or ``nohup``, is deaf to some."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="also the tests that take long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests to those who ask for them; begin with the slow files.

    Whole files are handed to the processes of a run: a long one begun last would keep it waiting.
    """
    if not config.getoption("--nightly"):
        long = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in set(long)]
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW_FILES))


@pytest.fixture(scope="session")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The words before ``sweeps …`` or ``python CODE`` that make it run without its imports."""
    with forks(tmp_path_factory.mktemp("forks")) as words:
        yield words


@pytest.fixture
def shell(tmp_path: Path, forked: list[str]) -> Iterator[Shell]:
    """The command line in a folder of its own."""
    made = Shell(tmp_path, [*forked, "sweeps"])
    with ExitStack() as stack:
        yield made
        for process in made.started:
            stack.callback(end, process)
