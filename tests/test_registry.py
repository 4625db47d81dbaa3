"""A model that was logged loads back, predicts the same, and is registered once."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from xgboost import XGBRegressor

from sweeps.api.blending import averaged
from sweeps.errors import SpaceError, StoreError, UsageError
from sweeps.record import Member
from sweeps.registry import (
    champion_of,
    check_model_name,
    load_pipeline,
    loads_back,
)
from sweeps.registry.store import pointed_at
from tests.place import RIDGE, Place, pipeline, table

MODELS = {
    "forest": RandomForestRegressor(n_estimators=5, random_state=0, n_jobs=1),
    "hist": HistGradientBoostingRegressor(max_iter=5, random_state=0),
    "xgboost": XGBRegressor(n_estimators=5, n_jobs=1, random_state=0),
    "ridge": Ridge(),
}


@pytest.fixture
def place(sqlite_uri: str) -> Place:
    return Place(sqlite_uri)


@pytest.mark.parametrize("kind", MODELS)
def test_a_champion_predicts_raw_rows_like_the_pipeline(place: Place, kind: str) -> None:
    import mlflow

    pipe, X = pipeline(MODELS[kind]), table(40, seed=1)
    run_id = place.trial()
    logged = place.log(run_id, pipe)  # what is promoted below
    loads_back(place.store, logged.uri, X, pipe.predict(X))
    place.promote("rides", run_id)
    with pointed_at(place.store):
        served = mlflow.pyfunc.load_model("models:/rides@champion").predict(X)
    np.testing.assert_array_equal(served, pipe.predict(X))
    loads_back(
        place.store, "models:/rides@champion", X, pipe.predict(X)
    )  # MLflow's own file beside it is no change


def test_an_average_of_models_that_share_their_features_is_as_safe_as_each(place: Place) -> None:
    """Features are handed on as calls; written twice under one number they would be taken for a forgery."""
    pipes = {number: pipeline(model) for number, model in enumerate(MODELS.values())}
    features = pipes[0].steps[0]
    shared = {number: Pipeline([features, pipe.steps[1]]) for number, pipe in pipes.items()}
    blend = averaged([Member(number, 1 / len(shared)) for number in shared], shared)
    X = table(40, seed=1)
    expected = np.mean([pipe.predict(X) for pipe in pipes.values()], axis=0)
    np.testing.assert_allclose(blend.predict(X), expected, rtol=1e-12)
    logged = place.log(place.trial(), blend)
    loads_back(place.store, logged.uri, X, blend.predict(X))
    assert "xgboost==" in (place.files(logged) / "requirements.txt").read_text()
    again = clone(load_pipeline(place.store, logged.uri)).fit(X, X["passengers"])
    assert again.predict(X).shape == (40,)


def test_registering_works_on_every_store(any_uri: str, request: pytest.FixtureRequest) -> None:
    place, X = Place(any_uri), table(20, seed=2)
    name = f"rides-{request.node.callspec.id}"
    first, second = place.trial(), place.trial()
    assert champion_of(place.store, name) is None
    assert place.promote(name, first) == 1
    assert place.promote(name, second, reason="better") == 2
    assert place.promote(name, second) == 2
    assert place.aliases(name) == {"champion": 2, "previous": 1}
    champion = champion_of(place.store, name)
    assert champion is not None
    assert (champion.number, champion.run_id) == (2, second)
    assert champion.tags["sweeps.trial"] == "3"
    assert champion.tags["sweeps.verdict"] == "champion"
    np.testing.assert_array_equal(load_pipeline(place.store, champion.uri).predict(X), RIDGE.predict(X))


def test_the_trial_is_linked_and_otherwise_untouched(place: Place) -> None:
    run_id = place.trial()
    before = place.store.client.get_run(run_id)
    logged = place.log(run_id)
    place.promote("rides", run_id)
    after = place.store.client.get_run(run_id)
    assert after.info.end_time == before.info.end_time
    assert after.info.status == before.info.status
    assert after.outputs is not None
    assert [m.model_id for m in after.outputs.model_outputs] == [logged.model_id]
    assert len(place.store.client.get_metric_history(run_id, "rmse")) == 1
    model = place.store.client.get_logged_model(logged.model_id)
    assert {m.key: (m.value, m.dataset_digest) for m in model.metrics or []} == {
        "rmse": (1.5, "d1"),
        "test_rmse": (1.75, "d1"),
    }
    assert '"version": 1' in model.tags["mlflow.modelVersions"]
    assert len(place.store.client.search_runs([place.experiment])) == 1


@pytest.mark.parametrize("own", [None, "http://127.0.0.1:9"])
def test_the_users_own_tracking_uri_stays(
    place: Place, own: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if own:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", own)
    place.promote("rides", place.trial())
    assert os.environ.get("MLFLOW_TRACKING_URI") == own


def test_logging_twice_gives_one_model(place: Place) -> None:
    run_id = place.trial()
    assert place.log(run_id) == place.log(run_id)
    assert len(place.store.client.search_logged_models([place.experiment])) == 1


def test_what_loads_needs_no_package_of_ours(place: Place) -> None:
    folder = place.files(place.log(place.trial()))
    assert "sweeps" not in (folder / "requirements.txt").read_text()
    assert "skops==" in (folder / "requirements.txt").read_text()
    assert (folder / "input_example.json").exists()
    assert "signature" in (folder / "MLmodel").read_text()


def test_a_challenger_leaves_the_champion_alone(place: Place) -> None:
    first, second = place.trial(), place.trial()
    place.promote("rides", first)
    place.promote("rides", second, "challenger", "worse")
    assert place.aliases("rides") == {"champion": 1, "challenger": 2}
    place.promote("rides", second, "champion", "better on more rows")
    assert place.aliases("rides") == {"champion": 2, "previous": 1}


def test_a_champion_stays_champion_when_it_meets_itself(place: Place) -> None:
    run_id = place.trial()
    place.promote("rides", run_id)
    version = place.version("rides", run_id, "challenger", "equal")
    assert (version.version, version.alias) == (1, "champion")
    assert place.aliases("rides") == {"champion": 1}


def test_a_promotion_that_was_killed_is_mended_by_the_next(place: Place) -> None:
    run_id = place.trial()
    logged = place.log(run_id)
    place.store.client.create_registered_model("rides")
    with pointed_at(place.store):
        place.store.client.create_model_version("rides", logged.uri, run_id)
    assert place.promote("rides", run_id) == 1
    assert place.aliases("rides") == {"champion": 1}


def test_a_model_that_was_only_half_uploaded_is_not_used(place: Place) -> None:
    run_id = place.trial()
    half = place.store.client.create_logged_model(place.experiment, "model", run_id)
    logged = place.log(run_id)
    assert logged.model_id != half.model_id
    with pytest.raises(StoreError, match="not READY"):
        load_pipeline(place.store, f"models:/{half.model_id}")


def test_other_predictions_are_noticed(place: Place) -> None:
    logged, X = place.log(place.trial()), table(5)
    with pytest.raises(StoreError, match="predicts differently"):
        loads_back(place.store, logged.uri, X, RIDGE.predict(X) + 1e-6)
    with pytest.raises(StoreError, match="shape"):
        loads_back(place.store, logged.uri, X, RIDGE.predict(X)[:3])


def test_a_changed_file_is_noticed(place: Place) -> None:
    logged = place.log(place.trial())
    path = place.files(logged) / "model.skops"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match="sha256"):
        load_pipeline(place.store, logged.uri)


class Strange(Ridge):  # type: ignore[misc]  # scikit-learn ships no types
    """A class no list knows."""


def test_a_type_outside_our_list_is_not_registered(place: Place) -> None:
    pipe = pipeline(Strange())
    with pytest.raises(SpaceError, match=r"Strange.*only safe formats are registered"):
        place.log(place.trial(), pipe)
    (model,) = place.store.client.search_logged_models([place.experiment])
    assert str(model.status).endswith("FAILED")


def foreign(place: Place, folder: Path) -> str:
    """Log files as a model of somebody else."""
    model = place.store.client.create_logged_model(place.experiment, "theirs")
    place.store.client.log_model_artifacts(model.model_id, str(folder))
    place.store.client.finalize_logged_model(model.model_id, "READY")
    return f"models:/{model.model_id}"


def test_a_foreign_model_in_the_safe_format_loads(place: Place, tmp_path: Path) -> None:
    import mlflow.sklearn

    theirs = make_pipeline(Ridge()).fit([[1.0], [2.0]], [1.0, 2.0])
    mlflow.sklearn.save_model(theirs, tmp_path / "m", pip_requirements=["scikit-learn"])
    load_pipeline(place.store, foreign(place, tmp_path / "m"))


@pytest.mark.parametrize(
    ("mlmodel", "wrong"),
    [
        ("flavors: {python_function: {loader_module: hostile}}", "not a scikit-learn model"),
        ("flavors: {sklearn: {serialization_format: cloudpickle, pickled_model: model.pkl}}", "skops format"),
        ("flavors: {sklearn: {serialization_format: skops, code: code}}", "brings code"),
        ("flavors: {sklearn: {serialization_format: skops}}", "holds test_registry.Strange|holds .*Strange"),
        ("", "flavors: none"),
        (None, "no MLmodel"),
    ],
)
def test_hostile_models_are_refused(place: Place, tmp_path: Path, mlmodel: str | None, wrong: str) -> None:
    import skops.io

    folder = tmp_path / "m"
    folder.mkdir()
    if mlmodel is not None:
        (folder / "MLmodel").write_text(mlmodel)
    skops.io.dump(Strange(), folder / "model.skops")
    with pytest.raises(StoreError, match=wrong):
        load_pipeline(place.store, foreign(place, folder))


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", "x" * 256, "<script>", "a\nb", "..", "a b"])
def test_names_no_model_should_have(name: str) -> None:
    with pytest.raises(UsageError, match="letters, digits"):
        check_model_name(name)


def test_names_a_model_may_have() -> None:
    for name in ("green-taxi-regressor", "a", "v1.2_x"):
        check_model_name(name)


@pytest.mark.slow
def test_a_served_champion_answers_raw_rows(place: Place, tmp_path: Path) -> None:
    import json
    import urllib.request

    from tests.stores import BIN, free_port, process, wait_for

    X = table(4, seed=3)
    place.promote("rides", place.trial())
    port = free_port()
    command = [
        str(BIN / "mlflow"),
        "models",
        "serve",
        "-m",
        "models:/rides@champion",
        "--env-manager",
        "local",
        "-p",
        str(port),
    ]
    env = {"MLFLOW_TRACKING_URI": place.store.uri}
    with process(command, tmp_path, tmp_path / "log", env) as server:
        wait_for(f"http://127.0.0.1:{port}/ping", server, tmp_path / "log")
        rows = json.loads(X.to_json(orient="records", date_format="iso"))
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations",
            json.dumps({"dataframe_records": rows}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            predictions = json.load(answer)["predictions"]
    np.testing.assert_allclose(predictions, RIDGE.predict(X), rtol=1e-12)
