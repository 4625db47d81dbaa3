"""Report, explanation and next space from a real store: all of it is read back from MLflow."""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from sweeps.api.evidence import read_evidence
from sweeps.cli.main import main
from sweeps.errors import StoreError
from sweeps.lint import check_space
from sweeps.space.search_space import load_space
from sweeps.tracking.schema import RANGES as RANGES_FILE
from tests.made_search import RANGES, search, write_store

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "sweeps" / "report" / "page"


class Answer(NamedTuple):
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds one sweep of 60 trials."""
    made = tmp_path_factory.mktemp("store")
    write_store(made, search(60))
    return made


@pytest.fixture
def sweeps(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Run our command line in that folder, as ``main`` runs it."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["sweeps", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return Answer(int(end.value.code or 0), *capsys.readouterr())

    return run


def test_the_store_gives_back_what_the_report_rests_on(folder: Path) -> None:
    made = search(60)
    _, record = read_evidence("last", f"sqlite:///{folder / 'mlflow.db'}", curves=True)
    assert list(record.ranges) == RANGES
    assert record.predictions == made.predictions
    assert list(record.finalists) == list(made.finalists)
    assert {t.number for t in record.trials if t.outcome.curve} > {f.number for f in made.finalists}


def test_report_writes_everything_twice_the_same(sweeps: Callable[..., Answer], tmp_path: Path) -> None:
    first = sweeps("report", "last", "--to", str(tmp_path / "a"))
    assert (first.returncode, first.stdout) == (0, f"{tmp_path / 'a' / 'report.html'}\n"), first.stderr
    again = sweeps("report", "searched", "--to", str(tmp_path / "b"), "--json")
    files = [Path(path) for path in json.loads(again.stdout)["files"]]
    assert {path.name for path in files} >= {"report.html", "leaderboard.csv", "curves.png", "timeline.png"}
    for path in files:
        assert path.read_bytes() == (tmp_path / "a" / path.relative_to(tmp_path / "b")).read_bytes()


def test_explain_says_it_and_json_has_the_figures(sweeps: Callable[..., Answer]) -> None:
    said = sweeps("explain", "last")
    assert said.returncode == 0
    assert "depth ≥ 11" in said.stdout
    assert "sweeps next-space" in said.stderr
    findings = json.loads(sweeps("explain", "last", "--json").stdout)["findings"]
    assert {f["topic"] for f in findings} == {"importance", "range", "outlook", "failures", "test"}
    assert all(f["text"] in " ".join(said.stdout.split()) for f in findings)


def test_next_space_is_written_once_and_is_sound(sweeps: Callable[..., Answer], tmp_path: Path) -> None:
    file = tmp_path / "following.py"
    done = sweeps("next-space", "last", "--to", str(file))
    assert (done.returncode, done.stdout) == (0, f"{file}\n"), done.stderr
    assert check_space(load_space(str(file))) == []
    assert "sweeps lint" in done.stderr
    assert sweeps("next-space", "last").stdout == file.read_text()
    again = sweeps("next-space", "last", "--to", str(file))
    assert again.returncode == 2
    assert "choose another name" in again.stderr
    assert sweeps("next-space", "last", "--to", str(tmp_path / "x.txt")).returncode == 2


@pytest.mark.parametrize("command", ["report", "explain", "next-space"])
def test_an_unknown_sweep_is_one_line(sweeps: Callable[..., Answer], command: str) -> None:
    done = sweeps(command, "nobody")
    assert done.returncode == 2
    assert "recent: searched" in done.stderr
    assert done.stdout == ""


def test_a_sweep_without_ranges_is_reported_too(tmp_path: Path) -> None:
    """Sweeps of the versions before kept none."""
    made = replace(search(30), ranges=[], predictions=None)
    uri, run_id = write_store(tmp_path, made)
    store, record = read_evidence("last", uri)
    assert (record.ranges, record.predictions) == ([], None)
    store.client.log_text(run_id, '[{"label": 1}]', RANGES_FILE)
    with pytest.raises(StoreError, match="damaged"):
        read_evidence("last", uri)


def test_the_charting_library_is_the_released_one() -> None:
    """As in echarts 6.1.0 of npm, unchanged; its licence travels with it."""
    digest = hashlib.sha256((PAGE / "echarts.min.js").read_bytes()).hexdigest()
    assert digest == "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"
    assert "Apache License" in (PAGE / "echarts.LICENSE").read_text()
