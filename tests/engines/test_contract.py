"""The contract of sweeps.engines.base, held by every engine."""

import contextlib
import signal
import threading
from concurrent.futures import Future, wait

import engine_jobs as jobs
import psutil
import pytest

from sweeps.engines import LateTaskError, LostTaskError, TaskError, open_engine

SOON = 30
"""Seconds after which a test fails rather than waits."""


def gone(*pids):
    """Whether the processes end within seconds."""
    alive = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return not psutil.wait_procs(alive, timeout=SOON)[1]


def test_each_future_ends_with_its_own_result(engine):
    futures = [engine.submit(jobs.double, n) for n in range(20)]
    assert all(isinstance(f, Future) for f in futures)
    assert [f.result(SOON) for f in futures] == [n * 2 for n in range(20)]


def test_never_more_than_its_slots(engine):
    spans = [f.result(SOON) for f in [engine.submit(jobs.span, n) for n in range(20)]]
    assert max(sum(a <= begin < b for a, b in spans) for begin, _ in spans) <= engine.slots


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("input", "ValueError: bad input"),
        ("two arguments", "TwoArgumentsError: first"),
        ("exit", "SystemExit: 3"),
    ],
)
def test_an_exception_comes_back_as_text(engine, kind, said):
    error = engine.submit(jobs.fail, kind).exception(SOON)
    assert isinstance(error, TaskError)
    assert said in str(error)
    assert engine.submit(jobs.double, 2).result(SOON) == 4


def test_a_result_that_cannot_travel_ends_its_future(parallel):
    error = parallel.submit(jobs.unpicklable, 0).exception(SOON)
    assert isinstance(error, TaskError)
    assert "pickle" in str(error)
    assert parallel.submit(jobs.double, 2).result(SOON) == 4


def test_a_task_that_cannot_travel_ends_its_future(parallel):
    assert "cannot be sent" in str(parallel.submit(jobs.double, threading.Lock()).exception(SOON))
    assert parallel.submit(jobs.double, 2).result(SOON) == 4


def test_a_large_result_arrives(parallel):
    assert len(parallel.submit(jobs.large, 50_000_000).result(SOON)) == 50_000_000


def test_a_killed_process_loses_one_task_and_starts_it_once(parallel, tmp_path, fifo):
    started, go_on = fifo(), fifo()
    neighbour = parallel.submit(jobs.meet, (started, go_on))
    assert started.read_text() == "here"
    starts = tmp_path / "starts"
    lost = parallel.submit(jobs.die, (starts, signal.SIGKILL))
    error = lost.exception(SOON)
    assert isinstance(error, LostTaskError)
    assert "SIGKILL (9)" in str(error)
    assert parallel.submit(jobs.double, 2).result(5) == 4  # the slot is back: the other one is still busy
    go_on.write_text("go")
    assert neighbour.result(SOON) == "go"
    assert len(starts.read_text().splitlines()) == 1


def test_a_process_that_exits_says_how(parallel):
    assert "exit code 7" in str(parallel.submit(jobs.leave, 7).exception(SOON))
    assert isinstance(parallel.submit(jobs.leave, 0).exception(SOON), LostTaskError)


def test_cancel_kills_what_runs_with_all_it_started(parallel, fifo):
    told = fifo()
    future = parallel.submit(jobs.hang_with_child, told)
    child = int(told.read_text())
    parallel.cancel(future)
    assert isinstance(future.exception(SOON), LostTaskError)
    assert gone(child)
    assert [parallel.submit(jobs.double, n).result(SOON) for n in range(4)] == [0, 2, 4, 6]


def test_a_process_that_ends_itself_leaves_nothing_it_started(parallel, fifo):
    told = fifo()
    future = parallel.submit(jobs.die_beside_child, told)
    child = int(told.read_text())
    assert "exit code 3" in str(future.exception(SOON))
    assert gone(child)


def test_a_task_past_its_limit_is_killed_with_all_it_started(parallel, fifo):
    told = fifo()
    late = parallel.submit(jobs.hang_with_child, told, 0.5)
    child = int(told.read_text())
    error = late.exception(SOON)
    assert isinstance(error, LateTaskError)
    assert "longer than 0.5 s" in str(error)
    assert gone(child)
    assert [parallel.submit(jobs.double, n, SOON).result(SOON) for n in range(4)] == [0, 2, 4, 6]


def test_waiting_for_a_slot_does_not_count_towards_the_limit(parallel, fifo):
    gates = [(fifo(), fifo()) for _ in range(parallel.slots)]
    running = [parallel.submit(jobs.meet, gate) for gate in gates]
    assert [started.read_text() for started, _ in gates] == ["here"] * parallel.slots
    waiting = parallel.submit(jobs.double, 1, 1.0)
    assert wait([waiting], timeout=1.5).not_done
    for _, go_on in gates:
        go_on.write_text("go")
    assert [future.result(SOON) for future in running] == ["go"] * parallel.slots
    assert waiting.result(SOON) == 2


