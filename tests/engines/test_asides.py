"""What tasks say in passing: heard while they run where the engine can, and never in their way."""

import threading

import engine_jobs as jobs

from sweeps.aside import INTERVAL, aside, asides_to

SOON = 10


def test_an_aside_is_heard_while_the_task_runs(parallel, fifo):
    heard, came, gate = [], threading.Event(), fifo()

    def hear(task, words):
        heard.append((task, words))
        came.set()

    parallel.listen(hear)
    future = parallel.submit(jobs.remark, gate)
    assert came.wait(SOON)
    assert not future.done()
    assert heard == [(gate, ("round 1", 2.5))]
    gate.write_text("go")
    assert future.result(SOON) == "done"


def test_an_engine_that_nobody_listens_to_runs_the_same_task(engine):
    assert engine.submit(jobs.chatter, 3).result(SOON) == 3


def test_many_asides_of_threads_and_forks_are_few_and_break_nothing(engine):
    heard = []
    engine.listen(lambda task, words: heard.append((task, words)))
    assert [engine.submit(jobs.chatter, 1000).result(SOON) for _ in range(3)] == [1000] * 3
    assert {task for task, _ in heard} <= {1000}
    assert {words for _, words in heard} <= {("round 0", 1.0), ("thread", 0.0)}
    asked = engine.name.startswith("ray")  # twice a second, so tasks as short as these may be over before
    assert (0 if asked else 3) <= len(heard) <= 6


def test_asides_end_with_their_place():
    heard = []
    with asides_to(heard.append):
        aside("in time")
        aside(f"less than {INTERVAL} s later")
    aside("too late")
    assert heard == ["in time"]
