"""``run_sweep`` end to end: what MLflow, the registry and the results folder then hold."""

import csv
import json
import os
import select
import threading
from collections.abc import Callable
from pathlib import Path
from socket import gethostname
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.base import clone
from sklearn.metrics import root_mean_squared_error

import sweeps
from sweeps.api.run import run_sweep
from sweeps.api.session import Session
from sweeps.api.workers import start_workers
from sweeps.data.datasets import load_dataset
from sweeps.data.spec import DataSpec
from sweeps.errors import NoUsableTrialError, TooManyFailuresError
from sweeps.record import SweepRecord
from sweeps.registry import load_pipeline
from sweeps.registry.store import pointed_at
from sweeps.settings import Sweep
from sweeps.stopping import StopRules
from sweeps.tracking.store import open_store
from sweeps.trial import Finished, State
from tests.inside import Inside
from tests.laws.make import write_space

Run = Callable[..., SweepRecord]

RIDGE = """
from sklearn.linear_model import Ridge
SPACE = {"alpha": hp.loguniform("alpha", LOW, HIGH)}
MODEL = Ridge
"""
GOOD = RIDGE.replace("LOW", "-3").replace("HIGH", "0")
BAD = RIDGE.replace("LOW", "9").replace("HIGH", "10")


@pytest.fixture
def run(tmp_path: Path, sqlite_uri: str) -> Run:
    """Run a sweep of a space given as text, in this test's own store, one trial after the other."""

    def sweep(body: str, data: str | None = "diabetes", **settings: Any) -> SweepRecord:
        name = settings.pop("space_name", "made")
        path = write_space(tmp_path, body, name)
        given = {"trials": 3, "seed": 1, "engine": "serial", "tracking_uri": sqlite_uri, **settings}
        return run_sweep(path, data, results=tmp_path / "results", **given)

    return sweep


@pytest.fixture
def client(sqlite_uri: str) -> MlflowClient:
    return open_store(sqlite_uri).client


def held_out_rows() -> Any:
    split = load_dataset(DataSpec("diabetes")).test
    assert split is not None
    return split


def reload(uri: str, model: str) -> Any:
    """Load a registered model as a user would."""
    with pointed_at(open_store(uri)):
        return mlflow.pyfunc.load_model(model)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[SweepRecord, str, Path, list[Finished]]:
    """One finished sweep of XGBoost with one failing trial, for tests that only look."""
    folder = tmp_path_factory.mktemp("swept")
    body = """
from xgboost import XGBRegressor
SPACE = {"max_depth": scope.int(hp.quniform("max_depth", 2, 6, 1)),
         "learning_rate": hp.loguniform("learning_rate", -2, -1),
         "n_estimators": 40, "early_stopping_rounds": 5}
def MODEL(**params):
    model = XGBRegressor(**params)
    if params["max_depth"] == 5:
        model.get_num_boosting_rounds = unlucky  # asked for in training, not by the lint
    return model
def unlucky():
    raise ValueError("depth 5 is unlucky")
"""
    space, uri, seen = write_space(folder, body), f"sqlite:///{folder / 'mlflow.db'}", list[Finished]()

    record = run_sweep(
        space, "diabetes", trials=8, seed=3, engine="serial", name="looked at", tracking_uri=uri,
        results=folder / "results", on_trial=seen.append,
    )  # fmt: skip
    return record, uri, folder / "results" / "looked-at", seen


def test_run_sweep_is_the_package_s_own_door() -> None:
    assert sweeps.run_sweep is run_sweep


