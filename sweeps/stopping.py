"""When a sweep ends: pure functions of what happened."""

from collections.abc import Sequence
from dataclasses import dataclass

from sweeps.errors import UsageError
from sweeps.trial import Finished, State


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

    def reason(self, history: Sequence[Finished], asked: int, elapsed: float) -> str | None:
        """Say why no further trial may start; None while one may.

        Args:
            history: the finished trials, in the order they ended.
            asked: trials started so far, running ones included.
            elapsed: seconds since the sweep began.
        """
        if self.trials is not None and asked >= self.trials:
            return f"{self.trials} trials"
        if self.seconds is not None and elapsed >= self.seconds:
            return f"time limit of {self.seconds:g} s"
        if self.target is not None and best_rmse(history) <= self.target:
            return f"target rmse of {self.target:g} reached"
        if self.patience is not None and since_best(history) >= self.patience:
            return f"no better rmse in {self.patience} trials"
        if self.too_many_failures(history):
            return f"more than {self.max_failures} trials failed"
        return None

    def too_many_failures(self, history: Sequence[Finished]) -> bool:
        """Whether more trials failed than allowed."""
        return self.max_failures is not None and failures(history) > self.max_failures


def best_rmse(history: Sequence[Finished]) -> float:
    """Give the lowest rmse of the COMPLETE trials; infinity where there is none."""
    return min((_rmse(trial) for trial in history), default=float("inf"))


def since_best(history: Sequence[Finished]) -> int:
    """Count the trials that ended after the best one (all, where none is COMPLETE)."""
    best = best_rmse(history)
    first = next((i for i, trial in enumerate(history) if _rmse(trial) == best < float("inf")), -1)
    return len(history) - 1 - first


def failures(history: Sequence[Finished]) -> int:
    """Count the FAILED trials."""
    return sum(1 for trial in history if trial.outcome.state is State.FAILED)


def _rmse(trial: Finished) -> float:
    outcome = trial.outcome
    return outcome.rmse if outcome.state is State.COMPLETE and outcome.rmse is not None else float("inf")
