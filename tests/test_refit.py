"""``--refit train+valid``: what is registered is trained on both, and has a test rmse of its own."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.base import clone
from sklearn.metrics import root_mean_squared_error

from sweeps import SweepRecord
from sweeps.cli.main import cli
from sweeps.data.datasets import Dataset, Split, load_dataset
from sweeps.data.spec import DataSpec
from sweeps.errors import NoUsableTrialError, UsageError
from sweeps.registry import find_model, load_pipeline
from sweeps.selection import pick
from sweeps.settings import Sweep
from sweeps.stopping import StopRules
from sweeps.tracking.reader import read_sweep
from tests.finished import Place

RIDGE = """
from sklearn.linear_model import Ridge as MODEL
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
"""
BOOSTED = """
from xgboost import XGBRegressor as MODEL
SPACE = {"max_depth": scope.int(hp.quniform("max_depth", 2, 4, 1)), "learning_rate": 0.2,
         "n_estimators": 60, "early_stopping_rounds": 4, "random_state": 0}
"""
TRAIN = """
from sklearn.linear_model import Ridge
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
def train(params, data, report):
    model = Ridge(**params).fit(data.X_train, data.y_train)
    if data.X_valid is None:
        WITHOUT
    return {"rmse": float(((model.predict(data.X_valid) - data.y_valid) ** 2).mean() ** 0.5)}, model
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("refit"))


@pytest.fixture(scope="module")
def refitted(place: Place) -> SweepRecord:
    """A sweep whose winner was trained again."""
    return place.run(RIDGE, "ridges", refit="train+valid")


def diabetes() -> tuple[Dataset, Split]:
    dataset = load_dataset(DataSpec("diabetes"))
    assert dataset.test is not None
    return dataset, dataset.test


def both() -> tuple[pd.DataFrame, np.ndarray]:
    """Training and validation rows together."""
    dataset, _ = diabetes()
    assert dataset.valid is not None
    return pd.concat([dataset.train.X, dataset.valid.X]), np.append(dataset.train.y, dataset.valid.y)


def test_what_is_registered_was_trained_on_both(place: Place, refitted: SweepRecord) -> None:
    _, rows = diabetes()
    registered = place.pipeline("ridges")
    by_hand = clone(registered).fit(*both())
    np.testing.assert_allclose(registered.predict(rows.X), by_hand.predict(rows.X), rtol=1e-9)
    dataset, _ = diabetes()
    train_only = clone(registered).fit(dataset.train.X, dataset.train.y)
    assert not np.allclose(registered.predict(rows.X), train_only.predict(rows.X), rtol=1e-3)
    winner = pick(refitted.finalists)
    chosen = root_mean_squared_error(rows.y, train_only.predict(rows.X))
    assert winner.test_rmse == pytest.approx(chosen, rel=1e-9)


def test_both_figures_are_told_each_by_its_name(place: Place, refitted: SweepRecord) -> None:
    _, rows = diabetes()
    own = root_mean_squared_error(rows.y, place.pipeline("ridges").predict(rows.X))
    winner = pick(refitted.finalists)
    assert refitted.refit is not None
    assert (refitted.refit.rows, refitted.refit.test_rmse) == ("train+valid", pytest.approx(own, rel=1e-9))
    assert winner.test_rmse is not None
    assert abs(own - winner.test_rmse) > 1e-6
    tags = place.tags("ridges")
    assert float(tags["refit_test_rmse"]) == refitted.refit.test_rmse
    assert (float(tags["winner_rmse"]), float(tags["winner_test_rmse"])) == (winner.rmse, winner.test_rmse)
    assert (tags["trained_on"], tags["form"], tags["trial"]) == ("train+valid", "refit", str(winner.number))
    assert not {"rmse", "test_rmse"} & tags.keys()
    verdict, card = place.evidence("ridges")
    assert (verdict["rmse"], verdict["trained_on"]) == (pytest.approx(own, rel=1e-9), "train+valid")
    assert verdict["refit"] == {"trained_on": "train+valid", "test_rmse": refitted.refit.test_rmse}
    assert (verdict["winner"]["test_rmse"], verdict["winner"]["trained_on"]) == (winner.test_rmse, "train")
    assert verdict["blend"] is None
    assert "trained again on training and validation rows together" in card
    assert f"test rmse of the winner, trial {winner.number}, trained on train&emsp;" in card
    assert "test rmse, trained on train+valid&emsp;" in card
    assert place.client.get_model_version("ridges", "1").description == card