def test_the_parent_run_says_what_the_sweep_was(swept: Any) -> None:
    record, uri, _, _ = swept
    client = MlflowClient(uri, uri)
    parent = client.get_run(record.run_id)
    tags, params, metrics = parent.data.tags, parent.data.params, parent.data.metrics
    dataset = load_dataset(DataSpec("diabetes"))
    assert parent.info.status == "FINISHED"
    assert parent.info.run_name == "looked at"
    assert tags["sweeps.kind"] == "sweep"
    assert tags["sweeps.space"] == "made"
    assert len(tags["sweeps.space_digest"]) == 64
    assert (tags["sweeps.data"], tags["sweeps.data_digest"]) == ("diabetes", dataset.digest)
    assert tags["sweeps.state"] == "COMPLETE"
    assert record.best is not None
    assert tags["sweeps.best_trial"] == str(record.best.number)
    assert {"mlflow.user", "mlflow.source.name", "sweeps.version", "mlflow.note.content"} <= tags.keys()
    assert (params["seed"], params["algo"], params["stop.trials"]) == ("3", "tpe", "8")
    assert metrics["best_rmse"] == record.best.outcome.rmse
    failed = record.count(State.FAILED)
    assert (metrics["trials_complete"], metrics["trials_failed"]) == (8 - failed, failed)
    inputs = {i.tags[0].value: i.dataset for i in parent.inputs.dataset_inputs}
    splits = {"training": "train", "validation": "valid", "testing": "test"}
    assert {k: d.digest for k, d in inputs.items()} == {
        context: dataset.splits[name].digest for context, name in splits.items()
    }
    kept = {f.path for f in client.list_artifacts(record.run_id)}
    assert {"sweep.json", "space", "report", "finalists.json"} <= kept
    reports = {f.path for f in client.list_artifacts(record.run_id, "report")}
    tables = {"report/leaderboard.csv", "report/summary.json"}
    assert reports == tables | {"report/report.html", "report/history.png", "report/plots"}


