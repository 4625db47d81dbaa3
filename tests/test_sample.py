"""``--sample 10%``: the search trains on some of the training rows, the finalists on all of them."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.base import clone
from sklearn.metrics import root_mean_squared_error

from sweeps import SweepRecord, resume_sweep
from sweeps.api.reproduce import reproduce_trial
from sweeps.cli.main import cli
from sweeps.data.cache_keys import encoded_key
from sweeps.data.column_roles import assign_roles
from sweeps.data.datasets import Dataset, Split, load_dataset
from sweeps.data.sampling import sample_of, sampled
from sweeps.data.spec import DataSpec
from sweeps.errors import DataError
from sweeps.record import Finalist, Sample
from sweeps.reproduction import Match
from sweeps.selection import pick
from sweeps.settings import Sweep
from sweeps.stopping import StopRules
from sweeps.tracking.reader import read_sweep
from sweeps.trial import Encoding
from tests.finished import Place
from tests.made_trips import write_months

RIDGE = """
from sklearn.linear_model import Ridge as MODEL
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
"""
BOOSTED = """
from xgboost import XGBRegressor as MODEL
SPACE = {"max_depth": scope.int(hp.quniform("max_depth", 2, 4, 1)), "random_state": 0,
         "learning_rate": hp.uniform("learning_rate", 0.1, 0.3), "n_estimators": 60,
         "early_stopping_rounds": 4}
"""
TRAIN = """
from sklearn.linear_model import Ridge
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
def train(params, data, report):
    rows = len(data.y_train)
    REFUSE
    model = Ridge(**params).fit(data.X_train, data.y_train)
    rmse = float(((model.predict(data.X_valid) - data.y_valid) ** 2).mean() ** 0.5)
    return {"rmse": rmse, "rows": rows, "held_out": len(data.y_valid)}, model
"""
ALL = 265
"""Training rows of the diabetes table."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def drawn(place: Place) -> SweepRecord:
    """A sweep on 100 of the 265 training rows."""
    return place.run(RIDGE, "drawn", sample=100)


@pytest.fixture(scope="module")
def diabetes() -> Dataset:
    return load_dataset(DataSpec("diabetes"))


def held_out(dataset: Dataset) -> tuple[Split, Split]:
    """Validation and test rows."""
    assert dataset.valid is not None
    assert dataset.test is not None
    return dataset.valid, dataset.test


def test_trials_see_some_rows_and_finalists_all(place: Place) -> None:
    record = place.run(TRAIN.replace("REFUSE", ""), "counted", sample="40%", register=False)
    assert {t.outcome.metrics["rows"] for t in record.trials} == {106}
    assert {t.outcome.metrics["held_out"] for t in record.trials} == {89}
    assert record.sample is not None
    assert (record.sample.rows, record.sample.of) == (106, ALL)


def test_what_is_registered_was_trained_on_all_training_rows(
    place: Place, drawn: SweepRecord, diabetes: Dataset
) -> None:
    valid, test = held_out(diabetes)
    assert drawn.sample == sample_of(sampled(diabetes, "100"))
    winner, registered = pick(drawn.finalists), place.pipeline("drawn")
    by_hand = clone(registered).fit(diabetes.train.X, diabetes.train.y)
    np.testing.assert_allclose(registered.predict(test.X), by_hand.predict(test.X), rtol=1e-9)
    assert winner.test_rmse == pytest.approx(root_mean_squared_error(test.y, by_hand.predict(test.X)))
    assert winner.whole_rmse == pytest.approx(root_mean_squared_error(valid.y, by_hand.predict(valid.X)))
    part = sampled(diabetes, "100").train
    searched = clone(registered).fit(part.X, part.y)
    assert winner.rmse == pytest.approx(root_mean_squared_error(valid.y, searched.predict(valid.X)))


@pytest.mark.parametrize(
    ("body", "settings"),
    [
        (RIDGE, {}),
        (BOOSTED, {"threads": 1}),
        (RIDGE, {"cv": 3}),
        (BOOSTED, {"threads": 1, "cv": 3}),
        (RIDGE, {"data": "green-taxi:2023-01,2023-02,2023-03", "features": "dataset"}),
    ],
    ids=["ridge", "boosted", "ridge-cv", "boosted-cv", "recipe"],
)
def test_a_finalist_is_its_trial_as_if_there_were_no_sample(
    place: Place, request: pytest.FixtureRequest, body: str, settings: dict[str, Any]
) -> None:
    name = request.node.callspec.id
    write_months(place.folder / "months", 1, 2, 3)
    given = {"algo": "random", "trials": 4, "top": 4, "data_dir": place.folder / "months", **settings}
    whole = place.run(body, f"whole-{name}", **given)
    part = place.run(body, f"part-{name}", **given, sample="40%")
    trials = {t.number: t.outcome for t in whole.trials}
    tested = {f.number: f.test_rmse for f in whole.finalists}
    assert {f.number: f.whole_rmse for f in part.finalists} == {n: o.rmse for n, o in trials.items()}
    assert {f.number: f.test_rmse for f in part.finalists} == tested
    assert all(f.rmse != f.whole_rmse for f in part.finalists)
    best = {n: round(o.metrics.get("best_iteration", -1)) + 1 for n, o in trials.items()}
    assert {f.number: f.rounds for f in part.finalists} == best
    assert pick(part.finalists).number == pick(whole.finalists).number


