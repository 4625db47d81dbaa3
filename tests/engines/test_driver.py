"""Engines under a real driver: a script of its own, signalled and killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOON = 15

# no __main__ guard: users write none
SCRIPT = """
import signal, sys
import engine_jobs as jobs
from sweeps.engines import open_engine
print("main")
with open_engine("local", 2, 1) as engine:
    {body}
"""


@pytest.fixture
def drive(tmp_path):
    """Starts a script in a session of its own, ends it whatever happens."""
    started = []

    def start(body):
        script = tmp_path / "driver.py"
        script.write_text(SCRIPT.format(body=body))
        path = os.pathsep.join([str(HERE), str(ROOT)])
        process = subprocess.Popen(
            [sys.executable, script],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=30)


def hanging(drive, fifo, after="input()"):
    """A driver with two hanging tasks, and the processes they run in."""
    told = [fifo(), fifo()]
    driver = drive(
        f"futures = [engine.submit(jobs.hang, path) for path in {[str(p) for p in told]}]; {after}"
    )
    return driver, [psutil.Process(int(path.read_text())) for path in told]


def test_a_script_without_guard_runs_once_and_its_output_stays_clean(drive):
    driver = drive("print(engine.submit(jobs.speak, 'noise').result())")
    out, err = driver.communicate(timeout=SOON)
    assert out == "main\nnoise\n"
    assert err == "noise"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_a_driver_that_dies_takes_its_processes_along(drive, fifo, number):
    driver, workers = hanging(drive, fifo, "signal.pause()")
    driver.send_signal(number)
    driver.wait(timeout=SOON)
    assert not psutil.wait_procs(workers, timeout=10)[1]


def test_what_a_task_started_dies_with_the_driver(drive, fifo):
    """Also where the worker is stopped, and so cannot do it."""
    told = fifo()
    driver = drive(f"engine.submit(jobs.hang_with_child, {str(told)!r}); signal.pause()")
    child = psutil.Process(int(told.read_text()))
    worker = child.parent()
    worker.suspend()
    driver.kill()
    assert not psutil.wait_procs([worker, child], timeout=10)[1]


def test_a_stopped_worker_dies_with_its_driver(drive, fifo):
    driver, workers = hanging(drive, fifo, "signal.pause()")
    workers[0].suspend()
    driver.kill()
    assert not psutil.wait_procs(workers, timeout=10)[1]


def test_ctrl_c_reaches_the_driver_only(drive, fifo):
    started, go_on = fifo(), fifo()
    driver = drive(
        "came = []; signal.signal(signal.SIGINT, lambda *_: came.append(1)); "
        f"future = engine.submit(jobs.meet, ({str(started)!r}, {str(go_on)!r})); "
        "print(future.result(), came)"
    )
    assert started.read_text() == "here"
    os.killpg(driver.pid, signal.SIGINT)
    go_on.write_text("finished")
    assert driver.communicate(timeout=SOON)[0] == "main\nfinished [1]\n"
