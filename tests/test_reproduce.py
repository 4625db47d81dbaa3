"""``sweeps reproduce``: a recorded trial is trained again, and compared with its record."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from sweeps.api.reproduce import reproduce_trial
from sweeps.api.run import run_sweep
from sweeps.cli.main import main
from sweeps.record import SweepRecord
from sweeps.reproduction import Match
from sweeps.tracking.store import open_store
from sweeps.trial import State
from tests.laws.make import write_space

BOOSTED = """
from xgboost import XGBRegressor
SPACE = {
    "max_depth": scope.int(hp.quniform("max_depth", 2, 5, 1)),
    "subsample": hp.uniform("subsample", 0.5, 1),
    "n_estimators": 40,
    "early_stopping_rounds": 10,
}
FIRST = [{"max_depth": depth} for depth in (3, 2, 4, 5, 3)]
def MODEL(**params):
    model = XGBRegressor(**params)
    if params["max_depth"] == 5:
        model.get_num_boosting_rounds = unlucky  # asked for in training, not by the lint
    return model
def unlucky():
    raise ValueError("depth 5 is unlucky")
"""


class Swept(NamedTuple):
    """A sweep over a file that a test may change."""

    record: SweepRecord
    uri: str
    folder: Path

    @property
    def table(self) -> Path:
        """The file."""
        return self.folder / "rows.csv"

    def run_of(self, state: State) -> str:
        """The run of the first trial in a state."""
        return next(t.trial.run_id for t in self.record.trials if t.outcome.state is state)


def rows(seed: int = 0) -> pd.DataFrame:
    """A table to learn from."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(300, 4)).round(3), columns=list("abcd"))
    return frame.assign(y=(frame.a * 3 + frame.b**2 + random.normal(size=300)).round(3))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """A finished sweep with complete, failed and pruned trials."""
    folder = tmp_path_factory.mktemp("swept")
    rows().to_csv(folder / "rows.csv", index=False)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    record = run_sweep(
        write_space(folder, BOOSTED),
        table=folder / "rows.csv",
        target="y",
        trials=8,
        seed=3,
        prune="median",
        prune_options={"min_trials": "1", "min_rounds": "2"},
        engine="serial",
        register=False,
        tracking_uri=uri,
        results=folder / "results",
    )
    assert {t.outcome.state for t in record.trials} == {State.COMPLETE, State.FAILED, State.PRUNED}
    return Swept(record, uri, folder)


@pytest.fixture
def changed_rows(made: Swept) -> Iterator[None]:
    """Other rows in the file, for one test."""
    before = made.table.read_bytes()
    rows(1).to_csv(made.table, index=False)
    yield
    made.table.write_bytes(before)


