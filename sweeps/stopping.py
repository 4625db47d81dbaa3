"""When a sweep ends: pure, from what happened."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sweeps.errors import UsageError
from sweeps.trial import Outcome, State


@dataclass(frozen=True)
class StopRules:
    """The limits of a sweep; None means no such limit.

    Raises:
        UsageError: a limit makes no sense, or there is none that must be reached.
    """

    trials: int | None = None
    """Trials to run."""
    seconds: float | None = None
    """Start no trial after this time; running ones are finished."""
    target: float | None = None
    """Stop when a trial's rmse is at or below this."""
    patience: int | None = None
    """Stop after so many trials in a row without a new best."""
    max_failures: int | None = None
    """Stop when more trials than this have failed."""

    def __post_init__(self) -> None:
        for option, value in (("--trials", self.trials), ("--patience", self.patience)):
            if value is not None and value < 1:
                raise UsageError(option, f"must be a whole number >= 1, got {value}")
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise UsageError("--time", f"must be a positive time, got {self.seconds:g} s", "--time 10m")
        if self.target is not None and not 0 <= self.target < float("inf"):
            raise UsageError("--target-rmse", f"must be an rmse >= 0, got {self.target}")
        if self.max_failures is not None and self.max_failures < 0:
            raise UsageError("--max-failures", f"must be 0 or more, got {self.max_failures}")
        if self.trials is None and self.seconds is None:
            raise UsageError("a sweep", "needs an end", "pass --trials N or --time 10m")

    def reason(self, standing: "Standing", asked: int, elapsed: float) -> str | None:
        """Say why no further trial may start; None while one may.

        Args:
            standing: what the finished trials came to.
            asked: trials started so far, running ones included.
            elapsed: seconds since the sweep began.
        """
        if self.trials is not None and asked >= self.trials:
            return f"{self.trials} trials"
        if self.seconds is not None and elapsed >= self.seconds:
            return f"time limit of {self.seconds:g} s"
        if self.target is not None and standing.best_rmse <= self.target:
            return f"target rmse of {self.target:g} reached"
        if self.patience is not None and standing.since_best >= self.patience:
            return f"no better rmse in {self.patience} trials"
        if self.too_many_failures(standing):
            return f"more than {self.max_failures} trials failed"
        return None

    def too_many_failures(self, standing: "Standing") -> bool:
        """Whether more trials failed than allowed."""
        return self.max_failures is not None and standing.failures > self.max_failures


class Standing:
    """What the trials that ended came to, kept as they end: the loop asks for it once per trial.

    Args:
        outcomes: of the trials so far, in the order they ended.
    """

    def __init__(self, outcomes: Iterable[Outcome] = ()) -> None:
        self.best_rmse = math.inf
        """The lowest rmse of the COMPLETE trials; infinity where there is none."""
        self.since_best = 0
        """Trials that ended after the best one (all, where none is COMPLETE)."""
        self.failures = 0
        """FAILED trials."""
        for outcome in outcomes:
            self.add(outcome)

    def add(self, outcome: Outcome) -> None:
        """Count a trial that ended."""
        self.failures += outcome.state is State.FAILED
        self.since_best += 1
        if outcome.state is State.COMPLETE and outcome.rmse is not None and outcome.rmse < self.best_rmse:
            self.best_rmse, self.since_best = outcome.rmse, 0
