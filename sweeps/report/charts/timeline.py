"""Timeline: when each trial ran, in lanes; gaps are idle workers."""

from collections import Counter
from collections.abc import Sequence

from sweeps.analysis.explain import Explanation
from sweeps.report.charts.model import Axis, Chart, Layer, Panel, Table, count, figure
from sweeps.trial import Finished, State

ROLES = {
    State.COMPLETE: ("complete", "main"),
    State.PRUNED: ("pruned", "quiet"),
    State.FAILED: ("failed", "bad"),
    State.LOST: ("lost", "bad"),
}
NOTE = (
    "Which worker ran a trial is not recorded: the lanes are packed from start and end times, each "
    "trial into the first "
    "lane that is free. A trial's time begins when it is handed to its worker."
)


def lanes_of(trials: Sequence[Finished]) -> dict[int, int]:
    """Give each trial, by number, the first lane that is free when it starts."""
    free: list[float] = []
    lanes: dict[int, int] = {}
    for trial in sorted(trials, key=lambda t: (t.trial.started, t.number)):
        lane = next((i for i, end in enumerate(free) if end <= trial.trial.started + 0.001), len(free))
        if lane == len(free):
            free.append(0.0)
        free[lane] = trial.ended
        lanes[trial.number] = lane
    return lanes


def timeline(found: Explanation) -> Chart | None:
    """Draw the trials as bars; None where there are none."""
    trials = found.record.trials
    if not trials:
        return None
    lanes, start = lanes_of(trials), min(t.trial.started for t in trials)
    whole = max(t.ended for t in trials) - start
    unit, divisor = _unit(whole)
    layers = [_layer(state, trials, lanes, start, divisor) for state in ROLES]
    names = tuple(f"lane {i + 1}" for i in range(max(lanes.values()) + 1))
    panel = Panel(
        "", Axis(unit, low=0), Axis("", "category", names), [layer for layer in layers if layer.low]
    )
    busy = _busy(trials, lanes)
    idle = 1 - sum(busy.values()) / (len(busy) * whole) if whole > 0 else 0.0
    ran = f"{count(len(trials), 'trial')} in {count(len(names), 'lane')} over {figure(whole, 3)} s"
    sentence = f"{ran}; {idle:.0%} of the time of the lanes was idle."
    return Chart("timeline", "Timeline", sentence, [panel], _table(lanes, busy, whole), note=NOTE)


def _table(lanes: dict[int, int], busy: dict[int, float], whole: float) -> Table:
    ran = Counter(lanes.values())
    rows = [
        (f"lane {lane + 1}", ran[lane], figure(seconds, 4), f"{1 - seconds / whole:.0%}" if whole else "–")
        for lane, seconds in busy.items()
    ]
    return Table(["lane", "trials", "busy seconds", "idle"], rows)


def _layer(
    state: State, trials: Sequence[Finished], lanes: dict[int, int], start: float, divisor: float
) -> Layer:
    those = [t for t in trials if t.outcome.state is state]
    low = [round((t.trial.started - start) / divisor, 4) for t in those]
    high = [round((t.ended - start) / divisor, 4) for t in those]
    name, role = ROLES[state]
    return Layer(
        "spans",
        name,
        role,
        [],
        [lanes[t.number] for t in those],
        trials=[t.number for t in those],
        low=low,
        high=high,
    )


def _busy(trials: Sequence[Finished], lanes: dict[int, int]) -> dict[int, float]:
    busy = dict.fromkeys(sorted(set(lanes.values())), 0.0)
    for trial in trials:
        busy[lanes[trial.number]] += trial.ended - trial.trial.started
    return busy


def _unit(seconds: float) -> tuple[str, float]:
    if seconds < 300:
        return "seconds since the first trial", 1.0
    return (
        ("minutes since the first trial", 60.0)
        if seconds < 4 * 3600
        else ("hours since the first trial", 3600.0)
    )
