"""When a trial is hopeless: cutoffs computed from the trials known when it is submitted.

A rung is a step at which a trial is judged. Steps count from 0, as in a curve: the rung of 30 rounds is step
29. At a rung the *figure so far* counts: of a curve the best rmse up to that step, which noise disturbs less
than the last one; under cross-validation, where steps are folds, the mean rmse of the folds so far. A trial
survives if its figure is not above the cutoff. What is not a number counts as infinitely bad.

Rounds are compared at one *pace*: what a model gains in a round is in proportion to its learning rate, so a
rung lies twice as far for half of it. Judged at equal rounds the slow learners, often the best in the end,
would go first.

``forecast`` judges by where a curve is heading (``sweeps.forecast``) instead, against what the finished
trials ended with: no pace is needed, and rungs can be many.

Cutoffs are a function of the outcomes known, whatever their order. They travel with the task, and the
figures at the rungs come back with the outcome: no further word passes between driver and worker
(docs/decisions/0009-cutoffs-travel-with-the-trial.md).
"""

import math
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sweeps.errors import UsageError, unknown
from sweeps.forecast import doublings_left, heading
from sweeps.trial import Curve, Cutoffs, Outcome, State

LAST_ROUND = 10**6
"""No rung lies beyond."""

DENSE = 2 ** (1 / 8)
"""How far apart rungs are where judging costs next to nothing; every eighth is a doubling."""

PRUNERS: Mapping[str, Mapping[str, float]] = {
    "none": {},
    "forecast": {"eta": 3, "min_rounds": 16, "min_trials": 3},
    "asha": {"eta": 3, "min_rounds": 30, "min_trials": 3},
    "median": {"min_rounds": 30, "min_trials": 5},
}
"""The pruners by name, with their options and what these are where they are not given.

``eta``: one trial in ``eta`` survives a rung, and a rung of ``asha`` is ``eta`` times as far as the last one;
``min_rounds``: the first rung, in rounds, but for ``forecast`` at a learning rate of 0.1 (under
cross-validation: the first fold);
``min_trials``: so many trials must be known at a rung before it cuts.
"""


@dataclass(frozen=True)
class Rule:
    """What a pruner does, whatever it is called."""

    rounds: tuple[int, ...] = ()
    """The rungs of a trial with rounds, as steps."""
    folds: tuple[int, ...] = ()
    """The rungs of a cross-validated trial, as steps."""
    share: float = 2
    """One trial in so many survives a rung."""
    least: int = 1
    """Trials that must be known at a rung before it cuts."""
    forecasts: bool = False
    """Whether it judges by where a curve is heading."""
    counts_pruned: bool = False
    """Whether a trial that was pruned counts at later rungs: as worse than all that got there."""


def check_pruning(name: str, options: Mapping[str, str]) -> None:
    """Refuse an unknown pruner, and options it does not have.

    Raises:
        UsageError: there is none of that name, it has no such option, or a value makes no sense.
    """
    _rule(name, options)


def open_pruner(name: str, options: Mapping[str, str]) -> "Pruner":
    """Make a pruner that knows no trial yet.

    ``asha`` is the stopping variant of Li et al., A System for Massively Parallel Hyperparameter Tuning
    (MLSys 2020): of the trials known at a rung, the best one in ``eta`` survives. ``median`` is the rule of
    Golovin et al., Google Vizier (KDD 2017): what is worse than the median of all trials is stopped.
    ``forecast`` stops what is heading for an rmse that is not among the best one in ``eta`` of the finished.

    Raises:
        UsageError: as :func:`check_pruning`.
    """
    return Pruner(_rule(name, options))


def _rule(name: str, given: Mapping[str, str]) -> Rule:
    if name not in PRUNERS:
        raise UsageError(f"--prune {name}", unknown("pruner", name, PRUNERS))
    for key in given:
        if not PRUNERS[name]:
            raise UsageError(f"--prune-option {key}", f"--prune {name} has no options", "--prune forecast")
        if key not in PRUNERS[name]:
            wrong = unknown(f"option of --prune {name}", key, PRUNERS[name])
            raise UsageError(f"--prune-option {key}", wrong)
    options = {**PRUNERS[name], **{key: _OPTIONS[key](key, text) for key, text in given.items()}}
    if not options:
        return Rule()
    share, forecasts = options.get("eta", 2), name == "forecast"
    return Rule(
        rounds=_rungs(int(options["min_rounds"]), DENSE if forecasts else share),
        forecasts=forecasts,
        folds=_rungs(1, share),
        share=share,
        least=int(options["min_trials"]),
        counts_pruned=name == "median",
    )