def test_the_best_rmse_falls_by_trial(swept: Any) -> None:
    record, uri, _, _ = swept
    history = MlflowClient(uri).get_metric_history(record.run_id, "best_rmse")
    values = [m.value for m in sorted(history, key=lambda m: m.step)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == record.best.outcome.rmse


def test_the_note_reads_well(swept: Any) -> None:
    record, uri, _, _ = swept
    note = MlflowClient(uri).get_run(record.run_id).data.tags["mlflow.note.content"]
    failed = record.count(State.FAILED)
    assert note.startswith(f"**Complete** after {8 - failed} complete, {failed} failed (ended by: 8 trials).")
    assert "| trial | rmse | test rmse | params |" in note
    assert "Registered as [diabetes-regressor version 1](#/models/diabetes-regressor/versions/1?" in note
    assert "), champion: the first version" in note
    assert "depth 5 is unlucky" in note


def test_every_trial_is_a_nested_run(swept: Any) -> None:
    record, uri, _, _ = swept
    runs = MlflowClient(uri).search_runs([record.experiment_id], "tags.`sweeps.kind` = 'trial'")
    assert sorted(r.info.run_name for r in runs) == [f"trial-{n:04d}" for n in range(8)]
    for run in runs:
        tags, params, metrics = run.data.tags, run.data.params, run.data.metrics
        assert tags["mlflow.parentRunId"] == record.run_id
        assert set(json.loads(tags["sweeps.point"])) == {"max_depth", "learning_rate"}
        assert params.keys() == {"max_depth", "learning_rate", "n_estimators", "early_stopping_rounds"}
        assert params["max_depth"] == str(int(json.loads(tags["sweeps.point"])["max_depth"]))
        complete = tags["sweeps.state"] == "COMPLETE"
        assert run.info.status == ("FINISHED" if complete else "FAILED")
        assert (
            {"rmse", "mae", "r2", "val_rmse", "fit_seconds", "best_iteration"} <= metrics.keys()
        ) == complete
        assert complete == (params["max_depth"] != "5")


def test_the_curve_is_there_by_round(swept: Any) -> None:
    record, uri, _, _ = swept
    best = record.best
    curve = MlflowClient(uri).get_metric_history(best.trial.run_id, "val_rmse")
    steps = {m.step: m.value for m in curve}
    assert len(steps) > 5
    assert steps[int(best.outcome.metrics["best_iteration"])] == pytest.approx(best.outcome.rmse, rel=1e-6)


def test_a_trial_that_raises_keeps_its_traceback_and_the_sweep_goes_on(swept: Any) -> None:
    record, uri, _, _ = swept
    client = MlflowClient(uri)
    failed = [t for t in record.trials if t.outcome.state is State.FAILED]
    assert failed
    assert failed[0].number < 7
    run = failed[0].trial.run_id
    assert "depth 5 is unlucky" in client.get_run(run).data.tags["sweeps.error"]
    text = mlflow.artifacts.load_text(f"{client.get_run(run).info.artifact_uri}/error.txt")
    assert "Traceback" in text
    assert 'raise ValueError("depth 5 is unlucky")' in text


def test_every_trial_was_shown_as_it_ended(swept: Any) -> None:
    record, _, _, seen = swept
    assert [t.number for t in seen] == list(range(8))
    assert [t.outcome.rmse for t in seen] == [t.outcome.rmse for t in record.trials]


def test_the_results_folder_tells_the_same(swept: Any) -> None:
    record, _, results, _ = swept
    rows = list(csv.DictReader((results / "leaderboard.csv").open()))
    assert int(rows[0]["trial"]) == record.best.number
    assert len(rows) == 8
    ranked = [float(r["rmse"]) for r in rows if r["rank"]]
    assert ranked == sorted(ranked)
    summary = json.loads((results / "summary.json").read_text())
    assert summary["sweep"] == record.run_id
    assert summary["best"]["rmse"] == record.best.outcome.rmse
    assert summary["trials"]["failed"] == record.count(State.FAILED)
    assert (results / "history.png").read_bytes().startswith(b"\x89PNG")


def test_the_champion_predicts_raw_rows_as_well_as_was_claimed(swept: Any) -> None:
    record, uri, _, _ = swept
    rows = held_out_rows()
    model = reload(uri, "models:/diabetes-regressor@champion")
    winner = min(record.finalists, key=lambda f: f.test_rmse)
    claimed = winner.test_rmse
    assert root_mean_squared_error(rows.y, model.predict(rows.X)) == pytest.approx(claimed, rel=1e-9)
    assert len(record.finalists) == 5
    version = MlflowClient(uri, uri).get_model_version_by_alias("diabetes-regressor", "champion")
    assert version.tags["sweeps.sweep"] == record.run_id
    assert version.tags["sweeps.trial"] == str(winner.number)
    assert float(version.tags["sweeps.test_rmse"]) == claimed
    assert float(version.tags["sweeps.rmse"]) == winner.rmse
    assert record.model is not None
    assert (record.model.version, record.model.alias) == (1, "champion")


def test_what_is_on_disk_survives_a_second_promotion(swept: Any) -> None:
    record, uri, _, _ = swept
    again = sweeps.promote_sweep("looked at", tracking_uri=uri)
    assert again.model.version == 1
    assert again.model.alias == "champion"
    assert list(again.finalists) == list(record.finalists)
    versions = MlflowClient(uri, uri).search_model_versions("name = 'diabetes-regressor'")
    assert len(versions) == 1


def test_a_worse_sweep_gives_a_challenger_and_a_better_one_takes_over(run: Run, client: MlflowClient) -> None:
    first = run(BAD, name="bad")
    worse = run(BAD.replace("9", "11").replace("10", "12"), name="worse")
    better = run(GOOD, name="better")
    models = [r.model for r in (first, worse, better)]
    assert [m.alias for m in models if m] == ["champion", "challenger", "champion"]
    assert models[1] is not None
    assert "does not beat the champion's" in models[1].reason
    assert client.get_model_version_by_alias("diabetes-regressor", "champion").version == 3
    assert client.get_model_version_by_alias("diabetes-regressor", "previous").version == 1
    assert client.get_model_version_by_alias("diabetes-regressor", "challenger").version == 2


def interrupted(tmp_path: Path, uri: str, body: str, **settings: Any) -> SweepRecord:
    """A sweep that the user ends after three trials, before the winner is chosen."""
    space = write_space(tmp_path, body, "cut")
    sweep = Sweep(
        str(space), DataSpec("diabetes", **settings), StopRules(3), 5, engine="serial", threads=1, name="cut"
    )
    with start_workers(sweep) as engine, Session(sweep, engine, uri, tmp_path / "results") as session:
        list(session.trials())
        session.interrupt.set_result(2)
        return session.finish()


@pytest.mark.parametrize("cv", [None, pytest.param(3, marks=pytest.mark.slow)])
def test_promoting_an_interrupted_sweep_trains_the_finalists_again(
    tmp_path: Path, run: Run, sqlite_uri: str, client: MlflowClient, cv: int | None
) -> None:
    body = """
from sklearn.ensemble import RandomForestRegressor as MODEL
SPACE = {"max_depth": scope.int(hp.quniform("max_depth", 2, 9, 1)), "n_estimators": 7}
"""
    record = interrupted(tmp_path, sqlite_uri, body, cv=cv)
    assert (record.state, record.count(State.COMPLETE), record.model) == ("INTERRUPTED", 3, None)
    assert client.get_run(record.run_id).info.status == "KILLED"
    promoted = sweeps.promote_sweep("cut", "late", tracking_uri=sqlite_uri)
    whole = run(body, seed=5, trials=3, threads=1, cv=cv, register_as="whole")
    assert promoted.model is not None
    assert (promoted.model.name, promoted.model.version, promoted.model.alias) == ("late", 1, "champion")
    assert [(f.number, f.rmse, f.test_rmse) for f in promoted.finalists] == [
        (f.number, f.rmse, f.test_rmse) for f in whole.finalists
    ]
    rows = held_out_rows()
    late, same = (reload(sqlite_uri, f"models:/{n}@champion") for n in ("late", "whole"))
    assert np.array_equal(late.predict(rows.X), same.predict(rows.X))
    assert sweeps.promote_sweep("cut", "late", tracking_uri=sqlite_uri).model.version == 1  # type: ignore[union-attr]
    assert len(client.search_model_versions("name = 'late'")) == 1


def test_cross_validation_logs_the_spread_and_registers_a_model_of_all_rows(
    run: Run, sqlite_uri: str, client: MlflowClient
) -> None:
    record = run(GOOD, cv=3)
    assert record.best is not None
    metrics = client.get_run(record.best.trial.run_id).data.metrics
    assert 0 < metrics["rmse_std"] < metrics["rmse"]
    dataset, rows = load_dataset(DataSpec("diabetes")), held_out_rows()
    model = reload(sqlite_uri, "models:/diabetes-regressor@champion")
    both = pd.concat([dataset.train.X, dataset.valid.X]), np.append(dataset.train.y, dataset.valid.y)
    pipeline = load_pipeline(open_store(sqlite_uri), "models:/diabetes-regressor@champion")
    again = clone(pipeline).fit(*both)
    assert np.allclose(again.predict(rows.X), model.predict(rows.X), rtol=1e-9)
    only_train = clone(pipeline).fit(dataset.train.X, dataset.train.y)
    assert not np.allclose(only_train.predict(rows.X), model.predict(rows.X), rtol=1e-3)


def table(folder: Path, name: str, rows: int, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"size": rng.normal(size=rows), "kind": rng.choice(["a", "b"], rows)})
    frame["price"] = 3 * frame["size"] + (frame["kind"] == "a") + rng.normal(size=rows) / 9
    frame.to_csv(folder / name, index=False)
    return folder / name


