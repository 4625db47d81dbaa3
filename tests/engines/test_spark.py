"""Spark: executors that come and go, what it leaves alone, and what it says where it does not start."""

import os
import subprocess
import sys
from pathlib import Path

import engine_jobs as jobs
import psutil
import pytest
from clusters import ROOT, marks
from gates import begun

from sweeps.engines import LostTaskError, open_engine
from sweeps.engines.spark_app import Application, is_lost, reason, settings
from sweeps.errors import UsageError
from sweeps.scratch import scratch_folder
from tests.stores import free_port

SOON = 60
FAILED = """py4j.protocol.Py4JJavaError: An error occurred while calling z:org.apache.spark.x.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 1 times
{more}
\tat org.apache.spark.api.python.BasePythonRunner.handle(PythonRunner.scala:1)
"""
TRACEBACK = """org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "worker.py", line 1, in main
ModuleNotFoundError: No module named 'sweeps'
"""


def on_spark(test):
    """Mark a test that needs Spark, and several seconds for its application."""
    for mark in [*marks("spark"), pytest.mark.nightly]:
        test = mark(test)
    return test


def test_what_spark_says_at_length_is_told_in_a_line():
    assert reason(FAILED.format(more=TRACEBACK)) == "ModuleNotFoundError: No module named 'sweeps'"
    lost = FAILED.format(more="ExecutorLostFailure (executor 0 exited unrelated to the running tasks)")
    assert reason(lost).startswith("org.apache.spark.SparkException: Job aborted")
    assert (is_lost(lost), is_lost(FAILED.format(more=TRACEBACK))) == (True, False)


def test_others_get_the_cores_that_are_not_wanted():
    def share(threads, most):
        wanted = settings(Application("spark://127.0.0.1:7077", threads, most))
        return [wanted.get(f"spark.{name}") for name in ("task.cpus", "cores.max", "executor.cores")]

    assert share(2, None) == ["2", None, None]
    assert share(1, 3) == ["1", "3", None]
    assert share(2, 3) == ["2", "6", "2"]


@on_spark
def test_a_worker_that_joins_is_used_and_one_that_dies_loses_what_it_ran(spark, fifo, tmp_path):
    first = spark.worker(threads=1)
    with open_engine(spark.url) as engine:
        assert engine.slots == 1
        grown = engine.changed
        [running] = begun(engine, [(fifo(), fifo())])
        spark.worker(threads=1)
        grown.result(SOON)
        assert engine.slots == 2
        other = fifo(), fifo()
        [neighbour] = begun(engine, [other])
        waiting = engine.submit(jobs.note, tmp_path / "starts")
        spark.kill(first)
        error = running.exception(SOON)
        assert isinstance(error, LostTaskError)
        assert "127.0.0.1/slot" in str(error)
        other[1].write_text("go")
        assert neighbour.result(SOON) == "go"
        assert waiting.result(SOON) is None
    assert len((tmp_path / "starts").read_text().split()) == 1


@on_spark
def test_tasks_wait_while_nobody_is_there(spark, fifo):
    worker = spark.worker(threads=1)
    with open_engine(spark.url) as engine:
        [running] = begun(engine, [(fifo(), fifo())])
        spark.kill(worker)
        assert isinstance(running.exception(SOON), LostTaskError)
        waiting = engine.submit(jobs.double, 2)
        spark.worker(threads=1)
        assert waiting.result(SOON) == 4


@on_spark
def test_a_master_that_dies_loses_nothing_that_runs_and_the_engine_can_be_left(spark, fifo):
    spark.worker(threads=1)
    with open_engine(spark.url) as engine:
        gate = fifo(), fifo()
        [running] = begun(engine, [gate])
        spark.kill(spark.master)
        gate[1].write_text("go")
        assert running.result(SOON) == "go"
        assert engine.submit(jobs.double, 2).result(SOON) == 4


