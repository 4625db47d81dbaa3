"""The fitted models of the best trials so far, kept on disk until the finalists are chosen."""

import math
from pathlib import Path

from sweeps.trial import Outcome, State


class Shelf:
    """Keeps the models of the ``k`` best trials, as the bytes that came back from the workers.

    Args:
        folder: an existing folder that belongs to this sweep alone.
        k: how many to keep.
    """

    def __init__(self, folder: Path, k: int) -> None:
        self._folder, self._k = folder, k
        self._best: list[tuple[float, int]] = []
        self._without: set[int] = set()

    @property
    def threshold(self) -> float:
        """The rmse a trial must beat to be worth keeping: the k-th best so far."""
        return self._best[-1][0] if len(self._best) == self._k else math.inf

    def put(self, number: int, outcome: Outcome) -> None:
        """Keep the trial's model if it is among the best; drop the one it displaces."""
        rmse = outcome.rmse if outcome.state is State.COMPLETE else None
        if outcome.model is None and rmse is not None and rmse < self.threshold:
            self._without.add(number)
        self.recall(number, outcome)

    def recall(self, number: int, outcome: Outcome) -> None:
        """As ``put``, for a trial whose model is not at hand but could be trained again."""
        if outcome.state is not State.COMPLETE or outcome.rmse is None:
            return
        entry = (outcome.rmse, number)
        self._best = sorted([*self._best, entry])
        dropped = self._best[self._k :]
        del self._best[self._k :]
        if outcome.model is not None and entry not in dropped:
            self._path(number).write_bytes(outcome.model)
        for _, other in dropped:
            self._path(other).unlink(missing_ok=True)

    def keep(self, number: int, model: bytes | None) -> None:
        """Keep the model of a finalist that was trained again, where that gave one."""
        if model is not None:
            self._path(number).write_bytes(model)

    def never_had(self, number: int) -> bool:
        """Whether the worker was asked for the trial's model and sent none.

        The threshold only falls: what is below it now was below the one that travelled with the trial.
        """
        return number in self._without

    def get(self, number: int) -> bytes | None:
        """Give the bytes of a trial's model; None if it is not kept."""
        path = self._path(number)
        return path.read_bytes() if path.exists() else None

    def _path(self, number: int) -> Path:
        return self._folder / f"trial-{number:04d}.skops"