def test_who_reads_the_sweep_is_told(place: Place, drawn: SweepRecord) -> None:
    winner = pick(drawn.finalists)
    again = read_sweep(place.store, drawn.run_id)
    assert (again.sample, list(again.finalists)) == (drawn.sample, list(drawn.finalists))
    assert again.settings["sample"] == "100"
    folder = place.folder / "results" / "drawn"
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["sample"] == {"rows": 100, "of": ALL}
    assert {f["whole_rmse"] for f in summary["finalists"]} == {f.whole_rmse for f in drawn.finalists}
    assert "100 of 265 training rows" in (folder / "report.html").read_text()
    assert "rmse,whole_rmse,test_rmse" in (folder / "leaderboard.csv").read_text().partition("\n")[0]
    note = place.client.get_run(drawn.run_id).data.tags["mlflow.note.content"]
    assert "Trials were trained on 100 of 265 training rows, the finalists again on all of them." in note
    shown = CliRunner().invoke(cli, ["show", "drawn", "--tracking-uri", place.uri]).output
    words = " ".join(shown.split())
    assert "the trials were trained on 100 of 265 training rows; the finalists were trained" in words
    assert "--sample 100" in words
    trial = next(t for t in drawn.trials if t.number == winner.number)
    metrics = place.client.get_run(trial.trial.run_id).data.metrics
    assert [metrics[name] for name in ("rmse", "whole_rmse", "test_rmse")] == [
        winner.rmse, winner.whole_rmse, winner.test_rmse,
    ]  # fmt: skip


def test_the_verdict_keeps_the_figures_apart(place: Place, drawn: SweepRecord) -> None:
    winner, tags = pick(drawn.finalists), place.tags("drawn")
    assert (tags["trained_on"], tags["searched_on"]) == ("train", "100 of 265 training rows")
    assert (float(tags["whole_rmse"]), float(tags["test_rmse"])) == (winner.whole_rmse, winner.test_rmse)
    assert "rmse" not in tags
    verdict, card = place.evidence("drawn")
    assert verdict["sample"] == {"rows": 100, "of": ALL, "validation_rmse": winner.rmse}
    assert verdict["validation_rmse"] == winner.whole_rmse
    assert "The search trained on a sample, 100 of 265 training rows; its finalists were trained" in card
    assert f"validation rmse of trial {winner.number}, trained on the sample" in card


def test_a_refit_takes_the_rounds_that_were_best_on_all_rows(place: Place) -> None:
    record = place.run(BOOSTED, "rounds", sample="40%", refit="train+valid", threads=1)
    winner = pick(record.finalists)
    assert place.pipeline("rounds")["model"].get_booster().num_boosted_rounds() == winner.rounds
    plain = place.run(BOOSTED, "later", sample="40%", threads=1)
    assert pick(plain.finalists) == winner
    later = place.promote("later", refit="train+valid", gate="none")
    assert (later.refit, later.sample) == (record.refit, record.sample)
    assert place.pipeline("later", 2)["model"].get_booster().num_boosted_rounds() == winner.rounds


def test_a_blend_is_of_models_of_all_rows(place: Place) -> None:
    given: dict[str, Any] = {"algo": "random", "trials": 4, "top": 4, "threads": 1}
    whole = place.run(BOOSTED, "blend-whole", **given, blend=True)
    part = place.run(BOOSTED, "blend-part", **given, blend=True, sample="40%")
    assert whole.blend is not None
    assert part.blend is not None
    assert (part.blend.rmse, part.blend.test_rmse) == pytest.approx((whole.blend.rmse, whole.blend.test_rmse))
    later = place.run(BOOSTED, "blend-later", **given, sample="40%")
    assert later.blend is None
    promoted = place.promote("blend-later", blend=True).blend
    assert promoted is not None
    assert replace(promoted, members=tuple(promoted.members)) == replace(
        part.blend, members=tuple(part.blend.members)
    )


def test_a_resumed_sweep_goes_on_with_the_same_rows(place: Place) -> None:
    body = TRAIN.replace("REFUSE", "")
    begun = place.run(body, "resumed", sample="40%", trials=2)
    stored: dict[str, Any] = {"tracking_uri": place.uri, "results": place.folder / "results"}
    record = resume_sweep("resumed", trials=4, **stored)
    assert {t.outcome.metrics["rows"] for t in record.trials} == {106}
    assert (len(record.trials), record.sample) == (4, begun.sample)
    assert len(record.finalists) == 4
    assert record.sample is not None
    other = {"rows": 106, "of": ALL, "digest": "0" * 16}
    place.client.set_tag(record.run_id, "sweeps.sample", json.dumps(other))
    with pytest.raises(DataError, match=r"--sample: is another than when .* began: digest 0000.*NumPy"):
        resume_sweep("resumed", trials=5, **stored)
    accepted = resume_sweep("resumed", trials=5, accept_changes=True, **stored)
    assert accepted.sample == begun.sample


