"""From two sweeps to a champion one can defend: the gate, its evidence, the history, the way back."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from sweeps import Gate, promote_sweep, run_sweep
from sweeps.cli.main import main
from tests.laws.make import write_space

RIDGE = """
from sklearn.linear_model import Ridge as MODEL
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
"""
FOREST = """
from sklearn.ensemble import RandomForestRegressor as MODEL
SPACE = {"n_estimators": scope.int(hp.quniform("n_estimators", 10, 30, 1)), "random_state": 0}
"""


class Answer(NamedTuple):
    """What a command did."""

    code: int
    stdout: str
    stderr: str


Command = Callable[..., Answer]


def table(rows: int = 1500) -> pd.DataFrame:
    """A target that a line cannot follow, but a forest can; in the west it is noise."""
    draw = np.random.default_rng(0)
    x, town = draw.uniform(-3, 3, rows), draw.choice(["north", "south", "west"], rows)
    y = np.sin(2 * x) * 3 + draw.normal(size=rows) * np.where(town == "west", 2.0, 0.3)
    return pd.DataFrame({"x": x, "town": town, "id": np.arange(rows), "y": y})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two sweeps, the better one of forests; nothing is registered yet."""
    made = tmp_path_factory.mktemp("verdict")
    table().to_csv(made / "table.csv", index=False)
    for name, body in (("lines", RIDGE), ("forests", FOREST)):
        run_sweep(
            write_space(made, body, name), table=made / "table.csv", target="y", trials=2, seed=1, name=name,
            engine="serial", register=False, results=made / "results",
            tracking_uri=f"sqlite:///{made / 'mlflow.db'}",
        )  # fmt: skip
    return made


@pytest.fixture
def sweeps(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run our command line in that folder, as ``main`` runs it."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["sweeps", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return Answer(int(end.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def client(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")


def evidence(client: MlflowClient, model: str, version: int, folder: Path) -> tuple[dict[str, Any], str]:
    """The verdict and the card that were kept."""
    run_id, _, place = client.get_model_version(model, str(version)).tags["sweeps.evidence"].partition("/")
    files = [client.download_artifacts(run_id, f"{place}/{name}") for name in ("verdict.json", "card.md")]
    verdict, card = (Path(file).read_text() for file in files)
    return json.loads(verdict), card


def test_a_promotion_and_the_way_back(sweeps: Command, client: MlflowClient, folder: Path) -> None:
    assert sweeps("promote", "lines", "--as", "story", "--gate", "significant").code == 0
    assert sweeps("promote", "forests", "--as", "story", "--gate", "significant").code == 0
    verdict, card = evidence(client, "story", 2, folder)
    assert (verdict["verdict"], verdict["model"]) == ("champion", {"name": "story", "version": 2})
    assert verdict["rows"] == {"split": "test", "count": 300, "digest": verdict["rows"]["digest"]}
    assert 0 < verdict["comparison"]["low"] < verdict["comparison"]["gain"] < verdict["comparison"]["high"]
    assert verdict["comparison"]["probability"] > 0.99
    assert {c["name"] for c in verdict["checks"]} == {
        "loads back", "signature", "finite predictions", "latency", "size",
    }  # fmt: skip
    assert verdict["sweep"]["name"] == "forests"
    assert verdict["code"]["space_digest"]
    assert "significantly better than the champion" in card
    assert client.get_model_version("story", "2").description == card

    back = sweeps("rollback", "story")
    assert (back.code, back.stdout) == (
        0, "model   story version 1 is champion: somebody went back to it from version 2\n",
    )  # fmt: skip
    assert client.get_model_version_by_alias("story", "previous").version == 2
    again = sweeps("promote", "forests", "--as", "story", "--gate", "better")
    assert again.code == 9
    assert "was withdrawn on" in again.stderr
    assert "sweeps rollback story --to 2 brings it back" in again.stderr
    assert sweeps("rollback", "story", "--to", "2").code == 0
    assert client.get_model_version_by_alias("story", "champion").version == 2

    told = json.loads(sweeps("history", "story", "--json").stdout)
    assert [(e["what"], e["version"], e["instead_of"]) for e in told] == [
        ("promoted", 1, None), ("promoted", 2, 1), ("rolled back", 1, 2), ("rolled back", 2, 1),
    ]  # fmt: skip
    assert all("@" in e["who"] and e["when"] > 1e9 for e in told)
    assert told[1]["rmse"] < told[1]["rival_rmse"] == told[0]["rmse"]
    assert "significantly better" in sweeps("history", "story").stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--gate", "better"], "does not beat the champion's"),
        (["--gate", "significant"], "not significantly better"),
        (["--gate", "none", "--max-size", "0.0001"], "size: "),
        (["--max-latency", "0.00001"], "latency: "),
        (["--gate", "none", "--segment", "town"], "segments: worst town="),
    ],
)
def test_a_verdict_that_is_not_reached_is_exit_9_and_recorded(
    sweeps: Command, client: MlflowClient, options: list[str], says: str
) -> None:
    model = "m" + "".join(c for c in "".join(options) if c.isalnum())
    assert sweeps("promote", "forests", "--as", model).code == 0
    answer = sweeps("promote", "lines", "--as", model, *options)
    assert answer.code == 9
    assert says in answer.stderr
    assert f"(sweeps history {model})" in answer.stderr
    assert client.get_model_version_by_alias(model, "champion").version == 1
    assert client.get_model_version_by_alias(model, "challenger").version == 2
    assert json.loads(sweeps("history", model, "--json").stdout)[-1]["verdict"] == "challenger"


