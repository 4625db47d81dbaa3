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
from collections.abc import Iterator
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
def postgres() -> "Iterator[Postgres]":
    """A real PostgreSQL, which may be ended and started; skips where it is not installed."""
    with postgres_server() as made:
        yield made


@pytest.fixture(scope="session")
def postgres_uri(postgres: "Postgres") -> str:
    """An empty database of it."""
    return postgres()


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


class Postgres:
    """A PostgreSQL of the tests' own, on loopback, whose databases are all empty at first.

    Args:
        folder: of its files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._bin = _postgres_bin()
        self._user = "postgres" if os.getuid() == 0 else None  # PostgreSQL refuses to run as root
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-A", "trust", "-U", "sweeps", "--no-sync")

    def __call__(self) -> str:
        """Make a database; give its URI."""
        name = f"db{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        return f"postgresql://sweeps:SECRETPW@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-l", self.folder / "log", "-w", "-o", options, "start")

    def stop(self) -> None:
        """End it as a crash would: nothing is written back, nobody is told."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def restart(self) -> None:
        """Both, as fast as it can."""
        self._run("pg_ctl", "-l", self.folder / "log", "-w", "-m", "immediate", "restart")

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Carry out a statement as the superuser."""
        import psycopg

        address = f"host=127.0.0.1 port={self.port} user=sweeps dbname={database}"
        with psycopg.connect(address, autocommit=True, connect_timeout=SECONDS) as connection:
            connection.execute(sql)

    def _run(self, program: str, *words: object) -> None:
        command = [self._bin / program, "-D", self.folder / "data", *words]
        subprocess.run(
            [str(word) for word in command],
            user=self._user, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=60,
        )  # fmt: skip


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Run a PostgreSQL; call what is given for the URI of an empty database."""
    _postgres_bin()
    pytest.importorskip("psycopg", reason="the driver psycopg is not installed")
    folder = Path(tempfile.mkdtemp(prefix="sweeps-pg-"))
    try:
        made = Postgres(folder)
        made.start()
        try:
            yield made
        finally:
            made.stop()
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
