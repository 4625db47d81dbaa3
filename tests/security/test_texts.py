"""C16, C17, C27: what others wrote commands neither a terminal nor a spreadsheet."""

import csv
import io
from pathlib import Path

import pytest

from sweeps.cli.main import main
from sweeps.errors import one_line, printable
from sweeps.report.tables import csv_text
from sweeps.tracking.change import Entry
from sweeps.tracking.store import open_store
from sweeps.tracking.writer import Origin, SweepWriter
from tests.made_sweep import SETTINGS, record

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\r\nover\x00\x9b2J\u202etxt\u2066"
CONTROL = [chr(code) for code in (*range(9), *range(11, 32), 127, *range(128, 160))] + [
    "\u202e",
    "\u2066",
    "\u200b",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which somebody wrote control characters wherever there is text."""
    made = tmp_path_factory.mktemp("hostile")
    store = open_store(f"sqlite:///{made / 'mlflow.db'}")
    origin = Origin("s", f"# {HOSTILE}\n", "d" * 64, "diabetes", "e" * 36)
    settings = {**SETTINGS, "space": HOSTILE}
    writer = SweepWriter.open(store, "exp", "made", settings=settings, origin=origin)
    writer.write([Entry(t.trial.proposal, t.trial.started, t.outcome, t.ended) for t in record().trials])
    writer.close("COMPLETE")
    for run in store.client.search_runs(["1"]):
        for tag in ("mlflow.runName", "sweeps.error", "sweeps.space", "sweeps.data"):
            store.client.set_tag(run.info.run_id, tag, f"made{HOSTILE}")
        store.client.log_param(run.info.run_id, "hostile", HOSTILE)
        store.client.log_text(run.info.run_id, HOSTILE, "error.txt")
    store.settle()
    return made


@pytest.mark.parametrize("words", [
    "list", "show last", "show last 2", "show last 1", "best last", "show last --trials all", "list --json",
    "show last --json", "best last --json", "show last 2 --json", "delete nobody",
])  # fmt: skip
def test_nothing_foreign_commands_the_terminal(
    words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["sweeps", *words.split()])
    with pytest.raises(SystemExit):
        main()
    out, err = capfd.readouterr()
    assert out or err
    assert [c for c in CONTROL if c in out + err] == []


def test_lines_lose_what_commands_a_terminal_and_keep_what_is_read() -> None:
    assert one_line(HOSTILE) == "]0;owned[2J[31mred over2Jtxt"
    assert printable("  a\tb\x1b[1m\r") == "  a b[1m"
    assert one_line("naïve · ✓ 日本") == "naïve · ✓ 日本"


FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|'/C calc'!A0", "\0=1", "\x1b=1"]
NUMBERS = [-0.5, -1, 1e-9, 0, "-0.5", "+1", "-1e5", "3"]


def test_a_formula_becomes_text_and_numbers_stay_numbers() -> None:
    cells = list(
        csv.reader(io.StringIO(csv_text(["=h"], [[cell] for cell in [*FORMULAS, *NUMBERS]]), newline=""))
    )
    header, *rows = [row[0] for row in cells]
    assert header == "'=h"
    assert all(text.startswith("'") for text in rows[: len(FORMULAS)])
    assert [float(text) for text in rows[len(FORMULAS) :]] == [float(cell) for cell in NUMBERS]
    assert rows[len(FORMULAS)] == "-0.5"
    assert "\x1b" not in csv_text(["a"], [[HOSTILE]])
