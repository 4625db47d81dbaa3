"""The store goes away in the middle of a sweep: trials go on, results wait, nothing is lost."""

import json
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from mlflow import MlflowClient

from sweeps.tracking.reader import find_sweep, read_sweep
from sweeps.tracking.spool import Spool
from sweeps.tracking.store import open_store
from tests.shell import SOON, TRAIN, Shell
from tests.stores import BIN, Postgres, free_port, process, wait_for

SLOW = TRAIN.replace("BODY", "import time; time.sleep(0.1); return (params['x'] - 0.3) ** 2")
KEPT = "trials go on, results wait in /"
"""What is said of an outage: the results are on disk, and not in memory only."""
pytestmark = pytest.mark.slow


class Server:
    """A real ``mlflow server`` that can be killed and started again at the same address.

    Args:
        folder: of its files.
        backend: its database; a SQLite file in the folder by default.
    """

    def __init__(self, folder: Path, backend: str | None = None) -> None:
        self._folder, self._port = folder, free_port()
        self._backend = backend or f"sqlite:///{folder / 'server.db'}"
        self.uri = f"http://127.0.0.1:{self._port}"
        self._running: Any = None
        self.start()

    def start(self) -> None:
        from sweeps.tracking.sqlite import ensure_sqlite

        if self._backend.startswith("sqlite:"):
            ensure_sqlite(self._folder / "server.db")
        else:
            open_store(self._backend)
        command = [
            str(BIN / "mlflow"), "server", "--workers", "1", "--host", "127.0.0.1", "--port", str(self._port),
            "--backend-store-uri", self._backend,
            "--artifacts-destination", str(self._folder / "files"),
        ]  # fmt: skip
        log = self._folder / "server.log"
        self._running = process(command, self._folder, log, {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})
        self._process = self._running.__enter__()
        wait_for(f"{self.uri}/health", self._process, log)

    def processes(self) -> list[psutil.Process]:
        """Itself and those that it started."""
        leader = psutil.Process(self._process.pid)
        return [leader, *leader.children(recursive=True)]

    def kill(self) -> None:
        if self._running is not None:
            self._running.__exit__(None, None, None)
            self._running = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    made = Server(folder)
    yield made
    made.kill()


def begun(shell: Shell, uri: str, *options: str, preexec: Callable[[], None] | None = None) -> Any:
    """A sweep of 30 trials with three of them finished."""
    sweep = shell.start(
        SLOW, "--trials", "30", "--workers", "1", "--seed", "3", "--name", "cut", "--no-register",
        "--tracking-uri", uri, *options, preexec_fn=preexec,
    )  # fmt: skip
    lines_until(sweep, r"\[3/30\]")
    return sweep


def lines_until(sweep: "subprocess.Popen[str]", pattern: str) -> str:
    assert sweep.stderr is not None
    seen = []
    for line in sweep.stderr:
        seen.append(line)
        if re.search(pattern, line):
            return line
    pytest.fail(f"{pattern!r} was never said: {seen}")


def all_there(uri: str, trials: int = 30) -> None:
    """Every trial once, with its outcome; none is left running; nothing waits any more."""
    store = open_store(uri)
    record = read_sweep(store, find_sweep(store, "cut"))
    assert record.state == "COMPLETE"
    assert [t.number for t in record.trials] == list(range(trials))
    assert {str(t.outcome.state) for t in record.trials} == {"COMPLETE"}
    runs = MlflowClient(uri).search_runs(
        [record.experiment_id], f"tags.`mlflow.parentRunId` = '{record.run_id}'"
    )
    assert "RUNNING" not in {run.info.status for run in runs}
    assert len({run.data.tags["sweeps.trial"] for run in runs if run.info.status == "FINISHED"}) == trials
    assert not Spool(record.run_id).path.exists()


def test_a_server_that_is_killed_and_started_again(shell: Shell, server: Server) -> None:
    sweep = begun(shell, server.uri)
    server.kill()
    lines_until(sweep, KEPT)
    server.start()
    back(sweep, server.uri)


def lines(path: Path) -> list[str]:
    return path.read_text().split("\n")[:-1]


def test_a_driver_that_dies_in_the_outage(shell: Shell, server: Server) -> None:
    """What it had finished by then is picked up by resume and not trained again."""
    sweep = begun(shell, server.uri)
    server.kill()
    waiting = Path(re.search(r"results wait in (\S+)", lines_until(sweep, KEPT))[1])  # type: ignore[index]
    deadline = time.monotonic() + SOON
    while not waiting.exists() or len(lines(waiting)) < 8:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    kept = {json.loads(line)["tags"]["sweeps.trial"] for line in lines(waiting)}
    sweep.kill()
    sweep.wait()
    server.start()
    done = shell("resume", "cut", "--tracking-uri", server.uri)
    assert done.returncode == 0, done.stderr
    trained = set(re.findall(r"\] trial (\d+): rmse", done.stderr))
    assert not trained & {number for number in kept if number}
    all_there(server.uri)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.nightly)])
