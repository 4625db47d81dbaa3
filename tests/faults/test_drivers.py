"""Two drivers for one sweep, on one machine or on two: one goes on, the other is refused or ends."""

import fcntl
import os
import re
import select
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from sweeps.api.resume import Changes, resumable
from sweeps.data.cache_folder import cache_folder
from sweeps.errors import SweepOwnedError, SweepsError
from sweeps.tracking import claim, writer
from sweeps.tracking.owner import Owner
from sweeps.tracking.reader import find_header, find_sweep, read_sweep
from sweeps.tracking.store import Store, open_store
from sweeps.trial import Finished, State
from tests.ends import end
from tests.faults.test_resume import (
    LONG,
    QUICK,
    SLOW,
    interrupted,
    killed,
    points,
    resumed,
    statuses,
    sweep,
)  # fmt: skip
from tests.shell import SOON, Shell, beside_others, wait_until


@pytest.mark.slow
def test_a_second_driver_is_refused_and_the_first_one_named(shell: Shell) -> None:
    process = shell.start(LONG, "--trials", "9", "--workers", "1", "--name", "cut")
    wait_until(lambda: (shell.folder / "mlflow.db").exists() and statuses(shell)["trial"], process)
    started = time.monotonic()
    done = shell("resume", "cut")
    assert done.returncode == 7
    assert re.search(rf"error: sweep cut: is driven by process {process.pid} on \S+ \(wait", done.stderr)
    assert time.monotonic() - started < beside_others(5)
    deleted = shell("delete", "cut")
    assert deleted.returncode == 7
    assert process.poll() is None


@pytest.mark.slow
def test_of_two_that_resume_at_once_one_goes_on(shell: Shell) -> None:
    killed(shell, SLOW, "--workers", "1", trials=30, moment=0.2)
    winner = refused_at_once(shell.fork("resume", "cut"), shell.fork("resume", "cut"))
    _, told = winner.communicate(timeout=SOON)
    assert winner.returncode == 0, told
    store = open_store(shell.uri)
    assert len(read_sweep(store, find_sweep(store, "cut")).trials) == 30


def refused_at_once(*both: "subprocess.Popen[str]") -> "subprocess.Popen[str]":
    """One of two drivers is refused within 5 s; give the other one."""
    started = time.monotonic()
    while all(process.poll() is None for process in both):
        assert time.monotonic() - started < SOON
        select.select([], [], [], 0.02)
    seconds, [loser, *_] = time.monotonic() - started, [p for p in both if p.poll() is not None]
    _, told = loser.communicate(timeout=SOON)
    assert (loser.returncode, "is driven by" in told) == (7, True), told
    assert seconds < beside_others(5)
    return next(process for process in both if process is not loser)


@pytest.mark.nightly
@pytest.mark.parametrize(("kind", "times"), [("sqlite", 50), ("server", 10), ("postgres", 10)])
def test_two_start_at_once_again_and_again(
    shell: Shell, request: pytest.FixtureRequest, kind: str, times: int
) -> None:
    """F20: of each two one is refused, the other one is killed in its first trial; nothing is there twice."""
    uri = shell.uri if kind == "sqlite" else str(request.getfixturevalue(f"{kind}_uri"))
    name = f"twins-{shell.folder.name}"
    shell.env["MLFLOW_TRACKING_URI"] = uri
    process = shell.start(LONG, "--trials", "9", "--workers", "1", "--name", name, "--no-register")
    wait_until(lambda: began(uri, name), process)
    end(process)
    store = open_store(uri)
    run_id = find_sweep(store, name)
    for _ in range(times):
        wait_until_free(run_id)
        end(refused_at_once(shell.fork("resume", name), shell.fork("resume", name)))
    wait_until_free(run_id)
    assert shell("list").returncode == 0
    record = read_sweep(store, run_id)
    assert (record.state, record.running) == ("INTERRUPTED", 0)
    assert {t.outcome.state for t in record.trials} <= {State.LOST}
    assert len({t.number for t in record.trials}) == len(record.trials)


def began(uri: str, name: str) -> bool:
    """Whether a sweep of that name has a trial."""
    try:
        store = open_store(uri)
        return bool(read_sweep(store, find_sweep(store, name)).running)
    except SweepsError:
        return False