def test_the_trial_keeps_its_own_model_and_figures(place: Place, refitted: SweepRecord) -> None:
    winner = pick(refitted.finalists)
    trial = next(t for t in refitted.trials if t.number == winner.number)
    metrics = place.client.get_run(trial.trial.run_id).data.metrics
    assert refitted.refit is not None
    assert (metrics["rmse"], metrics["test_rmse"]) == (winner.rmse, winner.test_rmse)
    assert metrics["refit_test_rmse"] == refitted.refit.test_rmse
    own, again = (
        find_model(place.store, refitted.experiment_id, trial.trial.run_id, form) for form in ("", "refit")
    )
    assert own is not None
    assert again is not None
    assert place.client.get_model_version("ridges", "1").source == again.uri
    _, rows = diabetes()
    scored = root_mean_squared_error(rows.y, load_pipeline(place.store, own.uri).predict(rows.X))
    assert scored == pytest.approx(winner.test_rmse, rel=1e-9)


def test_whoever_reads_the_sweep_is_told_both(place: Place, refitted: SweepRecord) -> None:
    assert read_sweep(place.store, refitted.run_id).refit == refitted.refit
    summary = json.loads((place.folder / "results" / "ridges" / "summary.json").read_text())
    assert refitted.refit is not None
    assert summary["refit"] == {"trained_on": "train+valid", "test_rmse": refitted.refit.test_rmse}
    assert summary["test_rmse"] == pick(refitted.finalists).test_rmse
    page = (place.folder / "results" / "ridges" / "report.html").read_text()
    assert "rmse on test, refitted on train+valid" in page
    note = place.client.get_run(refitted.run_id).data.tags["mlflow.note.content"]
    assert "Trained again on training and validation rows together it has rmse" in note


def test_promoting_it_again_makes_nothing_anew_and_tells_the_same(
    place: Place, refitted: SweepRecord
) -> None:
    done = CliRunner().invoke(cli, ["promote", "ridges", "--tracking-uri", place.uri])
    assert done.exit_code == 0, done.output
    assert refitted.refit is not None
    assert f"refit   trained again on train+valid: test rmse {refitted.refit.test_rmse:.6g}\n" in done.output
    again = place.promote("ridges")
    assert again.model is not None
    assert (again.model.version, again.refit) == (1, refitted.refit)
    assert len(place.client.search_model_versions("name = 'ridges'")) == 1


def test_a_sweep_may_be_refitted_later_and_not_be_refitted_after_all(place: Place) -> None:
    plain = place.run(RIDGE, "later")
    refit = place.promote("later", refit="train+valid", gate="none")
    assert refit.model is not None
    assert (refit.model.version, refit.model.alias) == (2, "champion")
    verdict, _ = place.evidence("later", 2)
    winner = pick(plain.finalists)
    assert verdict["comparison"]["rival_rmse"] == pytest.approx(winner.test_rmse)
    assert refit.refit is not None
    assert verdict["comparison"]["rmse"] == pytest.approx(refit.refit.test_rmse)
    after_all = place.promote("later", refit="none", gate="none")
    assert after_all.model is not None
    assert (after_all.model.version, after_all.refit) == (1, None)
    assert read_sweep(place.store, plain.run_id).refit is None
    assert len(place.client.search_model_versions("name = 'later'")) == 2


def test_the_best_number_of_rounds_is_carried_over(place: Place) -> None:
    from xgboost import XGBRegressor

    record = place.run(BOOSTED, "boosted", refit="train+valid", threads=1)
    winner = next(t for t in record.trials if t.number == pick(record.finalists).number)
    rounds = int(winner.outcome.metrics["best_iteration"]) + 1
    assert rounds < 60
    registered = place.pipeline("boosted")
    assert registered["model"].get_booster().num_boosted_rounds() == rounds
    X, y = both()
    depth = int(winner.trial.proposal.point["max_depth"])
    by_hand = XGBRegressor(max_depth=depth, learning_rate=0.2, n_estimators=rounds, random_state=0, n_jobs=1)
    features = clone(registered["features"]).fit(X)
    by_hand.fit(features.transform(X), y)
    _, rows = diabetes()
    expected = by_hand.predict(features.transform(rows.X))
    np.testing.assert_allclose(registered.predict(rows.X), expected, rtol=1e-5)


