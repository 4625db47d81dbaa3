"""The commands that look at things: list, show, best, spaces, lint, fetch."""

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sweeps.cli.boards import broken, fitted, value_text
from sweeps.cli.fetch import progress
from sweeps.cli.main import main
from sweeps.cli.views import failures, run_command
from sweeps.trial import Finished, Outcome, Proposal, State, Trial
from tests.made_sweep import SETTINGS, record, write_store

ROOT = Path(__file__).parents[1]


class Answer(NamedTuple):
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Answer]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds one sweep."""
    made = tmp_path_factory.mktemp("store")
    write_store(made)
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


def answer(sweeps: Command, *words: str) -> dict[str, Any]:
    """Run a command with ``--json`` and read what it prints."""
    done = sweeps(*words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def on_a_terminal(folder: Path, columns: int, *words: str) -> str:
    """Run a command on a terminal of that many columns and give what stands there."""
    ours, theirs = pty.openpty()
    code = "from sweeps.cli.main import main; main()"
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")} | {"PYTHONPATH": path}
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env=environment | {"COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ):
        os.close(theirs)
        return _read_all(ours)


def _read_all(file: int) -> str:
    read = b""
    try:
        while chunk := os.read(file, 4096):
            read += chunk
    except OSError:  # the other side is closed
        pass
    finally:
        os.close(file)
    return read.decode()


def test_list_names_the_sweeps(sweeps: Command) -> None:
    done = sweeps("list")
    assert "made" in done.stdout
    assert "COMPLETE" in done.stdout
    listed = answer(sweeps, "list")["sweeps"]
    assert [(s["name"], s["best"], s["trials"]["failed"]) for s in listed] == [
        ("made", {"trial": 1, "rmse": 5.5}, 1)
    ]


def test_list_of_an_unknown_experiment_lists_the_known(sweeps: Command) -> None:
    done = sweeps("list", "--experiment", "diabete")
    assert done.returncode == 2
    assert "did you mean 'diabetes'" in done.stderr


def test_show_tells_what_came_out_and_why_trials_failed(sweeps: Command) -> None:
    out = sweeps("show", "last").stdout
    for words in (
        "rmse 5.5 in trial 1",
        "rmse 5.8 on test, trial 4",
        "models:/diabetes-regressor/3 is champion",
        "3 complete, 1 pruned, 1 failed, 1 lost",
        "lost (trial 5): worker died: signal 9",
        "sweeps run xgboost --data diabetes --trials 6 --seed 42 --workers 1",
    ):
        assert words in out
    assert "\x1b" not in out


def test_show_json_holds_every_trial_under_the_promised_keys(sweeps: Command) -> None:
    shown = answer(sweeps, "show", "made")
    history = shown["history"]
    assert [t["trial"] for t in history] == [0, 1, 2, 3, 4, 5]
    assert [t["rmse"] for t in history] == [6.0, 5.5, None, None, 5.75, None]
    assert shown["test_rmse"] == 5.8
    assert str(shown["sweep"]) in str(shown["ui"])


def test_show_limits_the_trials_and_says_so(sweeps: Command) -> None:
    done = sweeps("show", "last", "--trials", "2")
    assert "trials 4 to 5" in done.stdout
    assert "4 earlier trials: --trials all" in done.stderr
    assert "trials 0 to 5" in sweeps("show", "last", "--trials", "all").stdout


def test_show_of_a_failed_trial_has_its_params_and_whole_traceback(sweeps: Command) -> None:
    out = sweeps("show", "last", "2").stdout
    assert "Traceback (most recent call last)" in out
    assert "max_depth  2" in out
    assert "\x1b" not in out
    assert str(answer(sweeps, "show", "last", "2")["traceback"]).startswith("Traceback")


def test_best_ranks_the_complete_trials(sweeps: Command) -> None:
    best = answer(sweeps, "best", "last", "--top", "2")["trials"]
    assert [(t["rank"], t["trial"], t["test_rmse"]) for t in best] == [(1, 1, 5.9), (2, 4, 5.8)]
    assert sweeps("best", "last").stdout.splitlines()[1].split()[:3] == ["1", "1", "5.50"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["show", "nobody"], 2, "recent: made"),
        (["show", "last", "9"], 2, "finished trials go from 0 to 5"),
        (["show", "last", "x"], 2, "whole number"),
        (["show", "last", "--trials", "0"], 2, "whole number"),
        (["best", "last", "--top", "0"], 2, "whole number"),
        (["list", "--limit", "0"], 2, "whole number"),
        (["list", "--tracking-uri", "http://127.0.0.1:9"], 5, "127.0.0.1:9"),
        (["lint", "no_such_space"], 3, "known:"),
    ],
)
def test_a_mistake_is_one_line_with_its_code(
    sweeps: Command, words: Sequence[str], code: int, message: str
) -> None:
    done = sweeps(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 120, 200])
def test_tables_fit_the_terminal_and_use_its_width(folder: Path, columns: int) -> None:
    out = on_a_terminal(folder, columns, "show", "last")
    assert "trials 0 to 5" in out
    assert ("is champion: the first version of this model" in out) is (columns > 80)
    assert max(len(line) for line in out.splitlines()) <= columns


def test_spaces_lists_the_shipped_ones(sweeps: Command) -> None:
    listed = answer(sweeps, "spaces")["spaces"]
    assert {"xgboost", "random_forest", "any_regressor"} <= {s["name"] for s in listed}
    assert all(s["summary"] and Path(s["path"]).is_file() for s in listed)


def test_lint_names_the_hyperparameters_of_a_good_space(sweeps: Command) -> None:
    done = sweeps("lint", "ridge")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ridge: ok; hyperparameters: ")
    assert answer(sweeps, "lint", "ridge")["warnings"] == []


def test_fetch_keeps_what_is_there_and_prints_it(sweeps: Command, taxi_dir: Path, tmp_path: Path) -> None:
    month = tmp_path / "green_tripdata_2023-01.parquet"
    shutil.copyfile(taxi_dir / month.name, month)
    done = sweeps("fetch", "green-taxi:2023-01", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"{month}\n"), done.stderr


def test_fetch_of_something_unknown_says_what_there_is(sweeps: Command) -> None:
    done = sweeps("fetch", "red-taxi:2023-01")
    assert done.returncode == 4
    assert "green-taxi" in done.stderr


def test_a_download_in_a_pipe_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as report:
        for done in (0, 500_000, 1_500_000):
            report("month.parquet", done, 1_500_000)
    assert (
        capsys.readouterr().err == "downloading month.parquet (1.5 MB)\ndownloaded month.parquet (1.5 MB)\n"
    )


def trial(number: int, params: dict[str, object]) -> Finished:
    return Finished(Trial(Proposal(number, {}, params, 0), "r", 0.0), Outcome(State.COMPLETE, 1.0), 1.0)


def test_params_get_columns_as_far_as_there_is_room() -> None:
    trials = [trial(n, {f"min_samples_number_{i}": n + i for i in range(6)}) for n in range(3)]
    columns, left_out = fitted([("trial", ["0", "1", "2"])], trials, None)
    assert (len(columns), left_out) == (7, [])
    columns, left_out = fitted([("trial", ["0", "1", "2"])], trials, 40)
    assert columns[1][0] == "min_\nsamples_\nnumber_0"
    assert len(columns) + len(left_out) == 7
    assert left_out


def test_params_of_different_families_stand_in_one_column() -> None:
    trials = [trial(0, {"model": "Lasso", "alpha": 0.5}), trial(1, {"model": "SVR", "C": 2, "eps": 1})]
    columns, left_out = fitted([("trial", ["0", "1"])], trials, None)
    assert columns[1:] == [("params", ["model=Lasso alpha=0.5", "model=SVR C=2 eps=1"])]
    assert left_out == []


def test_long_texts_and_headers_are_cut_and_broken() -> None:
    assert value_text("x" * 99) == "x" * 27 + "…"
    assert value_text("a\x1b[31m\nb") == "a[31m b"
    assert broken("min_child_weight") == "min_\nchild_\nweight"


def test_failures_are_told_once_for_each_reason() -> None:
    trials = [Finished(t.trial, Outcome(State.FAILED, error="boom"), 1.0) for t in record().trials]
    assert failures(trials) == ["failed (trials 0, 1, 2, 3, 4, 5): boom"]


def test_the_command_of_a_sweep_can_be_typed_again() -> None:
    settings = {
        **SETTINGS,
        "space": "my space.py",
        "data": {"table": "a b.csv", "target": "y"},
        "algo": "random",
        "algo_options": {"a": "1"},
    }
    assert run_command(settings) == (
        "sweeps run 'my space.py' --table 'a b.csv' --target y --trials 6 --seed 42"
        " --algo random --workers 1 --algo-option a=1"
    )
    assert run_command({}) == ""
