"""Where a learning curve is heading, from its shape so far.

What a model gains by training falls off in one of two ways, and which it is shows only later. Either each
doubling of the rounds gains a fixed share of what the doubling before it gained, as in a power law
``a + b·n^-c``: then the last two doublings tell the sum of all to come, a geometric series. Or each doubling
gains what the last one did, as boosting does that has fitted what is plain and goes on to what is rare: then
the doublings that are left tell it. The forecast is the better end of the two, so that a trial is ended only
if it is hopeless either way (docs/decisions/0009-cutoffs-travel-with-the-trial.md;
``python -m benchmarks.staleness``).
"""

import math

STILL_FALLING = 0.95
"""Where the last doubling gained nearly as much as the one before, there is no telling where it ends."""

UNKNOWN_DOUBLINGS = 4.0
"""Taken to be left where nobody knows how many rounds a trial may take."""


def doublings_left(rounds: int, most: int | None) -> float:
    """Give how often the rounds so far can double until the most a trial may take."""
    return UNKNOWN_DOUBLINGS if most is None else math.log2(max(1.0, most / rounds))


def heading(quarter: float, half: float, now: float, doublings: float) -> float:
    """Forecast the rmse a curve ends at.

    Args:
        quarter: best rmse at a quarter of the rounds so far.
        half: at half of them.
        now: so far; none of the three is above the one before.
        doublings: of the rounds, that are left.

    Returns:
        At most ``now``: optimistic. Minus infinity where nothing can be said; infinity where there is no
        finite rmse yet.
    """
    if not math.isfinite(now):
        return math.inf
    if not math.isfinite(quarter):
        return -math.inf
    before, last = quarter - half, half - now
    if last <= 0:
        return now
    if not last < STILL_FALLING * before:
        return -math.inf
    share = last / before
    return now - last * max(share / (1 - share), doublings)
