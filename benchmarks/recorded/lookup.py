"""Look trials up in a recording.

A point that was not recorded gets the trial of its nearest neighbour in the unit cube, whole: a real curve
with real noise, its stop, its time. So the best value there is, and which trials lead to it, is known. The
price: 2048 points in six dimensions stand about a quarter of the cube's side apart, so the landscape is a
mosaic; a searcher cannot refine within a tile. A surrogate (random forest, or a mean of neighbours) would be
smoother than any real sweep is: a mean over several seeds of the training, whose best value no trial reaches.
"""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.recorded.space import MOST_ROUNDS, PATIENCE, ROUNDS, unit_at

FOLDER = Path(__file__).parent


class Recording(NamedTuple):
    """One recorded trial."""

    place: int
    curve: tuple[tuple[int, float], ...]
    """Pairs of step (from 0) and validation rmse, at some of its rounds."""
    rounds: int
    """How many it took until it stopped by itself."""
    best: float
    seconds: float
    """CPU seconds of the whole training."""

    def seconds_at(self, rounds: int) -> float:
        """When so many rounds are done; every round takes the same time."""
        return self.seconds * rounds / self.rounds


class Recorded:
    """The recordings of one data set."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.units = file["unit"].astype(float)
            """Where the recordings stand in the unit cube: shape (recordings, 6)."""
            self._curves = file["curves"].astype(float)
            self._rounds, self._best, self._seconds = file["rounds"], file["best"], file["seconds"]

    def __len__(self) -> int:
        return len(self.units)

    @property
    def optimum(self) -> float:
        """The lowest rmse of all."""
        return float(self._best.min())

    @cached_property
    def recordings(self) -> tuple[Recording, ...]:
        """All of them."""
        return tuple(map(self._recording, range(len(self))))

    def near(self, params: Mapping[str, Any]) -> Recording:
        """Give the trial recorded nearest to these params."""
        _, index = self._tree.query(unit_at(params))
        found: Recording = self.recordings[index]
        return found

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import KDTree

        return KDTree(self.units)

    def _recording(self, index: int) -> Recording:
        rounds = int(self._rounds[index])
        kept = zip(ROUNDS, map(float, self._curves[index]), strict=True)
        best = float(self._best[index])
        # the best round is kept too: early stopping tells which it was; without it, it was one of the last
        best_step = rounds - 1 - (PATIENCE if rounds < MOST_ROUNDS else 0)
        curve = {**{n - 1: rmse for n, rmse in kept if n <= rounds}, best_step: best}
        return Recording(index, tuple(sorted(curve.items())), rounds, best, float(self._seconds[index]))


@lru_cache
def load(name: str) -> Recorded:
    """Open the recording of a data set, one of ``record.NAMES``."""
    return Recorded(FOLDER / f"{name}.npz")
