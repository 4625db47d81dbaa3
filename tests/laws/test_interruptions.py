"""Whatever happens to the trials of a sweep, and wherever its sessions end: it comes to the same whole."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.space.search_space import load_space
from sweeps.sweep import ATTEMPTS
from sweeps.trial import Finished, Outcome, State, Task
from tests.laws.loop_parties import Loop, Manual, Memory, Packer
from tests.laws.make import write_space

TRIALS = 8
SPACE = """
SPACE = {"x": hp.uniform("x", -5, 5)}
def train(params, data, report):
    return 1.0
"""
GOOD, PRUNED, FAILED, LOST, INTERRUPTED = "good", "pruned", "failed", "lost", "interrupted"
REPEATABLE: Any = {"deadline": None, "derandomize": True}


class Scripted(Manual):
    """An engine whose tasks end at once, as a script says; after it all is good."""

    def __init__(self, slots: int, script: Iterator[str]) -> None:
        super().__init__(slots)
        self.script = script
        self.interrupt: Future[int] = Future()

    def submit(self, _: Any, task: Task, limit: float | None = None) -> "Future[Outcome]":
        future = super().submit(_, task)
        what = next(self.script, GOOD)
        if what == INTERRUPTED:
            if not self.interrupt.done():
                self.interrupt.set_result(2)
        elif what == LOST:
            future.set_exception(RuntimeError("worker died"))
        else:
            future.set_result(result(what, task))
        return future


def result(what: str, task: Task) -> Outcome:
    """What a trial gives is a function of its point, as it is where a seed fixes the training."""
    rmse = abs(task.point["x"])
    if what == GOOD:
        return Outcome(State.COMPLETE, rmse)
    if what == PRUNED:
        return Outcome(State.PRUNED, rmse, error="hopeless")
    return Outcome(State.FAILED, error="ValueError: no good")


def counted(finished: Sequence[Finished]) -> list[Finished]:
    """As a reader counts: one run for each number, one with an outcome before a lost one."""
    kept: dict[int, Finished] = {}
    for one in sorted(finished, key=lambda f: f.outcome.state is State.LOST):
        kept.setdefault(one.number, one)
    return [kept[number] for number in sorted(kept)]


@pytest.fixture(scope="module")
def packer(tmp_path_factory: pytest.TempPathFactory) -> Packer:
    folder: Path = tmp_path_factory.mktemp("space")
    return Packer(load_space(str(write_space(folder, SPACE))), folder)


@given(
    st.lists(st.sampled_from([GOOD, GOOD, GOOD, PRUNED, FAILED, LOST, INTERRUPTED]), max_size=40),
    st.integers(1, 4),
)
@settings(max_examples=150, **REPEATABLE)
def test_every_trial_is_counted_once_and_none_is_changed(
    packer: Packer, script: list[str], slots: int
) -> None:
    happens, written = iter(script), list[Finished]()
    while len(done := [f for f in counted(written) if f.outcome.state is not State.LOST]) < TRIALS:
        tracker, engine = Memory(), Scripted(slots, happens)
        packer.recalled.clear()
        loop = Loop(packer, engine, TRIALS, tracker)
        loop.interrupt = engine.interrupt
        loop.run(counted(written))
        assert tracker.open == set(), "every run that began has ended"
        assert sorted(packer.recalled) == [f.number for f in done], "what was known is known again"
        assert not {f.number for f in tracker.finished} & {f.number for f in done}, "nothing is done twice"
        written += tracker.finished
        waste = [f for f in tracker.finished if "withdrawn" in f.outcome.reason]
        assert len(waste) <= slots, "an interruption costs what ran, at most"
    assert [f.number for f in done] == list(range(TRIALS))
    assert len({f.trial.proposal.point["x"] for f in done}) == TRIALS
    lost = [f.number for f in written if f.outcome.state is State.LOST and "died" in f.outcome.reason]
    assert all(lost.count(number) <= ATTEMPTS * (script.count(INTERRUPTED) + 1) for number in lost)


@given(st.integers(0, 2**16), st.lists(st.integers(1, TRIALS), max_size=4))
@settings(max_examples=40, **REPEATABLE)
def test_with_one_slot_interruptions_leave_no_trace(packer: Packer, salt: int, cuts: list[int]) -> None:
    """The points, their order and their outcomes are those of a sweep that was never interrupted."""
    kinds = [(GOOD, PRUNED, FAILED)[(salt >> number) % 3] for number in range(TRIALS)]

    def run(script: list[str], history: Sequence[Finished]) -> list[Finished]:
        tracker, engine = Memory(), Scripted(1, iter(script))
        loop = Loop(packer, engine, TRIALS, tracker)
        loop.interrupt = engine.interrupt
        loop.run(history)
        return tracker.finished

    whole, written = counted(run(kinds, ())), list[Finished]()
    for cut in [*cuts, TRIALS]:
        before = len([f for f in counted(written) if f.outcome.state is not State.LOST])
        written += run([*kinds[before:][:cut], INTERRUPTED], counted(written))
    assert [(f.number, f.trial.proposal.point, f.outcome) for f in counted(written)] == [
        (f.number, f.trial.proposal.point, f.outcome) for f in whole
    ]
