"""What was asked and told, in the forms that search algorithms read: columns, and Hyperopt's Trials.

Both are in the order of the trials' numbers, so that the order of tells cannot matter, and both are added to
rather than rebuilt, so that an ask costs the same however long the sweep is.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from hyperopt.base import (
    JOB_STATE_DONE,
    JOB_STATE_RUNNING,
    STATUS_FAIL,
    STATUS_NEW,
    STATUS_OK,
    Domain,
    Trials,
)

from sweeps.search.sample import Sample
from sweeps.trial import Point

GOOD_AT_MOST = 25
"""Hyperopt's cap on the trials that count as good (``tpe.DEFAULT_LF``)."""

Rows = npt.NDArray[np.intp]


class History:
    """The trials of a sweep, by number; above ``limit`` of them, a sample stands for those that are not good.

    Trials under way are always in it: they repel new ones.

    Args:
        domain: of the search space.
        seed: of the sample.
        limit: how many trials an algorithm is shown at most, but for trials under way.
    """

    def __init__(self, domain: Domain, seed: int, limit: int) -> None:
        self._domain, self._limit = domain, limit
        self._labels: list[str] = list(domain.params)
        self._sample = Sample(seed, GOOD_AT_MOST, limit)
        self._points: dict[int, Point] = {}
        self._told: dict[int, float | None] = {}
        self._running: set[int] = set()
        self._docs: dict[int, dict[str, Any]] = {}
        self._row: dict[int, int] = {}
        self._sorted = True
        self._numbers = np.empty(0, dtype=np.int64)
        self._losses = np.empty(0)
        self._values = np.empty((len(self._labels), 0))

    def __len__(self) -> int:
        return len(self._points)

    def __contains__(self, number: int) -> bool:
        return number in self._points

    @property
    def excess(self) -> float:
        """How many trials there are for each one shown: 1 up to the limit."""
        return max(1.0, len(self) / self._limit)

    def remember(self, number: int, point: Point) -> None:
        """Add a trial, under way until told; the same number again replaces its point."""
        row = self._row.setdefault(number, len(self._row))
        if row >= self._numbers.size:
            self._grow()
        if number not in self._points:
            self._sample.add(number)
            self._sorted = self._sorted and (row == 0 or number > self._numbers[row - 1])
        self._points[number] = point
        if number not in self._told:
            self._running.add(number)
        self._docs.pop(number, None)
        self._numbers[row] = number
        self._losses[row] = _known(self._told.get(number))
        self._values[:, row] = [point.get(label, math.nan) for label in self._labels]

    def tell(self, number: int, loss: float | None) -> float | None:
        """Keep what a trial gave, None for a failure, and give what was kept first."""
        if number not in self._told:
            self._told[number] = loss
            self._running.discard(number)
            self._sample.tell(number, _known(loss))
        kept = self._told[number]
        self._losses[self._row[number]] = _known(kept)
        self._docs.pop(number, None)
        return kept

    def split(self, good: int) -> tuple[Rows, Rows]:
        """Divide the trials as TPE does: rows of the ``good`` ones with the lowest loss, rows of the others.

        Rows are in the order of the trials' numbers. Trials without a loss count as the worst.
        """
        self._sort()
        if len(self) > self._limit:
            best, others = self._sample.choose(good, self._limit, self._running)
            numbers = self._numbers[: len(self)]
            return np.searchsorted(numbers, best), np.searchsorted(numbers, others)
        losses = self._losses[: len(self)]
        is_good = np.zeros(len(self), dtype=bool)
        is_good[np.argsort(losses)[:good]] = True  # ties as in Hyperopt
        return np.flatnonzero(is_good), np.flatnonzero(~is_good)

    def observed(self, label: str, rows: Rows) -> npt.NDArray[np.float64]:
        """Give the raw coordinates of a hyperparameter in those of the rows where it is active."""
        values = self._values[self._labels.index(label), rows]
        active: npt.NDArray[np.float64] = values[~np.isnan(values)]
        return active

    def trials(self, good: int = GOOD_AT_MOST) -> Trials:
        """Give the trials of ``split(good)`` together, as Hyperopt's own algorithms want them."""
        rows = np.sort(np.concatenate(self.split(good)))
        trials = Trials()
        trials.insert_trial_docs([self._doc(trials, int(number)) for number in self._numbers[rows]])
        trials.refresh()
        return trials

    def _grow(self) -> None:
        more = max(64, self._numbers.size)
        self._numbers = np.concatenate((self._numbers, np.zeros(more, dtype=np.int64)))
        self._losses = np.concatenate((self._losses, np.full(more, np.inf)))
        self._values = np.concatenate((self._values, np.full((len(self._labels), more), np.nan)), axis=1)

    def _sort(self) -> None:
        """Bring the rows into the order of the numbers, after trials came out of order."""
        if self._sorted:
            return
        order = np.argsort(self._numbers[: len(self)])
        self._numbers[: len(self)] = self._numbers[order]
        self._losses[: len(self)] = self._losses[order]
        self._values[:, : len(self)] = self._values[:, order]
        self._row = {int(number): row for row, number in enumerate(self._numbers[: len(self)])}
        self._sorted = True

    def _doc(self, trials: Trials, number: int) -> dict[str, Any]:
        """Give a trial as Hyperopt's document; it is made again when something new is known."""
        if number not in self._docs:
            [doc] = trials.new_trial_docs([number], [None], [self._result(number)], [self._misc(number)])
            doc["state"] = JOB_STATE_DONE if number in self._told else JOB_STATE_RUNNING
            self._docs[number] = doc
        return self._docs[number]

    def _misc(self, number: int) -> dict[str, Any]:
        point = self._points[number]
        return {
            "tid": number,
            "cmd": self._domain.cmd,
            "workdir": None,
            "idxs": {label: [number] if label in point else [] for label in self._labels},
            "vals": {label: [point[label]] if label in point else [] for label in self._labels},
        }

    def _result(self, number: int) -> dict[str, Any]:
        if number not in self._told:
            return {"status": STATUS_NEW}
        loss = self._told[number]
        return {"status": STATUS_FAIL} if loss is None else {"status": STATUS_OK, "loss": loss}


def _known(loss: float | None) -> float:
    return math.inf if loss is None else loss