def wait_until_free(run_id: str) -> None:
    """Wait until the process that held the sweep's lock is gone."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        try:
            descriptor = os.open(cache_folder() / "locks" / run_id, os.O_RDWR)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            select.select([], [], [], 0.02)
        else:
            return
        finally:
            os.close(descriptor)
    pytest.fail("its driver did not end")


# drivers on another machine

ELSEWHERE = Owner("elsewhere pid:[4026531836]", 4242, 17.0, "another start of another machine")


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watch for beats, and beat, at a pace that suits a test."""
    monkeypatch.setattr(claim, "WATCH_SECONDS", 0.6)
    for module in (claim, writer):
        monkeypatch.setattr(module, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(writer, "STANDING_SECONDS", 0.1)


def driven_elsewhere(folder: Path, uri: str) -> tuple[Store, str]:
    """A sweep that a process on another machine drives, by its tags."""
    interrupted(folder, uri, QUICK, 5)
    store = open_store(uri)
    run_id = find_sweep(store, "cut")
    for name, value in (("sweeps.owner", str(ELSEWHERE)), ("sweeps.state", "RUNNING")):
        store.client.set_tag(run_id, name, value)
    return store, run_id


@pytest.mark.usefixtures("watching")
def test_a_sweep_whose_machine_died_goes_on_on_another_one(
    tmp_path: Path, sqlite_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the store alone: what the other machine had on its disk is not here."""
    driven_elsewhere(tmp_path, sqlite_uri)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache of another machine"))
    told: list[str] = []
    with resumable("cut", Changes(), sqlite_uri, told.append):
        assert told == ["waiting up to 0.6 s to see whether process 4242 on elsewhere still drives sweep cut"]
    whole = resumed(tmp_path, sqlite_uri)
    assert points(whole) == points(sweep(tmp_path, sqlite_uri, QUICK, "never cut"))


@pytest.mark.usefixtures("watching")
def test_a_sweep_that_beats_on_another_machine_is_left_alone(tmp_path: Path, sqlite_uri: str) -> None:
    store, run_id = driven_elsewhere(tmp_path, sqlite_uri)
    ends = threading.Event()

    def beat() -> None:
        while not ends.wait(0.05):
            store.client.set_tag(run_id, "sweeps.beat", str(time.monotonic_ns()))

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    try:
        with pytest.raises(
            SweepOwnedError, match=r"cut: is driven by process 4242 on elsewhere \(wait"
        ) as error:
            resumed(tmp_path, sqlite_uri)
    finally:
        ends.set()
        heart.join(SOON)
    assert error.value.exit_code == 7
    header = find_header(store, "cut")
    assert (header.state, header.owner) == ("RUNNING", ELSEWHERE)


@pytest.mark.usefixtures("watching")
def test_a_driver_that_was_taken_over_ends_and_closes_nothing(tmp_path: Path, sqlite_uri: str) -> None:
    def take(finished: Finished) -> None:
        if finished.number == 3:
            store = open_store(sqlite_uri)
            store.client.set_tag(find_sweep(store, "cut"), "sweeps.owner", str(ELSEWHERE))

    with pytest.raises(SweepOwnedError, match="process 4242 on elsewhere has taken it over") as error:
        sweep(tmp_path, sqlite_uri, QUICK, "cut", on_trial=take, trials=2000)
    assert error.value.exit_code == 7
    header = find_header(open_store(sqlite_uri), "cut")
    assert (header.state, header.owner) == ("RUNNING", ELSEWHERE)


def test_a_lock_is_lifted_by_a_kill(shell: Shell) -> None:
    """Whoever holds a sweep's lock is killed: the next one gets it."""
    code = (
        "import sys, time; from types import SimpleNamespace as N; "
        "from sweeps.tracking import claim\n"
        "claim.read_header = lambda store, run_id: header\n"
        "header = N(run_id='a' * 32, state='INTERRUPTED', name='x', owner=None)\n"
        "with claim.claimed(None, header): "
        "print('held', flush=True); time.sleep(1000)"
    )
    command = [*shell.command[:1], "-c", code]
    holder = subprocess.Popen(command, env=shell.env, stdout=subprocess.PIPE, text=True)
    shell.started.append(holder)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    refused = subprocess.run(
        command, env=shell.env, capture_output=True, text=True, timeout=SOON, check=False
    )
    assert "SweepOwnedError: sweep x: is driven by another process" in refused.stderr
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    second = subprocess.Popen(command, env=shell.env, stdout=subprocess.PIPE, text=True)
    shell.started.append(second)
    assert second.stdout is not None
    assert second.stdout.readline() == "held\n"
