"""compare, diff, export and completion on two sweeps of some hundred trials of all kinds."""

import csv
import io
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import click
import pyarrow.parquet as pq
import pytest
from click.shell_completion import ShellComplete

from sweeps.cli.main import COMMANDS, cli
from sweeps.tracking.store import open_store
from tests.inside import Inside
from tests.made_large import write_large
from tests.shell import SWEEPS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of two long sweeps on different data, and one on the data of the first."""
    made = tmp_path_factory.mktemp("store")
    write_large(made, "first", 300)
    write_large(made, "other-data", 120, seed=2, floor=45.0, data_digest="f" * 36)
    write_large(made, "better", 200, seed=1, floor=40.0)
    open_store(f"sqlite:///{made / 'mlflow.db'}").client.create_registered_model("rides")
    return made


@pytest.fixture
def sweeps(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Inside:
    return Inside(folder, monkeypatch, capsys)


def test_compare_ranks_at_equal_trials_and_says_what_is_resampled(sweeps: Inside) -> None:
    done = sweeps("compare", "first", "better")
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "A  ",
        "B  ",
        "best rmse after so many trials",
        "bootstrap over trials: 10,000 times",
        "100 %",
    ):
        assert words in done.stdout
    found = sweeps.json("compare", "first", "better")
    first, better = found["sweeps"]
    assert found["baseline"] == first["sweep"]
    assert first["difference"] is None
    gap = better["difference"]
    assert gap["first_trials"] == min(first["trials"], better["trials"])
    assert gap["interval"][0] <= gap["best_rmse"] <= gap["interval"][1] < 0
    assert "trials, with replacement" in gap["resampled"]
    assert better["best_at"][-1]["rmse"] == better["best_rmse"]


def test_compare_warns_of_other_data_and_looks_at_fewer_trials_on_demand(sweeps: Inside) -> None:
    done = sweeps("compare", "first", "other-data", "--at", "50")
    assert "warning: other-data saw other data than first" in done.stderr
    assert "first n" in done.stdout
    assert {s["trials"] for s in sweeps.json("compare", "first", "better", "--at", "50")["sweeps"]} == {50}


def test_compare_at_fewer_trials_shows_nothing_of_the_whole_sweeps(sweeps: Inside) -> None:
    whole, some = sweeps("compare", "first", "better"), sweeps("compare", "first", "better", "--at", "50")
    assert "took" in whole.stdout.splitlines()[0]
    assert "took" not in some.stdout.splitlines()[0]


def test_the_sign_where_curves_meet_is_explained(sweeps: Inside) -> None:
    chart = sweeps("compare", "first", "better").stdout
    assert "best rmse after so many trials, * where curves meet" in chart
    assert "validation rmse by step, * where they meet" in sweeps("diff", "first:best", "better:best").stdout


def test_a_sweep_named_twice_is_one_sweep(sweeps: Inside) -> None:
    found = sweeps.json("compare", "last", "first", "better")["sweeps"]
    assert [s["name"] for s in found] == ["better", "first"]


def test_diff_shows_what_differs_and_what_does_not(sweeps: Inside) -> None:
    done = sweeps("diff", "first:best", "other-data:best")
    assert done.returncode == 0, done.stderr
    for words in ("B less A", "validation rmse by step", "data_digest", "in both: space=any_regressor"):
        assert words in done.stdout
    found = sweeps.json("diff", "first:best", "other-data:best")
    assert found["differ"]["sweep"]["seed"] == [0, 2]
    assert found["differ"]["metrics"]["rmse"] == [found["a"]["rmse"], found["b"]["rmse"]]
    assert len(found["a"]["curve"]) == 6
    assert "python" in found["a"]["context"]


def test_diff_of_a_trial_with_itself_is_empty(sweeps: Inside) -> None:
    assert sweeps.json("diff", "first:3", "first:3")["differ"] == {"params": {}, "metrics": {}, "sweep": {}}


def test_show_draws_the_curve_of_a_trial_and_groups_the_failures(sweeps: Inside) -> None:
    best = sweeps.json("best", "first", "--top", "1")["trials"][0]["trial"]
    assert "at step 31" in sweeps("show", "first", str(best)).stdout
    assert len(sweeps.json("show", "first", str(best))["curve"]) == 6
    out = sweeps("show", "first").stdout
    assert "best so far" in out
    [line] = [line for line in out.splitlines() if line.startswith("failed (")]
    assert "more): ValueError: depth 0." in line


def test_export_is_the_same_in_every_format_and_safe_for_spreadsheets(sweeps: Inside, folder: Path) -> None:
    done = sweeps("export", "first")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 300
    assert {row["note"] for row in rows if row["note"]} == {"'=1+1"}
    assert sweeps("export", "first", "--to", "first.parquet").returncode == 0
    table = pq.read_table(folder / "first.parquet").to_pylist()
    assert {row["note"] for row in table} == {None, "=1+1"}  # Parquet is no spreadsheet
    assert [row["rmse"] for row in table[:3]] == [float(row["rmse"]) for row in rows[:3]]
    assert [row["max_depth"] for row in table] == [
        int(r["max_depth"]) if r["max_depth"] else None for r in rows
    ]
    told = sweeps.json("export", "first", "--to", "first.json")
    assert told == {**told, "format": "json", "trials": 300}
    history = json.loads((folder / "first.json").read_text())["history"]
    assert {t["trial"] for t in history} == {int(row["trial"]) for row in rows}
    assert not [path for path in folder.iterdir() if path.name.endswith(".part")]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["compare", "first"], 2, "needs 2 to 26 different sweeps"),
        (["compare", "last", "better"], 2, "needs 2 to 26 different sweeps, got 1"),
        (["compare", "first", "nobody"], 2, "recent: better"),
        (["diff", "first", "first:2"], 2, "write SWEEP:NUMBER or SWEEP:best"),
        (["diff", "first:2", "first:999"], 2, "finished trials go from 0 to 299"),
        (["export", "first", "--to", "nowhere/x.csv"], 2, "--to nowhere/x.csv: cannot be written"),
        (["export", "first", "--json", "--format", "csv"], 2, "contradicts --format csv"),
        (["completion", "tcsh"], 2, "'tcsh' is not one of"),
        (["run", "ridge", "--quiet", "--plain"], 2, "--quiet: contradicts"),
    ],
)
def test_a_mistake_is_one_line_with_its_code(
    sweeps: Inside, words: Sequence[str], code: int, message: str
) -> None:
    done = sweeps(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def offered(words: list[str], incomplete: str) -> list[str]:
    """What a shell would offer."""
    shell = ShellComplete(cli, {}, "sweeps", "_SWEEPS_COMPLETE")
    return [item.value for item in shell.get_completions(words, incomplete)]


def test_completion_offers_commands_options_sweeps_trials_and_spaces(sweeps: Inside) -> None:
    assert offered([], "co") == ["compare", "completion"]
    assert offered(["run"], "--verb") == ["--verbose"]
    assert offered(["show"], "") == ["last", "better", "other-data", "first"]
    assert offered(["compare", "first"], "bet") == ["better"]  # no run id begins so
    assert offered(["diff"], "fir") == ["first:best"]
    assert "xgboost" in offered(["run"], "xg")
    assert offered(["show", "--tracking-uri", "http://127.0.0.1:9"], "") == []


OFFERED = {
    "sweep": "last",
    "sweeps": "last",
    "one": "first:best",
    "trial": "first:best",
    "model": "rides",
    "space": "xgboost",
}
"""What a shell should offer, among others, for an argument of that name."""


def test_whatever_names_something_is_completed(sweeps: Inside) -> None:
    lacking = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        words = [p.name or "" for p in command.params if isinstance(p, click.Argument)][:1]
        assert set(words) <= OFFERED.keys() | {"data", "shell"}, "a new kind of name"
        wanted = {OFFERED[word] for word in words if word in OFFERED}
        lacking += [name] if wanted - set(offered([name], "")) else []
    assert lacking == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_us_back(sweeps: Inside, shell: str) -> None:
    script = sweeps("completion", shell).stdout
    assert f"_SWEEPS_COMPLETE={shell}_complete" in script
    assert sweeps.json("completion", shell)["script"] == script.removesuffix("\n")


def test_every_command_answers_in_json() -> None:
    lacking = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        lacking += [name] if all("--json" not in p.opts for p in command.params) else []
    assert lacking == []


@pytest.mark.slow  # one command in a process of its own
@pytest.mark.parametrize("setting", ["LC_ALL=C", "PYTHONIOENCODING=latin-1"])
def test_a_terminal_without_unicode_gets_stand_ins(folder: Path, setting: str) -> None:
    command = ["env", setting, *SWEEPS, "compare", "first", "other-data"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode("latin-1")
    assert text.isascii()
    assert " |" in text
    assert "+---" in text
