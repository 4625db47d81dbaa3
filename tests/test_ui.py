"""MLflow's UI, opened at a sweep: real servers on this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from sweeps.cli import server
from sweeps.cli.ui import find_server, links, page_of
from sweeps.errors import StoreError, UsageError
from sweeps.tracking.reader import read_sweep
from sweeps.tracking.store import Store, open_store
from tests.made_sweep import write_store

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a store, and the run id of the sweep in it."""
    folder = tmp_path_factory.mktemp("store")
    return folder, write_store(folder)[1]


@pytest.fixture(scope="module")
def store(made: tuple[Path, str]) -> Store:
    return open_store(f"sqlite:///{made[0] / 'mlflow.db'}")


def a_free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((server.HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def listening() -> Iterator[int]:
    """A port that another program has, which answers nothing."""
    with closing(socket.socket()) as taken:
        taken.bind((server.HOST, 0))
        taken.listen()
        yield int(taken.getsockname()[1])


@contextmanager
def ui(folder: Path, *words: str) -> "Iterator[subprocess.Popen[str]]":
    """``sweeps ui`` in a folder; killed with its server if a test leaves it running."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")} | {"PYTHONPATH": path}
    code = "from sweeps.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "ui", *words, "--no-open"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def status(url: str, host: str) -> int:
    request = urllib.request.Request(url, headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.slow
def test_the_link_works_foreign_hosts_do_not_and_ctrl_c_leaves_nothing(
    made: tuple[Path, str], store: Store
) -> None:
    folder, sweep = made
    port = a_free_port()
    with ui(folder, "last", "--port", str(port)) as process:
        assert process.stdout is not None
        link = process.stdout.readline().strip()
        base = f"http://127.0.0.1:{port}"
        assert link.startswith(f"{base}/#/experiments/")
        assert link.endswith(f"&viewStateShareKey=sweeps-{sweep}")
        assert (
            server.ask(base, f"/api/2.0/mlflow/runs/get?run_id={sweep}")["run"]["info"]["run_name"] == "made"
        )
        api = f"{base}/api/2.0/mlflow/runs/get?run_id={sweep}"
        hosts = (
            f"127.0.0.1:{port}",
            f"localhost:{port}",
            "evil.com",
            "10.evil.com",
            f"192.168.evil.com:{port}",
        )
        assert [status(api, host) for host in hosts] == [200, 200, 403, 403, 403]
        family = psutil.Process(process.pid).children(recursive=True)
        assert 1 <= len(family) <= 2
        assert not any("mlflow.db" in " ".join(child.cmdline()) for child in family)
        assert find_server(page_of(store, None), port) == base
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert not any(child.is_running() for child in family)
        assert server.free(port)


@pytest.mark.slow
def test_a_terminated_ui_takes_its_server_along_and_a_second_one_uses_the_first(
    made: tuple[Path, str],
) -> None:
    folder, sweep = made
    port = a_free_port()
    with ui(folder, "--port", str(port), "--json") as first:
        assert first.stdout is not None
        while not (line := first.stdout.readline()).startswith("}"):
            assert line
        with ui(folder, "made", "--port", str(port), "--json") as second:
            out, err = second.communicate(timeout=60)
            assert second.returncode == 0
            assert json.loads(out)["sweep"] == sweep
            assert f"already runs at http://127.0.0.1:{port}" in err
        family = psutil.Process(first.pid).children(recursive=True)
        first.terminate()
        assert first.wait(60) == 143
        assert not any(child.is_running() for child in family)


def test_a_store_that_is_a_server_needs_no_other(made: tuple[Path, str], store: Store) -> None:
    remote = Store(store.client, "http://me:secret@tracking.example/mlflow", "***", None)
    record = read_sweep(store, made[1])
    for some, address in ((remote, "http://tracking.example/mlflow"), (store, "http://127.0.0.1:5000")):
        found = links(some, record)
        assert found["ui"].startswith(f"{address}/#/experiments/1/runs?")
        assert found["compare"].startswith(f"{address}/#/compare-runs?")


def test_a_port_that_is_taken_is_refused_or_passed_over() -> None:
    with listening() as port:
        assert not server.free(port)
        with pytest.raises(UsageError, match=rf"--port: {port} is in use"):
            server.choose_port(port)
    assert server.choose_port(None) in server.PORTS


def test_a_program_that_is_no_mlflow_server_is_not_taken_for_one(store: Store) -> None:
    with listening() as port:
        assert find_server(page_of(store, None), port) is None


def test_a_store_without_a_sweep_opens_at_its_experiments(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    page = page_of(store, None)
    assert page.link(store, "http://h") == "http://h/#/experiments"


@pytest.mark.slow
def test_a_server_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(StoreError, match="ended with code"),
        server.serving("nosuchdialect://somewhere", a_free_port(), None),
    ):
        pytest.fail("it runs")


def test_the_store_travels_in_the_environment_alone() -> None:
    uri = "postgresql://me:secret@host/db"
    assert server.environment(uri)["MLFLOW_BACKEND_STORE_URI"] == uri
    assert not any("secret" in word for word in server.command(5000, None))