def _factor(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 1.1 <= value <= 1000:
        raise UsageError(f"--prune-option {key}", f"must be a number from 1.1 to 1000, got {text!r}")
    return value


def _count(key: str, text: str) -> float:
    if not (text.isdecimal() and len(text) <= 7 and 1 <= int(text) <= LAST_ROUND):
        raise UsageError(
            f"--prune-option {key}", f"must be a whole number from 1 to {LAST_ROUND}, got {text!r}"
        )
    return int(text)


_OPTIONS: Mapping[str, Callable[[str, str], float]] = {
    "eta": _factor,
    "min_rounds": _count,
    "min_trials": _count,
}


def _rungs(first: int, spacing: float) -> tuple[int, ...]:
    """Steps after ``first``, ``first * spacing``, ``first * spacing**2`` … rounds."""
    most = int(math.log(LAST_ROUND / first, spacing)) + 1
    return tuple(sorted({round(first * spacing**k) - 1 for k in range(most)}))


class Pruner:
    """Knows what the trials had reached at each rung; a trial costs it some microseconds.

    Args:
        rule: where and how it cuts.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule, self._by_fold = rule, False
        self._ends: list[float] = []
        self._rounds: dict[int, list[float]] = {step: [] for step in rule.rounds}
        self._folds: dict[int, list[float]] = {step: [] for step in rule.folds}

    @property
    def forecasts(self) -> bool:
        """Whether its cutoffs hold for forecasts."""
        return self._rule.forecasts

    def learn(self, outcome: Outcome) -> None:
        """Take note of a COMPLETE or PRUNED trial; others teach nothing."""
        if outcome.state not in (State.COMPLETE, State.PRUNED):
            return
        self._by_fold = self._by_fold or bool(outcome.folds)
        if self.forecasts and not outcome.folds:
            if outcome.state is State.COMPLETE and outcome.rmse is not None:
                insort(self._ends, outcome.rmse)
            return
        reached = dict(_means(outcome.folds) if outcome.folds else outcome.rungs)
        for step, known in (self._folds if outcome.folds else self._rounds).items():
            figure = reached.get(step, beyond(outcome, step, counts_pruned=self._rule.counts_pruned))
            if figure is not None:
                insort(known, figure)

    def cutoffs(self) -> Cutoffs:
        """Give all rungs with their cutoffs: infinite where too little is known; by fold, once seen so."""
        rule, rungs = self._rule, self._folds if self._by_fold else self._rounds
        if self.forecasts and not self._by_fold:
            highest = cutoff(self._ends, rule.share, rule.least)
            return tuple((step, highest) for step in rungs)
        return tuple((step, cutoff(known, rule.share, rule.least)) for step, known in rungs.items())


def beyond(outcome: Outcome, step: int, *, counts_pruned: bool) -> float | None:
    """What a trial counts at a rung it was not judged at; None where it does not.

    A COMPLETE trial counts with its rmse where it ended before the rung, or has no rounds: it wanted no more,
    and whoever goes on must do better. A PRUNED one does not get to later rungs; with ``counts_pruned`` it
    is there as infinitely bad.
    """
    if outcome.rungs and step < outcome.rungs[-1][0]:
        return None
    if outcome.state is State.COMPLETE:
        return outcome.rmse
    return math.inf if counts_pruned else None


def cutoff(known: Sequence[float], share: float, least: int) -> float:
    """The highest figure with which one more trial is among the best one in ``share`` (rounded up).

    Args:
        known: figures of the others, ascending.
        share: more than 1.
        least: with fewer known, all survive.
    """
    rank = math.ceil((len(known) + 1) / share)
    return known[rank - 1] if max(least, rank) <= len(known) else math.inf


def _lower(best: float, rmse: float) -> float:
    return rmse if rmse < best else best  # min() would keep a NaN


def _means(folds: Sequence[float]) -> Curve:
    return tuple((n, _mean(folds[: n + 1])) for n in range(len(folds)))


def _mean(values: Collection[float]) -> float:
    return _lower(math.inf, sum(values) / len(values))


class Pruned(BaseException):
    """Ends a trial from within its training; no error: ``except Exception`` in a train() lets it pass."""


def survives(cutoffs: Cutoffs, *, folds: bool = False, forecast: bool = False) -> "Watch | ForecastWatch":
    """Give a watch over one trial; without cutoffs it survives whatever happens.

    Args:
        cutoffs: as they travelled with the task.
        folds: the steps are folds, the figure is the mean of what was seen; else rounds, and the best.
        forecast: the cutoffs hold for where the curve is heading; for rounds only.
    """
    return ForecastWatch(cutoffs) if forecast and not folds else Watch(cutoffs, folds=folds)


class Watch:
    """Follows one trial, step after step, until it is hopeless.

    Where steps are left out, a rung in between is judged at the next step by the figure before it; a rung
    before the first step is not judged.

    Args:
        cutoffs: steps ascending.
        folds: see :func:`survives`.
    """

    def __init__(self, cutoffs: Cutoffs, *, folds: bool = False) -> None:
        self.pace = 1.0
        """How many rounds of the cutoffs one of its rounds counts as, above 0; set before the first step."""
        self.figure = math.inf
        """So far; infinite without a step."""
        self.reason = ""
        """Why the trial is hopeless; empty while it survives."""
        self._folds, self._seen = folds, dict[int, float]()
        self._ahead = deque(cutoffs)
        self._reached: list[tuple[int, float]] = []

    @property
    def steps(self) -> tuple[int, ...]:
        """Where it will judge: who measures at a price, measures there and at the end."""
        return tuple(sorted({self._own(step) for step, _ in self._ahead}))

    @property
    def curve(self) -> Curve:
        """All steps so far, ascending."""
        return tuple(sorted(self._seen.items()))

    @property
    def rungs(self) -> Curve:
        """The rungs so far, by the steps of the cutoffs, with the figure at each; only finite ones."""
        return tuple(self._reached)

    def __call__(self, step: int, rmse: float) -> bool:
        """Take note of a step; whether the trial survives."""
        self._pass(step)
        self._seen[step] = rmse
        self.figure = _mean(self._seen.values()) if self._folds else _lower(self.figure, rmse)
        self._judge(step)
        return not self.reason

    def report(self, step: int, rmse: float) -> None:
        """Take note of a step.

        Raises:
            Pruned: the trial is hopeless.
        """
        if not self(step, rmse):
            raise Pruned(self.reason)

    def _pass(self, step: int) -> None:
        """Settle the rungs before a step: judged by what was seen before, else left out."""
        if self._seen:
            self._judge(step - 1)
        while self._ahead and self._own(self._ahead[0][0]) < step:
            self._ahead.popleft()

    def _judge(self, last: int) -> None:
        """Judge the rungs up to a step by the figure as it stands."""
        while not self.reason and self._ahead and self._own(self._ahead[0][0]) <= last:
            step, highest = self._ahead.popleft()
            if math.isfinite(self.figure):
                self._reached.append((step, self.figure))
            self._compare(self._own(step), highest)

    def _compare(self, step: int, highest: float) -> None:
        if self.figure > highest:
            unit, what = ("fold", "mean rmse") if self._folds else ("round", "rmse")
            self.reason = f"pruned at {unit} {step + 1}: {what} {self.figure:.6g} > {highest:.6g}"

    def _own(self, step: int) -> int:
        """The trial's own step at a rung."""
        return max(1, round((step + 1) / self.pace)) - 1


class ForecastWatch:
    """Follows one trial until it is heading for a hopeless end; see ``sweeps.forecast``.

    Where steps are left out, a rung in between is judged at the next step by what was seen before it.

    Args:
        cutoffs: steps ascending.
    """

    def __init__(self, cutoffs: Cutoffs) -> None:
        self.figure = math.inf
        """Best rmse so far; infinite without a step."""
        self.reason = ""
        """Why the trial is hopeless; empty while it survives."""
        self.rungs: Curve = ()
        """Nothing: what finished trials ended with is all that their pruner learns from."""
        self.most: int | None = None
        """Rounds it may take; None: nobody knows. Set before the first step."""
        self._first = cutoffs[0][0] + 1 if cutoffs else 0
        self._ahead = deque(cutoffs)
        self._seen = dict[int, float]()
        self._steps, self._best = list[int](), list[float]()

    @property
    def steps(self) -> tuple[int, ...]:
        """Where a forecast needs figures: at a quarter and a half of the first rung, then doubling."""
        doublings = range(-2, LAST_ROUND.bit_length()) if self._first else ()
        return tuple(sorted({max(1, round(self._first * 2.0**k)) - 1 for k in doublings}))

    @property
    def curve(self) -> Curve:
        """All steps so far, ascending."""
        return tuple(sorted(self._seen.items()))

    def __call__(self, step: int, rmse: float) -> bool:
        """Take note of a step; whether the trial survives."""
        self._judge(step)
        self._seen[step] = rmse
        self.figure = _lower(self.figure, rmse)
        if not self._steps or step > self._steps[-1]:
            self._steps.append(step)
            self._best.append(self.figure)
        self._judge(step + 1)
        return not self.reason

    def report(self, step: int, rmse: float) -> None:
        """Take note of a step.

        Raises:
            Pruned: the trial is hopeless.
        """
        if not self(step, rmse):
            raise Pruned(self.reason)

    def _judge(self, rounds: int) -> None:
        """Judge the rungs of at most so many rounds by what was seen."""
        while not self.reason and self._ahead and self._ahead[0][0] < rounds:
            step, highest = self._ahead.popleft()
            quarter, half, now = (self._best_in((step + 1) / part) for part in (4, 2, 1))
            left = doublings_left(step + 1, self.most)
            end = heading(quarter, half, now, left) if self._seen else -math.inf
            if end > highest:
                place = f"pruned at round {step + 1}"
                self.reason = f"{place}: heading for rmse {end:.6g} > {highest:.6g}"

    def _best_in(self, rounds: float) -> float:
        """The best rmse of so many rounds; infinite where none was seen."""
        place = bisect_right(self._steps, rounds - 1)
        return self._best[place - 1] if place else math.inf
