"""How long the trials of a sweep take, from a few that were timed: pure.

The time of a trial is taken to have a fixed part and one that grows with the rows; at some number of rows,
the same for all points, both are equal. What is not known is drawn: which points come (from those that were
timed), that number of rows (as well as the timings tell it), and whether the second part grows a little
faster or slower than the rows. See docs/decisions/0020-preview-times-before-it-forecasts.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EVEN = np.geomspace(10, 1e6, 61)
"""Numbers of rows at which both parts may be equal; before anything is timed, each as likely as any."""
NOISE = 0.1
"""How much two timings of one trial differ at least, as a share."""
POWER_ERROR = 0.1
"""Standard error of the power, 1, with which the second part grows."""
SWEEPS = 400
BAND = (10, 50, 90)

DRIVER_SECONDS = 0.01
"""What the driver spends on a trial: to ask, to hand over, to record (measured, see the decision)."""
FIXED_SECONDS = (5.0, 15.0)
"""Before the first trial and after the last, at least and at most: imports, workers, model, report."""

Times = NDArray[np.float64]


@dataclass(frozen=True)
class Timing:
    """One timed trial."""

    point: int
    """Which of the points it was."""
    branch: str
    rows: int
    seconds: float


@dataclass(frozen=True)
class WallTime:
    """What a sweep takes, in seconds: at the 10th, 50th and 90th percentile of what is known."""

    trial: tuple[float, float, float]
    """Of a single trial, over the points of the space."""
    sweep: tuple[float, float, float]
    even: tuple[float, float, float]
    """Rows at which the fixed part of a trial's time is as large as the part that grows with them."""
    timed: int
    """Points that were timed."""
    rows: tuple[int, ...]
    """The numbers of rows at which points were timed, ascending."""
    largest: int
    """Points that were timed at all the rows of the sweep, so that nothing is extrapolated for them."""


def wall_time(
    timings: Sequence[Timing], shares: dict[str, float], rows: int, trials: int, workers: int, slowdown: float
) -> WallTime:
    """Forecast the time of a sweep.

    Args:
        timings: at least one.
        shares: of the branches in the sweep.
        rows: that the sweep trains on.
        trials: of the sweep.
        workers: that train at once.
        slowdown: how much longer a trial takes while all workers train.
    """
    likely = _likely(timings)
    last = {t.point: t for t in sorted(timings, key=lambda t: t.rows)}
    known = list(last.values())
    rng = np.random.default_rng(0)
    weights = _weights(known, shares)
    single, sweeps = list[Times](), list[float]()
    for _ in range(SWEEPS):
        even, power = rng.choice(EVEN, p=likely), rng.normal(1, POWER_ERROR)
        times = _times(known, rows, even, power) * slowdown
        chosen = _resampled(times, weights, rng)
        drawn = rng.choice(chosen, size=trials)
        single.append(drawn[:50])
        sweeps.append(_makespan(drawn, workers) + rng.uniform(*FIXED_SECONDS))
    return WallTime(
        _band(np.concatenate(single)),
        _band(np.array(sweeps)),
        _likely_band(likely),
        len(known),
        tuple(sorted({t.rows for t in timings})),
        sum(t.rows >= rows for t in known),
    )


def _likely(timings: Sequence[Timing]) -> Times:
    """How likely each number of EVEN is, given that a point's level is its own and timings are noisy."""
    squares, free = np.zeros(len(EVEN)), -1
    for point in {t.point for t in timings}:
        own = [t for t in timings if t.point == point]
        rows, seconds = np.array([t.rows for t in own]), np.array([max(t.seconds, 1e-4) for t in own])
        residuals = np.log(seconds)[:, None] - np.log1p(rows[:, None] / EVEN)
        squares += ((residuals - residuals.mean(axis=0)) ** 2).sum(axis=0)
        free += len(own) - 1
    variance = max(squares.min() / max(free, 1), NOISE**2)
    likelihood = np.exp((squares.min() - squares) / (2 * variance))
    return np.asarray(likelihood / likelihood.sum())


def _likely_band(likely: Times) -> tuple[float, float, float]:
    low, middle, high = (
        float(EVEN[np.searchsorted(likely.cumsum(), percent / 100 - 1e-9)]) for percent in BAND
    )
    return low, middle, high


def _times(known: Sequence[Timing], rows: int, even: float, power: float) -> Times:
    growth = [(1 + max(rows, t.rows) / even) / (1 + t.rows / even) for t in known]
    return np.array([t.seconds * more**power for t, more in zip(known, growth, strict=True)])


def _weights(known: Sequence[Timing], shares: dict[str, float]) -> Times:
    """The share of a branch, divided among its points."""
    counts = {branch: sum(t.branch == branch for t in known) for branch in shares}
    raw = np.array([shares[t.branch] / counts[t.branch] for t in known])
    return np.asarray(raw / raw.sum())


def _resampled(times: Times, weights: Times, rng: np.random.Generator) -> Times:
    """Points that might have been timed instead: what was left to chance by timing few."""
    return rng.choice(times, size=len(times), p=weights)


def _makespan(times: Times, workers: int) -> float:
    busy = max(float(times.sum()) / workers, float(times.max()))
    return max(busy, DRIVER_SECONDS * len(times))


def _band(values: Times) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, BAND).tolist()
    return low, middle, high