def test_without_test_rows_validation_decides_and_it_says_so(tmp_path: Path, sqlite_uri: str) -> None:
    space = write_space(tmp_path, GOOD)
    data = DataSpec(
        train=str(table(tmp_path, "a.csv", 60, 0)), valid=str(table(tmp_path, "b.csv", 30, 1)), target="price"
    )
    sweep = Sweep(str(space), data, StopRules(3), 1, engine="serial")
    with start_workers(sweep) as engine, Session(sweep, engine, sqlite_uri, tmp_path / "results") as session:
        list(session.trials())
        record = session.finish()
    assert record.best is not None
    assert [f.test_rmse for f in record.finalists] == [None] * 3
    assert "there are no test rows: the winner has the lowest rmse on validation" in session.warnings
    assert record.model is not None
    version = MlflowClient(sqlite_uri, sqlite_uri).get_model_version("a-regressor", "1")
    assert version.tags["sweeps.trial"] == str(record.best.number)
    assert "sweeps.test_rmse" not in version.tags


TRAIN = """
import numpy as np
from sklearn.linear_model import Ridge
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
def train(params, data, report):
    model = Ridge(**params).fit(data.X_train, data.y_train)
    if data.X_valid is None:
        return 0.0, model
    rmse = float(np.sqrt(np.mean((model.predict(data.X_valid) - data.y_valid) ** 2)))
    report(0, 2 * rmse)
    report(1, rmse)
    return RETURNED
"""


