"""What takes minutes: locks of half a minute, disks that fail, thousands of trials, everything at once."""

import contextlib
import faulthandler
import os
import random
import re
import resource
import select
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from sweeps.api.run import run_sweep
from sweeps.tracking.reader import find_sweep, read_sweep
from sweeps.tracking.store import open_store
from tests.faults.proxy import DROP, PASS, Proxy, proxy_before
from tests.faults.test_store_trouble import SLOW, Server, all_there, begun, lines_until
from tests.laws.make import write_space
from tests.missing import missing
from tests.shell import SOON, SWEEPS, TRAIN, Shell, wait_until
from tests.stores import Postgres

QUICK = TRAIN.replace("BODY", "return (params['x'] - 0.3) ** 2")
SOAK_SECONDS = float(os.environ.get("SWEEPS_SOAK_SECONDS", "1800"))
LONGEST = 3 * SOAK_SECONDS + 1200
pytestmark = [pytest.mark.nightly, pytest.mark.timeout(LONGEST)]


@pytest.fixture(autouse=True)
def patient() -> None:
    """The limit after which a test's process is ended is that of other tests, else."""
    faulthandler.dump_traceback_later(LONGEST + 300, exit=True)


def test_f22_a_database_that_is_locked_for_half_a_minute(shell: Shell) -> None:
    sweep = begun(shell, shell.uri)
    with contextlib.closing(sqlite3.connect(shell.folder / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        lines_until(sweep, "answers slowly")
        select.select([], [], [], 30)
        other.execute("ROLLBACK")
    sweep.communicate(timeout=SOON)
    assert sweep.returncode == 0
    all_there(shell.uri)


def test_f23_six_sweeps_write_to_one_file(tmp_path: Path, sqlite_uri: str) -> None:
    code = (
        "import sys; from sweeps.api.run import run_sweep\n"
        "run_sweep(sys.argv[1], 'diabetes', trials=300, engine='serial', register=False, name=sys.argv[2],"
        " tracking_uri=sys.argv[3])"
    )
    space = str(write_space(tmp_path, QUICK))
    words = [*SWEEPS[:1], "-c", code, space]
    every = [
        subprocess.Popen([*words, f"s{n}", sqlite_uri], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        for n in range(6)
    ]
    said = [one.communicate(timeout=900)[1] for one in every]
    assert [one.returncode for one in every] == [0] * 6, said
    store = open_store(sqlite_uri)
    assert [len(read_sweep(store, find_sweep(store, f"s{n}")).trials) for n in range(6)] == [300] * 6


def test_f28_a_disk_that_fails_to_sync(shell: Shell) -> None:
    """What the disk did not take is not said to be written, and is written again."""
    if shutil.which("strace") is None:
        missing("strace is not installed")
    paths = [word for name in ("mlflow.db", "mlflow.db-wal") for word in ("-P", str(shell.folder / name))]
    traced = "fsync,fdatasync"
    log = shell.folder / "strace.log"
    words = [
        "strace", "-f", "-qq", "-o", str(log), *paths, "-e", f"trace={traced}",
        "-e", f"inject={traced}:error=EIO:when=12+7", *SWEEPS, "run",
        str(write_space(shell.folder, SLOW)), "--data", "diabetes", "--trials", "30", "--workers", "1",
        "--seed", "3", "--name", "cut", "--no-register",
    ]  # fmt: skip
    done = subprocess.run(
        words, cwd=shell.folder, env=shell.env, capture_output=True, text=True, timeout=300, check=False
    )
    assert "EIO" in log.read_text(), "the disk was never in use"
    if done.returncode:
        assert done.returncode == 5, done.stderr
        assert shell("resume", "cut").returncode == 0
    all_there(shell.uri)


def test_f54_two_thousand_trials_leave_nothing_behind(
    tmp_path: Path, sqlite_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, seen, scratch = psutil.Process(), list[tuple[int, int, int]](), tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr(tempfile, "tempdir", None)  # it is kept from the first use on

    def look(finished: Any) -> None:
        if finished.number in (300, 1990):
            entries = len(list(scratch.iterdir()))
            seen.append((process.memory_info().rss, process.num_fds(), entries))

    run_sweep(
        write_space(tmp_path, QUICK), "diabetes", trials=2000, seed=3, workers=2, register=False,
        tracking_uri=sqlite_uri, results=tmp_path / "results", on_trial=look,
    )  # fmt: skip
    (rss, fds, entries), (later, fds_later, entries_later) = seen
    assert later - rss < 50_000_000
    assert fds_later <= fds
    assert entries_later <= entries
    assert process.children(recursive=True) == []


def test_f37_a_postgresql_that_is_restarted_again_and_again(shell: Shell, postgres: Postgres) -> None:
    """With ``-m immediate``, as a crash, 20 times in one sweep of 200 trials."""
    uri, restarts = postgres(), 0
    space = str(write_space(shell.folder, SLOW))
    words = ["--data", "diabetes", "--trials", "200", "--workers", "1", "--seed", "3", "--name", "cut"]
    sweep = shell.begin(
        "run", space, *words, "--no-register", "--tracking-uri", uri,
        stderr=(shell.folder / "said").open("w"),
    )  # fmt: skip
    wait_until(lambda: "[3/200]" in (shell.folder / "said").read_text(), sweep)
    while sweep.poll() is None and restarts < 20:
        postgres.restart()
        restarts += 1
        select.select([], [], [], 0.7)
    assert sweep.wait(10 * SOON) == 0, (shell.folder / "said").read_text()
    assert restarts == 20, "it was through before"
    all_there(uri, 200)


class Sqlite:
    """What can happen to a server's SQLite file. What is begun is undone by calling what it gives.

    Args:
        path: of the file.
        server: writes to it.
    """

    def __init__(self, path: Path, server: Server) -> None:
        self._path, self._server = path, server

    @property
    def faults(self) -> list[Callable[[], Callable[[], object]]]:
        """All of them."""
        return [self._lock, self._fill]

    def _lock(self) -> Callable[[], object]:
        other = sqlite3.connect(self._path, isolation_level=None, timeout=60)
        other.execute("BEGIN EXCLUSIVE")
        return other.close

    def _fill(self) -> Callable[[], object]:
        """No file may grow any more: as on a full disk, writes are refused."""
        wal = self._path.with_name(f"{self._path.name}-wal")
        size = wal.stat().st_size if wal.exists() else 0
        self._limit(max(size, 1))
        return lambda: self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        for process in self._server.processes():
            with contextlib.suppress(ProcessLookupError, psutil.Error):
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class OfPostgres:
    """What can happen to a server's PostgreSQL, likewise.

    Args:
        postgres: where its database is.
        uri: of the database.
    """

    def __init__(self, postgres: Postgres, uri: str) -> None:
        self._postgres, self._name = postgres, uri.rpartition("/")[2]

    @property
    def faults(self) -> list[Callable[[], Callable[[], object]]]:
        """All of them."""
        return [self._restart, self._stop, self._cut]

    def _restart(self) -> Callable[[], object]:
        self._postgres.restart()
        return nothing

    def _stop(self) -> Callable[[], object]:
        self._postgres.stop()
        return self._postgres.start

    def _cut(self) -> Callable[[], object]:
        ours = "datname = current_database() AND pid <> pg_backend_pid()"
        sql = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"  # noqa: S608 - ours
        self._postgres.execute(sql, self._name)
        return nothing


def nothing() -> None:
    """There is nothing to undo."""


class Soak:
    """A sweep among faults, begun again whenever its driver is gone.

    Args:
        shell: where it runs.
        proxy: between it and the server.
        server: may be killed.
        database: behind the server, which has faults of its own.
        dice: chooses faults and moments.
    """

    def __init__(
        self, shell: Shell, proxy: Proxy, server: Server, database: Sqlite | OfPostgres, dice: random.Random
    ) -> None:
        self._shell, self._proxy, self._server, self._dice = shell, proxy, server, dice
        own = [self._kill, self._kill_worker, self._lose, self._refuse, self._restart]
        self._faults = [*own, *database.faults]
        self.log = shell.folder / "soak.log"
        space = str(write_space(shell.folder, SLOW))
        self._begin = ["run", space, "--data", "diabetes", "--workers", "2", "--seed", "3", "--name", "cut"]
        self.driver = self._start(*self._begin, "--trials", "2000", "--no-register")

    def _start(self, *words: str) -> "subprocess.Popen[str]":
        with self.log.open("a") as log:
            started = subprocess.Popen(
                [*SWEEPS, *words, "--tracking-uri", self._proxy.uri], cwd=self._shell.folder,
                env=self._shell.env, stdout=log, stderr=log, text=True,
            )  # fmt: skip
        self._shell.started.append(started)
        return started

    def fault(self) -> None:
        """Do harm, and have the sweep go on where that ended its driver."""
        undo = self._dice.choice(self._faults)()
        select.select([], [], [], self._dice.uniform(1, 3))
        undo()
        if self.driver.poll() is not None:
            known = "cut" in self._shell("list", "--tracking-uri", self._server.uri).stdout
            words = ["resume", "cut"] if known else [*self._begin, "--trials", "2000", "--no-register"]
            self.driver = self._start(*words)

    def _kill(self) -> Callable[[], object]:
        self.driver.kill()
        self.driver.wait()
        return nothing

    def _kill_worker(self) -> Callable[[], object]:
        with contextlib.suppress(psutil.Error):
            for one in psutil.Process(self.driver.pid).children()[:1]:
                one.kill()
        return nothing

    def _lose(self) -> Callable[[], object]:
        self._proxy.rule = lambda _, count: DROP if count % 3 == 0 else PASS
        return self._pass

    def _refuse(self) -> Callable[[], object]:
        self._proxy.rule = lambda _, count: "503" if count % 2 else PASS
        return self._pass

    def _pass(self) -> None:
        self._proxy.rule = lambda *_: PASS

    def _restart(self) -> Callable[[], object]:
        self._server.kill()
        self._server.start()
        return nothing


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_f55_everything_at_once(
    shell: Shell, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    """G1 to G4 hold after half an hour of faults in all; the seed is in the message of what fails."""
    seed = int(os.environ.get("SWEEPS_SOAK_SEED", time.time_ns() % 10_000))
    (tmp_path / "server").mkdir()
    postgres: Postgres | None = request.getfixturevalue("postgres") if kind == "postgres" else None
    backend = postgres() if postgres else None
    server = Server(tmp_path / "server", backend)
    database = (
        OfPostgres(postgres, backend)
        if postgres and backend
        else Sqlite(tmp_path / "server" / "server.db", server)
    )
    try:
        with proxy_before(server.uri) as proxy:
            soak = Soak(shell, proxy, server, database, random.Random(seed))
            until = time.monotonic() + SOAK_SECONDS / 2
            while time.monotonic() < until:
                soak.fault()
            soak.driver.terminate()
            soak.driver.wait(SOON)
            before = read_sweep(open_store(server.uri), find_sweep(open_store(server.uri), "cut"))
            asked = str(max(t.number for t in before.trials) + 20)
            done = shell("resume", "cut", "--trials", asked, "--tracking-uri", proxy.uri)
            assert done.returncode == 0, (seed, done.stderr)
            all_there(server.uri, int(asked))
        after = {t.number: t for t in read_sweep(open_store(server.uri), before.run_id).trials}
        finished = [t for t in before.trials if str(t.outcome.state) != "LOST"]
        assert all(after[t.number] == t for t in finished), seed
        said = re.findall(r"\] trial (\d+): rmse (\S+)", soak.log.read_text())
        assert all(f"{after[int(n)].outcome.rmse:.4g}"[:4] == figure[:4] for n, figure in said), seed
    finally:
        server.kill()
