"""What pruning gains and loses, and what stale cutoffs cost: ``python -m benchmarks.staleness``.

Sweeps in virtual time (``pruned_time.py``) over the recorded spaces, with the real pruners. A trial lasts as
many CPU seconds as its training took when it was recorded, or the share of them that it got before it was
pruned. All figures compare with sweeps of the same seed that prune nothing.

1. Where cutoffs come from: from the trials that had ended when the trial was submitted (what a task carries),
   from those that have ended by now, or from whatever any trial has reached by now (a live channel).
2. The pruners' options.
3. What the searcher is best told of a pruned trial.

In 1 and 2 the proposals are random recordings, 200 for each seed, so that all contenders see the same trials
in the same order; in 3 the searcher is TPE. Read the tables so:

- ``winner``: share of the seeds whose best trial was pruned.
- ``regret``: how much worse the best that is left is, in per cent, mean ± standard error over the seeds.
- ``time``: virtual time of the whole sweep, and ``rounds`` trained, without pruning = 1; of all seeds
  together, with the quartiles over the seeds.
- ``to 1 %``: how many times sooner a trial within 1 % of the best of the 200 has ended, median times; a dash:
  never, in half of the seeds.

Limits: two spaces, one kind of model; curves are interpolated between 40 recorded rounds; a trial does not
become slower because others run beside it.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count, takewhile
from typing import Any, NamedTuple

import numpy as np
from xgboost import XGBRegressor

from benchmarks.problems import RECORDED, problem
from benchmarks.pruned_time import Ended, Judged, Known, Simulation, judge, outcome
from benchmarks.recorded import space
from benchmarks.recorded.lookup import load
from benchmarks.table import Table, parser, publish
from sweeps.models import pace_of
from sweeps.pruning import open_pruner
from sweeps.search.searcher import Searcher
from sweeps.trial import Outcome, State

ABOUT = (
    "What pruning gains and loses, what stale cutoffs cost, and what to tell the searcher of a pruned trial; "
    "by simulation on recorded curves. The terms are explained in `benchmarks/staleness.py`."
)
WITHIN = (1.01, 1.005, 1.001)


@dataclass(frozen=True)
class Way:
    """A way to prune."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    known: Known = Known.SUBMITTED
    paced: bool = True
    """Whether a rung lies further for a lower learning rate."""

    def __str__(self) -> str:
        options = (f"{key}={value}" for key, value in self.options.items())
        return " ".join([self.name, *options, *([] if self.paced else ["at equal rounds"])])


NONE = Way("none")
ETAS, FIRST_RUNGS = ("2", "3", "4"), {"forecast": ("8", "16", "32"), "asha": ("10", "20", "30", "50")}
SOURCES = (
    *(Way("forecast", known=known) for known in (Known.SUBMITTED, Known.FINISHED)),
    *(Way("asha", known=known) for known in Known),
    *(Way("median", known=known) for known in (Known.SUBMITTED, Known.FINISHED)),
)
"""For ``forecast``, which learns from ends alone, the ends of now are all that a live channel could tell."""
OPTIONS = (
    *(
        Way(name, {"eta": eta, "min_rounds": rounds})
        for name, firsts in FIRST_RUNGS.items()
        for eta in ETAS
        for rounds in firsts
    ),
    *(Way("forecast", {"min_trials": least}) for least in ("1", "2", "5", "10")),
    Way("forecast", {"eta": "2", "min_trials": "1"}),
    *(Way("asha", {"min_trials": least}) for least in ("1", "10")),
    *(Way("median", {"min_rounds": rounds}) for rounds in FIRST_RUNGS["asha"]),
    *(Way("asha", {"min_rounds": rounds}, paced=False) for rounds in ("5", "10", "20")),
    Way("median", {"min_rounds": "10"}, paced=False),
)


TELLINGS: Mapping[str, Callable[[Ended], float | None]] = {
    "best so far": lambda ended: outcome(ended).rmse,
    "failed": lambda _: None,
    "where it was heading": lambda ended: ended.rung.figure if ended.rung else None,
    "its end, had it gone on": lambda ended: ended.trial.recording.best,
}
"""What the searcher is told of a pruned trial; the last cannot be known."""

TOLD = (
    (NONE, "–"),
    *((Way("forecast"), telling) for telling in TELLINGS),
    *((Way("asha"), telling) for telling in ("best so far", "failed")),
)


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    names: Sequence[str] = RECORDED
    seeds: int = 60
    trials: int = 200
    slots: Sequence[int] = (1, 2, 8, 32)
    options: Sequence[Way] = OPTIONS
    told: Sequence[tuple[Way, str]] = TOLD
    tpe_seeds: int = 16
    tpe_trials: int = 150
    tpe_slots: Sequence[int] = (1, 8)


