"""``--blend``: an average of finalists as one registered model, where it is better than the single winner."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.base import clone
from sklearn.metrics import root_mean_squared_error

from sweeps import Gate, SweepRecord
from sweeps.api.doctor import examine
from sweeps.cli.main import cli
from sweeps.data.datasets import Split, load_dataset
from sweeps.data.spec import DataSpec
from sweeps.record import Member
from sweeps.registry import form_of
from sweeps.registry.forms import promoted_by
from sweeps.registry.standing import VALIDATED
from sweeps.selection import pick
from sweeps.tracking.reader import read_sweep
from tests.finished import Place

HALVES = """
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
SPACE = {"column": hp.choice("column", [0, 1])}
FIRST = [{"column": 0}, {"column": 1}]
def MODEL(column):
    return make_pipeline(make_column_transformer(("passthrough", [column])), Ridge(alpha=0.1))
"""
"""Each model sees one of two columns; what they see adds up."""
DATA = """
import numpy as np
import pandas as pd

def rows(seed, share):
    draw = np.random.default_rng(seed)
    X = pd.DataFrame({"a": draw.normal(size=200), "b": draw.normal(size=200)})
    y = 3 * X["a"] + 2.5 * share * X["b"] + draw.normal(size=200) / 3 + (10 if share else 0)
    return X, y.rename("y")

def both():
    return {"train": rows(0, 1), "valid": rows(1, 1), "test": rows(2, 1)}

def one():
    return {"train": rows(0, 0), "valid": rows(1, 0), "test": rows(2, 0)}

def otherwise():
    X, y = rows(2, 1)
    return {"train": rows(0, 1), "valid": rows(1, 1), "test": (X, (3 * X["a"] + 10).rename("y"))}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("blend"))
    (made.folder / "rows.py").write_text(DATA)
    return made


def run(place: Place, name: str, function: str, **settings: Any) -> SweepRecord:
    given = {"trials": 2, "blend": True, **settings}
    return place.run(HALVES, name, f"{place.folder / 'rows.py'}:{function}", **given)


@pytest.fixture(scope="module")
def blended(place: Place) -> SweepRecord:
    """A sweep whose two finalists are better together."""
    return run(place, "halves", "both")


def held_out(place: Place, function: str = "both") -> Split:
    split = load_dataset(DataSpec(f"{place.folder / 'rows.py'}:{function}")).test
    assert split is not None
    return split


def test_the_average_is_registered_where_it_beats_the_winner(place: Place, blended: SweepRecord) -> None:
    blend, winner, rows = blended.blend, pick(blended.finalists), held_out(place)
    assert blend is not None
    assert blend.taken
    assert "beats the winner's" in blend.reason
    assert {m.number for m in blend.members} == {0, 1}
    assert sum(m.weight for m in blend.members) == pytest.approx(1)
    assert blend.rmse < min(f.rmse for f in blended.finalists)
    assert blend.test_rmse is not None
    assert winner.test_rmse is not None
    assert blend.test_rmse < winner.test_rmse
    registered = place.pipeline("halves")
    scored = root_mean_squared_error(rows.y, registered.predict(rows.X))
    assert scored == pytest.approx(blend.test_rmse, rel=1e-9)
    parts = np.array([part.predict(rows.X) for part in registered.estimators_])
    weights = np.array([m.weight for m in blend.members])
    np.testing.assert_allclose(weights @ parts, registered.predict(rows.X), rtol=1e-12)
    assert blended.model is not None
    assert blended.model.alias == "champion"