@on_spark
def test_slots_of_several_threads_have_their_place(spark):
    spark.worker(threads=3)
    spark.worker(threads=3)
    with open_engine(spark.url, None, 2) as engine:
        assert (engine.slots, engine.threads) == (2, 2)
        assert engine.submit(jobs.look, 0).result(SOON)["environ"]["OMP_NUM_THREADS"] == "2"


@on_spark
def test_workers_without_sweeps_are_told(spark, tmp_path):
    (tmp_path / "sweeps.py").write_text("raise ModuleNotFoundError('No module named sweeps')\n")
    spark.worker(PYTHONPATH=str(tmp_path))
    with pytest.raises(UsageError, match=r"cannot run trials: ModuleNotFoundError.*sweeps must be installed"):
        open_engine(spark.url).__enter__()


@on_spark
def test_workers_with_another_version_are_told(spark, tmp_path):
    about = tmp_path / "other" / "numpy-0.0.1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    spark.worker(PYTHONPATH=os.pathsep.join([str(about.parent), str(ROOT)]))
    said = r"the worker of spark://\S+ has numpy 0\.0\.1 where the driver has .+ \(type there: pip install"
    with pytest.raises(UsageError, match=said):
        open_engine(spark.url).__enter__()


@on_spark
def test_this_machine_gives_no_more_threads_than_asked_for():
    with pytest.raises(UsageError, match=r"local\[2\] has 2 threads where a trial is to have 3 \("):
        open_engine("local[2]", None, 3).__enter__()


@on_spark
def test_nobody_at_the_address_is_told():
    url = f"spark://127.0.0.1:{free_port()}"
    with pytest.raises(UsageError, match=f"--engine {url}: no Spark master answers there: Connection"):
        open_engine(url).__enter__()


@on_spark
def test_java_that_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"Spark does not start: .*JAVA.* \(it needs Java 17 or newer\)"):
        open_engine("local[1]").__enter__()


@on_spark
def test_an_application_here_listens_on_loopback_only_and_leaves_nothing():
    others = set(psutil.Process().children(recursive=True))
    with open_engine("local[2]", 2, 1) as engine:
        assert engine.submit(jobs.double, 2).result(SOON) == 4
        ours = [p for p in psutil.Process().children(recursive=True) if p not in others]
        listening = [
            c.laddr for p in ours for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN
        ]
        assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    assert not psutil.wait_procs(ours, timeout=10)[1]


DRIVER = """
import sys
import engine_jobs as jobs
from sweeps.engines import open_engine
print("main")
with open_engine("local[2]", 2, 1) as engine:
    futures = [engine.submit(jobs.hang, path) for path in {paths}]
    print(engine.submit(jobs.double, 2).result())
"""


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(jobs.__file__).parent), str(ROOT)])}


@on_spark
def test_a_driver_that_is_killed_leaves_no_process_and_no_file_for_good(fifo, tmp_path, monkeypatch):
    told, passing = [fifo(), fifo()], tmp_path / "passing"
    passing.mkdir()
    monkeypatch.setenv("TMPDIR", str(passing))
    monkeypatch.delenv("SPARK_LOCAL_DIRS", raising=False)
    code = DRIVER.format(paths=[str(path) for path in told])
    with (tmp_path / "log").open("wb") as log:
        driver = subprocess.Popen([sys.executable, "-c", code], env=environment(), stdout=log, stderr=log)
    running = [psutil.Process(int(path.read_text())) for path in told]
    descendants = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    driver.wait()
    assert not psutil.wait_procs([*running, *descendants], timeout=15)[1]
    assert list(passing.rglob("blockmgr-*")), "it had no time to remove them"
    monkeypatch.setattr("tempfile.tempdir", str(passing))
    with scratch_folder():
        assert list(passing.rglob("blockmgr-*")) == []


@on_spark
def test_a_script_without_guard_runs_once_and_spark_says_nothing():
    done = subprocess.run(
        [sys.executable, "-c", DRIVER.format(paths=[])],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=SOON,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "main\n4\n", "")
