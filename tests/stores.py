"""Real stores for tests: a SQLite file, an ``mlflow server``, a PostgreSQL."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.ends import SECONDS
from tests.missing import missing

BIN = Path(sys.executable).parent
SERVER_SECONDS = 120
"""A server imports a lot; on a loaded machine that takes its time."""


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep all caches in the test run's own folder."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.delenv("SWEEPS_CACHE_DIR", raising=False)
        yield folder


@pytest.fixture
def sqlite_uri(tmp_path: Path) -> str:
    """A SQLite store that does not exist yet."""
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture(scope="session")
def server_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real ``mlflow server`` on a SQLite file, artifacts served by it."""
    with mlflow_server(tmp_path_factory.mktemp("server")) as uri:
        yield uri


@pytest.fixture(scope="session")
def postgres_uri() -> Iterator[str]:
    """An empty database of a real PostgreSQL; skips where it is not installed."""
    with postgres_server() as new_database:
        yield new_database()


@pytest.fixture(params=["sqlite", "server", "postgres"])
def any_uri(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Each kind of store in turn."""
    monkeypatch.chdir(tmp_path)
    return str(request.getfixturevalue(f"{request.param}_uri"))


@contextmanager
def mlflow_server(folder: Path, *words: str, **env: str) -> Iterator[str]:
    """Run an MLflow server whose files lie in ``folder``; give its URI.

    Args:
        folder: empty.
        words: further words of its command.
        env: further variables of its environment.
    """
    from sweeps.tracking.sqlite import ensure_sqlite

    ensure_sqlite(folder / "server.db")
    port = free_port()
    command = [
        str(BIN / "mlflow"), "server", "--workers", "1", "--host", "127.0.0.1", "--port", str(port),
        "--backend-store-uri", f"sqlite:///{folder / 'server.db'}",
        "--artifacts-destination", str(folder / "files"), *words,
    ]  # fmt: skip
    env = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **env}
    with process(command, folder, folder / "server.log", env) as server:
        wait_for(f"http://127.0.0.1:{port}/health", server, folder / "server.log")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def process(
    command: list[str], folder: Path, log: Path, env: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a group of its own, which is killed whole at the end."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # mlflow looks for uvicorn on the PATH
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "PATH": path}
    with log.open("wb") as out:
        running = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **quiet, **env},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            yield running
        finally:
            os.killpg(running.pid, 9)
            running.wait(SECONDS)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"no answer from {url}:\n{log.read_text()[-2000:]}")


def free_port() -> int:
    """Give a port nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def postgres_server() -> Iterator[Callable[[], str]]:
    """Run a PostgreSQL; give a function that makes an empty database and gives its URI."""
    bin_folder = _postgres_bin()
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    user = "postgres" if os.getuid() == 0 else None  # PostgreSQL refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="sweeps-pg-"))
    port = free_port()
    try:
        if user:
            shutil.chown(folder, user)
        _run([bin_folder / "initdb", "-D", folder / "data", "-A", "trust", "-U", "sweeps", "--no-sync"], user)
        options = f"-p {port} -k {folder} -h 127.0.0.1 -c fsync=off"
        _run(
            [
                bin_folder / "pg_ctl",
                "-D",
                folder / "data",
                "-l",
                folder / "log",
                "-w",
                "-o",
                options,
                "start",
            ],
            user,
        )
        try:
            yield lambda: _new_database(port)
        finally:
            _run([bin_folder / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        missing("PostgreSQL is not installed")
    return Path(on_path).parent


def _run(command: list[object], user: str | None) -> None:
    subprocess.run(
        [str(part) for part in command], user=user, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=60
    )


def _new_database(port: int) -> str:
    import psycopg

    name = f"db{uuid.uuid4().hex[:12]}"
    with psycopg.connect(
        f"host=127.0.0.1 port={port} user=sweeps dbname=postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://sweeps:SECRETPW@127.0.0.1:{port}/{name}"