def test_a_trial_is_reproduced_on_its_sample(place: Place, drawn: SweepRecord) -> None:
    found = reproduce_trial("drawn:best", tracking_uri=place.uri)
    assert (found.match, found.changes) == (Match.EQUAL, {})


def test_an_interrupted_sweep_is_promoted_from_all_rows(place: Place, drawn: SweepRecord) -> None:
    place.run(RIDGE, "unfinished", sample=100)
    for tag in ("sweeps.finalists", "sweeps.model"):
        place.client.delete_tag(find(place, "unfinished"), tag)
    record = place.promote("unfinished", register_as="finished")
    assert list(record.finalists) == list(drawn.finalists)


def find(place: Place, name: str) -> str:
    experiments = [e.experiment_id for e in place.client.search_experiments()]
    runs = place.client.search_runs(experiments, f"attributes.run_name = '{name}'")
    return str(runs[0].info.run_id)


def test_a_finalist_that_fails_on_all_rows_does_not_win(place: Place) -> None:
    refuse = "if rows > 200 and params['alpha'] < 0.2: raise MemoryError('too many rows')"
    record = place.run(TRAIN.replace("REFUSE", refuse), "partly", sample=100, trials=8, top=8, algo="random")
    failed = [f for f in record.finalists if f.whole_rmse is None]
    assert 0 < len(failed) < 8
    assert all(f.test_rmse is None for f in failed)
    assert pick(record.finalists) not in failed
    assert record.model is not None


def test_without_test_rows_the_models_of_all_rows_are_compared() -> None:
    again = [Finalist(1, 1.1, None, whole_rmse=0.9), Finalist(2, 1.2, None, whole_rmse=0.8)]
    assert pick([Finalist(0, 0.7, None), *again]).number == 2


def test_asking_for_all_rows_is_told_and_changes_nothing(place: Place) -> None:
    asked = "--data diabetes --trials 2 --seed 1 --engine serial --no-register --name"
    words = ["run", "ridge", *asked.split()]
    stored = ["--tracking-uri", place.uri, "--results-dir", str(place.folder / "results")]
    done = CliRunner().invoke(cli, [*words, "all", "--sample", "5000", *stored])
    assert done.exit_code == 0, done.output
    assert "warning: --sample 5000: there are no more training rows than that, all of them" in done.output
    assert read_sweep(place.store, find(place, "all")).sample is None
    done = CliRunner().invoke(cli, [*words, "some", "--sample", "50%", *stored])
    assert "the search trains on 132 of 265 training rows, the finalists on all of them\n" in done.output
    assert "sample   the trials were trained on 132 of 265 training rows; the finalists" in done.output


def test_the_split_seed_draws_and_the_order_stays(diabetes: Dataset) -> None:
    part = sampled(diabetes, "100")
    assert sample_of(part) == Sample(100, ALL, part.train.digest)
    assert sampled(diabetes, "100").train.digest == part.train.digest
    other = sampled(load_dataset(DataSpec("diabetes", seed=1)), "100")
    assert other.train.digest != part.train.digest
    numbered = Split(pd.DataFrame({"place": range(ALL)}), diabetes.train.y, "")
    places = sampled(replace(diabetes, train=numbered), "100").train.X["place"].to_numpy()
    assert (np.diff(places) > 0).all()
    assert part.valid is diabetes.valid
    assert sampled(diabetes, None) is diabetes
    assert sampled(diabetes, "100%") is diabetes


def test_under_cv_folds_are_cut_from_a_sample_of_all_their_rows() -> None:
    dataset = load_dataset(DataSpec("diabetes", cv=3))
    part = sampled(dataset, "50%")
    valid, _ = held_out(dataset)
    assert part.sampled_from == ALL + len(valid.y)
    assert (part.valid, len(part.train.y)) == (None, round((ALL + len(valid.y)) / 2))


def test_a_sample_is_prepared_data_of_its_own(diabetes: Dataset) -> None:
    """Also where its rows are all of another dataset: how many there were decides what an identifier is."""
    encoding, part = Encoding(True, True), sampled(diabetes, "100")
    keys = {encoded_key(one, encoding, "auto") for one in (diabetes, part, replace(part, sampled_from=None))}
    assert len(keys) == 3


def test_a_row_number_is_one_in_a_sample_too() -> None:
    frame = pd.DataFrame({"place": np.arange(3, 1000, 10), "size": np.arange(100) % 7})
    assert assign_roles(frame, (), drawn_from=1000).numbers == ("size",)
    assert assign_roles(frame, ()).numbers == ("place", "size")


def test_settings_travel_and_older_versions_read_them_without_a_sample() -> None:
    plain = Sweep("ridge", DataSpec("diabetes"), StopRules(3), 1)
    assert "sample" not in plain.to_json()
    asked = Sweep("ridge", DataSpec("diabetes"), StopRules(3), 1, sample="10%")
    assert Sweep.from_json(json.loads(json.dumps(asked.to_json()))) == asked