def test_each_process_is_prepared_before_its_first_task_also_the_next_one(parallel, tmp_path):
    notes = tmp_path / "notes"
    parallel.prepare(jobs.note, notes)
    first = {parallel.submit(jobs.pid, None).result(SOON)}
    lost = parallel.submit(jobs.die, (tmp_path / "deaths", signal.SIGKILL))
    assert isinstance(lost.exception(SOON), LostTaskError)
    used = first | {parallel.submit(jobs.pid, None).result(SOON) for _ in range(20)}
    prepared = [int(line) for line in notes.read_text().splitlines()]
    assert used <= set(prepared)
    assert len(prepared) == len(set(prepared))


def test_preparing_does_not_count_towards_the_limit_and_may_fail(parallel):
    parallel.prepare(jobs.busy, 1.0)
    late = parallel.submit(jobs.hang, "/dev/null", 0.3)
    assert isinstance(late.exception(SOON), LateTaskError)
    assert parallel.submit(jobs.double, 2, 0.3).result(SOON) == 4
    parallel.prepare(jobs.fail, "preparation")
    assert [parallel.submit(jobs.double, n).result(SOON) for n in range(4)] == [0, 2, 4, 6]


def test_an_engine_that_cannot_kill_refuses_a_limit():
    with open_engine("serial") as engine, pytest.raises(RuntimeError, match="cannot end a task"):
        engine.submit(jobs.double, 1, 1.0)


def test_cancel_withdraws_what_waits(parallel, fifo):
    told = [fifo(), fifo()]
    running = [parallel.submit(jobs.hang, fifo) for fifo in told]
    assert [int(path.read_text()) for path in told]
    waiting = parallel.submit(jobs.double, 1)
    parallel.cancel(waiting)
    assert waiting.cancelled()
    assert not wait([waiting], timeout=SOON).not_done
    parallel.cancel(waiting)
    its_own = parallel.submit(jobs.double, 1)
    assert its_own.cancel()
    parallel.cancel(its_own)
    assert not wait([its_own], timeout=SOON).not_done
    assert not any(f.done() for f in running)


def test_cancel_leaves_what_is_done(engine):
    future = engine.submit(jobs.double, 1)
    assert future.result(SOON) == 2
    engine.cancel(future)
    assert future.result() == 2
    assert engine.submit(jobs.double, 2).result(SOON) == 4


@pytest.mark.parametrize("leave_by", [None, RuntimeError, KeyboardInterrupt])
def test_leaving_ends_what_runs(parallel, fifo, leave_by):
    told = [fifo(), fifo()]
    futures, pids = [], []

    def leave():
        with open_engine(parallel.name, 2, 1) as engine:
            futures.extend(engine.submit(jobs.hang, path) for path in told)
            pids.extend(int(path.read_text()) for path in told)
            futures.append(engine.submit(jobs.double, 1))
            if leave_by is not None:
                raise leave_by

    with pytest.raises(leave_by) if leave_by else contextlib.nullcontext():
        leave()
    assert gone(*pids)
    assert not wait(futures, timeout=SOON).not_done


def test_an_engine_that_is_not_open_takes_nothing(engine):
    engine.__exit__(None, None, None)
    with pytest.raises(RuntimeError, match="not open"):
        engine.submit(jobs.double, 1)


def test_processes_start_afresh_and_know_nothing_of_the_store(parallel, monkeypatch):
    monkeypatch.setattr(jobs, "STATE", "the driver's")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    with open_engine(parallel.name, 1, 3) as engine:
        seen = engine.submit(jobs.look, 0).result(SOON)
    assert seen["state"] == "fresh"
    known = {name: value for name, value in seen["environ"].items() if name.startswith("MLFLOW_")}
    assert known == {"MLFLOW_TRACKING_URI": "trials-do-not-log://the-driver-does"}
    assert seen["environ"]["OMP_NUM_THREADS"] == "3"
    assert seen["heavy"] == []
    assert seen["sigint_ignored"]


def test_processes_are_kept_warm(parallel):
    pids = {parallel.submit(jobs.look, 0).result(SOON)["pid"] for _ in range(6)}
    assert len(pids) <= parallel.slots


def test_many_small_tasks_cost_little(engine):
    futures = [engine.submit(jobs.double, n) for n in range(500)]
    assert not wait(futures, timeout=SOON).not_done


def test_an_interrupted_task_is_lost_and_the_handler_told(monkeypatch):
    came = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        with open_engine("serial") as engine:
            error = engine.submit(jobs.interrupt, 0).exception()
            assert signal.getsignal(signal.SIGINT) not in (signal.default_int_handler, before)
    finally:
        signal.signal(signal.SIGINT, before)
    assert isinstance(error, LostTaskError)
    assert came == [signal.SIGINT]
