"""What is written to MLflow comes back as it was, on every kind of store."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeps.errors import StoreError, UsageError
from sweeps.record import Finalist, ModelVersion
from sweeps.tracking.change import Entry
from sweeps.tracking.inputs import DatasetInfo
from sweeps.tracking.reader import find_sweep, list_sweeps, read_sweep
from sweeps.tracking.store import Store, open_store
from sweeps.tracking.writer import BEAT_SECONDS, STANDING_SECONDS, Origin, SweepWriter
from sweeps.trial import Finished, Outcome, Proposal, State

SETTINGS = {"space": "ridge", "trials": 4, "data": {"name": "diabetes", "seed": 0}, "time": None}
ORIGIN = Origin(
    "ridge",
    "SPACE = {}\n",
    "ab" * 32,
    "diabetes",
    "d1",
    [
        DatasetInfo("training", "diabetes", "d1-train", "diabetes", 265, {"age": "f", "sex": "O"}),
        DatasetInfo("validation", "diabetes", "d1-valid", "diabetes", 88),
    ],
)


def begin(store: Store, name: str = "a-sweep", experiment: str = "exp") -> SweepWriter:
    return SweepWriter.open(store, experiment, name, settings=SETTINGS, origin=ORIGIN)


def proposal(number: int, **params: Any) -> Proposal:
    return Proposal(
        number,
        {"alpha": 0.1 + number / 3, "kind": number % 2},
        {"alpha": 0.1 + number / 3, **params},
        7 + number,
    )


def run(writer: SweepWriter, number: int, outcome: Outcome, **params: Any) -> Finished:
    now = time.time()
    (finished,) = writer.write([Entry(proposal(number, **params), now - 1, outcome, now)])
    return finished


def start(writer: SweepWriter, *numbers: int) -> None:
    assert writer.write([Entry(proposal(number), began=time.time()) for number in numbers]) == []


def complete(rmse: float, **metrics: float) -> Outcome:
    return Outcome(State.COMPLETE, rmse, metrics)


FAILED = Outcome(State.FAILED, error="Traceback (most recent call last):\n  File x\nValueError: no good")


def test_a_sweep_comes_back_as_it_was_written(any_uri: str) -> None:
    store = open_store(any_uri)
    writer = begin(store, "round-trip")
    written = [
        run(
            writer,
            0,
            complete(60.125, mae=50.5, fit_seconds=0.1),
            model={"depth": 3, "name": "a b"},
            flag=True,
            none=None,
        ),
        run(writer, 1, FAILED),
        run(writer, 2, Outcome(State.PRUNED, 99.5, error="stopped at rung 2")),
        run(writer, 3, complete(1 / 3, r2=0.5)),
        run(writer, 4, Outcome(State.LOST, error="worker died")),
    ]
    start(writer, 5)
    writer.log_finalists([Finalist(3, 1 / 3, 0.4), Finalist(0, 60.125, None)])
    writer.log_promotion(ModelVersion("diabetes-regressor", 2, "champion", "the first"))
    writer.close("COMPLETE", "# a note", {"overhead": 0.01})
    record = read_sweep(store, writer.run_id)

    assert (record.name, record.experiment, record.state) == ("round-trip", "exp", "COMPLETE")
    assert record.settings == SETTINGS
    assert [t.number for t in record.trials] == [0, 1, 2, 3, 4]
    for back, once in zip(record.trials, written, strict=True):
        assert back.trial.proposal.point == once.trial.proposal.point
        assert back.trial.proposal.seed == once.trial.proposal.seed
        assert back.trial.run_id == once.trial.run_id
        assert back.outcome.state is once.outcome.state
        assert back.outcome.rmse == once.outcome.rmse
        assert back.outcome.metrics == once.outcome.metrics
        assert back.outcome.reason == once.outcome.reason
        assert back.ended == pytest.approx(once.ended, abs=0.002)
    assert dict(record.trials[0].trial.proposal.params) == {
        "alpha": 0.1, "model.depth": 3, "model.name": "a b", "flag": True, "none": None,
    }  # fmt: skip
    assert record.best is not None
    assert record.best.number == 3
    assert record.running == 1
    assert list(record.finalists) == [Finalist(3, 1 / 3, 0.4), Finalist(0, 60.125, None)]
    assert record.model == ModelVersion("diabetes-regressor", 2, "champion", "the first")
    assert record.extra["overhead"] == 0.01
    assert record.ended is not None


def test_the_ui_finds_what_it_shows(any_uri: str) -> None:
    store = open_store(any_uri)
    writer = begin(store, "ui")
    curve = tuple((i, 100.0 / (i + 1) + (50 if i > 700 else 0)) for i in range(1000))
    trial = run(writer, 12, Outcome(State.COMPLETE, 0.2, curve=curve))
    failed = run(writer, 13, FAILED)
    writer.write_standing()
    parent, child = store.client.get_run(writer.run_id), store.client.get_run(trial.trial.run_id)

    assert child.info.run_name == "trial-0012"
    assert child.info.status == "FINISHED"
    assert child.data.tags["mlflow.parentRunId"] == writer.run_id
    assert {"mlflow.user", "mlflow.source.name", "mlflow.source.type"} <= child.data.tags.keys()
    steps = [m.step for m in store.client.get_metric_history(trial.trial.run_id, "val_rmse")]
    assert len(steps) <= 50
    assert {0, 700, 999} <= set(steps)
    assert store.client.get_run(failed.trial.run_id).info.status == "FAILED"
    assert [f.path for f in store.client.list_artifacts(failed.trial.run_id)] == ["error.txt"]
    assert parent.inputs is not None
    assert {d.dataset.digest for d in parent.inputs.dataset_inputs} == {"d1-train", "d1-valid"}
    assert parent.data.params["data.name"] == "diabetes"
    assert parent.data.metrics["best_rmse"] == 0.2
    assert parent.data.metrics["trials_failed"] == 1
    kept = {f.path for f in store.client.list_artifacts(writer.run_id)}
    assert kept == {"space", "sweep.json", "ranges.json"}


def test_best_so_far_is_the_latest_value_whatever_the_order(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    writer = begin(store)
    start(writer, 0, 1, 2, 3)
    for number, rmse in [(3, 5.0), (0, 4.0), (2, 3.0), (1, 3.0)]:
        writer.write([Entry(proposal(number), outcome=complete(rmse), ended=time.time())])
    writer.write_standing()
    parent = store.client.get_run(writer.run_id)
    assert parent.data.metrics["best_rmse"] == 3.0
    assert parent.data.metrics["trials_complete"] == 4
    assert parent.data.tags["sweeps.best_trial"] == "1"


def test_every_trial_has_its_point_in_the_history_of_the_best(any_uri: str) -> None:
    store = open_store(any_uri)
    writer = begin(store, "history")
    for number, rmse in enumerate([5.0, 6.0, 4.0]):
        run(writer, number, complete(rmse))
    run(writer, 3, FAILED)
    due = writer.standing_due
    writer.write_standing()
    assert due <= STANDING_SECONDS < writer.standing_due <= BEAT_SECONDS
    run(writer, 4, complete(3.0))
    writer.close("COMPLETE")
    history = store.client.get_metric_history(writer.run_id, "best_rmse")
    assert sorted((m.step, m.value) for m in history) == [(0, 5.0), (1, 5.0), (2, 4.0), (3, 4.0), (4, 3.0)]
    metrics = store.client.get_run(writer.run_id).data.metrics
    assert (metrics["trials_complete"], metrics["trials_failed"], metrics["best_rmse"]) == (4, 1, 3.0)


def test_curves_folds_and_rungs_come_back_when_asked_for(any_uri: str) -> None:
    store = open_store(any_uri)
    writer = begin(store, "curves")
    curve = tuple((i, 100.0 / (i + 1)) for i in range(30))
    whole = replace(complete(3.0), curve=curve, folds=(1 / 3, 2.5), rungs=((29, 5.0), (89, 1 / 3)))
    pruned = Outcome(State.PRUNED, 9.0, error="pruned", curve=((4, 9.0), (10, 8.0)), rungs=((9, 9.0),))
    run(writer, 0, whole)
    run(writer, 1, pruned)
    assert [t.outcome for t in read_sweep(store, writer.run_id, curves=True).trials] == [whole, pruned]
    bare = [replace(outcome, curve=(), folds=(), rungs=()) for outcome in (whole, pruned)]
    assert [t.outcome for t in read_sweep(store, writer.run_id).trials] == bare


def test_a_number_counts_once_and_complete_beats_lost(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    writer = begin(store)
    for outcome in (
        Outcome(State.LOST, error="worker died"),
        complete(2.0),
        Outcome(State.LOST, error="again"),
    ):
        run(writer, 0, outcome)
    start(writer, 0)  # a ghost: a request that was sent twice
    record = read_sweep(store, writer.run_id)
    assert [t.outcome.state for t in record.trials] == [State.COMPLETE]
    assert record.running == 0


def test_figures_that_are_not_finite_are_not_logged(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    writer = begin(store)
    outcome = replace(
        FAILED, rmse=math.nan, metrics={"r2": math.inf, "mae": 1.0}, curve=((0, math.nan), (1, 2.0))
    )
    run(writer, 0, outcome)
    assert dict(read_sweep(store, writer.run_id).trials[0].outcome.metrics) == {"mae": 1.0}


def test_more_trials_than_a_page_are_all_read(sqlite_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.tracking.rows.PAGE", 3)
    monkeypatch.setattr("sweeps.tracking.database.VERIFIED", frozenset())  # pages are the client's
    store = open_store(sqlite_uri)
    writer = begin(store)
    for number in range(8):
        run(writer, number, complete(float(number)))
    assert [t.number for t in read_sweep(store, writer.run_id).trials] == list(range(8))


def test_odd_names_and_texts_reach_the_store(any_uri: str) -> None:
    store = open_store(any_uri)
    writer = begin(store, "odd")
    error = "postgresql://u:SECRETPW@h/db\nValueError: \x1b[31m\0 \ud800 " + "long " * 2000
    odd: dict[str, Any] = {"a[0]": "x" * 7000, "lr (log)": 1, "lr [log]": 2, "a//../b/": 3, "nul": "\0\ud800"}
    run(writer, 0, replace(FAILED, error=error), **odd)
    run(writer, 1, complete(1.0, **{"mape %": 3.0, "mape $": 4.0, "k" * 300: 5.0}))
    first, second = read_sweep(store, writer.run_id).trials
    assert "\x1b" not in first.outcome.reason
    assert len(first.outcome.reason) <= 5000
    params = first.trial.proposal.params
    assert (params["lr _log_"], params["lr _log__2"], params["a/b"], params["nul"]) == (1, 2, 3, "\ufffd?")
    assert second.outcome.metrics == {"mape _": 3.0, "mape __2": 4.0, "k" * 250: 5.0}
    path = store.client.download_artifacts(first.trial.run_id, "error.txt")
    assert "SECRETPW" not in Path(path).read_text()


@pytest.mark.parametrize(
    ("state", "status"), [("COMPLETE", "FINISHED"), ("INTERRUPTED", "KILLED"), ("FAILED", "FAILED")]
)
def test_the_end_of_a_sweep_in_mlflows_words(sqlite_uri: str, state: str, status: str) -> None:
    store = open_store(sqlite_uri)
    writer = begin(store)
    writer.close(state, "note")
    ended = store.client.get_run(writer.run_id)
    assert ended.info.status == status
    assert ended.data.tags["mlflow.note.content"] == "note"
    assert list_sweeps(store)[0].state == state


def test_sweeps_are_found_by_name_prefix_and_last(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    with pytest.raises(UsageError, match="no sweep in this store"):
        find_sweep(store, "last")
    ids = [
        begin(store, name, experiment).run_id
        for name, experiment in [("one", "e1"), ("two", "e2"), ("two", "e2")]
    ]
    assert find_sweep(store, "last") == ids[2]
    assert find_sweep(store, "one") == ids[0]
    assert find_sweep(store, ids[1]) == ids[1]
    assert find_sweep(store, ids[0][:12]) == ids[0]
    with pytest.raises(UsageError, match=f"means 2 sweeps.*{ids[1][:8]}"):
        find_sweep(store, "two")
    with pytest.raises(UsageError, match=r"no such sweep; recent: two \("):
        find_sweep(store, "three")


def test_a_list_of_sweeps(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    first = begin(store, "one", "e1")
    run(first, 0, complete(2.5))
    first.write_standing()
    begin(store, "two", "e2")
    assert [s.name for s in list_sweeps(store)] == ["two", "one"]
    assert [s.name for s in list_sweeps(store, limit=1)] == ["two"]
    (header,) = list_sweeps(store, "e1")
    assert (header.best_rmse, header.best_trial, header.counts["complete"]) == (2.5, 0, 1)
    assert (header.space, header.data) == ("ridge", "diabetes")
    with pytest.raises(UsageError, match=r"unknown experiment 'e3'.*e1, e2"):
        list_sweeps(store, "e3")


def test_a_trial_is_no_sweep(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    finished = run(begin(store), 0, complete(1.0))
    with pytest.raises(StoreError, match="is not a sweep"):
        read_sweep(store, finished.trial.run_id)


def test_a_sweep_killed_before_its_settings_were_written_can_be_read(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    experiment = store.client.create_experiment("e")
    bare = store.client.create_run(experiment, tags={"sweeps.kind": "sweep"})
    assert read_sweep(store, bare.info.run_id).settings == {}


def test_the_points_own_text_is_exact(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    writer = begin(store)
    point: Mapping[str, float | int] = {"a": 0.1 + 0.2, "b": 1e-320, "c": 3, "d": -0.0}
    writer.write([Entry(Proposal(0, point, {}, 1), 1.0, complete(1.0), 2.0)])
    back = read_sweep(store, writer.run_id).trials[0].trial.proposal.point
    assert json.dumps(dict(back)) == json.dumps(dict(point))


def test_names_that_no_run_should_have(sqlite_uri: str) -> None:
    store = open_store(sqlite_uri)
    for name in ("", " ", "a\nb", "x" * 251):
        with pytest.raises(UsageError, match="--name"):
            begin(store, name)
    assert store.client.get_experiment_by_name("exp") is None


def test_the_commit_is_the_one_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    from sweeps.tracking.context import context_tags

    for command in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, timeout=120)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120
    )
    monkeypatch.chdir(tmp_path)
    assert context_tags()["mlflow.source.git.commit"] == head.stdout.strip()
    assert "mlflow.source.git.commit" not in context_tags(Path("/"))
