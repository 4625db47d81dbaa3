"""How sweeps compare at equal numbers of trials, and how far a difference hangs on single trials: pure."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.record import SweepRecord
from sweeps.trial import State

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DRAWS = 10_000
LEVEL = 0.95
FEW = 20


def results(record: SweepRecord) -> list[float]:
    """Give what each trial that ended came to, by number: its rmse, or infinity where it is not COMPLETE.

    A trial that was lost is no trial.
    """
    ended = sorted((t for t in record.trials if t.outcome.state is not State.LOST), key=lambda t: t.number)
    complete = State.COMPLETE
    return [
        t.outcome.rmse if t.outcome.state is complete and t.outcome.rmse is not None else math.inf
        for t in ended
    ]


def best_at(values: Sequence[float]) -> list[tuple[int, float]]:
    """Give the best so far as pairs of a number of trials, from 1, and the rmse that holds from there on."""
    points, best = list[tuple[int, float]](), math.inf
    for number, value in enumerate(values, 1):
        if value < best:
            best = value
            points.append((number, value))
    return points


def best_of(values: Sequence[float], trials: int) -> float | None:
    """Give the best rmse of the first so many trials; None where none is COMPLETE, or there are fewer."""
    best = min(values[:trials], default=math.inf)
    return best if math.isfinite(best) and len(values) >= trials else None


@dataclass(frozen=True)
class Difference:
    """The best rmse of one sweep less that of another."""

    trials: int
    """Of each that were looked at: as many as the shorter sweep has."""
    drawn: int
    """Of these, in each draw."""
    observed: float
    """With all of them; below 0 where the first sweep is the better one."""
    low: float
    """Lower end of the interval, which holds 95 % of the draws."""
    high: float
    better: float
    """Share of the draws in which the first sweep is the better one; ties count half."""


def difference(one: Sequence[float], other: Sequence[float], seed: int = 0) -> Difference | None:
    """Bootstrap the difference of two sweeps' best rmse at equal numbers of trials.

    Trials are resampled: from the first n of each sweep, n being what the shorter one has, n/2 are drawn with
    replacement, and the best rmse of each draw is compared. Half, since the plain bootstrap does not work for
    a minimum (Bickel, Götze and van Zwet, Resampling fewer than n observations, Statistica Sinica 7, 1997).
    The draws take trials as independent, which those of a search are not, and know nothing of other seeds or
    other rows: they say how far the difference hangs on single trials.

    Args:
        one: results by trial; infinite where there is no rmse.
        other: likewise.
        seed: of the draws.

    Returns:
        None where a sweep has no rmse among these trials.
    """
    import numpy as np  # here: `sweeps compare --help` has no use for it

    trials = min(len(one), len(other))
    first, second = best_of(one, trials), best_of(other, trials)
    if trials < 2 or first is None or second is None:
        return None
    rng, drawn = np.random.default_rng(seed), trials // 2
    gaps = _bests(one[:trials], drawn, rng) - _bests(other[:trials], drawn, rng)
    gaps = np.where(np.isnan(gaps), 0.0, gaps)  # neither drew an rmse: a tie
    low, high = np.quantile(gaps, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    better = float(np.mean(gaps < 0) + np.mean(gaps == 0) / 2)
    return Difference(trials, drawn, first - second, float(low), float(high), better)


def _bests(values: Sequence[float], drawn: int, rng: "np.random.Generator") -> "NDArray[np.float64]":
    """Draw the minimum of so many values, drawn with replacement, without drawing them.

    All of ``drawn`` are among the worst ``n - i`` of ``n`` with probability ``((n - i) / n) ** drawn``.
    """
    import numpy as np

    ordered = np.sort(np.asarray(values))
    place = len(ordered) * (1 - rng.random(DRAWS) ** (1 / drawn))
    drawn_best: NDArray[np.float64] = ordered[np.minimum(place.astype(int), len(ordered) - 1)]
    return drawn_best


def landmarks(lengths: Collection[int]) -> list[int]:
    """Give round numbers of trials, three a decade, with the shortest and the longest of some lengths."""
    longest = max(lengths)
    first = 1 if longest > FEW else 0
    steps = [base * 10**power for power in range(first, 7) for base in (1, 2, 5)]
    return sorted({*(mark for mark in steps if mark < longest), min(lengths), longest})