@pytest.fixture
def command(
    made: Swept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Our command line on the sweep's store."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["sweeps", "reproduce", *words, "--tracking-uri", made.uri])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


@pytest.mark.parametrize("state", [State.COMPLETE, State.FAILED, State.PRUNED])
def test_every_kind_of_trial_comes_out_bit_equal_from_its_run_id(made: Swept, state: State) -> None:
    run_id = made.run_of(state)
    found = reproduce_trial(run_id[:12], tracking_uri=made.uri)
    assert (found.run_id, found.recorded.state) == (run_id, state)
    assert found.match is Match.EQUAL
    assert found.changes == {}
    assert bool(found.points) is (state is not State.FAILED)
    assert ("rmse" in {figure.name for figure in found.figures}) is (state is State.COMPLETE)


def test_the_best_trial_of_the_latest_sweep(
    made: Swept, command: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = command("last:best", "--json")
    answer = json.loads(out)
    assert code == 0
    assert made.record.best is not None
    assert (answer["trial"], answer["match"]) == (made.record.best.number, "bit-equal")
    assert answer["figures"]["rmse"]["now"] == made.record.best.outcome.rmse
    assert answer["curve"]["points"] == answer["curve"]["equal"] > 0


@pytest.mark.usefixtures("changed_rows")
def test_other_rows_are_different_and_said_to_be_why(command: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = command("last:best")
    assert code == 9
    assert "different" in out
    assert err.startswith("error: trial ")
    assert err.count("\n") == 1
    assert "rmse " in err
    assert "data_digest" in err


def test_figures_that_are_near_are_within_tolerance(made: Swept, command: Callable[..., Any]) -> None:
    best = made.record.best
    assert best is not None
    client, rmse = open_store(made.uri).client, best.outcome.rmse or 0.0
    client.log_metric(best.trial.run_id, "rmse", rmse * (1 + 1e-9), timestamp=2**42)
    code, out, _ = command(best.trial.run_id, "--json")
    assert (code, json.loads(out)["match"]) == (0, "within tolerance")
    code, out, err = command(best.trial.run_id, "--json", "--tolerance", "1e-12")
    assert (code, json.loads(out)["match"]) == (9, "different")
    assert "nothing known" in err
    client.log_metric(best.trial.run_id, "rmse", rmse, timestamp=2**42 + 1)


def test_other_versions_are_told_with_the_command_that_brings_them_back(
    made: Swept, command: Callable[..., Any]
) -> None:
    client, run_id = open_store(made.uri).client, made.record.run_id
    kept = client.get_run(run_id).data.tags["sweeps.environment"]
    client.set_tag(run_id, "sweeps.environment", json.dumps({**json.loads(kept), "xgboost": "2.9.9"}))
    rows(1).to_csv(made.folder / "other.csv", index=False)
    code, out, err = command("last:best", "--table", str(made.folder / "other.csv"), "--json")
    client.set_tag(run_id, "sweeps.environment", kept)
    assert code == 9
    assert json.loads(out)["changes"]["xgboost"]["then"] == "2.9.9"
    assert "pip install xgboost==2.9.9" in err


def test_a_changed_space_is_refused_and_the_kept_one_can_be_had(
    made: Swept, command: Callable[..., Any]
) -> None:
    space, kept = made.folder / "made.py", made.folder / "kept.py"
    before = space.read_text()
    space.write_text(before + "\n# another\n")
    code, _, err = command("last:best")
    assert code == 3
    assert "--save-space" in err
    assert command("last:best", "--save-space", str(kept))[0] == 0
    assert kept.read_text() == before
    assert command("last:best", "--save-space", str(kept))[0] == 4
    assert command("last:best", "--space", str(kept))[0] == 0
    space.write_text(before)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ffffffffffff",), "no trial with that run id"),
        (("nothing:3",), "no such sweep"),
        (("last:99",), "has no outcome of it"),
        (("last",), "write SWEEP:NUMBER"),
    ],
)
def test_a_trial_that_is_not_there(command: Callable[..., Any], words: tuple[str, ...], message: str) -> None:
    code, _, err = command(*words)
    assert code == 2
    assert message in err


def test_a_changed_month_does_not_reproduce(taxi_dir: Path, tmp_path: Path, sqlite_uri: str) -> None:
    months = tmp_path / "months"
    months.mkdir()
    for month in ("01", "02"):
        name = f"green_tripdata_2023-{month}.parquet"
        pd.read_parquet(taxi_dir / name).head(3000).to_parquet(months / name)
    space = write_space(tmp_path, BOOSTED)
    run_sweep(
        space,
        "green-taxi:2023-01,2023-02",
        data_dir=months,
        trials=1,
        engine="serial",
        register=False,
        tracking_uri=sqlite_uri,
        results=tmp_path / "results",
    )
    assert reproduce_trial("last:best", tracking_uri=sqlite_uri).match is Match.EQUAL
    february = months / "green_tripdata_2023-02.parquet"
    pd.read_parquet(february).tail(2000).to_parquet(february)
    found = reproduce_trial("last:best", tracking_uri=sqlite_uri)
    assert found.match is Match.DIFFERENT
    assert "data_digest" in found.changes