@lru_cache(maxsize=4)
def judged(name: str, pruner: str, options: tuple[tuple[str, str], ...], paced: bool) -> tuple[Judged, ...]:
    """Give all recordings of a space with their rungs."""
    made, recorded = open_pruner(pruner, dict(options)), load(name)
    rates = (space.params_at(unit)["learning_rate"] for unit in recorded.units)
    paces = (pace_of(XGBRegressor(learning_rate=rate)) if paced else 1.0 for rate in rates)
    return tuple(judge(one, made, pace) for one, pace in zip(recorded.recordings, paces, strict=True))


def trials_of(name: str, way: Way) -> tuple[Judged, ...]:
    """Give all recordings of a space with the rungs of a way to prune."""
    return judged(name, way.name, tuple(way.options.items()), way.paced)


class Sums(NamedTuple):
    """What is told of one sweep."""

    winner_pruned: bool
    regret: float
    """In per cent of the best rmse of all its trials."""
    time: float
    rounds: int
    reached: tuple[float, ...]
    """When a trial within each of ``WITHIN`` ended; infinite for never."""


def random_sweep(name: str, way: Way, slots: int, seed: int, trials: int) -> Sums:
    """Run a sweep over random recordings of a space."""
    order = np.random.default_rng(seed).permutation(len(load(name)))[:trials]
    everything = trials_of(name, way)
    drawn = enumerate(everything[place] for place in order)
    pruner = open_pruner(way.name, way.options)
    return _sums(list(Simulation(pruner, way.known, slots, lambda: next(drawn, None)).run()))


def _sums(ended: Sequence[Ended]) -> Sums:
    best = min(one.trial.recording.best for one in ended)
    left = min(one.rmse for one in ended)
    reached = tuple(
        min((one.time for one in ended if one.rmse <= best * within), default=math.inf) for within in WITHIN
    )
    rounds = sum(one.rounds for one in ended)
    return Sums(left > best, 100 * (left / best - 1), ended[-1].time, rounds, reached)


def sweeps(name: str, way: Way, slots: int, plan: Plan) -> list[Sums]:
    """Run one sweep for each seed."""
    return [random_sweep(name, way, slots, seed, plan.trials) for seed in range(plan.seeds)]


class Row(NamedTuple):
    """Sweeps of one way to prune, one for each seed, and those that prune nothing."""

    labels: tuple[Any, ...]
    ours: Sequence[Sums]
    unpruned: Sequence[Sums]

    def cells(self) -> list[Any]:
        """Give the labels, then winner, regret, time, rounds, and the speed-ups."""
        return [
            *self.labels,
            f"{100 * statistics.fmean(one.winner_pruned for one in self.ours):.0f} %",
            _mean([one.regret for one in self.ours]),
            *(self._ratio(what) for what in ("time", "rounds")),
            *(_sooner(self.ours, self.unpruned, place) for place in range(len(WITHIN))),
        ]

    def raw(self) -> dict[str, Any]:
        """Give regret and time of each seed, as JSON holds them."""
        return {
            "row": [str(label) for label in self.labels],
            "regret": [round(float(one.regret), 3) for one in self.ours],
            "time": [round(float(share), 3) for share in self._shares("time")],
        }

    def _ratio(self, what: str) -> str:
        ours, unpruned = (sum(getattr(one, what) for one in some) for some in (self.ours, self.unpruned))
        low, high = np.quantile(self._shares(what), (0.25, 0.75))
        return f"{ours / unpruned:.2f} ({low:.2f} – {high:.2f})"

    def _shares(self, what: str) -> list[float]:
        pairs = zip(self.ours, self.unpruned, strict=True)
        return [getattr(one, what) / getattr(other, what) for one, other in pairs]


def _mean(figures: Sequence[float]) -> str:
    error = statistics.stdev(figures) / math.sqrt(len(figures))
    return f"{statistics.fmean(figures):.2f} ± {error:.2f}"


def _sooner(ours: Sequence[Sums], unpruned: Sequence[Sums], place: int) -> str | None:
    theirs, mine = (statistics.median(one.reached[place] for one in some) for some in (unpruned, ours))
    return f"{theirs / mine:.2f}" if math.isfinite(mine) else None


FIGURES = ("winner", "regret", "time", "rounds", "to 1 %", "to 0.5 %", "to 0.1 %")


