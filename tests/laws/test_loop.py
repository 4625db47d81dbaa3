"""Laws of the loop, with real searchers, engines and stores."""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hyperopt import Trials, fmin, tpe

from sweeps.data.datasets import Dataset, Split
from sweeps.data.prepared import prepare
from sweeps.engines import open_engine
from sweeps.engines.base import GoneEngineError, LostTaskError
from sweeps.errors import EngineDownError, StoreError, TooManyFailuresError
from sweeps.record import SweepRecord
from sweeps.space.search_space import SearchSpace, load_space
from sweeps.stopping import StopRules
from sweeps.sweep import ATTEMPTS, LOSSES_IN_A_ROW, MOST_UNWRITTEN
from sweeps.tracking.background import BackgroundWriter
from sweeps.tracking.reader import read_sweep
from sweeps.tracking.store import open_store
from sweeps.tracking.writer import Origin, SweepWriter
from sweeps.trial import Encoding, Finished, State
from sweeps.warm_up import warm_up
from tests.laws.loop_parties import SMOOTH, Broken, Loop, Manual, Memory, Packer, Slow
from tests.laws.make import outcome, write_space


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Encoded data of a few rows."""
    frame, target = pd.DataFrame({"a": np.arange(8.0)}), np.arange(8.0)
    split = Split(frame, target, "digest")
    made = Dataset("made", "made", "y", split, split, None, (), None, None, 0, ())
    return prepare(made, Encoding(False, False), "auto", tmp_path_factory.mktemp("data")).folder


@pytest.fixture
def smooth(tmp_path: Path, data: Path) -> Packer:
    return Packer(load_space(str(write_space(tmp_path, SMOOTH, "smooth"))), data)


def packer(folder: Path, data: Path, body: str) -> Packer:
    return Packer(load_space(str(write_space(folder, body))), data)


def points(trials: Sequence[Finished]) -> list[Mapping[str, Any]]:
    return [dict(t.trial.proposal.point) for t in sorted(trials, key=lambda t: t.number)]


def states(trials: Sequence[Finished]) -> list[tuple[int, str]]:
    return [(t.number, str(t.outcome.state)) for t in trials]


def points_of_fmin(space: SearchSpace, trials: int) -> list[Mapping[str, Any]]:
    seen, rng = Trials(), np.random.default_rng(42)
    assert space.train is not None

    def objective(params: Any) -> float:
        return float(space.train(params, None, None))  # type: ignore[misc]  # asserted above

    fmin(objective, space.expression, tpe.suggest, trials, trials=seen, rstate=rng, show_progressbar=False)
    return [{k: v[0] for k, v in d["misc"]["vals"].items() if len(v)} for d in seen.trials]


@pytest.mark.parametrize("engine", ["serial", "local"])
def test_one_slot_visits_what_fmin_visits(smooth: Packer, engine: str) -> None:
    with open_engine(engine, 1, 1) as opened:
        assert points(Loop(smooth, opened, 30).run()) == points_of_fmin(smooth.space, 30)


def test_several_slots_begin_as_one_does(smooth: Packer) -> None:
    """Start-up points depend on the seed alone."""
    with open_engine("local", 2, 1) as opened:
        assert points(Loop(smooth, opened, 12).run()) == points_of_fmin(smooth.space, 12)


@contextmanager
def background(uri: str) -> Iterator[BackgroundWriter]:
    origin = Origin("smooth", "SPACE = {}\n", "d" * 64, "made", "e" * 36)

    def begin() -> SweepWriter:
        return SweepWriter.open(open_store(uri), "laws", "sweep", settings={"seed": 42}, origin=origin)

    with BackgroundWriter(begin) as writer:
        yield writer


def kept_by(writer: BackgroundWriter) -> SweepRecord:
    """The sweep as the store holds it."""
    writer.flush()
    return read_sweep(writer.opened().store, writer.opened().run_id)


@pytest.mark.parametrize("kept", [23, *(pytest.param(k, marks=pytest.mark.slow) for k in (1, 13, 26))])
def test_ended_and_continued_from_mlflow_equals_never_ended(
    smooth: Packer, sqlite_uri: str, kept: int
) -> None:
    with open_engine("serial") as engine, background(sqlite_uri) as tracker:
        whole = Loop(smooth, engine, 27).run()
        Loop(smooth, engine, kept, tracker).run()
        history = kept_by(tracker).trials
        assert len(history) == kept
        Loop(smooth, engine, 27, tracker).run(history)
        together = kept_by(tracker).trials
    assert points(together) == points(whole)
    assert [smooth.space.params(t.trial.proposal.point) for t in together] == [
        t.trial.proposal.params for t in whole
    ]
    assert [t.outcome.rmse for t in together] == [t.outcome.rmse for t in whole]
    assert [t.trial.proposal.seed for t in together] == [t.trial.proposal.seed for t in whole]


def test_gaps_in_history_are_filled_first(smooth: Packer) -> None:
    with open_engine("serial") as engine:
        whole = Loop(smooth, engine, 10).run()
        history = [t for t in whole if t.number not in (2, 5)]
        rest = Loop(smooth, engine, 12).run(history)
    assert [t.number for t in rest] == [2, 5, 10, 11]
    assert points([*history, *rest])[:10] == points(whole)


def test_a_trial_that_was_lost_in_history_is_tried_again_at_its_point(smooth: Packer) -> None:
    with open_engine("serial") as engine:
        whole = Loop(smooth, engine, 6).run()
        lost = [Finished(t.trial, outcome(state=State.LOST), t.ended) for t in whole[2:4]]
        rest = Loop(smooth, engine, 7).run([*whole[:2], *lost, *whole[4:]])
    assert [t.number for t in rest] == [2, 3, 6]
    assert points(rest[:2]) == points(whole[2:4])


DIES_ONCE = SMOOTH.replace(
    "    kind =",
    """    import os, pathlib, signal
    marker = pathlib.Path(__file__).parent / f"died-{params['x']!r}"
    if params['x'] > 0 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    kind =""",
)


@pytest.mark.slow
def test_a_lost_trial_is_tried_again_and_counts_once(tmp_path: Path, data: Path, sqlite_uri: str) -> None:
    made = packer(tmp_path, data, DIES_ONCE)
    with open_engine("local", 2, 1) as engine, background(sqlite_uri) as tracker:
        trials = Loop(made, engine, 6, tracker).run()
        kept = kept_by(tracker)
    lost = [t for t in trials if t.outcome.state is State.LOST]
    died = len(list(tmp_path.glob("died-*")))
    assert len(lost) == died > 0
    assert all("SIGKILL" in t.outcome.reason for t in lost)
    ended = [t for t in trials if t.outcome.state is State.COMPLETE]
    assert sorted(t.number for t in ended) == list(range(6))
    for again in lost:
        same = next(t for t in ended if t.number == again.number)
        assert same.trial.proposal == again.trial.proposal
        assert same.trial.run_id != again.trial.run_id
    assert states(kept.trials) == [(n, "COMPLETE") for n in range(6)]
    assert kept.running == 0


POISON = """
SPACE = {"x": hp.uniform("x", -5, 5)}
def train(params, data, report):
    import os, signal
    if params["x"] > 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return 7.0 + params["x"]
