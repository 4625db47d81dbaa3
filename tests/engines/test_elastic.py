"""Clusters whose workers come, go, die, or are not what the driver is."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import wait
from contextlib import nullcontext, suppress
from pathlib import Path

import engine_jobs as jobs
import psutil
import pytest
from clusters import ROOT, marks
from gates import begun

from sweeps.engines import LostTaskError, cluster, open_engine
from sweeps.errors import UsageError
from tests.stores import free_port

SOON = 60

pytestmark = [*marks("dask"), pytest.mark.nightly]


def let_go(pairs):
    for _, go_on in pairs:
        go_on.write_text("go")


def test_a_worker_that_joins_is_used_while_others_are_busy(dask, fifo):
    dask.worker(threads=1)
    with open_engine(dask.url) as engine:
        assert engine.slots == 1
        first, second = [(fifo(), fifo())], [(fifo(), fifo())]
        grown = engine.changed
        running = begun(engine, first)
        dask.worker(threads=1)
        grown.result(SOON)
        assert engine.slots == 2
        running += begun(engine, second)
        let_go(first + second)
        assert [future.result(SOON) for future in running] == ["go", "go"]


def test_a_worker_that_leaves_loses_what_it_ran_and_nothing_else(dask, fifo, tmp_path):
    workers = {dask.worker("--name", name, threads=1).pid: name for name in ("one", "two")}
    dask.wait_for_workers(2)
    with open_engine(dask.url) as engine:
        assert engine.slots == 2
        gates = [(fifo(), fifo()) for _ in range(2)]
        futures = begun(engine, gates)
        os.kill(next(iter(workers)), signal.SIGKILL)
        done, running = wait(futures, SOON, "FIRST_COMPLETED")
        assert (len(done), len(running)) == (1, 1)
        error = done.pop().exception()
        assert isinstance(error, LostTaskError)
        assert "tcp://127.0.0.1" in str(error)
        waiting = engine.submit(jobs.note, tmp_path / "starts")
        let_go([gates[futures.index(next(iter(running)))]])
        assert running.pop().result(SOON) == "go"
        assert waiting.result(SOON) is None
        assert engine.slots == 1
        assert len((tmp_path / "starts").read_text().split()) == 1


def test_a_worker_that_comes_back_at_the_same_address_starts_nothing_twice(dask, tmp_path):
    port = str(free_port())
    starts, (started, go_on) = tmp_path / "starts", (tmp_path / "started", tmp_path / "go")
    os.mkfifo(started)
    os.mkfifo(go_on)
    first = dask.worker("--worker-port", port, threads=1)
    with open_engine(dask.url) as engine:
        lost = engine.submit(jobs.note_and_meet, (starts, started, go_on))
        assert started.read_text() == "here"
        dask.kill(first)
        dask.worker("--worker-port", port, threads=1)
        assert isinstance(lost.exception(SOON), LostTaskError)
        assert engine.submit(jobs.double, 2).result(SOON) == 4
    assert len(starts.read_text().split()) == 1


def test_tasks_wait_while_nobody_is_there(dask, fifo):
    worker = dask.worker(threads=1)
    with open_engine(dask.url) as engine:
        [running] = begun(engine, [(fifo(), fifo())])
        dask.kill(worker)
        assert isinstance(running.exception(SOON), LostTaskError)
        waiting = engine.submit(jobs.double, 2)
        dask.worker(threads=1)
        assert waiting.result(SOON) == 4


def test_nobody_for_too_long_is_told(dask, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    with pytest.raises(UsageError, match=r"no worker came within 1 s \(start one: dask worker 127"):
        open_engine(dask.url).__enter__()
    worker = dask.worker(threads=1)
    monkeypatch.setattr(cluster, "PATIENCE", 60.0)
    with open_engine(dask.url) as engine:
        monkeypatch.setattr(cluster, "PATIENCE", 1.0)
        dask.kill(worker)
        error = engine.submit(jobs.meet, (os.devnull, os.devnull)).exception(SOON)
        assert isinstance(error, LostTaskError)


def test_a_scheduler_that_dies_loses_what_runs_and_the_engine_can_be_left(dask, fifo):
    dask.worker(threads=1)
    with open_engine(dask.url) as engine:
        [running] = begun(engine, [(fifo(), fifo())])
        dask.kill(dask.scheduler)
        assert isinstance(running.exception(SOON), LostTaskError)
        left = time.monotonic()
    assert time.monotonic() - left < 10


def test_nobody_at_the_address_is_told(monkeypatch):
    from sweeps.engines import dask

    monkeypatch.setattr(dask, "CONNECTING", 1.0)
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(UsageError, match=f"--engine dask://{address}: no Dask scheduler answers at tcp://"):
        open_engine(f"dask://{address}").__enter__()


def test_a_worker_with_another_version_is_explained_before_a_task_is_lost(dask, tmp_path, caplog):
    about = tmp_path / "other" / "numpy-0.0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    path = os.pathsep.join([str(about.parent), str(Path(jobs.__file__).parent), str(ROOT)])
    dask.worker(threads=1, PYTHONPATH=path)
    said = r"has numpy 0\.0\.1 where the driver has .+ \(type there: pip install numpy=="
    with pytest.raises(UsageError, match=said):
        open_engine(dask.url).__enter__()
    dask.worker(threads=1)
    with open_engine(dask.url) as engine:
        assert engine.slots == 1
        assert [engine.submit(jobs.double, n).result(SOON) for n in range(4)] == [0, 2, 4, 6]
    assert "numpy 0.0.1" in caplog.text


def test_a_worker_without_sweeps_is_told(dask):
    code = "import sys; sys.modules['sweeps'] = None; from distributed.cli.dask_worker import main; main()"
    dask.worker(start=("-c", code))
    with pytest.raises(UsageError, match=r"cannot run trials: ModuleNotFoundError.*sweeps must be installed"):
        open_engine(dask.url).__enter__()


def test_a_worker_gives_no_more_threads_than_it_has(dask):
    dask.worker(threads=2)
    with pytest.raises(UsageError, match=r"has 2 threads where a trial is to have 3 \(--threads\)"):
        open_engine(dask.url, None, 3).__enter__()
    with open_engine(dask.url, None, 2) as engine:
        assert (engine.slots, engine.threads) == (1, 2)
        assert engine.submit(jobs.look, 0).result(SOON)["environ"]["OMP_NUM_THREADS"] == "2"


DRIVER = """
import sys
import engine_jobs as jobs
from sweeps.engines import open_engine
with open_engine({url!r}, 2, 1) as engine:
    futures = [engine.submit(jobs.hang, path) for path in {paths}]
    engine.submit(jobs.double, 1).result()
