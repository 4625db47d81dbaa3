"""What takes minutes: locks of half a minute, disks that fail, thousands of trials, everything at once."""

import contextlib
import os
import random
import re
import select
import shutil
import sqlite3
import subprocess
import tempfile
import time
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
from tests.shell import SOON, SWEEPS, TRAIN, Shell

QUICK = TRAIN.replace("BODY", "return (params['x'] - 0.3) ** 2")
SOAK_SECONDS = float(os.environ.get("SWEEPS_SOAK_SECONDS", "1800"))
pytestmark = [pytest.mark.nightly, pytest.mark.timeout(3 * SOAK_SECONDS + 1200)]


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


def test_f54_two_thousand_trials_leave_nothing_behind(tmp_path: Path, sqlite_uri: str) -> None:
    process, seen = psutil.Process(), list[tuple[int, int, int]]()

    def look(finished: Any) -> None:
        if finished.number in (300, 1990):
            entries = len(list(Path(tempfile.gettempdir()).iterdir()))
            seen.append((process.memory_info().rss, process.num_fds(), entries))

    run_sweep(
        write_space(tmp_path, QUICK), "diabetes", trials=2000, seed=3, workers=2, register=False,
        tracking_uri=sqlite_uri, results=tmp_path / "results", on_trial=look,
    )  # fmt: skip
    (rss, fds, entries), (later, fds_later, entries_later) = seen
    assert later - rss < 50_000_000
    assert fds_later <= fds
    assert entries_later <= entries + 2, "others use that folder, too"
    assert process.children(recursive=True) == []


class Soak:
    """A sweep among faults, begun again whenever its driver is gone.

    Args:
        shell: where it runs.
        proxy: between it and the server.
        server: may be killed.
        dice: chooses faults and moments.
    """

    def __init__(self, shell: Shell, proxy: Proxy, server: Server, dice: random.Random) -> None:
        self._shell, self._proxy, self._server, self._dice = shell, proxy, server, dice
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
        self._dice.choice([self._kill, self._kill_worker, self._lose, self._refuse, self._restart])()
        select.select([], [], [], self._dice.uniform(1, 3))
        self._proxy.rule = lambda *_: PASS
        if self.driver.poll() is not None:
            known = "cut" in self._shell("list", "--tracking-uri", self._server.uri).stdout
            words = ["resume", "cut"] if known else [*self._begin, "--trials", "2000", "--no-register"]
            self.driver = self._start(*words)

    def _kill(self) -> None:
        self.driver.kill()
        self.driver.wait()

    def _kill_worker(self) -> None:
        with contextlib.suppress(psutil.Error):
            for one in psutil.Process(self.driver.pid).children()[:1]:
                one.kill()

    def _lose(self) -> None:
        self._proxy.rule = lambda _, count: DROP if count % 3 == 0 else PASS

    def _refuse(self) -> None:
        self._proxy.rule = lambda _, count: "503" if count % 2 else PASS

    def _restart(self) -> None:
        self._server.kill()
        self._server.start()


def test_f55_everything_at_once(shell: Shell, tmp_path: Path) -> None:
    """G1 to G4 hold after half an hour of faults; the seed is in the message of what fails."""
    seed = int(os.environ.get("SWEEPS_SOAK_SEED", time.time_ns() % 10_000))
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server")
    try:
        with proxy_before(server.uri) as proxy:
            soak, until = Soak(shell, proxy, server, random.Random(seed)), time.monotonic() + SOAK_SECONDS
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
