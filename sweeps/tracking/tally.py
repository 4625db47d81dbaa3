"""How a sweep stands, as its own run shows it: collected trial by trial, written now and then."""

from collections import Counter
from collections.abc import Iterable

from sweeps.tracking import schema
from sweeps.tracking.change import Change, Point
from sweeps.trial import Finished, Outcome, State


class Tally:
    """Counts of the trials and the best so far, with a point of history for every trial.

    Args:
        run_id: of the sweep.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._counts: Counter[State] = Counter()
        self._best: tuple[float, int] | None = None
        self._step = self.clock = 0
        """Of the latest point: number of a trial, and Unix time in milliseconds."""
        self._history: list[Point] = []
        self._waiting: dict[State, Point] = {}
        self._new_best = False

    def add(self, number: int, outcome: Outcome, now: int) -> None:
        """Count a trial that ended; steps and times only grow, else MLflow shows an old value.

        Args:
            number: of the trial.
            outcome: of the trial.
            now: when it ended, Unix time in milliseconds.
        """
        state = outcome.state
        self._counts[state] += 1
        self._step, self.clock = max(self._step, number), max(self.clock + 1, now)
        if _counts_as_best(outcome, number, self._best):
            self._best, self._new_best = (outcome.rmse or 0.0, number), True
        self._waiting[state] = self._point(f"trials_{state.lower()}", self._counts[state])
        if self._best is not None:
            self._history.append(self._point("best_rmse", self._best[0]))

    def go_on(self, trials: Iterable[Finished], now: int) -> None:
        """Count the trials of an earlier session; their points of history are in the store.

        Args:
            trials: of the earlier session.
            now: Unix time in milliseconds.
        """
        for one in trials:
            self.add(one.number, one.outcome, 0)
        self.clock = max(self.clock, now)
        waiting = {state: self._point(point.key, point.value) for state, point in self._waiting.items()}
        best = [] if self._best is None else [self._point("best_rmse", self._best[0])]
        self._waiting, self._history = waiting, best

    @property
    def is_written(self) -> bool:
        """Whether nothing was added since ``take``."""
        return not self._waiting

    def take(self) -> Change | None:
        """Give what is to be written since the last call; None where nothing is."""
        if self.is_written:
            return None
        best = {schema.BEST_TRIAL: str(self._best[1])} if self._best and self._new_best else {}
        change = Change(self._run_id, metrics=[*self._waiting.values(), *self._history], verdict=best)
        self._history, self._waiting, self._new_best = [], {}, False
        return change

    def _point(self, key: str, value: float) -> Point:
        return Point(key, float(value), self.clock, self._step)


def _counts_as_best(outcome: Outcome, number: int, best: tuple[float, int] | None) -> bool:
    if outcome.state is not State.COMPLETE or outcome.rmse is None:
        return False
    return best is None or (outcome.rmse, number) < best
