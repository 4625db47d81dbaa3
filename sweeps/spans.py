"""Spans of time, as pairs of a begin and an end in seconds: pure."""

from collections.abc import Iterable

Span = tuple[float, float]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Give the union of spans: those that overlap or touch become one, in order."""
    union: list[Span] = []
    for begin, end in sorted(spans):
        if union and begin <= union[-1][1]:
            union[-1] = union[-1][0], max(end, union[-1][1])
        else:
            union.append((begin, end))
    return union


def covered(spans: Iterable[Span]) -> float:
    """Give the length of the union of spans."""
    return sum(end - begin for begin, end in merged(spans))
