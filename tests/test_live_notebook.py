"""The view in notebooks: run in a real kernel, and the page it shows."""

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from sweeps.live.page import html, text
from sweeps.live.tally import Tally
from sweeps.live.underway import UnderWay
from sweeps.trial import Finished, Outcome, Proposal, State, Trial
from tests.laws.make import write_space

ROOT = Path(__file__).parents[1]
GATED = """
import os
SPACE = {"alpha": hp.uniform("alpha", 0, 1)}
def train(params, data, report):
    number = len(os.listdir("begun"))
    open(f"begun/{number}", "w").close()
    report(7, 58.25)
    if number == 1:
        open("gate").read()
    return 60.0 - number
"""
"""The second trial waits for the gate."""


class Watching(NotebookClient):
    """Takes note of every state of the view, and opens the gate once the second trial is seen to run."""

    def __init__(self, book: Any, gate: Path, **options: Any) -> None:
        super().__init__(book, **options)
        self.gate, self.waits = gate, True
        self.states: list[tuple[str, dict[str, str]]] = []

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        if msg["msg_type"] in ("display_data", "update_display_data"):
            self.states.append((msg["msg_type"], msg["content"]["data"]))
            if self.waits and is_under_way(self.states[-1][1]):
                self.waits = False
                self.gate.write_text("go")
        return super().process_message(msg, cell, cell_index)


def is_under_way(state: dict[str, str]) -> bool:
    """Whether one trial has ended and the next one has told how it stands."""
    return "shown: 1/3 trials" in state["text/plain"] and "58.25" in state["text/html"]


def trial(number: int, outcome: Outcome, **params: Any) -> Finished:
    return Finished(Trial(Proposal(number, {}, params, 0), "r", 0.0), outcome, 1.5)


@pytest.mark.slow  # a kernel, and a sweep in it, take ten seconds
def test_a_notebook_shows_one_output_that_is_kept_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = write_space(tmp_path, GATED)
    (tmp_path / "begun").mkdir()
    os.mkfifo(tmp_path / "gate")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport sweeps\n"
        f"record = sweeps.run_sweep({str(space)!r}, 'diabetes', trials=3, seed=1, name='shown',"
        " workers=1, register=False)\n"
    )
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    watching = Watching(book, tmp_path / "gate", timeout=120, resources={"metadata": {"path": str(tmp_path)}})
    watching.execute()
    kinds = [kind for kind, _ in watching.states]
    assert kinds == ["display_data", *["update_display_data"] * (len(kinds) - 1)], "one output, then updates"
    assert "shown: 0/3 trials" in watching.states[0][1]["text/plain"]
    [meanwhile, *_] = [state for _, state in watching.states if is_under_way(state)]
    assert "<b>running</b>" in meanwhile["text/html"]
    assert "step 7" in meanwhile["text/html"]
    assert "best rmse 60 in trial 0" in meanwhile["text/plain"]
    outputs = [one for one in book.cells[0].outputs if one.output_type == "display_data"]
    [shown] = outputs
    assert "shown: 3/3 trials" in shown.data["text/plain"]
    assert "done" in shown.data["text/plain"]
    page = shown.data["text/html"]
    assert "<b>best</b>" in page
    assert "alpha=" in page
    assert "<b>running</b>" not in page


def test_outside_a_notebook_nothing_is_shown() -> None:
    from sweeps.live.notebook import in_notebook

    assert in_notebook() is False


def test_the_page_escapes_what_is_foreign_and_shows_every_part() -> None:
    tally = Tally(total=4)
    tally.add(trial(0, Outcome(State.COMPLETE, 6.0), name="<b>bold</b>"))
    tally.add(trial(1, Outcome(State.COMPLETE, 5.0), name="x"))
    tally.add(trial(2, Outcome(State.FAILED, error="ValueError: <script>")))
    under_way = UnderWay()
    under_way.began(Proposal(3, {}, {"a": 1.0}, 0))
    page = html("<made>", tally, under_way.runners)
    for words in ("&lt;b&gt;bold", "&lt;made&gt;", "&lt;script&gt;", "3/4 trials", "running", "failures"):
        assert words in page
    assert "<script" not in page
    assert 'role="img" aria-label="best rmse so far, from 6 to 5"' in page
    assert text("made", tally).splitlines()[1] == "best rmse 5 in trial 1 · 2 complete · 1 failed"
