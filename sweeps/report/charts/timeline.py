"""Timeline: when each trial ran, a lane for each worker; gaps are idle time."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from sweeps.analysis.explain import Explanation
from sweeps.report.charts.model import Axis, Chart, Layer, Number, Panel, Table, count, figure
from sweeps.spans import Span, merged
from sweeps.trial import Finished, State
from sweeps.wording import seconds

ROLES = {
    State.COMPLETE: ("complete", "main"),
    State.PRUNED: ("pruned", "quiet"),
    State.FAILED: ("failed", "bad"),
    State.LOST: ("lost", "bad"),
}
NOTE = (
    "A lane is a worker and whoever took its place when it ended; a trial whose worker did not live to tell "
    "stands in the first lane that is free. A trial's time begins when it is handed to its worker."
)
SHORTEST_PAUSE = 10.0
"""Seconds without any trial from which on a sweep may have been interrupted."""


def lanes_of(trials: Sequence[Finished]) -> dict[int, int]:
    """Give each trial, by number, the lane of its worker: the first that is free for as long as it lived."""
    free: list[float] = []
    lanes: dict[int, int] = {}
    for those in sorted(_by_worker(trials), key=lambda those: (those[0].trial.started, those[0].number)):
        begin, end = those[0].trial.started, max(trial.ended for trial in those)
        lane = next((i for i, busy in enumerate(free) if busy <= begin + 0.001), len(free))
        free[lane : lane + 1] = [end]
        lanes |= dict.fromkeys((trial.number for trial in those), lane)
    return lanes


def _by_worker(trials: Sequence[Finished]) -> Iterable[list[Finished]]:
    """Give the trials of each worker, in order; one of which none is known stands alone."""
    found = defaultdict[str, list[Finished]](list)
    for trial in sorted(trials, key=lambda t: (t.trial.started, t.number)):
        found[trial.outcome.worker or f"of trial {trial.number}"].append(trial)
    return found.values()


@dataclass(frozen=True)
class _Clock:
    """Tells the seconds since the first trial, pauses left out.

    A pause is a time without any trial that is longer than the longest trial and than ten seconds: the sweep
    was interrupted, or its store was out of reach. A trial that was lost is taken for no longer either, since
    its end is the moment at which somebody noticed.
    """

    trials: Sequence[Finished]
    """At least one."""

    @cached_property
    def longest(self) -> float:
        known = (t.ended - t.trial.started for t in self.trials if t.outcome.state is not State.LOST)
        return max(SHORTEST_PAUSE, max(known, default=0.0))

    @cached_property
    def spans(self) -> list[Span]:
        return merged(self.span(t) for t in self.trials)

    @cached_property
    def pauses(self) -> list[Span]:
        gaps = ((last, first) for (_, last), (first, _) in pairwise(self.spans))
        return [(begin, end) for begin, end in gaps if end - begin > self.longest]

    @cached_property
    def paused(self) -> list[float]:
        """In all after so many pauses."""
        return [0.0, *accumulate(end - begin for begin, end in self.pauses)]

    @property
    def whole(self) -> float:
        return self.at(self.spans[-1][1])

    def span(self, trial: Finished) -> Span:
        """Give when a trial ran."""
        began, lost = trial.trial.started, trial.outcome.state is State.LOST
        return began, min(trial.ended, began + self.longest) if lost else trial.ended

    def at(self, moment: float) -> float:
        """Give the time of a moment, which lies in no pause."""
        before = bisect_right(self.pauses, moment, key=lambda pause: pause[1])
        return moment - self.spans[0][0] - self.paused[before]


def timeline(found: Explanation) -> Chart | None:
    """Draw the trials as bars; None where there are none."""
    trials = found.record.trials
    if not trials:
        return None
    lanes, clock = lanes_of(trials), _Clock(trials)
    unit, divisor = _unit(clock.whole)
    names = tuple(f"lane {i + 1}" for i in range(max(lanes.values()) + 1))
    layers = [_layer(state, trials, lanes, clock, divisor) for state in ROLES]
    layers = [layer for layer in layers if layer.low] + _pauses(clock, divisor, len(names))
    panel = Panel("", Axis(unit, low=0), Axis("", "category", names), layers)
    busy = _busy(trials, lanes, clock)
    table = _table(lanes, busy, clock.whole)
    return Chart("timeline", "Timeline", _sentence(trials, busy, clock), [panel], table, note=NOTE)


def _sentence(trials: Sequence[Finished], busy: dict[int, float], clock: _Clock) -> str:
    whole = clock.whole
    idle = max(0.0, 1 - sum(busy.values()) / (len(busy) * whole)) if whole > 0 else 0.0
    ran = f"{count(len(trials), 'trial')} in {count(len(busy), 'lane')} over {seconds(whole)}"
    text = f"{ran}; {idle:.0%} of the time of the lanes was idle."
    if not clock.pauses:
        return text
    paused = f"{count(len(clock.pauses), 'pause')} of {seconds(sum(e - b for b, e in clock.pauses))}"
    return f"{text} Left out and not counted: {paused} without any trial."


def _pauses(clock: _Clock, divisor: float, lanes: int) -> list[Layer]:
    """Where pauses are left out, a line across all lanes for each."""
    x: list[Number] = []
    for begin, _ in clock.pauses:
        place = round(clock.at(begin) / divisor, 4)
        x += [place, place, None]
    y: list[Number] = [-0.5, lanes - 0.5, None] * len(clock.pauses)
    return [Layer("line", "pause, left out", "best", x, y, dashed=True)] if x else []


def _table(lanes: dict[int, int], busy: dict[int, float], whole: float) -> Table:
    ran = Counter(lanes.values())
    rows = [
        (f"lane {lane + 1}", ran[lane], figure(spent, 4), f"{1 - spent / whole:.0%}" if whole else "–")
        for lane, spent in busy.items()
    ]
    return Table(["lane", "trials", "busy seconds", "idle"], rows)


def _layer(
    state: State, trials: Sequence[Finished], lanes: dict[int, int], clock: _Clock, divisor: float
) -> Layer:
    those = [t for t in trials if t.outcome.state is state]
    ran = [clock.span(t) for t in those]
    low, high = ([round(clock.at(moment[i]) / divisor, 4) for moment in ran] for i in (0, 1))
    name, role = ROLES[state]
    rows = [lanes[t.number] for t in those]
    return Layer("spans", name, role, [], rows, trials=[t.number for t in those], low=low, high=high)


def _busy(trials: Sequence[Finished], lanes: dict[int, int], clock: _Clock) -> dict[int, float]:
    busy = dict.fromkeys(sorted(set(lanes.values())), 0.0)
    for trial in trials:
        begin, end = clock.span(trial)
        busy[lanes[trial.number]] += end - begin
    return busy


def _unit(whole: float) -> tuple[str, float]:
    if whole < 300:
        return "seconds since the first trial", 1.0
    return (
        ("minutes since the first trial", 60.0)
        if whole < 4 * 3600
        else ("hours since the first trial", 3600.0)
    )
