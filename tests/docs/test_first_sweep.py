"""The tutorial and the notebook, done from beginning to end; what they say is printed is what is printed."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from docs.generate.blocks import Step, agree
from docs.generate.notebook import executed, texts
from docs.generate.walk import ONE_THREAD, Walk, walk

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "first_sweep.ipynb"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[Step, str]]]:
    """The folder in which the tutorial was done, and its steps with what they printed."""
    folder = tmp_path_factory.mktemp("first")
    return folder, walk(ROOT / "docs" / "first-sweep.md", Walk(folder, ONE_THREAD))


def test_the_tutorial_prints_what_it_says(done: tuple[Path, list[tuple[Step, str]]]) -> None:
    answered = [(step, printed) for step, printed in done[1] if step.answer is not None]
    assert len(answered) >= 4
    for step, printed in answered:
        fresh = f"{step.text}\n{printed}\n(python -m docs.generate --outputs writes the page anew)"
        assert agree(step.answer or "", printed), fresh


def test_the_tutorial_ends_with_predictions(done: tuple[Path, list[tuple[Step, str]]]) -> None:
    lines = (done[0] / "predictions.csv").read_text().splitlines()
    assert lines[0].endswith(",predicted")
    assert len(lines) == 4


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return executed(NOTEBOOK, tmp_path_factory.mktemp("notebook"))


def test_the_notebook_shows_what_it_is_stored_with(notebook: Any) -> None:
    stored = texts(nbformat.read(NOTEBOOK, as_version=4))
    fresh = texts(notebook)
    assert len(stored) == len(fresh) >= 5
    for said, shown in zip(stored, fresh, strict=True):
        assert agree(said, shown), f"{shown}\n(python -m docs.generate --outputs writes the notebook anew)"


def test_the_notebook_draws(notebook: Any) -> None:
    drawn = [out for cell in notebook.cells for out in cell.get("outputs", []) if "data" in out]
    assert [len(out["data"]["image/png"]) > 5000 for out in drawn if "image/png" in out["data"]] == [True]


def test_the_stored_notebook_is_light_and_of_no_machine() -> None:
    text = NOTEBOOK.read_text()
    assert len(text) < 100_000
    assert str(Path.home()) not in text
    assert "/tmp/" not in text
