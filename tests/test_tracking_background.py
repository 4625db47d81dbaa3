"""Writing in the background: in order, nothing lost, and no error either."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from sweeps.errors import SpaceError, StoreDownError, StoreError
from sweeps.tracking import writer as writer_module
from sweeps.tracking.background import BackgroundWriter
from sweeps.tracking.reader import read_sweep
from sweeps.tracking.store import open_store
from sweeps.tracking.writer import Origin, SweepWriter
from sweeps.trial import Finished, Outcome, Proposal, State
from tests.shell import SOON

ROOT = Path(__file__).parents[1]
LOST = Outcome(State.LOST, error="worker died")


def opening(uri: str) -> Callable[[], SweepWriter]:
    origin = Origin("s", "SPACE = {}\n", "d" * 64, "made", "e" * 36)
    return lambda: SweepWriter.open(open_store(uri), "background", "sweep", settings={}, origin=origin)


def proposal(number: int) -> Proposal:
    return Proposal(number, {"x": number / 3}, {"x": number / 3}, seed=number)


def complete(rmse: float) -> Outcome:
    return Outcome(State.COMPLETE, rmse)


def trial(tracker: BackgroundWriter, number: int, outcome: Outcome | None = None) -> "Future[Finished]":
    tracker.start(proposal(number))
    return tracker.finish(proposal(number), outcome or complete(float(number)))


def best_by_trial(tracker: BackgroundWriter) -> list[tuple[int, float]]:
    writer = tracker.opened()
    history = writer.store.client.get_metric_history(writer.run_id, "best_rmse")
    return sorted((m.step, m.value) for m in history)


def test_what_is_handed_over_is_written_in_order(any_uri: str) -> None:
    with BackgroundWriter(opening(any_uri)) as tracker:
        futures = [trial(tracker, number) for number in range(5)]
        futures.append(trial(tracker, 5, LOST))
        futures.append(trial(tracker, 5))
        tracker.flush()
        assert all(future.done() for future in futures)
        finished = [future.result() for future in futures]
        record = read_sweep(tracker.opened().store, tracker.opened().run_id)
        assert [t.number for t in finished] == [0, 1, 2, 3, 4, 5, 5]
        assert [t.trial.run_id for t in record.trials] == [
            t.trial.run_id for t in [*finished[:5], finished[6]]
        ]
        assert [t.ended - t.trial.started >= 0 for t in finished] == [True] * 7
        assert best_by_trial(tracker) == [(n, 0.0) for n in (0, 1, 2, 3, 4, 5, 5)]
        assert not tracker.broken.done()


def test_a_trial_is_seen_running_and_then_ended(sqlite_uri: str) -> None:
    with BackgroundWriter(opening(sqlite_uri)) as tracker:
        for number in (0, 1):
            tracker.start(proposal(number))
        tracker.flush()
        writer = tracker.opened()
        record = read_sweep(writer.store, writer.run_id)
        assert (record.running, record.trials) == (2, [])
        finished = tracker.finish(proposal(1), complete(1.0)).result()
        record = read_sweep(writer.store, writer.run_id)
        assert (record.running, [t.trial.run_id for t in record.trials]) == (1, [finished.trial.run_id])


def test_leaving_writes_what_waits(sqlite_uri: str) -> None:
    with BackgroundWriter(opening(sqlite_uri)) as tracker:
        futures = [trial(tracker, number) for number in range(50)]
        tracker.start(proposal(50))
    assert [future.result(timeout=0).number for future in futures] == list(range(50))
    record = read_sweep(tracker.opened().store, tracker.opened().run_id)
    assert (len(record.trials), record.running) == (50, 1)


def test_the_standing_is_written_while_nothing_ends(sqlite_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "STANDING_SECONDS", 0.1)
    with BackgroundWriter(opening(sqlite_uri)) as tracker:
        for number in (0, 1):
            trial(tracker, number).result()
        deadline = time.monotonic() + 30
        while len(best_by_trial(tracker)) < 2:
            assert time.monotonic() < deadline


def test_a_store_that_cannot_be_opened() -> None:
    with BackgroundWriter(opening("sqlite:////nowhere/at/all.db")) as tracker:
        future = trial(tracker, 0)
        for told in (future.result, tracker.opened, tracker.flush, tracker.broken.result):
            with pytest.raises(StoreError, match="/nowhere/at does not exist"):
                told()


def test_after_the_first_error_nothing_is_written(any_uri: str) -> None:
    with BackgroundWriter(opening(any_uri)) as tracker:
        before = trial(tracker, 0)
        for number in (1, 2):
            tracker.start(proposal(number))
        tracker.flush()
        writer = tracker.opened()
        running = read_sweep(writer.store, writer.run_id)
        assert running.running == 2
        gone = tracker.finish(proposal(1), LOST).result().trial.run_id
        tracker.start(proposal(1))
        tracker.flush()
        ours = f"tags.`mlflow.parentRunId` = '{writer.run_id}' and attributes.status = 'RUNNING'"
        runs = writer.store.client.search_runs([writer.experiment_id], ours)
        (victim,) = [r.info.run_id for r in runs if r.data.tags["sweeps.trial"] == "1"]
        assert victim != gone
        writer.store.client.delete_run(victim)
        failing, after = tracker.finish(proposal(1), complete(1.0)), trial(tracker, 3)
        with pytest.raises(StoreError, match=victim):
            failing.result()
        with pytest.raises(StoreError, match=victim):
            after.result()
        late = tracker.finish(proposal(2), complete(1.0))
        with pytest.raises(StoreError, match=victim):
            tracker.flush()
        assert isinstance(late.exception(), StoreError)
        assert isinstance(tracker.broken.exception(), StoreError)
        record = read_sweep(writer.store, writer.run_id)
        assert [(t.number, t.outcome.state) for t in record.trials] == [(0, State.COMPLETE), (1, State.LOST)]
        assert before.result().number == 0


def test_nobody_waits_for_a_writer_that_cannot_tell_of_an_outage(
    sqlite_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its terminal was closed, say."""

    def fails(*_: object) -> None:
        raise StoreDownError("MLflow", "is away")

    def broken_pipe(_: str) -> None:
        raise BrokenPipeError("the terminal was closed")

    with BackgroundWriter(opening(sqlite_uri), tell=broken_pipe) as tracker:
        monkeypatch.setattr(tracker.opened(), "write", fails)
        assert isinstance(trial(tracker, 0).exception(timeout=SOON), BrokenPipeError)
        assert isinstance(tracker.broken.exception(timeout=0), BrokenPipeError)


