"""The best of several on some rows looks better there than it is: by how much?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeps.selection.comparison import grouped

HALVINGS = 200


@dataclass(frozen=True)
class Optimism:
    """The winner's rmse where it was chosen, and that of a choice scored on other rows."""

    finalists: int
    rmse: float
    """Of the winner, on the rows that chose it."""
    honest_rmse: float
    """Of the winner of one half of the rows on the other half, over many halvings."""
    share: float
    """Of the halves that chose the same winner."""

    @property
    def excess(self) -> float:
        """By how much the winner's rmse is too low; not below 0."""
        return max(0.0, self.honest_rmse - self.rmse)


def optimism(squared: NDArray[np.float64], *, halvings: int = HALVINGS, seed: int = 0) -> Optimism:
    """Estimate the selection effect by cross-fitting: chosen on one half of the rows, scored on the other.

    Args:
        squared: squared errors of the finalists on the same rows, (finalists, rows).
        halvings: random halvings; both halves choose and score.
        seed: of the halvings.

    Raises:
        ValueError: there is no finalist, or fewer than two rows.
    """
    if squared.shape[0] < 1 or squared.shape[1] < 2:
        raise ValueError(f"finalists and rows are needed, got {squared.shape}")
    winner = int(np.argmin(squared.mean(axis=1)))
    draw = np.random.default_rng(seed)
    parts = grouped(squared, draw)
    rows = parts.shape[1]
    honest, same = list[float](), 0
    for _ in range(halvings):
        mixed = draw.permutation(rows)
        halves = [parts[:, part].mean(axis=1) for part in (mixed[: rows // 2], mixed[rows // 2 :])]
        for chooses, scores in (halves, halves[::-1]):
            picked = int(np.argmin(chooses))
            honest.append(float(scores[picked]))
            same += picked == winner
    rmse = float(np.sqrt(squared[winner].mean()))
    return Optimism(len(squared), rmse, float(np.sqrt(np.mean(honest))), same / (2 * halvings))