"""


@pytest.mark.slow
def test_a_poison_trial_fails_after_some_attempts_and_the_sweep_goes_on(tmp_path: Path, data: Path) -> None:
    made = packer(tmp_path, data, POISON)
    with open_engine("local", 1, 1) as engine:
        trials = Loop(made, engine, 6).run()
    poison = {t.number for t in trials if t.outcome.state is State.FAILED}
    assert poison
    for number in poison:
        attempts = [str(t.outcome.state) for t in trials if t.number == number]
        assert attempts == ["LOST"] * (ATTEMPTS - 1) + ["FAILED"]
    assert {t.number for t in trials if t.outcome.state is State.COMPLETE} == set(range(6)) - poison


@pytest.mark.parametrize("slots", [1, 2, 5, 30])
def test_an_engine_that_loses_everything_ends_the_sweep(smooth: Packer, slots: int) -> None:
    loop = Loop(smooth, Broken(slots), 1000)
    with pytest.raises(TooManyFailuresError, match="no route to host"):
        loop.run()
    assert not loop.tracker.open
    assert len(loop.tracker.started) <= max(LOSSES_IN_A_ROW, 2 * slots + 1) + slots


def test_an_engine_that_gives_up_ends_the_sweep_and_fails_no_trial(smooth: Packer) -> None:
    class Gone(Manual):
        """Loses a trial twice, by accident, and then gives up; another one runs meanwhile."""

        def submit(self, fn: Any, task: Any, limit: float | None = None) -> Any:
            future = super().submit(fn, task)
            if task.number == 0:
                begun = sum(trial.proposal.number == 0 for trial in loop.tracker.started)
                gone = GoneEngineError("--engine x", "no worker has been there for 60 s", "start one")
                future.set_exception(LostTaskError("killed") if begun < ATTEMPTS else gone)
            return future

    engine = Gone(2)
    loop = Loop(smooth, engine, 10)
    with pytest.raises(EngineDownError, match="no worker has been there"):
        loop.run()
    assert states(loop.tracker.finished) == [(0, "LOST")] * ATTEMPTS + [(1, "LOST")]
    assert (loop.tracker.open, engine.cancelled) == (set(), [1])


def test_losing_every_slot_at_once_does_not_end_the_sweep(smooth: Packer) -> None:
    class Accident(Manual):
        """Loses everything the first time all slots are taken; then all goes well."""

        def submit(self, fn: Any, task: Any, limit: float | None = None) -> Any:
            future = super().submit(fn, task)
            if len(loop.tracker.started) == self.slots:
                for each in list(self.running):
                    each.set_exception(RuntimeError("the machine restarts"))
            elif len(loop.tracker.started) > self.slots:
                future.set_result(outcome(1.0))
            return future

    loop = Loop(smooth, Accident(20), 25)
    trials = loop.run()
    assert states(trials[:20]) == [(n, "LOST") for n in range(20)]
    assert sorted(states(trials[20:])) == [(n, "COMPLETE") for n in range(25)]


def test_slots_that_come_while_trials_run_are_filled_at_once(smooth: Packer) -> None:
    class Growing(Manual):
        """Has a second slot as soon as the first is taken; ends both when that one is, too."""

        def submit(self, fn: Any, task: Any, limit: float | None = None) -> Any:
            future = super().submit(fn, task)
            if len(self.running) == 2:
                for each in list(self.running):
                    each.set_result(outcome(1.0))
            elif self.slots == 1:
                threading.Thread(target=self.grow).start()
            return future

        def grow(self) -> None:
            self.slots, grown, self.changed = 2, self.changed, Future()
            grown.set_result(None)

    engine = Growing(1)
    trials = Loop(smooth, engine, 2).run()
    assert engine.most == 2
    assert states(trials) == [(0, "COMPLETE"), (1, "COMPLETE")]


def test_losing_slots_that_came_later_does_not_end_the_sweep(smooth: Packer) -> None:
    class Fair(Manual):
        """Has many slots after the first trial, loses all of them at once, and has one from then on."""

        def submit(self, fn: Any, task: Any, limit: float | None = None) -> Any:
            future = super().submit(fn, task)
            if self.slots == 1:
                self.slots = 1 if self.most == 20 else 20
                future.set_result(outcome(1.0))
            elif len(self.running) == 20:
                self.slots = 1
                for each in list(self.running):
                    each.set_exception(RuntimeError("the cluster went away"))
            return future

    trials = Loop(smooth, Fair(1), 21).run()
    assert [f.outcome.state for f in trials].count(State.LOST) == 20
    assert sorted(f.number for f in trials if f.outcome.state is State.COMPLETE) == list(range(21))


@pytest.mark.parametrize("slots", [1, 3])
def test_never_more_than_the_slots_are_in_flight(smooth: Packer, slots: int) -> None:
    class Quick(Manual):
        """Ends the oldest task whenever the slots are full."""

        def submit(self, fn: Any, task: Any, limit: float | None = None) -> Any:
            future = super().submit(fn, task)
            if len(self.running) == self.slots:
                next(iter(self.running)).set_result(outcome(1.0))
            return future

    engine = Quick(slots)
    loop = Loop(smooth, engine, 3 * slots)
    for finished in loop.start():
        assert len(engine.running) < slots
        if len(loop.tracker.finished) > 2 * slots:
            for future in list(engine.running):
                future.set_result(outcome(2.0))
        del finished
    assert engine.most == slots
    assert sorted(f.number for f in loop.tracker.finished) == list(range(3 * slots))


HANGS = """
SPACE = {"x": hp.uniform("x", -5, 5)}
def train(params, data, report):
    import pathlib, signal
    here = pathlib.Path(__file__).parent
    try:
        (here / "first").touch(exist_ok=False)  # of two at once, one is it
        return 1.0
    except FileExistsError:
        while True:
            signal.pause()
