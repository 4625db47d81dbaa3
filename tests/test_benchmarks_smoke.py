"""Benchmarks that take long, each once in the smallest size, and that the page of them leaves none out."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report, scale
from benchmarks.contenders import Contender
from benchmarks.marks import read_marks
from benchmarks.processes import MARKS, environment
from benchmarks.stores import Stores, read_trials
from benchmarks.table import Table
from tests.test_benchmarks import ROOT, benchmark

LOOKING = ["list", "show", "best", "compare", "diff", "export", "explain", "next-space", "report"]


class Here:
    """Runs benchmarks in this process, which has imported what they need."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch

    def __call__(self, name: str, *options: str) -> tuple[str, Any]:
        """Give the page and the figures."""
        self._monkeypatch.setattr(sys, "argv", [name, *options, "--out", str(self._folder)])
        importlib.import_module(f"benchmarks.{name}").main()
        document = json.loads((self._folder / f"{name}.json").read_text())
        return (self._folder / f"{name}.md").read_text(), document


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    return Here(tmp_path, monkeypatch)


def test_the_page_of_the_benchmarks_lists_all_of_them() -> None:
    page = (ROOT / "benchmarks" / "README.md").read_text()
    listed = re.findall(r"^\| `python -m benchmarks\.(\w+)` \|", page, re.MULTILINE)
    publishing = re.compile(r"^    publish\(", re.MULTILINE)
    made = {path.stem for path in (ROOT / "benchmarks").glob("*.py") if publishing.search(path.read_text())}
    assert sorted(listed) == sorted(made)
    assert set(re.findall(r"python -m benchmarks\.(\w+)", page)) <= made


@pytest.mark.slow
def test_report_and_the_commands_that_look_at_a_sweep(
    here: Here, forked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands run as forks: here they must work, and their start-up is not measured."""
    monkeypatch.setattr(scale, "sweeps", lambda *words: [*forked, "sweeps", *words])
    page, document = here("report", "--sizes", "3", "--repeats", "1")
    costs, commands = document["raw"]["costs"], document["raw"]["commands"]
    assert [one["trials"] for one in costs] == [3]
    assert all(costs[0][name] > 0 for name in ("read", "explain", "write"))
    assert costs[0]["page_mb"] > 1
    assert list(commands) == LOOKING
    assert all(len(seconds["3"]) == 1 and seconds["3"][0] > 0 for seconds in commands.values())
    assert "| command | 3 trials |\n" in page
    printed = capsys.readouterr().out
    assert all(re.search(rf"^{name} +[\d.]+$", printed, re.MULTILINE) for name in LOOKING)


def test_times_of_commands_stand_in_a_row_for_each_and_a_column_for_each_sweep() -> None:
    found = {"list": {3: [2.0, 2.5, 2.25], 300: [2.0]}, "show": {3: [1.0], 300: [3.0]}}
    made = report.command_table(found)
    assert isinstance(made, Table)
    assert list(made.columns) == ["command", "3 trials", "300 trials"]
    assert made.rows == [["list", "2.25 (2.00 – 2.50)", "2.00"], ["show", "1.00", "3.00"]]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what processes share is told by Linux alone")
def test_memory(tmp_path: Path) -> None:
    page, figures, _ = benchmark("memory", tmp_path, "--data", "diabetes", "--workers", "1")
    assert "## Memory of W workers" in page
    tables: Any = figures["tables"]
    for _, arrays, workers, imports, trial, each, further, mapped in tables[0]["rows"]:
        assert (workers, further) == (1, None)
        assert 0 < mapped <= 1.1 * arrays + 0.1
        assert 10 < imports < trial == each < 2000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what a process took at most is told by Linux alone")
def test_larger_data(tmp_path: Path) -> None:
    page, figures, _ = benchmark("larger_data", tmp_path, "--rows", "2000", "--samples", "all,50%")
    assert "| 2,000 | 50% |" in page
    whole, part = figures["raw"]  # type: ignore[misc]  # two rows
    for one in (whole, part):
        assert 0 < one["trial"] + one["begun"] < one["peaks"]["seconds"]
        assert min(one["trial"], one["begun"]) > 0
        assert 50e6 < one["peaks"]["workers"] < one["peaks"]["together"] < 5e9
        assert one["peaks"]["driver"] > 50e6
    assert whole["test_rmse"] == part["test_rmse"], "the finalist of a sample is trained on all rows"


@pytest.mark.slow
def test_verdict(here: Here) -> None:
    _, document = here("verdict", "--pairs", "20", "--resamples", "200", "--sizes", "100")
    pairs, choices, seconds = (table["rows"] for table in document["tables"])
    called = {(row[0], row[1]): [float(share[:-2]) for share in row[2:4]] for row in pairs}
    assert called[1000, "10 %"][0] >= 80
    assert called[1000, "10 %"][1] == 0
    assert all(sum(called[rows, "0 %"]) <= 20 for rows in (88, 300, 1000))
    assert [row[0] for row in choices] == [2, 5, 10]
    assert float(choices[-1][2][:-2]) < float(choices[-1][3][:-2]), "the best of ten looks better than it is"
    assert [row[0] for row in seconds] == [100]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["nothing", "xgboost"])
@pytest.mark.parametrize(
    ("module", "needs"), [("optuna_tpe", ("optuna", "optuna_integration")), ("ray_tune", ("ray",))]
)
def test_a_peer_logs_its_trials(module: str, needs: tuple[str, ...], task: str, tmp_path: Path) -> None:
    for package in needs:
        pytest.importorskip(package, reason=f"{package} is not installed (pip install '.[peers]')")
    (tmp_path / "run").mkdir()
    Stores(tmp_path / "stores").put("peer", tmp_path / "run")
    command = Contender(module, module).command(task, "--trials", "3", "--data", "diabetes")
    done = subprocess.run(
        command, cwd=tmp_path / "run", env=environment(tmp_path / "run"), capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    logged = [trial for trial in read_trials(tmp_path / "run") if trial.rmse is not None]
    assert len(logged) == 3
    marks = read_marks(tmp_path / "run" / MARKS)
    assert "end" in marks
    assert task == "xgboost" or marks["start"] < marks["end"]
