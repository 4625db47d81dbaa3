"""What the curves of a race say: who reached which rmse when. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.table import figure

Series = Sequence[tuple[float, float]]
"""Pairs of seconds since the start and the best rmse so far, both in the order in which they came."""


@dataclass(frozen=True)
class Race:
    """One contender's run with one seed."""

    contender: str
    seed: int
    data: str
    minutes: float
    """It was allowed."""
    seconds: float
    """It took, the start of its process included."""
    cpu_seconds: float
    trials: int
    """That ended, pruned ones too."""
    series: Series
    measured: dict[str, str]
    """Where and with what, see ``benchmarks.table.environment``."""

    @property
    def best(self) -> float:
        """The lowest rmse; infinite where no trial ended."""
        return self.series[-1][1] if self.series else math.inf

    def best_at(self, seconds: float) -> float:
        """Give the lowest rmse known at that time."""
        return min((rmse for at, rmse in self.series if at <= seconds), default=math.inf)

    def reached(self, rmse: float) -> float:
        """Give the seconds until a trial ended with at most that rmse; infinite where none did."""
        return next((at for at, found in self.series if found <= rmse), math.inf)


class Ratio(NamedTuple):
    """How many times longer another one took; ``sign`` is ``>`` or ``<`` where one never arrived."""

    value: float
    sign: str = ""

    def __str__(self) -> str:
        """Write it as a table's cell."""
        return f"{self.sign} {figure(self.value, 2)}".strip()


def targets(races: Sequence[Race], above: float) -> dict[int, float]:
    """Give for each seed the rmse that lies by this share above the best that any contender found."""
    seeds = sorted({race.seed for race in races})
    return {seed: (1 + above) * min(race.best for race in races if race.seed == seed) for seed in seeds}


def arrivals(races: Sequence[Race], contender: str, wanted: dict[int, float]) -> list[float]:
    """Give the seconds in which a contender reached the target of each seed it ran."""
    return [race.reached(wanted[race.seed]) for race in races if race.contender == contender]


def arrival_text(seconds: Sequence[float], limit: float) -> str:
    """Write the median and, for several seeds, the range; what never arrived took longer than the limit."""
    if not seconds:
        return "–"
    known = [statistics.median(seconds), min(seconds), max(seconds)]
    middle, low, high = (f"> {limit:.0f}" if math.isinf(s) else f"{s:.0f}" for s in known)
    return middle if low == high else f"{middle} ({low} – {high})"


def slower(races: Sequence[Race], contender: str, ours: str, wanted: dict[int, float]) -> Ratio | None:
    """Tell how many times longer a contender took than ours to each seed's target: the median over seeds.

    Returns:
        None where, for most seeds, neither arrived.
    """
    mine = {race.seed: race for race in races if race.contender == ours}
    pairs = [(race, mine[race.seed]) for race in races if race.contender == contender and race.seed in mine]
    ratios = [ratio for race, own in pairs if (ratio := _ratio(race, own, wanted[race.seed])) is not None]
    if 2 * len(ratios) <= len(pairs):
        return None
    return sorted(ratios)[(len(ratios) - 1) // 2]


def own_best(races: Sequence[Race], contender: str) -> dict[int, float]:
    """Give for each seed the best rmse that the contender itself found; where none, what nobody reaches."""
    own = (race for race in races if race.contender == contender)
    return {race.seed: race.best if race.series else -math.inf for race in own}


def median_best(races: Sequence[Race], contender: str, share: float) -> list[float]:
    """Give for each seed the best rmse after that share of the time allowed; unknown ones are left out."""
    own = [race for race in races if race.contender == contender]
    found = [race.best_at(60 * race.minutes * share) for race in own]
    return [rmse for rmse in found if math.isfinite(rmse)]


def pace(races: Sequence[Race], contender: str) -> float:
    """Give the trials per minute, as the median over seeds."""
    own = [race for race in races if race.contender == contender]
    return statistics.median(60 * race.trials / race.seconds for race in own)


def _ratio(race: Race, own: Race, rmse: float) -> Ratio | None:
    theirs, ours = race.reached(rmse), own.reached(rmse)
    if math.isinf(theirs) and math.isinf(ours):
        return None
    if math.isinf(theirs):
        return Ratio(60 * race.minutes / ours, ">")
    if math.isinf(ours):
        return Ratio(theirs / (60 * own.minutes), "<")
    return Ratio(theirs / ours)
