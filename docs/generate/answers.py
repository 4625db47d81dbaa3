"""The keys of the JSON answers, from a small sweep that is really run."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.generate.markdown import code, joined, table
from docs.generate.meanings import MEANINGS, OPEN
from docs.generate.walk import run_sweeps, walking

FINISH = "--refit train+valid --blend"
SWEEP = f"sweeps run lasso --data diabetes --trials 3 --seed 1 --engine serial {FINISH} --name keys"
ANSWERS = {
    "sweeps run --json": f"{SWEEP} --json",
    "sweeps show SWEEP --json": "sweeps show keys --json",
    "sweeps show SWEEP TRIAL --json": "sweeps show keys 0 --json",
}
"""The answers that are described, and the commands that give an example; in order."""


def answers() -> str:
    """Give a table of keys for each answer; what was in an earlier table is not said again."""
    parts, known = [], set[str]()
    for title, answer in _examples().items():
        keys = dict(_keys(answer))
        fresh = {key: kind for key, kind in keys.items() if key not in known}
        known |= keys.keys()
        parts.append(joined(f"### {title}", _as_before(keys, fresh), _table(fresh)))
    return joined(*parts)


def undescribed(page: str) -> list[str]:
    """Give the keys that a page lists without a word on what they mean."""
    return [
        line.split("`")[1] for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")
    ]


def _examples() -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="sweeps-reference-"))
    try:
        with walking(folder):
            return {title: json.loads(run_sweeps(command)) for title, command in ANSWERS.items()}
    finally:
        shutil.rmtree(folder)


def _keys(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Give the paths of all keys with their kinds; a list's elements are told by its first one."""
    if path and path not in OPEN:
        yield path, _kind(value)
    elif path:
        yield path, "object"
        return
    inner, dot = (value[0], f"{path}[].") if isinstance(value, list) and value else (value, f"{path}.")
    if isinstance(inner, dict):
        for key, below in inner.items():
            yield from _keys(below, f"{dot}{key}" if path else key)


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", int: "whole number", float: "number", str: "text", dict: "object"}
    return "list" if isinstance(value, list) else kinds.get(type(value), "may be null")


def _as_before(keys: dict[str, str], fresh: dict[str, str]) -> str:
    again = [key for key in keys if key not in fresh and "." not in key]
    return f"As above: {', '.join(code(key) for key in again)}." if again else ""


def _table(keys: dict[str, str]) -> str:
    rows = [[code(key), kind, MEANINGS.get(key, "")] for key, kind in keys.items()]
    return table(["key", "kind", "what it is"], rows)