def test_the_verdict_says_what_the_members_are(place: Place, blended: SweepRecord) -> None:
    blend, winner = blended.blend, pick(blended.finalists)
    assert blend is not None
    verdict, card = place.evidence("halves")
    runs = {t.number: t.trial.run_id for t in blended.trials}
    assert verdict["blend"] == {
        "taken": True, "reason": blend.reason, "validation_rmse": blend.rmse, "test_rmse": blend.test_rmse,
        "trained_on": "train",
        "members": [{"trial": m.number, "run_id": runs[m.number], "weight": m.weight} for m in blend.members],
    }  # fmt: skip
    assert verdict["winner"] == {
        "trial": winner.number, "run_id": runs[winner.number], "validation_rmse": winner.rmse,
        "test_rmse": winner.test_rmse, "trained_on": "train",
    }  # fmt: skip
    assert verdict["rmse"] == pytest.approx(blend.test_rmse)
    assert (verdict["sweep"]["trial"], verdict["refit"]) == (None, None)
    assert verdict["selection"]["finalists"] == 3
    assert "among 2 finalists and their blend on the rows" in card
    assert "| member | weight |" in card
    assert f"test rmse of the winner, trial {winner.number}, trained on train&emsp;" in card
    tags = place.tags("halves")
    assert (float(tags["blend_rmse"]), float(tags["blend_test_rmse"])) == (blend.rmse, blend.test_rmse)
    assert (tags["winner"], float(tags["winner_test_rmse"])) == (str(winner.number), winner.test_rmse)
    assert tags["form"] == form_of(blend.members)
    assert not {"trial", "rmse", "test_rmse"} & tags.keys()


def test_the_sweep_tells_it_to_whoever_asks(place: Place, blended: SweepRecord) -> None:
    assert blended.blend is not None
    assert read_sweep(place.store, blended.run_id).blend == blended.blend
    metrics = place.client.get_run(blended.run_id).data.metrics
    assert metrics["blend_test_rmse"] == blended.blend.test_rmse
    shown = CliRunner().invoke(cli, ["show", "halves", "--tracking-uri", place.uri]).output
    assert f"{blended.blend.formula}: validation rmse" in shown
    for member in blended.blend.members:
        run_id = next(t.trial.run_id for t in blended.trials if t.number == member.number)
        note = place.client.get_run(run_id).data.tags["mlflow.note.content"]
        assert f"Registered in a blend with weight {member.weight:.3g} as" in note
    page = (place.folder / "results" / "halves" / "report.html").read_text()
    assert "rmse on test, blend (taken)" in page


ELSEWHERE = """
import sys
sys.modules["sweeps"] = None  # as where it is not installed
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
print(*map(repr, map(float, model.predict(pandas.read_json(sys.argv[2])))))
"""


