"""Tasks for the workers, with what earlier trials taught: which models to keep, which trials to prune."""

from dataclasses import replace
from typing import Protocol

from sweeps.api.finals import Finals
from sweeps.api.shelf import Shelf
from sweeps.trial import Cutoffs, Outcome, Proposal, Task


class Pruner(Protocol):
    """Who sets the cutoffs; ``sweeps.pruning.open_pruner`` gives one."""

    @property
    def forecasts(self) -> bool:
        """Whether the cutoffs hold for forecasts."""

    def learn(self, outcome: Outcome) -> None:
        """Take note of how a trial ended."""

    def cutoffs(self) -> Cutoffs:
        """Give the cutoffs for the next trial; none where nothing is pruned."""


class Packing:
    """Packs proposals and learns from outcomes.

    Args:
        finals: knows the encoded data of every model.
        shelf: keeps the best models.
        pruner: sets the cutoffs.
    """

    def __init__(self, finals: Finals, shelf: Shelf, pruner: Pruner) -> None:
        self._finals, self._shelf, self._pruner = finals, shelf, pruner

    def pack(self, proposal: Proposal) -> Task:
        """Pack a proposal with the figures known now."""
        task = self._finals.task(proposal, self._shelf.threshold)
        return replace(task, cutoffs=self._pruner.cutoffs(), forecast=self._pruner.forecasts)

    def recall(self, number: int, outcome: Outcome) -> None:
        """Learn from a trial of an earlier session, whose model is gone."""
        self._shelf.recall(number, outcome)
        self._pruner.learn(outcome)

    def learn(self, number: int, outcome: Outcome) -> None:
        """Keep the model if it is among the best, and what the curve says about later trials."""
        self._shelf.put(number, outcome)
        self._pruner.learn(outcome)