def test_an_error_at_the_beginning_of_a_trial_reaches_its_end(sqlite_uri: str) -> None:
    vast = Proposal(0, {f"x{i:05}": 0.5 for i in range(2000)}, {}, 0)
    with BackgroundWriter(opening(sqlite_uri)) as tracker:
        tracker.start(vast)
        with pytest.raises(SpaceError, match="a point takes"):
            tracker.flush()
        assert isinstance(tracker.finish(vast, complete(1.0)).exception(), SpaceError)


VICTIM = """
import sys
from tests.test_tracking_background import BackgroundWriter, opening, trial
with BackgroundWriter(opening(sys.argv[1])) as tracker:
    futures = [trial(tracker, number) for number in range(3000)]
    print(tracker.opened().run_id, flush=True)
    for future in futures:
        print(future.result().number, flush=True)
"""


def test_a_trial_that_counts_survives_a_kill(sqlite_uri: str) -> None:
    """Counted means: its future was done."""
    command = [sys.executable, "-c", VICTIM, sqlite_uri]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        sweep = next(victim.stdout).strip()
        seen = [int(next(victim.stdout)) for _ in range(300)]
        victim.kill()
        seen += [int(line) for line in victim.stdout if line.endswith("\n")]
    assert len(seen) < 3000
    kept = read_sweep(open_store(sqlite_uri), sweep).trials
    assert {t.number for t in kept} >= set(seen)
    assert all((t.outcome.rmse, t.trial.proposal.point) == (t.number, {"x": t.number / 3}) for t in kept)


def test_an_interrupt_while_waiting_loses_nothing(sqlite_uri: str) -> None:
    asked, interrupted = threading.Event(), threading.Event()

    def begin() -> SweepWriter:
        asked.wait(SOON)
        os.kill(os.getpid(), signal.SIGINT)
        interrupted.wait(SOON)
        return opening(sqlite_uri)()

    with BackgroundWriter(begin) as tracker:
        future = trial(tracker, 0)
        with pytest.raises(KeyboardInterrupt):
            flush_then(asked, tracker)
        interrupted.set()
    assert future.result(timeout=0).number == 0
    assert len(read_sweep(tracker.opened().store, tracker.opened().run_id).trials) == 1


def flush_then(asked: threading.Event, tracker: BackgroundWriter) -> None:
    asked.set()
    tracker.flush()


def test_the_caller_does_not_wait(sqlite_uri: str, tmp_path: Path) -> None:
    """What is handed over is kept while the store is not even open."""
    go = threading.Event()

    def begin() -> SweepWriter:
        go.wait()
        return opening(sqlite_uri)()

    with BackgroundWriter(begin) as tracker:
        futures = [trial(tracker, number) for number in range(3)]
        assert not any(future.done() or future.cancel() for future in futures)
        assert not list(tmp_path.glob("*.db"))
        go.set()
        tracker.flush()
        assert all(future.done() for future in futures)