def test_it_loads_where_this_package_is_not_installed(
    place: Place, blended: SweepRecord, tmp_path: Path
) -> None:
    """Both members have features of their own; nothing but scikit-learn is needed to put them together."""
    assert blended.model is not None
    version = place.client.get_model_version("halves", "1")
    logged = place.client.get_logged_model(str(version.source).removeprefix("models:/"))
    rows = held_out(place).X.head(5)
    rows.to_json(tmp_path / "rows.json", double_precision=15)
    words = [sys.executable, "-P", "-W", "ignore", "-c", ELSEWHERE, logged.artifact_location]
    done = subprocess.run(
        [*words, str(tmp_path / "rows.json")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    expected = place.pipeline("halves").predict(rows)
    np.testing.assert_allclose([float(text) for text in done.stdout.split()], expected, rtol=1e-9)
    requirements = Path(logged.artifact_location.removeprefix("file://")) / "requirements.txt"
    assert "sweeps" not in requirements.read_text()


def test_promoting_it_again_makes_no_second_version(place: Place, blended: SweepRecord) -> None:
    again = place.promote("halves")
    assert (again.blend, again.model.version if again.model else None) == (blended.blend, 1)
    assert len(place.client.search_model_versions("name = 'halves'")) == 1


def test_a_blend_that_is_better_on_validation_rows_only_is_not_taken(
    place: Place, blended: SweepRecord
) -> None:
    """The weights are the same as with the other test rows: these have no say in them."""
    record = run(place, "otherwise", "otherwise")
    blend, winner = record.blend, pick(record.finalists)
    assert blend is not None
    assert not blend.taken
    assert "does not beat the winner's" in blend.reason
    assert blended.blend is not None
    assert blend.members == blended.blend.members
    tags = place.tags("otherwise")
    assert (tags["trial"], "form" in tags) == (str(winner.number), False)
    assert float(tags["test_rmse"]) == winner.test_rmse
    verdict, card = place.evidence("otherwise")
    assert (verdict["blend"]["taken"], verdict["sweep"]["trial"]) == (False, winner.number)
    assert verdict["rmse"] == pytest.approx(winner.test_rmse)
    assert "A blend of finalists was not taken: rmse" in card
    for gate in ("none", "significant"):
        promoted = place.promote("otherwise", register_as=f"otherwise-{gate}", gate=gate)
        assert promoted.blend is not None
        assert not promoted.blend.taken


def test_where_no_average_is_better_there_is_none(place: Place) -> None:
    record = run(place, "one", "one")
    assert record.blend is not None
    [member] = record.blend.members
    reason = f"no average is better than trial {member.number} alone on the validation rows"
    assert (record.blend.taken, record.blend.reason, record.blend.test_rmse) == (False, reason, None)
    assert record.model is not None
    assert "form" not in place.tags("one")


def test_a_blend_that_is_too_large_leaves_the_place_to_the_winner(place: Place) -> None:
    record = run(place, "sizes", "both", blend=False)
    assert record.blend is None
    verdict, _ = place.evidence("sizes")
    size = next(float(c["figure"].split()[0]) for c in verdict["checks"] if c["name"] == "size")
    promoted = place.promote("sizes", blend=True, gate=Gate(max_size=1.2 * size), register_as="small")
    assert promoted.blend is not None
    assert not promoted.blend.taken
    assert promoted.blend.reason.startswith("it did not pass: size: ")
    assert promoted.model is not None
    assert promoted.model.alias == "champion"


def test_members_are_trained_again_and_keep_their_weights(place: Place, blended: SweepRecord) -> None:
    record = place.promote("halves", refit="train+valid", gate="none", register_as="refitted")
    assert (record.blend, blended.blend) == (blended.blend, record.blend)
    assert record.refit is not None
    assert record.blend is not None
    registered, rows = place.pipeline("refitted"), held_out(place)
    assert list(registered.weights) == [m.weight for m in record.blend.members]
    scored = root_mean_squared_error(rows.y, registered.predict(rows.X))
    assert record.refit.test_rmse == pytest.approx(scored, rel=1e-9)
    dataset = load_dataset(DataSpec(f"{place.folder / 'rows.py'}:both"))
    assert dataset.valid is not None
    X, y = pd.concat([dataset.train.X, dataset.valid.X]), np.append(dataset.train.y, dataset.valid.y)
    for part in registered.estimators_:
        np.testing.assert_allclose(part.predict(rows.X), clone(part).fit(X, y).predict(rows.X), rtol=1e-9)
    tags = place.tags("refitted")
    assert tags["form"] == form_of(record.blend.members, refit=True)
    assert float(tags["blend_test_rmse"]) == record.blend.test_rmse
    assert float(tags["refit_test_rmse"]) == record.refit.test_rmse
    _, card = place.evidence("refitted")
    assert "test rmse of the blend, trained on train&emsp;" in card
    assert "test rmse, trained on train+valid&emsp;" in card
    place.promote("halves", refit="train+valid", gate="none", register_as="refitted")
    assert len(place.client.search_model_versions("name = 'refitted'")) == 1


def test_a_blend_that_was_never_checked_is_found_with_what_to_type(
    place: Place, blended: SweepRecord
) -> None:
    place.promote("halves", register_as="cut")
    place.client.delete_model_version_tag("cut", "1", VALIDATED)
    [found] = [f for f in examine(place.store) if f.what == "model cut version 1" and f.mend is None]
    assert found.next_step == f"sweeps promote {blended.run_id[:8]} --as cut --blend"
    done = CliRunner().invoke(cli, [*found.next_step.split()[1:], "--tracking-uri", place.uri])
    assert done.exit_code == 0, done.output
    assert "\nblend   " in done.output
    assert not [f for f in examine(place.store) if f.what == "model cut version 1"]


def test_forms_tell_models_of_one_run_apart() -> None:
    members = [Member(3, 0.6), Member(1, 0.4)]
    assert form_of() == ""
    assert form_of(members) == "blend 3:0.6 1:0.4" != form_of([Member(3, 0.5), Member(1, 0.5)])
    assert promoted_by(form_of(members, refit=True)) == " --blend --refit train+valid"
    assert (promoted_by(form_of(refit=True)), promoted_by("")) == (" --refit train+valid", "")