@pytest.mark.parametrize("returned", ["rmse", '{"rmse": rmse, "alpha_used": params["alpha"]}'])
def test_a_user_s_train_without_a_model_registers_nothing(
    run: Run, client: MlflowClient, returned: str
) -> None:
    record = run(TRAIN.replace("RETURNED", returned))
    assert record.best is not None
    assert record.model is None
    assert (record.state, len(record.finalists)) == ("COMPLETE", 3)
    assert client.search_registered_models() == []
    curve = client.get_metric_history(record.best.trial.run_id, "val_rmse")
    assert [m.value for m in curve] == [2 * record.best.outcome.rmse, record.best.outcome.rmse]
    assert ("alpha_used" in record.best.outcome.metrics) == ("alpha_used" in returned)


def test_a_user_s_train_with_a_model_is_registered(run: Run, sqlite_uri: str) -> None:
    record = run(TRAIN.replace("RETURNED", "rmse, model"))
    rows = held_out_rows()
    model = reload(sqlite_uri, "models:/diabetes-regressor@champion")
    best = min(f.test_rmse for f in record.finalists if f.test_rmse is not None)
    assert root_mean_squared_error(rows.y, model.predict(rows.X)) == pytest.approx(best, rel=1e-9)


FAMILIES = """
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Lasso, Ridge
SPACE = hp.choice("family", [
    {"model": Ridge, "alpha": hp.loguniform("ridge_alpha", -3, 3)},
    {"model": Lasso, "alpha": hp.loguniform("lasso_alpha", -3, 0)},
    {"model": HistGradientBoostingRegressor, "max_iter": scope.int(hp.quniform("iterations", 5, 20, 1))},
])
"""


@pytest.mark.slow
def test_the_search_may_pick_the_family(run: Run, client: MlflowClient) -> None:
    record = run(FAMILIES, trials=8)
    runs = [client.get_run(t.trial.run_id) for t in record.trials]
    assert {r.data.params["model"] for r in runs} == {"Ridge", "Lasso", "HistGradientBoostingRegressor"}
    for each in runs:
        own = "max_iter" if each.data.params["model"].startswith("Hist") else "alpha"
        assert each.data.params.keys() == {"model", own}
    assert record.count(State.COMPLETE) == 8
    assert record.model is not None


ALWAYS_RAISES = """
SPACE = {"x": hp.uniform("x", 0, 1)}
def train(params, data, report):
    raise RuntimeError("no such luck")
"""


def test_a_sweep_without_a_usable_trial_says_why(run: Run, client: MlflowClient) -> None:
    with pytest.raises(NoUsableTrialError, match=r"3 of 3 trials failed; .* no such luck \(sweeps show "):
        run(ALWAYS_RAISES)
    [sweep] = client.search_runs(["1"], "tags.`sweeps.kind` = 'sweep'")
    assert (sweep.info.status, sweep.data.tags["sweeps.state"]) == ("FAILED", "FAILED")


def test_more_failures_than_allowed_register_nothing(run: Run, client: MlflowClient) -> None:
    body = TRAIN.replace("RETURNED", "rmse, model").replace(
        "    model =", '    assert params["alpha"] < 0.2\n    model ='
    )
    with pytest.raises(TooManyFailuresError, match="trials failed"):
        run(body, trials=20, max_failures=1)
    [sweep] = client.search_runs(["1"], "tags.`sweeps.kind` = 'sweep'")
    assert sweep.data.tags["sweeps.state"] == "FAILED"
    assert sweep.data.metrics["trials_failed"] == 2
    assert client.search_registered_models() == []


def test_an_error_in_the_user_s_own_callback_closes_the_sweep(run: Run, client: MlflowClient) -> None:
    def stumble(_: Finished) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(GOOD, on_trial=stumble, engine="local", workers=1)
    runs = client.search_runs(["1"])
    assert {r.info.status for r in runs} <= {"FINISHED", "FAILED"}
    assert {r.data.tags["sweeps.state"] for r in runs} <= {"COMPLETE", "FAILED", "LOST"}


