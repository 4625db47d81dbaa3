"""How many points of a sweep would repeat an earlier one, found by drawing sweeps from the space."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from sweeps.lint.finding import Finding, Severity, find
from sweeps.lint.points import evaluated
from sweeps.space.canonical import canonical
from sweeps.space.finite import all_points
from sweeps.space.search_space import SearchSpace

DRAWS = 10_000
"""At most so many points are drawn in all, but at least those of one sweep."""
MOST_SWEEPS, MOST_TRIALS = 50, 10_000
COUNTED = 20_000
"""A space with more raw points is not counted."""
FELT = 0.1
ENOUGH = 20
"""Draws for each different point, after which no other is expected."""


@dataclass(frozen=True)
class Repeats:
    """What drawing some sweeps at random showed."""

    trials: int
    """Of each sweep that was drawn."""
    share: float
    """Of the points that repeat an earlier one of their sweep, as the mean over the sweeps drawn."""
    error: float | None
    """Standard error of that mean; None from a single sweep."""
    points: int | None
    """How many different points there are; None for infinitely or very many."""
    drawn: int
    """Points drawn in all."""
    seen: int
    """Different ones among them."""


def repeats(space: SearchSpace, trials: int, seed: int = 0) -> Repeats:
    """Draw sweeps at random and count the points that repeat an earlier one of the same sweep.

    Two points are the same if the model would receive the same params. TPE draws more often where trials
    were good, so it repeats more; ``sweeps`` then draws again.

    Args:
        space: sound.
        trials: of one sweep; at most 10 000 are drawn.
        seed: of the draws.

    Raises:
        SpaceError: a point cannot be evaluated, which fewer draws did not show.
    """
    from sweeps.space.draws import draw_points

    trials = min(trials, MOST_TRIALS)
    sweeps = max(1, min(MOST_SWEEPS, DRAWS // trials))
    keys = [canonical(evaluated(space, p), p) for p in draw_points(space, sweeps * trials, seed)]
    shares = [1 - len(set(keys[i : i + trials])) / trials for i in range(0, len(keys), trials)]
    error = statistics.stdev(shares) / sweeps**0.5 if sweeps > 1 else None
    return Repeats(trials, statistics.fmean(shares), error, _different(space), len(keys), len(set(keys)))


def check_repeats(space: SearchSpace, found: Repeats) -> Iterator[Finding]:
    """Find a space that has fewer points than a sweep has trials, or hardly more."""
    if (most := _most(found)) is not None and most < found.trials:
        what = f"of {found.trials} trials only {most} can run: the space has no more points"
        why, fix = "no point is tried twice", f"--trials {most}, or finer steps"
        yield find(Severity.WARNING, "few-points", space, None, what, why, fix)
    elif found.share >= FELT:
        share = f"{100 * found.share:.0f} %" + (f" (± {100 * found.error:.1f})" if found.error else "")
        what = f"of {found.trials} points drawn at random {share} repeat an earlier one"
        of = f"the space has {found.points} different points" if found.points else "its steps are coarse"
        why = f"{of}; tpe repeats more, and sweeps draws such points again"
        yield find(Severity.HINT, "repeats", space, None, what, why, "fewer trials, or finer steps")


def _most(found: Repeats) -> int | None:
    """How many different points there are as far as many draws show; None where they do not."""
    if found.points is not None:
        return found.points
    return found.seen if found.drawn >= ENOUGH * found.seen else None


def _different(space: SearchSpace) -> int | None:
    points = all_points(space.hyperparameters)
    if points is None or len(points) > COUNTED:
        return None
    return len({canonical(evaluated(space, point), point) for point in points})
