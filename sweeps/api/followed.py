"""The tracker, with an eye on who is under way."""

from concurrent.futures import Future
from typing import Any

from sweeps.live.underway import UnderWay
from sweeps.sweep import WITHDRAWN, Tracker
from sweeps.trial import Finished, Outcome, Proposal


class Followed:
    """Hands everything on to a tracker, and keeps who is under way.

    Args:
        tracker: records the trials.
        under_way: is told of them too.
    """

    def __init__(self, tracker: Tracker, under_way: UnderWay) -> None:
        self._tracker, self._under_way = tracker, under_way

    @property
    def broken(self) -> "Future[Any]":
        """The tracker's."""
        return self._tracker.broken

    def start(self, proposal: Proposal) -> None:
        """Record that the trial begins now."""
        self._under_way.began(proposal)
        self._tracker.start(proposal)

    def finish(self, proposal: Proposal, outcome: Outcome) -> "Future[Finished]":
        """Record how the trial ended."""
        if outcome == WITHDRAWN:
            self._under_way.withdrawn(proposal.number)
        else:
            self._under_way.ended(proposal.number, outcome)
        return self._tracker.finish(proposal, outcome)
