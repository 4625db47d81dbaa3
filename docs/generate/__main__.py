"""The command ``python -m docs.generate``."""

import sys
import tempfile
from pathlib import Path

import click

from docs.generate import notebook
from docs.generate.answers import undescribed
from docs.generate.blocks import with_answers
from docs.generate.pictures import take
from docs.generate.reference import reference
from docs.generate.walk import ONE_THREAD, Walk, walk

DOCS = Path(__file__).parents[1]
REFERENCE = DOCS / "reference.md"
WALKED = DOCS / "first-sweep.md"
NOTEBOOK = DOCS.parent / "examples" / "first_sweep.ipynb"


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where the reference is stale.")
@click.option("--outputs", is_flag=True, help="Also run the first sweep and the notebook, a minute or two.")
@click.option("--pictures", is_flag=True, help="Also take the pictures of a terminal anew; needs tmux.")
def generate(check: bool, outputs: bool, pictures: bool) -> None:
    """Write docs/reference.md from the code."""
    page = reference()
    for key in undescribed(page):
        print(f"`{key}` has no description: docs/generate/meanings.py, or its docstring", file=sys.stderr)
    if check:
        sys.exit(page != REFERENCE.read_text())
    REFERENCE.write_text(page)
    if outputs:
        refresh_outputs()
    if pictures:
        with tempfile.TemporaryDirectory(prefix="sweeps-pictures-") as folder:
            take(DOCS / "images", Path(folder))


def refresh_outputs() -> None:
    """Run the first sweep and the notebook, and put in what they print now."""
    with tempfile.TemporaryDirectory(prefix="sweeps-page-") as folder:
        done = walk(WALKED, Walk(Path(folder), ONE_THREAD))
        answers = [out for step, out in done if step.answer is not None]
        WALKED.write_text(with_answers(WALKED.read_text(), answers))
    with tempfile.TemporaryDirectory(prefix="sweeps-notebook-") as folder:
        notebook.refresh(NOTEBOOK, Path(folder))


if __name__ == "__main__":
    generate()
