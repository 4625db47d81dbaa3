"""What a sweep leaves in its results folder."""

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from sweeps.errors import UsageError
from sweeps.record import Finalist, SweepRecord
from sweeps.report.plots import ceiling, describe, history_png
from sweeps.report.summary import history, summary
from sweeps.report.tables import csv_text, leaderboard
from sweeps.report.write import write_report
from sweeps.trial import Finished, Outcome, Proposal, State, Trial
from tests.made_sweep import record, without_figures

NAMES = ["leaderboard.csv", "summary.json", "report.html", "history.png"]


def rows_of(made: SweepRecord) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_text(*leaderboard(made)))))


def with_params(params: dict[str, object]) -> SweepRecord:
    trial = Trial(Proposal(0, {}, params, 0), "f" * 32, 0.0)
    return replace(record(), trials=[Finished(trial, Outcome(State.COMPLETE, 1.0), 1.0)], finalists=())


def test_the_leaderboard_has_the_best_first_then_the_others_by_number() -> None:
    rows = rows_of(record())
    assert [r["trial"] for r in rows] == ["1", "4", "0", "2", "3", "5"]
    assert [r["rank"] for r in rows] == ["1", "2", "3", "", "", ""]
    assert [r["test_rmse"] for r in rows] == ["5.9", "5.8", "", "", "", ""]
    assert rows[3]["error"] == "ValueError: depth [31m5[0m is no good"  # a terminal may show it, too
    assert (rows[0]["seconds"], rows[0]["max_depth"], rows[0]["r2"]) == ("1.5", "1", "-0.5")


def test_formulas_are_disarmed_and_numbers_stay_numbers() -> None:
    row = rows_of(
        with_params({"a": "=1+1", "b": "@x", "c": "+cmd", "d": "-x", "e": -0.5, "f": "-0.5", "g": "\tx"})
    )[0]
    assert [row[k] for k in "abcdefg"] == ["'=1+1", "'@x", "'+cmd", "'-x", "-0.5", "-0.5", "'\tx"]


def test_a_header_cannot_be_a_formula_either() -> None:
    assert csv_text(["=x", "y"], [[1, None]]) == "'=x,y\n1,\n"


def test_a_text_with_separators_and_line_breaks_survives_the_round_trip() -> None:
    text = 'a,"b"\nc;d'
    assert rows_of(with_params({"p": text}))[0]["p"] == text


def test_a_param_named_like_a_column_does_not_replace_it() -> None:
    row = rows_of(with_params({"rmse": 7, "nested": {"depth": 3}, "kind": Finalist}))[0]
    assert (row["rmse"], row["param.rmse"], row["nested.depth"], row["kind"]) == ("1.0", "7", "3", "Finalist")


def test_the_summary_has_the_promised_keys() -> None:
    figures = summary(record())
    keys = "sweep name experiment state trials best finalists test_rmse blend refit model seconds overhead ui"
    assert list(figures) == keys.split()
    assert figures["trials"] == {"complete": 3, "pruned": 1, "failed": 1, "lost": 1}
    assert (figures["best"]["trial"], figures["best"]["rmse"], figures["test_rmse"]) == (1, 5.5, 5.8)
    assert figures["model"]["uri"] == "models:/diabetes-regressor/3"
    assert (figures["seconds"], figures["overhead"]) == (20.25, 0.009)


def test_a_sweep_without_a_usable_trial_has_a_summary_too() -> None:
    figures = summary(without_figures())
    assert (figures["best"], figures["finalists"], figures["test_rmse"], figures["model"]) == (
        None,
        [],
        None,
        None,
    )


def test_a_value_json_cannot_hold_becomes_text() -> None:
    made = with_params({"alpha": float("inf"), "path": Path("x"), "nested": {"flag": True}})
    text = json.dumps([summary(made), history(made)], allow_nan=False)
    assert json.loads(text)[1][0]["params"] == {"alpha": "inf", "path": "x", "nested.flag": "True"}


@pytest.mark.parametrize("made", [record(), without_figures(), replace(record(), trials=(), finalists=())])
def test_two_reports_of_one_record_are_the_same_bytes(made: SweepRecord, tmp_path: Path) -> None:
    first, second = write_report(made, tmp_path / "a"), write_report(made, tmp_path / "deep" / "b")
    assert [p.name for p in first][:4] == NAMES
    assert {p.parent.name for p in first[4:]} <= {"plots"}
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def test_the_picture_does_not_depend_on_the_readers_matplotlib_settings(tmp_path: Path) -> None:
    code = (
        "import hashlib; from sweeps.report.plots import history_png; from tests.made_sweep import record;"
        "print(hashlib.sha256(history_png(record())).hexdigest())"
    )
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: black\nfont.size: 30\nsavefig.dpi: 40\n")
    root = str(Path(__file__).parents[1])
    digests = set()
    for folder in (None, tmp_path):
        own = {"MATPLOTLIBRC": str(folder)} if folder else {}
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]),
            **own,
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            check=True,
            text=True,
            timeout=120,
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_a_second_report_replaces_the_first_and_leaves_nothing_else(tmp_path: Path) -> None:
    write_report(record(), tmp_path)
    (tmp_path / "mine.txt").write_text("kept")
    write_report(without_figures(), tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*NAMES, "plots", "mine.txt"])
    assert json.loads((tmp_path / "summary.json").read_text())["best"] is None


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="cannot be written"):
        write_report(record(), tmp_path / "file")


def test_the_picture_describes_itself_and_names_no_tool_or_date() -> None:
    image = Image.open(io.BytesIO(history_png(record())))
    assert image.size == (1500, 900)
    assert set(image.info) == {"Title", "Description", "dpi"}
    assert "5.5 in trial 1" in image.info["Description"]
    assert "trial 4 5.8" in image.info["Description"]


def test_a_name_full_of_signs_is_drawn(recwarn: pytest.WarningsRecorder) -> None:
    made = replace(record(), name="$x_{ \\frac 日本 " + "n" * 200, experiment="$$")
    assert history_png(made).startswith(b"\x89PNG")
    assert not recwarn.list


def test_the_description_of_nothing_says_so() -> None:
    assert "none" in describe(replace(record(), trials=(), finalists=()))


def test_wild_figures_do_not_flatten_the_picture() -> None:
    assert ceiling([5.0, 5.1, 5.2, 5.3, 5.4, 1e9]) == 5.4
    assert ceiling([5.0, 1e9]) == 1e9
    assert ceiling([5.0] * 9) == 5.0
    assert ceiling([5.0, 5.1, 5.2, 5.3, 5.4, 1e9], keep=6.0) == 6.0
