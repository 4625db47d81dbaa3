"""Runs a notebook in a folder, and keeps what it shows."""

import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from docs.generate.walk import walking

VIEW = re.compile(r"\S+: \d+/\d+ trials · ")
"""How the view of a running sweep begins: its name, and how many trials have ended."""
SECONDS = 300
"""For one cell; starting a kernel and importing takes most of it."""


def executed(notebook: Path, folder: Path) -> Any:
    """Run a notebook in a folder and give it with what it shows, nothing of this machine or minute in it."""
    cells, before = _read(notebook), _read(notebook)
    with walking(folder):
        client = NotebookClient(cells, timeout=SECONDS, kernel_name="python3", record_timing=False)
        client.execute(cwd=str(folder))
    for cell in cells.cells:
        cell.get("outputs", [])[:] = [out for out in cell.get("outputs", []) if not _passes(out)]
    cells.metadata = before.metadata
    return cells


def _passes(out: Any) -> bool:
    """Whether it is of this minute only: what was said in passing, and the view of the sweep that ran."""
    shown = out.get("data", {}).get("text/plain", "")
    return out.get("name") == "stderr" or VIEW.match(shown) is not None


def texts(notebook: Any) -> list[str]:
    """Give what the cells of a notebook print or show as text, one cell after the other."""
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    return [out["text"] if "text" in out else out["data"]["text/plain"] for out in outputs]


def refresh(notebook: Path, folder: Path) -> None:
    """Run a notebook and write it back with what it shows now."""
    nbformat.write(executed(notebook, folder), notebook)  # type: ignore[no-untyped-call]  # it has no types


def _read(notebook: Path) -> Any:
    return nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]  # it has no types
