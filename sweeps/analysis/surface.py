"""The rmse a surrogate expects over two hyperparameters: what a contour plot shows."""

from typing import NamedTuple

import numpy as np

from sweeps.analysis.axes import Array, Axis
from sweeps.analysis.figures import Figures
from sweeps.analysis.importance import FEWEST, Importance, encoded, grow

STEPS = 28
BACKGROUND = 40
"""Trials over whose other coordinates the expectation is averaged, the best ones first."""


class Surface(NamedTuple):
    """Expected rmse on a grid of two axes."""

    x: Axis
    y: Axis
    xs: list[float]
    ys: list[float]
    rmse: Array
    """(ys, xs)."""
    rows: list[int]
    """Of the trials in which both are active."""


def surface(figures: Figures, found: Importance | None) -> Surface | None:
    """Give the surface over the two weightiest ranges that were active together; None without two.

    The partial dependence (Friedman, Greedy Function Approximation, 2001) of a forest of extremely randomised
    trees.
    """
    if found is None or (pair := _pair(figures, found)) is None:
        return None
    first, second = pair
    both = np.isfinite(figures.raw[:, first]) & np.isfinite(figures.raw[:, second])
    rows = [i for i in figures.order if both[i]]
    X = encoded(figures)
    forest = grow(X[rows], figures.tame[rows], 0, 60)
    grids = [_grid(figures.axes[i]) for i in pair]
    places = [figures.axes[i].place(np.array(grid)) for i, grid in zip(pair, grids, strict=True)]
    background = np.array(rows[:BACKGROUND])
    cells = [_cell(X[background], pair, (px, py)) for py in places[1] for px in places[0]]
    expected = forest.predict(np.vstack(cells)).reshape(len(cells), -1).mean(axis=1)
    z = expected.reshape(len(grids[1]), len(grids[0]))
    return Surface(figures.axes[first], figures.axes[second], grids[0], grids[1], z, rows)


def _pair(figures: Figures, found: Importance) -> tuple[int, int] | None:
    labels = [axis.label for axis in figures.axes]
    ranked = [labels.index(weight.axis.label) for weight in found.weights if not weight.axis.options]
    active = np.isfinite(figures.raw)
    for position, second in enumerate(ranked):
        for first in ranked[:position]:
            if (active[:, first] & active[:, second]).sum() >= FEWEST:
                return first, second
    return None


def _grid(axis: Axis) -> list[float]:
    if axis.q and (axis.high - axis.low) / axis.q < STEPS:
        count = round((axis.high - axis.low) / axis.q) + 1
        return [axis.low + i * axis.q for i in range(count)]
    return [axis.value(i / (STEPS - 1)) for i in range(STEPS)]


def _cell(background: Array, pair: tuple[int, int], place: tuple[float, float]) -> Array:
    rows = background.copy()
    rows[:, pair[0]], rows[:, pair[1]] = place
    return rows
