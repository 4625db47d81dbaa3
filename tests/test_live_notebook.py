"""The view in notebooks: run in a real kernel, and the page it shows."""

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
RIDGE = """
from sklearn.linear_model import Ridge as MODEL
SPACE = {"alpha": hp.loguniform("alpha", -3, 0)}
"""


def trial(number: int, outcome: Outcome, **params: Any) -> Finished:
    return Finished(Trial(Proposal(number, {}, params, 0), "r", 0.0), outcome, 1.5)


@pytest.mark.slow  # a kernel, and a sweep in it, take ten seconds
def test_a_notebook_shows_one_output_that_is_kept_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = write_space(tmp_path, RIDGE)
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport sweeps\n"
        f"record = sweeps.run_sweep({str(space)!r}, 'diabetes', trials=3, seed=1, name='shown',"
        " workers=1, register=False)\n"
    )
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [one for one in book.cells[0].outputs if one.output_type == "display_data"]
    [shown] = outputs
    assert "shown: 3/3 trials" in shown.data["text/plain"]
    assert "done" in shown.data["text/plain"]
    page = shown.data["text/html"]
    assert "<b>best</b>" in page
    assert "alpha=" in page


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