def source_table(plan: Plan) -> tuple[Table, list[Row]]:
    """Compare where cutoffs come from."""
    rows: list[Row] = []
    for name in plan.names:
        for slots in plan.slots:
            unpruned = sweeps(name, NONE, slots, plan)
            for way in SOURCES:
                if slots > 1 or way.known is Known.SUBMITTED:
                    print(f"{name}, {slots} slots, {way} from {way.known}", file=sys.stderr)
                    rows.append(Row((name, slots, way, way.known), sweeps(name, way, slots, plan), unpruned))
    notes = [
        f"{plan.trials} random trials, {plan.seeds} seeds; compared with no pruning at as many slots",
        "submission: ended before it was submitted; ends: ended by now; rungs: reached by now, live",
    ]
    columns = ["space", "slots", "pruner", "known from", *FIGURES]
    return Table("Where cutoffs come from", columns, [row.cells() for row in rows], notes), rows


def option_table(plan: Plan, slots: int = 1) -> tuple[Table, list[Row]]:
    """Compare the options of the pruners."""
    rows: list[Row] = []
    unpruned = {name: sweeps(name, NONE, slots, plan) for name in plan.names}
    for way in plan.options:
        print(f"options: {way}", file=sys.stderr)
        rows += [Row((way, name), sweeps(name, way, slots, plan), unpruned[name]) for name in plan.names]
    notes = [
        f"one slot, {plan.trials} random trials, {plan.seeds} seeds; options left out are the defaults",
        "at equal rounds: rungs at the same round whatever the learning rate, as other tools have them",
    ]
    columns = ["pruner", "space", *FIGURES]
    return Table("Options", columns, [row.cells() for row in rows], notes), rows


def tpe_sweep(name: str, way: Way, telling: str, slots: int, seed: int, horizon: float) -> list[Ended]:
    """Run a sweep with TPE until a virtual time; trials that end later are left out."""
    searcher, numbers = Searcher(problem(name).space, "tpe", seed), count()
    trials, recorded = trials_of(name, way), load(name)

    def propose() -> tuple[int, Judged] | None:
        proposal = searcher.ask(next(numbers))
        if proposal is None:
            return None
        return proposal.number, trials[recorded.near(proposal.params).place]

    def tell(number: int, ended: Ended) -> None:
        rmse = TELLINGS[telling](ended) if ended.rung else ended.rmse
        failed = Outcome(State.FAILED, error="pruned")
        searcher.tell(number, failed if rmse is None else Outcome(State.COMPLETE, rmse))

    pruner = open_pruner(way.name, way.options)
    running = Simulation(pruner, way.known, slots, propose, tell).run()
    return list(takewhile(lambda ended: ended.time <= horizon, running))


def telling_table(plan: Plan) -> Table:
    """Compare what the searcher is told, at equal virtual time."""
    rows: list[list[Any]] = []
    for name in plan.names:
        for slots in plan.tpe_slots:
            seconds = statistics.fmean(one.seconds for one in load(name).recordings)
            horizon = plan.tpe_trials * seconds / slots
            for way, telling in plan.told:
                print(f"telling: {name}, {slots} slots, {way}, {telling}", file=sys.stderr)
                runs = [tpe_sweep(name, way, telling, slots, s, horizon) for s in range(plan.tpe_seeds)]
                rows.append([name, slots, way, telling, *_told(name, runs, horizon)])
    notes = [
        f"TPE, {plan.tpe_seeds} seeds; regret in % of the best recorded rmse, mean ± standard error",
        f"whole: after the virtual time of {plan.tpe_trials} average trials; half, quarter: of that time",
    ]
    columns = ["space", "slots", "pruner", "told", "quarter", "half", "whole", "trials", "pruned"]
    return Table("What the searcher is told of a pruned trial", columns, rows, notes)


def _told(name: str, runs: Sequence[Sequence[Ended]], horizon: float) -> list[str]:
    return [
        *(_regret(name, runs, horizon * part) for part in (0.25, 0.5, 1)),
        f"{statistics.fmean(map(len, runs)):.0f}",
        f"{100 * sum(e.rung is not None for run in runs for e in run) / sum(map(len, runs)):.0f} %",
    ]


def _regret(name: str, runs: Sequence[Sequence[Ended]], until: float) -> str:
    optimum = load(name).optimum
    best = [min((e.rmse for e in run if e.time <= until), default=math.nan) for run in runs]
    regret = 100 * (np.array(best) / optimum - 1)
    return _mean(regret.tolist())


QUICK = Plan(("diabetes",), 2, 30, (1, 8), OPTIONS[:1], TOLD[:2], 2, 20, (8,))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, publish."""
    made = parser(__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("--quick", action="store_true", help="seconds instead of minutes: shows that it works")
    given = made.parse_args(arguments)
    plan = QUICK if given.quick else Plan()
    (sources, by_source), (options, by_option) = source_table(plan), option_table(plan)
    tables = [sources, options, telling_table(plan)]
    raw = {"sources": [row.raw() for row in by_source], "options": [row.raw() for row in by_option]}
    publish("staleness", ABOUT, tables, raw, folder=given.out, arguments=arguments)


if __name__ == "__main__":
    main()
