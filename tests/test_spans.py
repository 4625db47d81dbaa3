"""Spans of time, and what of a sweep's time counts."""

import random

import pytest

from sweeps.api.earlier import Earlier
from sweeps.record import SweepRecord
from sweeps.spans import Span, covered, merged
from sweeps.trial import Finished, Outcome, Proposal, State, Trial


@pytest.mark.parametrize(
    ("spans", "union"),
    [
        ([], []),
        ([(0, 0)], [(0, 0)]),
        ([(5, 6), (0, 2), (1, 3), (5.2, 5.8)], [(0, 3), (5, 6)]),
        ([(0, 1), (1, 2)], [(0, 2)]),
    ],
)
def test_spans_that_overlap_or_touch_become_one(spans: list[Span], union: list[Span]) -> None:
    assert merged(spans) == union
    assert covered(spans) == sum(end - begin for begin, end in union)


@pytest.mark.parametrize("seed", range(10))
def test_every_moment_is_counted_once_whatever_the_order(seed: int) -> None:
    draw = random.Random(seed)
    spans = [(begin := draw.randint(0, 90), begin + draw.randint(0, 9)) for _ in range(20)]
    moments = {moment for begin, end in spans for moment in range(begin, end)}
    assert covered(draw.sample(spans, len(spans))) == len(moments)


def trial(number: int, state: State, started: float, ended: float) -> Finished:
    outcome = Outcome(state, 1.0 if state is State.COMPLETE else None, error="why")
    return Finished(Trial(Proposal(number, {}, {}, 0), f"{number:032x}", started), outcome, ended)


def test_a_night_after_a_kill_does_not_count_towards_the_time_of_a_sweep() -> None:
    """The trial that ran then was closed as LOST by whoever looked first, hours later."""
    trials = [
        trial(0, State.COMPLETE, 0, 10),
        trial(1, State.FAILED, 5, 20),
        trial(2, State.LOST, 20, 50_000),
        trial(3, State.PRUNED, 50_010, 50_015),
    ]
    record = SweepRecord("a" * 32, "made", "diabetes", "1", "INTERRUPTED", 0.0, 50_000.0, {}, trials)
    assert Earlier(record, "").seconds == 25