"""


@pytest.mark.parametrize("how", ["interrupt", "raises", pytest.param("closed", marks=pytest.mark.slow)])
def test_what_still_runs_is_withdrawn(tmp_path: Path, data: Path, sqlite_uri: str, how: str) -> None:
    seen: list[Finished] = []

    def consume(loop: Loop) -> None:
        for finished in loop.start():
            seen.append(finished)
            if how == "interrupt":
                loop.interrupt.set_result(2)
            elif how == "raises":
                raise ZeroDivisionError
            else:
                return

    with open_engine("local", 2, 1) as engine, background(sqlite_uri) as tracker:
        loop = Loop(packer(tmp_path, data, HANGS), engine, 10, tracker)
        if how == "raises":
            with pytest.raises(ZeroDivisionError):
                consume(loop)
        else:
            consume(loop)
        kept, sweep = kept_by(tracker), tracker.opened()
    runs = sweep.store.client.search_runs([sweep.experiment_id], "tags.`sweeps.kind` = 'trial'")
    assert sorted(r.info.status for r in runs) in (["FAILED", "FINISHED"], ["FAILED", "FAILED", "FINISHED"])
    assert kept.running == 0
    assert kept.count(State.COMPLETE) == len(seen) == 1
    lost = [t for t in kept.trials if t.outcome.state is State.LOST]
    assert lost
    assert {t.outcome.reason for t in lost} == {"withdrawn: the sweep was interrupted"}


def test_work_that_was_done_is_kept_when_the_consumer_leaves(smooth: Packer) -> None:
    class AllAtOnce(Manual):
        def submit(self, fn: Any, task: Any, limit: float | None = None) -> Any:
            future = super().submit(fn, task)
            if task.number == 2:
                for each in list(self.running):
                    each.set_result(outcome(float(task.number)))
            return future

    loop = Loop(smooth, AllAtOnce(3), 10)
    running = loop.start()
    next(running)
    running.close()
    assert states(loop.tracker.finished) == [(n, "COMPLETE") for n in range(3)]


def test_a_trial_that_cannot_even_be_submitted_is_closed(smooth: Packer) -> None:
    class Closed(Manual):
        def submit(self, _: Any, task: Any, limit: float | None = None) -> Any:
            raise KeyboardInterrupt

    loop = Loop(smooth, Closed(2), 10)
    with pytest.raises(KeyboardInterrupt):
        loop.run()
    assert states(loop.tracker.finished) == [(0, "LOST")]
    assert not loop.tracker.open


HALF_CRASHES = """
SPACE = {"x": hp.uniform("x", -5, 5), "y": hp.uniform("y", -5, 5)}
def train(params, data, report):
    if params["x"] > 0:
        raise RuntimeError("out of memory")
    return 1.0 + params["y"] ** 2
