"""What searching in parallel, and with a bounded history, costs: ``python -m benchmarks.regret``.

Sweeps in virtual time (``virtual_time.py``) over the problems of ``problems.py``: the searcher is the real
one, but a trial's value is computed or looked up, and its duration is a number (lognormal on test functions,
the recorded CPU seconds on recorded spaces). So hundreds of sweeps fit into minutes, and nothing but the
search differs between them: sweeps of the same seed start with the same points.

Regret is the best value found so far, minus the optimum; on recorded spaces in per cent of the optimum.

1. Regret at equal numbers of finished trials, with 1, 2, 8 and 32 slots, and of random search.
2. Virtual wall time until the median regret of one slot after 100 trials is reached, against one slot.
3. Regret and cost of an ask where the algorithm sees a bounded history (``Searcher(history_limit=...)``).

Limits: asking and telling take no virtual time; a trial's duration depends on its seed or params and not on
what runs beside it; recorded spaces are mosaics (``recorded/lookup.py``), so their regret falls in steps and
can be zero.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from benchmarks.problems import NAMES, Problem, problem
from benchmarks.table import Table, figure, parser, publish
from benchmarks.virtual_time import Ended, run
from sweeps.search.searcher import HISTORY_LIMIT, Searcher

SLOTS = (1, 2, 8, 32)
ABOUT = (
    "What searching in parallel costs: regret at equal numbers of trials with 1, 2, 8 and 32 slots, on "
    "standard test functions and on recorded XGBoost spaces, in virtual time; and what a bounded history "
    "costs."
)
RANDOM = 0
"""Stands for random search where a number of slots is expected."""

UNBOUNDED = sys.maxsize
LONG = ("hartmann6", "friedman")
LIMITS = (UNBOUNDED, 500, 250, 100)


@dataclass(frozen=True)
class Sweeps:
    """Sweeps that differ in their seed only: arrays of shape (seeds, trials), in the order of the ends."""

    regret: np.ndarray
    """Of the best trial so far."""
    time: np.ndarray
    """Virtual seconds."""
    ask: float = 0
    """CPU milliseconds per trial."""

    def quartiles(self, trials: int) -> tuple[float, float, float]:
        """Give the quartiles of the regret after so many trials, the median in the middle."""
        low, middle, high = np.quantile(self.regret[:, trials - 1], [0.25, 0.5, 0.75])
        return float(low), float(middle), float(high)

    def time_to(self, regret: float) -> float:
        """Median over the seeds of the time until a regret is reached; infinite where most do not."""
        reached = self.regret <= regret
        first = reached.argmax(axis=1)
        times = np.where(reached.any(axis=1), self.time[np.arange(len(first)), first], np.inf)
        return float(np.median(times))


def sweep(what: Problem, slots: int, trials: int, seeds: int, history_limit: int = HISTORY_LIMIT) -> Sweeps:
    """Run one sweep for each seed, with TPE, or with random search for ``RANDOM`` slots."""
    algo = "tpe" if slots else "random"
    started = time.process_time()
    ends = [
        list(run(what, Searcher(what.space, algo, seed, history_limit=history_limit), slots or 1, trials))
        for seed in range(seeds)
    ]
    cost = (time.process_time() - started) / (seeds * trials) * 1000
    print(f"{what.name}, {slots} slots: {cost:.1f} ms per trial", file=sys.stderr)
    return Sweeps(np.array([_best(what, one) for one in ends]), _times(ends), cost)


def _best(what: Problem, ends: Sequence[Ended]) -> np.ndarray:
    return np.minimum.accumulate([what.regret(ended.value) for ended in ends])


def _times(ends: Sequence[Sequence[Ended]]) -> np.ndarray:
    return np.array([[ended.time for ended in one] for one in ends])


Measured = Mapping[str, Mapping[int, Sweeps]]
"""By problem and number of slots."""


def parallel_table(measured: Measured, marks: Sequence[int]) -> Table:
    """Show the regret at equal numbers of trials."""
    rows = [
        [name, trials, *(_shown(by_slots[slots].quartiles(trials)) for slots in (RANDOM, *SLOTS))]
        for name, by_slots in measured.items()
        for trials in marks
    ]
    seeds = _seeds(measured)
    return Table(
        "Regret at equal numbers of trials",
        ["problem", "trials", "random", *(_slots(n) for n in SLOTS)],
        rows,
        [
            f"median over {seeds} seeds (lower – upper quartile); recorded spaces in % of the best rmse",
            "lower is better; trials are counted as they end",
        ],
    )


def summary_table(measured: Measured, marks: Sequence[int]) -> Table:
    """Show how often, over all problems and seeds, parallel sweeps end worse than serial ones."""
    rows = [
        ["random" if slots == RANDOM else _slots(slots), *(_worse(measured, slots, n) for n in marks)]
        for slots in (RANDOM, *SLOTS[1:])
    ]
    return Table(
        "Chance to end worse than one slot of the same seed, over all problems",
        ["", *(f"{n} trials" for n in marks)],
        rows,
        ["50 %: no difference; ties count half; ± is the standard error"],
    )


def _worse(measured: Measured, slots: int, trials: int) -> str:
    wins = []
    for by_slots in measured.values():
        theirs, serial = (by_slots[n].regret[:, trials - 1] for n in (slots, 1))
        wins.append((theirs > serial) + 0.5 * (theirs == serial))
    won = np.concatenate(wins)
    return f"{100 * won.mean():.0f} ± {100 * won.std() / np.sqrt(won.size):.0f} %"


def speed_table(measured: Measured, mark: int) -> Table:
    """Show the wall time at equal regret."""
    rows = []
    for name, by_slots in measured.items():
        target = by_slots[1].quartiles(mark)[1]
        times = [by_slots[slots].time_to(target) for slots in SLOTS]
        rows.append([name, figure(target), *(_speed_up(times[0], one) for one in times[1:])])
    return Table(
        f"Speed-up at equal regret: that of one slot after {mark} trials",
        ["problem", "regret", *(_slots(n) for n in SLOTS[1:])],
        rows,
        [
            "median virtual wall time of one slot, divided by that of so many; the ideal is their number",
            "a dash: fewer than half of the seeds came that far",
        ],
    )


def _speed_up(serial: float, parallel: float) -> str | None:
    return f"{serial / parallel:.1f}" if np.isfinite(parallel) and np.isfinite(serial) else None


def history_table(measured: Mapping[str, Mapping[int, Sweeps]], marks: Sequence[int]) -> Table:
    """Show what a bounded history costs in regret and gains in time."""
    rows = [
        [
            name,
            "none" if limit == UNBOUNDED else limit,
            *(_shown(sweeps.quartiles(n)) for n in marks),
            sweeps.ask,
        ]
        for name, by_limit in measured.items()
        for limit, sweeps in by_limit.items()
    ]
    return Table(
        "Regret with a bounded history, one slot",
        ["problem", "limit", *(f"{n} trials" for n in marks), "ms per trial"],
        rows,
        ["median over the seeds (lower – upper quartile); up to the limit the points are the same"],
    )


def _shown(quartiles: tuple[float, float, float]) -> str:
    low, middle, high = quartiles
    return f"{figure(middle, 2)} ({figure(low, 2)} – {figure(high, 2)})"


def _slots(number: int) -> str:
    return f"{number} slot{'s' if number > 1 else ''}"


def _seeds(measured: Measured) -> int:
    return next(len(one.regret) for by_slots in measured.values() for one in by_slots.values())


def _raw(sweeps: Sweeps, marks: Sequence[int]) -> dict[str, object]:
    regrets = {str(n): [round(float(v), 6) for v in sweeps.regret[:, n - 1]] for n in marks}
    return {"regret": regrets, "ms_per_trial": round(sweeps.ask, 3)}


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    names: Sequence[str] = NAMES
    seeds: int = 20
    marks: Sequence[int] = (50, 100, 200)
    long_names: Sequence[str] = LONG
    long_seeds: int = 6
    long_marks: Sequence[int] = (500, 1000)
    limits: Sequence[int] = LIMITS


QUICK = Plan(("branin", "diabetes"), 2, (10, 20, 30), ("branin",), 1, (40, 60), (UNBOUNDED, 50))


class Task(NamedTuple):
    """The arguments of ``sweep``, with the problem's name in place of the problem."""

    name: str
    slots: int
    trials: int
    seeds: int
    history_limit: int = HISTORY_LIMIT

    def run(self) -> Sweeps:
        """Run the sweeps."""
        return sweep(problem(self.name), *self[1:])