def test_ctrl_c_in_a_notebook_closes_the_sweep(run: Run, client: MlflowClient) -> None:
    body = TRAIN.replace("RETURNED", "rmse").replace(
        "    model =", "    import os, signal\n    os.kill(os.getpid(), signal.SIGINT)\n    model ="
    )
    with pytest.raises(KeyboardInterrupt):
        run(body)
    runs = client.search_runs(["1"])
    assert {(r.info.status, r.data.tags["sweeps.state"]) for r in runs} == {
        ("KILLED", "INTERRUPTED"),
        ("FAILED", "LOST"),
    }


def test_nothing_is_registered_where_nothing_should_be(run: Run, client: MlflowClient) -> None:
    record = run(GOOD, register=False)
    assert record.model is None
    assert len(record.finalists) == 3
    assert client.search_registered_models() == []
    late = sweeps.promote_sweep("last", tracking_uri=client.tracking_uri)
    assert late.model is not None
    assert late.finalists == tuple(record.finalists)


def test_fewer_finalists_than_asked_for_are_a_warning(
    tmp_path: Path, sqlite_uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """B11: all there are are scored; whoever asked for no number is not told."""
    inside, space = Inside(tmp_path, monkeypatch, capsys), str(write_space(tmp_path, GOOD, "made"))
    words = ["run", space, "--data", "diabetes", "--trials", "3", "--engine", "serial", "--no-register", "-q"]
    told = inside(*words, "--tracking-uri", sqlite_uri, "--top", "50")
    assert told.returncode == 0, told.stderr
    assert "warning: --top 50: 3 trials with an rmse, all of them finalists\n" in told.stderr
    assert "--top" not in inside(*words, "--tracking-uri", sqlite_uri).stderr


@pytest.mark.slow
def test_serial_and_one_local_worker_give_the_same_bits(run: Run) -> None:
    body = (
        "from xgboost import XGBRegressor as MODEL\n"
        + """
SPACE = {"max_depth": scope.int(hp.quniform("max_depth", 2, 6, 1)),
         "subsample": hp.uniform("subsample", 0.4, 1),
         "n_estimators": 20, "early_stopping_rounds": 5}
"""
    )
    serial = run(body, trials=6, threads=1, name="serial")
    local = run(body, trials=6, threads=1, engine="local", workers=1, name="local")
    assert [t.outcome.rmse for t in serial.trials] == [t.outcome.rmse for t in local.trials]
    assert list(serial.finalists) == list(local.finalists)
    two = run(body, trials=6, threads=1, engine="local", workers=2, name="two")
    assert [t.trial.proposal.point for t in two.trials] == [t.trial.proposal.point for t in serial.trials]
    assert [t.outcome.rmse for t in two.trials] == [t.outcome.rmse for t in serial.trials]
    ran = [{trial.outcome.worker for trial in record.trials} for record in (serial, local, two)]
    here = f"{gethostname()}:{os.getpid()}"
    assert ran[0] == {here}
    assert len(ran[1]) == 1
    assert here not in ran[1] | ran[2]


def test_each_trial_says_which_worker_ran_it(run: Run, tmp_path: Path) -> None:
    """Both wait for each other, so that one worker cannot run both."""
    began = tmp_path / "began"
    began.mkdir()
    body = f"""
import os, pathlib, time
SPACE = {{"x": hp.uniform("x", 0, 1)}}
def train(params, data, report):
    began = pathlib.Path({str(began)!r})
    (began / str(os.getpid())).touch()
    while len(list(began.iterdir())) < 2:
        time.sleep(0.01)
    return params["x"]
"""
    record = run(body, trials=2, threads=1, engine="local", workers=2, register=False)
    assert [trial.outcome.state for trial in record.trials] == ["COMPLETE", "COMPLETE"]
    processes = {f"{gethostname()}:{path.name}" for path in began.iterdir()}
    assert {trial.outcome.worker for trial in record.trials} == processes
    assert len(processes) == 2


def test_a_time_limit_ends_a_sweep(run: Run) -> None:
    body = TRAIN.replace("RETURNED", "rmse, model")
    record = run(body, trials=None, time=1.0)
    assert record.state == "COMPLETE"
    assert record.trials
    # A trial may start only while the limit is not reached, and its start is stamped a moment after that was
    # asked: so what is certain is the start of the one before.
    started = [finished.trial.started for finished in record.trials]
    assert all(start - started[0] < 1.0 for start in started[:-1])
    assert record.ended is not None
    assert record.ended - record.started >= 1.0


REFIT = TRAIN.replace("RETURNED", "rmse, model").replace(
    "        return 0.0, model",
    """        import os, pathlib, signal
        marker = pathlib.Path(__file__).with_name("refitted")
        seen = marker.exists()
        marker.touch()
        HOW
        return 0.0, model""",
)


@pytest.mark.slow
def test_a_worker_that_dies_over_a_finalist_is_given_another_chance(run: Run, tmp_path: Path) -> None:
    body = REFIT.replace("HOW", "seen or os.kill(os.getpid(), signal.SIGKILL)")
    record = run(body, cv=2, engine="local", workers=1)
    assert (tmp_path / "refitted").exists()
    assert record.model is not None
    assert all(f.test_rmse is not None for f in record.finalists)


@pytest.mark.slow
def test_a_finalist_that_hangs_when_trained_again_is_killed(run: Run) -> None:
    record = run(
        REFIT.replace("HOW", "seen or signal.pause()"), cv=2, engine="local", workers=1, trial_timeout=2
    )
    assert record.model is not None
    assert [f.test_rmse is None for f in record.finalists].count(True) == 1


@pytest.mark.slow
def test_an_interrupt_while_finalists_are_trained_again_ends_the_sweep(
    tmp_path: Path, sqlite_uri: str
) -> None:
    space = write_space(tmp_path, REFIT.replace("HOW", "signal.pause()"))
    sweep = Sweep(str(space), DataSpec("diabetes", cv=2), StopRules(2), 1, workers=1)
    with start_workers(sweep) as engine, Session(sweep, engine, sqlite_uri, tmp_path / "results") as session:
        list(session.trials())

        def interrupt() -> None:
            while not (tmp_path / "refitted").exists():
                select.select([], [], [], 0.02)
            session.interrupt.set_result(2)

        threading.Thread(target=interrupt, daemon=True).start()
        record = session.finish()
    assert (record.state, record.count(State.COMPLETE), record.model) == ("INTERRUPTED", 2, None)


@pytest.mark.parametrize("engine", ["serial", "local"])
def test_a_train_without_models_is_not_called_again_for_the_finalists(
    run: Run, tmp_path: Path, engine: str
) -> None:
    body = TRAIN.replace("RETURNED", "rmse").replace(
        "    model =", """    with open(__file__ + ".log", "a") as log:
        log.write("called\\n")
    model =""",
    )  # fmt: skip
    run(body, engine=engine, workers=1)
    assert (tmp_path / "made.py.log").read_text() == "called\n" * 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["server", "postgres"])
def test_other_stores_hold_the_same(
    kind: str, tmp_path: Path, run: Run, sqlite_uri: str, request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    uri = request.getfixturevalue(f"{kind}_uri")
    there = run(GOOD, tracking_uri=uri, register_as="elsewhere")
    here = run(GOOD, tracking_uri=sqlite_uri, register_as="elsewhere")
    assert [t.outcome.rmse for t in there.trials] == [t.outcome.rmse for t in here.trials]
    assert list(there.finalists) == list(here.finalists)
    assert there.model == here.model
    rows = held_out_rows()
    model = reload(uri, "models:/elsewhere@champion")
    best = min(f.test_rmse for f in there.finalists if f.test_rmse is not None)
    assert root_mean_squared_error(rows.y, model.predict(rows.X)) == pytest.approx(best, rel=1e-9)
    of_this_sweep = f"tags.`mlflow.parentRunId` = '{there.run_id}'"
    runs = MlflowClient(uri, uri).search_runs([there.experiment_id], of_this_sweep)
    assert [r.info.status for r in runs] == ["FINISHED"] * 3