"""


def test_failures_are_told_so_that_asks_move_away(tmp_path: Path, data: Path) -> None:
    with open_engine("serial") as engine:
        trials = Loop(packer(tmp_path, data, HALF_CRASHES), engine, 60).run()
    crashed = [t.outcome.state is State.FAILED for t in trials]
    assert sum(crashed[:20]) > 5
    assert sum(crashed[20:]) < 20
    assert "out of memory" in next(t for t in trials if t.outcome.state is State.FAILED).outcome.reason


@pytest.mark.parametrize(
    ("stop", "count"),
    [
        (StopRules(trials=4), 4),
        (StopRules(trials=50, patience=3), None),
        (StopRules(trials=50, target=3.0), None),
        (StopRules(seconds=0.000001), 0),
    ],
)
def test_stop_rules_end_the_loop(smooth: Packer, stop: StopRules, count: int | None) -> None:
    with open_engine("serial") as engine:
        trials = Loop(smooth, engine, stop).run()
    rmse = [t.outcome.rmse for t in trials]
    if count is not None:
        assert len(trials) == count
    elif stop.target is not None:
        assert [value <= stop.target for value in rmse if value].index(True) == len(rmse) - 1
    else:
        assert rmse.index(min(filter(None, rmse))) == len(rmse) - 1 - 3


def test_too_many_failures_end_the_loop(tmp_path: Path, data: Path) -> None:
    body = HALF_CRASHES.replace('params["x"] > 0', "True")
    with open_engine("serial") as engine:
        trials = Loop(packer(tmp_path, data, body), engine, StopRules(20, max_failures=2)).run()
    assert states(trials) == [(n, "FAILED") for n in range(3)]


def test_the_loop_begins_nothing_when_interrupted_before(smooth: Packer) -> None:
    loop = Loop(smooth, Manual(2), 5)
    loop.interrupt.set_result(15)
    assert loop.run() == []
    assert loop.tracker.started == []


class Instant(Manual):
    """An engine that is done at once; it remembers what it was given."""

    def __init__(self, slots: int = 1) -> None:
        super().__init__(slots)
        self.given: list[int] = []

    def submit(self, fn: Any, task: Any, limit: float | None = None) -> Any:
        future = super().submit(fn, task)
        self.given.append(task.number)
        future.set_result(outcome(float(task.number)))
        return future


def test_trials_run_on_while_outcomes_wait_to_be_written(smooth: Packer) -> None:
    class Late(Slow):
        """Writes the first outcome, then nothing before the fifth trial ended."""

        def finish(self, proposal: Any, outcome: Any) -> Any:
            future = super().finish(proposal, outcome)
            if len(self.finished) not in (2, 3, 4):
                self.write()
            return future

    engine = Instant()
    loop = Loop(smooth, engine, 8, Late())
    running = loop.start()
    assert [next(running).number, next(running).number] == [0, 1]
    assert engine.given == list(range(5))
    assert [f.number for f in running] == list(range(2, 8))


def test_until_an_outcome_is_safe_no_more_trials_begin_than_there_are_slots(smooth: Packer) -> None:
    class First(Slow):
        """Writes the first outcome when the loop waits for it."""

        def finish(self, proposal: Any, outcome: Any) -> Any:
            future = super().finish(proposal, outcome)
            if len(self.finished) > 1:
                self.write()
            return future

        @property
        def broken(self) -> Any:
            """Asked for when the loop is about to wait."""
            given.append(list(engine.given))
            if self.unwritten:
                self.write()
            return super().broken

    engine, given = Instant(), list[list[int]]()
    assert [f.number for f in Loop(smooth, engine, 4, First()).start()] == list(range(4))
    assert max(given[:2], key=len) == [0]


def test_a_store_that_does_not_keep_up_holds_the_trials_back(smooth: Packer) -> None:
    class Full(Slow):
        """Writes the first outcome, and then one whenever as many wait as may."""

        def finish(self, proposal: Any, outcome: Any) -> Any:
            future = super().finish(proposal, outcome)
            most.append(len(self.unwritten))
            if len(self.finished) == 1 or len(self.unwritten) == MOST_UNWRITTEN:
                self.write(1)
            return future

    most: list[int] = []
    loop = Loop(smooth, Instant(), MOST_UNWRITTEN + 9, Full(), algo="random")
    running = loop.start()
    for _ in range(9):
        next(running)
    assert max(most) == MOST_UNWRITTEN


@pytest.mark.parametrize("when", ["outcome", "opening"])
def test_a_store_that_refuses_ends_the_sweep(smooth: Packer, when: str) -> None:
    class Refusing(Memory):
        broken: Any = Future()

        def finish(self, proposal: Any, outcome: Any) -> Any:
            future = super().finish(proposal, outcome)
            refused: Future[Finished] = Future()
            refused.set_exception(StoreError("MLflow", "disk full"))
            return refused if when == "outcome" else future

    tracker = Refusing()
    engine: Manual = Instant()
    if when == "opening":
        engine = Manual(2)
        tracker.broken.set_exception(StoreError("MLflow", "disk full"))
    with pytest.raises(StoreError, match="disk full"):
        Loop(smooth, engine, 5, tracker).run()
    assert engine.cancelled == ([] if when == "outcome" else [0, 1])


TAKES_LONG = """
SPACE = {"x": hp.uniform("x", -5, 5)}
def train(params, data, report):
    import signal
    while params["x"] > 0:
        signal.pause()
    return 7.0 + params["x"]