def run_all(tasks: Iterable[Task]) -> dict[Task, Sweeps]:
    """Run tasks in as many processes as there are cores."""
    with ProcessPoolExecutor() as pool:
        running = {task: pool.submit(task.run) for task in tasks}
        return {task: future.result() for task, future in running.items()}


def measure(plan: Plan) -> tuple[list[Table], dict[str, object]]:
    """Run the sweeps of a plan; give the tables and the figures behind them."""
    limits = [
        Task(name, 1, plan.long_marks[-1], plan.long_seeds, limit)
        for name in plan.long_names
        for limit in plan.limits
    ]
    slots = [
        Task(name, slots, plan.marks[-1], plan.seeds) for name in plan.names for slots in (RANDOM, *SLOTS)
    ]
    done = run_all((*limits, *slots))  # the longest ones first
    parallel = {name: {one.slots: done[one] for one in slots if one.name == name} for name in plan.names}
    long = {
        name: {one.history_limit: done[one] for one in limits if one.name == name} for name in plan.long_names
    }
    tables = [
        summary_table(parallel, plan.marks),
        parallel_table(parallel, plan.marks),
        speed_table(parallel, plan.marks[1]),
        history_table(long, plan.long_marks),
    ]
    return tables, {
        "parallel": {k: {n: _raw(s, plan.marks) for n, s in v.items()} for k, v in parallel.items()},
        "history": {k: {str(n): _raw(s, plan.long_marks) for n, s in v.items()} for k, v in long.items()},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, publish."""
    made = parser(__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    made.add_argument("--quick", action="store_true", help="seconds instead of minutes: shows that it works")
    given = made.parse_args(arguments)
    tables, raw = measure(QUICK if given.quick else Plan())
    publish("regret", ABOUT, tables, raw, folder=given.out, arguments=arguments)


if __name__ == "__main__":
    main()
