"""Write the next search space: the old text with new bounds, each with its reason, and the best trials first.

The old text is edited and never run: models, comments, branches and ``train`` stay as they were. What cannot
be edited, since a label or a bound is computed, is named in the head of the file.
"""

import ast
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from sweeps.analysis.edges import Move
from sweeps.analysis.explain import Explanation, move_text
from sweeps.analysis.next.calls import Call, bound_text, find_calls
from sweeps.analysis.next.first import first_points, first_text
from sweeps.errors import SpaceError, one_line


class Edit(NamedTuple):
    """A replacement in the text."""

    start: int
    """Offset in characters, as is ``end``."""
    end: int
    text: str


class NextSpace(NamedTuple):
    """A search-space module, and what was changed in it."""

    source: str
    changed: list[str]
    """Sentences, one for each range that is new."""
    left: list[str]
    """Sentences about ranges that should be new, but are computed where they stand."""


def next_space(source: str, found: Explanation) -> NextSpace:
    """Give the search space to try after a sweep.

    Args:
        source: the module the sweep was begun with.
        found: the sweep, explained.

    Raises:
        SpaceError: the text cannot be parsed, so that there is nothing to edit.
    """
    try:
        calls, tree = find_calls(source), ast.parse(source)
    except (SyntaxError, ValueError) as error:
        wrong = f"the source that was kept is no Python: {error}"
        raise SpaceError("search space", one_line(wrong), "write the next one by hand") from error
    wanted = [move for move in found.moves if (move.low, move.high) != (move.axis.low, move.axis.high)]
    movable = [move for move in wanted if move.axis.label in calls]
    offsets = _Offsets(source)
    edits = [e for move in movable for e in _edits(move, calls[move.axis.label], source, offsets)]
    points = first_points(found, movable)
    if points:
        edits.append(_first_edit(tree, first_text(points), source, offsets))
    left = [move_text(move) for move in wanted if move not in movable]
    head = _head(found, left)
    edits.append(Edit(offsets.body(tree), offsets.body(tree), head))
    return NextSpace(_parsed(_applied(source, edits)), [move_text(move) for move in movable], left)


def _parsed(source: str) -> str:
    try:
        ast.parse(source)
    except SyntaxError as error:
        wrong = f"its text cannot be edited: {error}; a bound may stand behind a backslash at a line's end"
        raise SpaceError("search space", one_line(wrong), "write the next one by hand") from error
    return source


class _Offsets:
    """From lines and columns, as a syntax tree counts them (in bytes), to characters of the text."""

    def __init__(self, source: str) -> None:
        self._source, self._lines = source, source.split("\n")
        starts = [0]
        for line in self._lines:
            starts.append(starts[-1] + len(line) + 1)
        self._starts = starts

    def at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def line(self, line: int) -> int:
        """The start of a line; the end of the text for one after the last."""
        return min(self._starts[min(line, len(self._lines) + 1) - 1], len(self._source))

    def indent(self, line: int) -> str:
        text = self._lines[line - 1]
        return text[: len(text) - len(text.lstrip())]

    def body(self, tree: ast.Module) -> int:
        """Where a comment may stand: after the docstring."""
        first = tree.body[0] if tree.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and first.end_lineno:
            return self.line(first.end_lineno + 1)
        return 0


def _edits(move: Move, call: Call, source: str, offsets: _Offsets) -> list[Edit]:
    high = move.high + 1 if call.distribution == "randint" else move.high
    bounds = [(call.low, move.low), (call.high, high)]
    replaced = [
        Edit(_start(node, offsets), _end(node, offsets), bound_text(call, node, value, source))
        for node, value in bounds
    ]
    line = call.low.lineno
    indent = offsets.indent(line)
    return [
        Edit(offsets.line(line), offsets.line(line), _comment(move_text(move), indent)),
        *replaced,
    ]


def _start(node: ast.expr, offsets: _Offsets) -> int:
    return offsets.at(node.lineno, node.col_offset)


def _end(node: ast.expr, offsets: _Offsets) -> int:
    return offsets.at(node.end_lineno or node.lineno, node.end_col_offset or 0)


def _first_edit(tree: ast.Module, text: str, source: str, offsets: _Offsets) -> Edit:
    """Replace FIRST, or write one at the end."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "FIRST" for target in targets):
            start = offsets.at(node.lineno, node.col_offset)
            return Edit(start, offsets.at(node.end_lineno or node.lineno, node.end_col_offset or 0), text)
    return Edit(len(source), len(source), ("" if source.endswith("\n") else "\n") + f"\n{text}\n")


def _head(found: Explanation, left: Sequence[str]) -> str:
    record, best = found.record, found.record.best
    lines = [f"Made by `sweeps next-space` from sweep {record.name} ({record.run_id[:8]})."]
    if best is not None:
        lines.append(f"Its best trial, {best.number}, has an rmse of {best.outcome.rmse:.6g}.")
    lines += [f.text for f in found.findings if f.topic in ("importance", "outlook", "failures")]
    lines += [f"Not changed, since it is computed where it stands: {text}" for text in left]
    return "\n" + "".join(_comment(line) for line in lines)


def _comment(text: str, indent: str = "") -> str:
    start = f"{indent}# "
    return textwrap.fill(one_line(text), 100, initial_indent=start, subsequent_indent=start) + "\n"


def _applied(source: str, edits: Sequence[Edit]) -> str:
    text = source
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