"""


@pytest.mark.parametrize("where", ["there", "here"])
def test_a_driver_that_is_killed_leaves_no_process_of_its_own(dask, fifo, where):
    if where == "there":
        dask.worker(threads=3)
    told = [fifo(), fifo()]
    code = DRIVER.format(url=dask.url if where == "there" else "dask", paths=[str(path) for path in told])
    driver = dask.start("-c", code)
    running = [psutil.Process(int(path.read_text())) for path in told]
    descendants = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    assert not psutil.wait_procs([*running, *descendants], timeout=15)[1]


def answer(port, encrypted):
    """What a stranger on this machine is told at a port."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain) if encrypted else nullcontext(plain) as stranger,
    ):
        stranger.sendall(b"GET /json/identity.json HTTP/1.0\r\n\r\n")
        return stranger.recv(1000)
    return b""


def test_a_cluster_of_our_own_listens_on_loopback_only_and_lets_nobody_in():
    others = set(psutil.Process().children(recursive=True))
    with open_engine("dask", 2, 1) as engine:
        assert engine.submit(jobs.double, 2).result(SOON) == 4
        ours = [p for p in psutil.Process().children(recursive=True) if p not in others]
        listening = [
            c.laddr for p in ours for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN
        ]
        assert {address.ip for address in listening} == {"127.0.0.1"}
        told = {answer(address.port, encrypted) for address in listening for encrypted in (False, True)}
        assert {text.partition(b"\r\n")[0] for text in told} <= {b"", b"HTTP/1.1 404 Not Found"}
    assert not psutil.wait_procs(ours, timeout=10)[1]


def test_a_worker_of_a_cluster_of_our_own_is_replaced(fifo):
    with open_engine("dask", 1, 1) as engine:
        gate = fifo()
        lost = engine.submit(jobs.hang, gate)
        os.kill(psutil.Process(int(gate.read_text())).ppid(), signal.SIGKILL)
        assert isinstance(lost.exception(SOON), LostTaskError)
        assert engine.submit(jobs.double, 2).result(SOON) == 4


def test_a_script_without_guard_runs_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "print('main')\nimport engine_jobs as jobs\nfrom sweeps.engines import open_engine\n"
        "with open_engine('dask', 1, 1) as engine:\n    print(engine.submit(jobs.double, 2).result())\n"
    )
    path = os.pathsep.join([str(Path(jobs.__file__).parent), str(ROOT)])
    done = subprocess.run(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        check=False, timeout=SOON,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "main\n4\n"), done.stderr
