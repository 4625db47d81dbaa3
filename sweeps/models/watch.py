"""Who follows a trial while it trains, as training sees it."""

from typing import Protocol


class Watch(Protocol):
    """Told of each step; ``sweeps.pruning.Watch`` is one."""

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that matter, ascending: who measures at a price, measures there and at the end."""

    def report(self, step: int, rmse: float) -> None:
        """Take note of the validation rmse after a step, counted from 0; raises where the trial shall end."""
