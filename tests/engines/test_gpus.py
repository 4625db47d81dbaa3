"""Each slot has a GPU to itself: in real processes, told by a program that lists GPUs this machine lacks."""

import os

import engine_jobs as jobs
import pytest
from clusters import marks

from sweeps.engines import LostTaskError, check_engine, cluster, open_engine
from sweeps.errors import UsageError
from tests.gpus import FIRST, SECOND, fake_gpus

SOON = 60
BOTH = {FIRST, SECOND}


@pytest.fixture(autouse=True)
def gpus(tmp_path, monkeypatch):
    """A machine with two."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", fake_gpus(tmp_path / "bin"))


@pytest.fixture
def at_once(fifo):
    """Runs as many tasks at once as an engine has slots; gives the GPUs they see."""

    def run(engine):
        gates = [(fifo(), fifo()) for _ in range(engine.slots)]
        futures = [engine.submit(jobs.meet_on_gpu, gate) for gate in gates]
        seen = [started.read_text() for started, _ in gates]
        for _, go_on in gates:
            go_on.write_text("go")
        assert [future.result(SOON) for future in futures] == ["go"] * engine.slots
        return seen

    return run


def cancelled(engine, fifo):
    """Cancel a task that runs, so that another process takes its slot."""
    told = fifo()
    future = engine.submit(jobs.hang, told)
    told.read_text()
    engine.cancel(future)
    assert isinstance(future.exception(SOON), LostTaskError)


@pytest.mark.parametrize("url", ["local", pytest.param("dask", marks=marks("dask"))])
def test_two_at_once_never_see_the_same(url, at_once, fifo):
    with open_engine(url, device="cuda") as engine:
        assert (engine.slots, engine.device) == (2, "cuda")
        assert sorted(at_once(engine)) == sorted(BOTH)
        cancelled(engine, fifo)
        assert sorted(at_once(engine)) == sorted(BOTH)


@pytest.mark.parametrize("url", ["local", pytest.param("dask", marks=marks("dask"))])
def test_fewer_at_once_than_gpus(url, at_once):
    with open_engine(url, 1, 1, device="cuda") as engine:
        assert (engine.slots, engine.threads, at_once(engine)) == (1, 1, [FIRST])


def test_what_the_user_made_visible_is_what_there_is(at_once, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7, 3")
    with open_engine("local", device="cuda") as engine:
        assert sorted(at_once(engine)) == ["3", "7"]


def test_on_the_cpu_nobody_takes_a_gpu_away(at_once, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7,3")
    with open_engine("local", 1, 1) as engine:
        assert (engine.device, at_once(engine)) == ("cpu", ["7,3"])


def test_serial_leaves_the_driver_what_it_sees():
    with open_engine("serial", device="cuda") as engine:
        assert (engine.slots, engine.device) == (1, "cuda")
        assert "CUDA_VISIBLE_DEVICES" not in engine.submit(jobs.look, 0).result()["environ"]


@pytest.mark.parametrize(
    ("url", "workers", "said"),
    [
        (
            "local",
            3,
            r"--workers 3: each trial gets a GPU to itself, and there are 2 GPUs here, not 3 \(pass 2",
        ),
        ("dask", 3, r"and there are 2 GPUs here, not 3"),
        (
            "local[2]",
            None,
            r"--device cuda: no trial gets a GPU with --engine local\[2\] \(use --engine local,",
        ),
        ("spark://host:7077", None, r"no trial gets a GPU with --engine spark://host:7077"),
    ],
)
def test_what_cannot_be_served_is_refused(url, workers, said, monkeypatch):
    monkeypatch.setattr("sweeps.engines.catalog.find_spec", lambda name: name)
    with pytest.raises(UsageError, match=said):
        check_engine(url, workers, device="cuda")


@pytest.mark.parametrize("url", ["local", "serial", pytest.param("dask", marks=marks("dask"))])
def test_a_machine_without_gpu_is_refused(url, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", fake_gpus(tmp_path / "none", code=9))
    with pytest.raises(UsageError, match=r"--device cuda: no GPU here: nvidia-smi lists none \(run it where"):
        open_engine(url, device="cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with pytest.raises(UsageError, match=r"no GPU here: CUDA_VISIBLE_DEVICES='-1' names none"):
        open_engine(url, device="cuda")


def on_dask(test):
    """Mark a test that needs Dask."""
    for mark in marks("dask"):
        test = mark(test)
    return test


@on_dask
@pytest.mark.parametrize(
    ("workers", "seen"),
    [
        ([{"threads": 3}], sorted(BOTH)),
        ([{"CUDA_VISIBLE_DEVICES": "0"}, {"CUDA_VISIBLE_DEVICES": "1"}], ["0", "1"]),
        # as dask-cuda has it: all of them are visible to each worker, its own first
        ([{"CUDA_VISIBLE_DEVICES": f"{own},{1 - own}", "threads": 1} for own in (0, 1)], ["0", "1"]),
        ([{"CUDA_VISIBLE_DEVICES": ""}, {"CUDA_VISIBLE_DEVICES": "5"}], ["5"]),
    ],
    ids=["one of both", "one for each", "rotated", "one without"],
)
def test_workers_of_a_cluster_give_the_gpus_that_they_see(dask, at_once, fifo, workers, seen):
    for worker in workers:
        dask.worker(**worker)
    dask.wait_for_workers(len(workers))
    with open_engine(dask.url, device="cuda") as engine:
        assert engine.slots == len(seen)
        assert sorted(at_once(engine)) == seen
        cancelled(engine, fifo)
        assert sorted(at_once(engine)) == seen


@on_dask
def test_two_sweeps_share_the_gpus_of_a_worker_as_they_share_its_threads(dask, at_once):
    dask.worker()
    with open_engine(dask.url, device="cuda") as one, open_engine(dask.url, device="cuda") as other:
        assert [sorted(at_once(engine)) for engine in (one, other)] == [sorted(BOTH)] * 2


@on_dask
def test_a_cluster_without_gpu_is_refused(dask, monkeypatch):
    monkeypatch.setattr(cluster, "SETTLING", 0.5)
    dask.worker(CUDA_VISIBLE_DEVICES="", PATH=os.environ["PATH"])
    with pytest.raises(
        UsageError, match=r"no worker can be used: .* sees no GPU where a trial is to have one"
    ):
        open_engine(dask.url, device="cuda").__enter__()
