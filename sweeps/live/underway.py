"""The trials under way, as far as the driver can see them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from sweeps.trial import Finished, Outcome, Proposal, Trial


@dataclass(frozen=True)
class Runner:
    """A trial that was submitted and has not ended."""

    proposal: Proposal
    started: float
    """When it was submitted, Unix time in seconds."""
    place: str = ""
    """How far it said it is, such as ``round 120``; empty where it did not."""
    rmse: float | None = None
    """On validation rows, at that place."""

    @property
    def age(self) -> float:
        """Seconds since it was submitted."""
        return max(0.0, time.time() - self.started)


class UnderWay:
    """Who is under way; threads may ask and tell at any time."""

    def __init__(self) -> None:
        self._lock, self._runners = Lock(), dict[int, Runner]()
        self._landed: Callable[[Finished], object] = lambda _: None

    def follow(self, landed: Callable[[Finished], object]) -> None:
        """Have ``landed`` called with every trial that ends, before it is in the store: without a run id."""
        self._landed = landed

    def began(self, proposal: Proposal) -> None:
        """Take note of a trial that was submitted."""
        with self._lock:
            self._runners[proposal.number] = Runner(proposal, time.time())

    def ended(self, number: int, outcome: Outcome) -> None:
        """Take note of a trial that ended, however."""
        with self._lock:
            runner = self._runners.pop(number, None)
        if runner is not None:
            self._landed(Finished(Trial(runner.proposal, "", runner.started), outcome, time.time()))

    def withdrawn(self, number: int) -> None:
        """Take note of a trial that did not come to its end."""
        with self._lock:
            self._runners.pop(number, None)

    def hear(self, task: Any, words: Any) -> None:
        """Take note of what a trial says in passing: the place and the rmse there.

        Args:
            task: what the engine was given.
            words: as the worker says them.
        """
        place, rmse = words
        with self._lock:
            if runner := self._runners.get(task.number):
                self._runners[task.number] = replace(runner, place=place, rmse=rmse)

    @property
    def runners(self) -> list[Runner]:
        """The trials under way now, by number."""
        with self._lock:
            return [self._runners[number] for number in sorted(self._runners)]