"""


def test_a_trial_that_takes_too_long_fails_and_its_slot_goes_on(tmp_path: Path, data: Path) -> None:
    made = packer(tmp_path, data, TAKES_LONG)
    with open_engine("local", 2, 1) as engine:
        engine.prepare(warm_up, str(made.space.path))
        trials = Loop(made, engine, 8, limit=3.0).run()
    late = [t for t in trials if t.outcome.state is State.FAILED]
    assert {t.number for t in late} == {t.number for t in trials if t.trial.proposal.params["x"] > 0}
    assert 0 < len(late) < 8 == len(trials)
    assert all(re.search(r"--trial-timeout: took longer than 3 s", t.outcome.reason) for t in late)


TEN = """
SPACE = {"x": hp.randint("x", 5), "y": hp.choice("y", ["a", "b"])}
def train(params, data, report):
    return params["x"] + (params["y"] == "a")
"""


@pytest.mark.parametrize("slots", [1, 4])
def test_an_exhausted_space_ends_the_sweep_with_each_point_tried_once(
    tmp_path: Path, data: Path, slots: int
) -> None:
    loop = Loop(packer(tmp_path, data, TEN), Instant(slots), 50)
    trials = loop.run()
    assert len({tuple(p.items()) for p in points(trials)}) == len(trials) == 10
    assert loop.searcher.exhausted


def test_the_packer_learns_of_every_trial_but_the_lost(smooth: Packer) -> None:
    class Loses(Instant):
        def submit(self, fn: Any, task: Any, limit: float | None = None) -> Any:
            if self.given.count(task.number) or task.number % 2:
                return super().submit(fn, task)
            self.given.append(task.number)
            future = Manual.submit(self, fn, task)
            future.set_exception(RuntimeError("gone"))
            return future

    Loop(smooth, Loses(), 6).run()
    assert sorted(smooth.learned) == list(range(6))