def test_without_a_gate_a_worse_one_becomes_champion_and_stays(sweeps: Command, client: MlflowClient) -> None:
    assert sweeps("promote", "forests", "--as", "open").code == 0
    assert sweeps("promote", "lines", "--as", "open", "--gate", "none").code == 0
    assert sweeps("doctor").stdout.count("model open") == 0
    assert client.get_model_version_by_alias("open", "champion").version == 2


def test_segments_stand_in_the_evidence(client: MlflowClient, folder: Path) -> None:
    gate = Gate("significant", min_gain=0.1, segment="town")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    promote_sweep("lines", "parts", tracking_uri=uri)
    record = promote_sweep("forests", "parts", gate=gate, tracking_uri=uri)
    assert record.model is not None
    assert record.model.alias == "champion"
    verdict, card = evidence(client, "parts", 2, folder)
    assert {s["value"] for s in verdict["segments"]} == {"north", "south", "west"}
    assert sum(s["rows"] for s in verdict["segments"]) == 300
    assert "| town | rows | rmse | champion's |" in card
    assert verdict["gate"]["min_gain"] == 0.1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("promote lines --as bad --segment towns", 2, "--segment: no column 'towns'; known: x, town, id"),
        ("promote lines --as bad --segment id", 2, "has 300 values, at most 50 can be compared"),
        ("history nobody", 2, "model nobody: nothing was promoted to a model of that name"),
        ("rollback nobody", 2, "model nobody: there is none of that name with a version"),
        ("rollback alone", 2, "no other version was champion before"),
        ("rollback alone --to 7", 2, "--to 7: model alone has no such version; known: 1"),
    ],
)
def test_what_cannot_be(sweeps: Command, client: MlflowClient, words: str, code: int, says: str) -> None:
    assert sweeps("promote", "lines", "--as", "alone").code == 0
    answer = sweeps(*words.split())
    assert (answer.code, answer.stdout) == (code, "")
    assert says in answer.stderr
    assert client.search_model_versions("name = 'bad'") == []


def test_a_name_that_a_prompt_has(sweeps: Command, client: MlflowClient) -> None:
    """B79."""
    client.register_prompt("taken", "Hello")
    answer = sweeps("promote", "lines", "--as", "taken")
    assert answer.code == 5
    assert "model taken: is a prompt in this registry, not a model (choose another name" in answer.stderr