def test_a_cross_validation_trains_on_both_anyway(place: Place) -> None:
    record = place.run(RIDGE, "folds", cv=3, refit="train+valid", trials=2)
    assert record.refit is None
    tags = place.tags("folds")
    assert (tags["trained_on"], "form" in tags) == ("train+valid", False)
    said: list[str] = []
    place.promote("folds", tell=said.append)
    assert said == ["--refit train+valid: --cv trains the finalists on these rows in any case"]


def without_test(folder: Path) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    for name in ("train", "valid"):
        frame = pd.DataFrame({"x": draw.normal(size=60)})
        frame.assign(y=2 * frame["x"] + draw.normal(size=60)).to_csv(folder / f"{name}.csv", index=False)
    files = {name: str(folder / f"{name}.csv") for name in ("train", "valid")}
    return {"data": None, **files, "target": "y"}


@pytest.fixture(scope="module")
def untested(place: Place) -> SweepRecord:
    """A sweep on data without test rows."""
    return place.run(RIDGE, "untested", **without_test(place.folder), trials=2)


@pytest.mark.parametrize(
    ("asked", "what"), [({"refit": "train+valid"}, "--refit train+valid"), ({"blend": True}, "--blend")]
)
def test_without_test_rows_nothing_could_judge_it(
    place: Place, untested: SweepRecord, asked: dict[str, Any], what: str
) -> None:
    """It is said before a trial runs, and of a sweep that is there before anything is trained again."""
    name = next(iter(asked))
    with pytest.raises(
        UsageError, match=rf"{re.escape(what)}: .*test rows.* \(name them with --test FILE, or leave"
    ):
        place.run(RIDGE, f"no-{name}", **without_test(place.folder), **asked)
    assert not [s for s in sweeps_of(place) if s == f"no-{name}"]
    with pytest.raises(UsageError, match="test rows"):
        place.promote(untested.name, **asked)
    assert len(place.client.search_model_versions(f"name = '{untested.name}'")) == 1


def sweeps_of(place: Place) -> list[str]:
    experiments = [e.experiment_id for e in place.client.search_experiments()]
    runs = place.client.search_runs(experiments, "tags.`sweeps.kind` = 'sweep'")
    return [run.info.run_name for run in runs]


def test_a_refit_that_fails_loses_nothing(place: Place) -> None:
    body = TRAIN.replace("WITHOUT", "raise RuntimeError('no rows to stop by')")
    with pytest.raises(NoUsableTrialError) as raised:
        place.run(body, "stubborn", refit="train+valid")
    text = str(raised.value)
    assert "could not be trained again on training and validation rows: trial " in text
    assert "RuntimeError: no rows to stop by" in text
    assert "--refit none registers it as it was chosen)" in text
    assert place.client.search_model_versions("name = 'stubborn'") == []
    [run] = [r for r in place.client.search_runs(["1"]) if r.info.run_name == "stubborn"]
    assert run.data.tags["sweeps.state"] == "COMPLETE"
    record = place.promote("stubborn", refit="none")
    assert record.model is not None
    assert (record.model.alias, len(record.finalists), record.refit) == ("champion", 3, None)
    assert float(place.tags("stubborn")["test_rmse"]) == pick(record.finalists).test_rmse


def test_a_train_that_has_nothing_to_score_itself_on_is_refitted(place: Place) -> None:
    record = place.run(
        TRAIN.replace("WITHOUT", "return float('nan'), model"), "unscored", refit="train+valid"
    )
    assert record.refit is not None
    assert record.model is not None


@pytest.mark.parametrize(("refit", "blend", "cv", "says"), [
    ("train", False, None, "--refit: must be none or train.valid, got 'train'"),
    ("none", True, 3, "--blend: chooses weights on validation rows, which --cv 3 trains the finalists on"),
])  # fmt: skip
def test_what_cannot_be(refit: str, blend: bool, cv: int | None, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Sweep("ridge", DataSpec("diabetes", cv=cv), StopRules(3), 1, refit=refit, blend=blend)


def test_settings_travel_and_older_versions_read_them_where_they_say_nothing_new() -> None:
    plain = Sweep("ridge", DataSpec("diabetes"), StopRules(3), 1)
    assert not {"refit", "blend", "gate"} & plain.to_json().keys()
    asked = Sweep("ridge", DataSpec("diabetes"), StopRules(3), 1, refit="train+valid", blend=True)
    assert Sweep.from_json(json.loads(json.dumps(asked.to_json()))) == asked
