"""The best trials of a sweep as FIRST of the next search space."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.analysis.edges import Move
from sweeps.analysis.explain import Explanation
from sweeps.analysis.next.calls import number_text
from sweeps.ranges import Range, by_label
from sweeps.trial import Point

MOST = 3


def first_points(found: Explanation, moves: Sequence[Move]) -> list[dict[str, Any]]:
    """Give the best trials as label to value, those that the new ranges still hold.

    None where the ranges are not known: a value that does not fit would be refused.
    """
    ranges = by_label(found.record.ranges)
    bounds = {move.axis.label: (move.low, move.high) for move in moves}
    points: list[dict[str, Any]] = []
    for row in found.figures.order[: 4 * MOST]:
        point = found.figures.trials[row].trial.proposal.point
        named = _named(point, ranges, bounds)
        if named and named not in points:
            points.append(named)
    return points[:MOST]


def first_text(points: Sequence[Mapping[str, Any]]) -> str:
    """Write FIRST, with a comment."""
    lines = ["    {" + ", ".join(f"{_quoted(k)}: {_literal(v)}" for k, v in p.items()) + "}," for p in points]
    comment = "# The best trials of the sweep before, so that this one begins where that one ended."
    return "\n".join([comment, "FIRST = [", *lines, "]"])


def _named(
    point: Point, ranges: Mapping[str, Range], bounds: Mapping[str, tuple[float, float]]
) -> dict[str, Any] | None:
    named: dict[str, Any] = {}
    for label, value in point.items():
        known = ranges.get(label)
        low, high = bounds.get(label, (value, value))
        if known is None or not low <= value <= high:
            return None
        if not known.options:
            named[label] = float(value)
        elif known.options[int(value)].nameable:
            named[label] = known.options[int(value)].value
        elif not _implied(label, int(value), point, ranges):
            return None
    return named


def _implied(label: str, option: int, point: Point, ranges: Mapping[str, Range]) -> bool:
    """Whether another value of the point stands inside that option, and so chooses it."""
    return any((label, option) in ranges[other].branch for other in point if other in ranges)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else repr(text)


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float):
        return number_text(value) if value == int(value) else repr(value)
    return repr(value)