def test_an_interrupt_in_the_outage_ends_within_ten_seconds(
    shell: Shell, server: Server, number: int
) -> None:
    sweep = begun(shell, server.uri)
    server.kill()
    lines_until(sweep, KEPT)
    sent = time.monotonic()
    sweep.send_signal(number)
    _, told = sweep.communicate(timeout=SOON)
    assert time.monotonic() - sent < 10
    assert sweep.returncode == 5
    command = re.search(r"sweeps resume \w{8}", told)
    assert command, told
    server.start()
    done = shell(*command[0].split()[1:], "--tracking-uri", server.uri)
    assert done.returncode == 0, done.stderr
    all_there(server.uri)


def test_a_locked_database(shell: Shell) -> None:
    sweep = begun(shell, shell.uri)
    with closing(sqlite3.connect(shell.folder / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "answers slowly" in lines_until(sweep, "warning: ")
        other.execute("ROLLBACK")
    sweep.communicate(timeout=SOON)
    assert sweep.returncode == 0
    all_there(shell.uri)


def test_a_full_disk(shell: Shell) -> None:
    """No file may grow beyond what the database has: as on a full disk, a write is refused."""
    sweep = begun(shell, shell.uri)
    wal = shell.folder / "mlflow.db-wal"
    size = max(wal.stat().st_size, 1)
    resource.prlimit(sweep.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    assert re.search(KEPT, lines_until(sweep, "warning: "))
    resource.prlimit(sweep.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    _, told = sweep.communicate(timeout=SOON)
    assert sweep.returncode == 0, told
    all_there(shell.uri)
    with closing(sqlite3.connect(shell.folder / "mlflow.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_postgresql_that_crashes_and_is_started_again(shell: Shell, postgres: Postgres) -> None:
    uri = postgres()
    sweep = begun(shell, uri)
    postgres.stop()
    try:
        lines_until(sweep, KEPT)
    finally:
        postgres.start()
    back(sweep, uri)


@pytest.mark.nightly
def test_a_postgresql_without_a_free_connection(shell: Shell, postgres: Postgres) -> None:
    """As with ``max_connections`` in use; a limit of ours keeps everybody else's."""
    uri = postgres()
    postgres.execute("CREATE ROLE guest LOGIN")
    postgres.execute(f"ALTER DATABASE {uri.rpartition('/')[2]} OWNER TO guest")
    sweep = begun(shell, uri.replace("sweeps:", "guest:"))
    postgres.execute("ALTER ROLE guest CONNECTION LIMIT 0")
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guest'")
    assert "too many connections" in lines_until(sweep, KEPT)
    postgres.execute("ALTER ROLE guest CONNECTION LIMIT -1")
    back(sweep, uri)


def back(sweep: "subprocess.Popen[str]", uri: str) -> None:
    """It notices by itself that the store answers again, and ends as if nothing had been."""
    lines_until(sweep, "MLflow is back after")
    _, told = sweep.communicate(timeout=SOON)
    assert sweep.returncode == 0, told
    all_there(uri)


def test_a_deleted_run_is_no_outage(shell: Shell) -> None:
    """It would not come back by waiting."""
    sweep = begun(shell, shell.uri)
    store = open_store(shell.uri)
    store.client.delete_run(find_sweep(store, "cut"))
    _, told = sweep.communicate(timeout=SOON)
    assert sweep.returncode == 5, told
    assert "was deleted during the sweep" in told


@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_a_database_that_is_taken_away(shell: Shell, what: str) -> None:
    """Nothing is written into the void."""
    sweep = begun(shell, shell.uri)
    database = shell.folder / "mlflow.db"
    database.rename(shell.folder / "away.db")
    if what == "replaced":
        shutil.copy(shell.folder / "away.db", database)
    _, told = sweep.communicate(timeout=SOON)
    assert sweep.returncode == 5, told
    assert "was moved, deleted or replaced while it was in use (bring it back" in told


def test_whoever_looks_does_not_disturb_who_writes(shell: Shell) -> None:
    """Commands that open and leave the store take no log along that the sweep still writes to."""
    sweep = begun(shell, shell.uri)
    for _ in range(3):
        assert shell("list").returncode == 0
        open_store(shell.uri)
    sweep.communicate(timeout=SOON)
    assert sweep.returncode == 0
    all_there(shell.uri)


def test_results_that_cannot_be_kept_are_said_to_be_in_memory() -> None:
    from sweeps.errors import StoreDownError
    from sweeps.tracking.outage import Outage

    told: list[str] = []
    outage = Outage(told.append)
    outage.goes_on(StoreDownError("MLflow x", "connection refused"), None)
    outage.goes_on(StoreDownError("MLflow x", "connection refused"), None)
    assert told == [
        "MLflow x: connection refused; trials go on, results wait in memory only"
        " and are written when it is back"
    ]
    outage.end()
    assert re.fullmatch(r"MLflow is back after \d+ s; all results are written", told[1])
    assert not outage.since
