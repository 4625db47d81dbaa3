"""Few rows to try a space on: of the user's data, or made up."""

from dataclasses import replace

import numpy as np
import pandas as pd

from sweeps.data.datasets import Dataset, Split

NUMBERS = 10
MISSING = 0.02


def made_up(rows: int) -> Dataset:
    """Make a table of ten numbers, some missing, two categories, and a target that follows them with noise.

    Args:
        rows: to train on; a third as many validate.
    """
    rng = np.random.default_rng(0)
    return Dataset(
        name="made-up rows",
        slug="made-up",
        target="y",
        train=_split(rng, rows),
        valid=_split(rng, max(rows // 3, 20)),
        test=None,
    )


def part(dataset: Dataset, rows: int) -> Dataset:
    """Take some training rows, in their order, and the same share of the validation rows."""
    share = min(rows / len(dataset.train.y), 1.0)
    valid = dataset.valid
    return replace(
        dataset,
        train=_take(dataset.train, rows),
        valid=None if valid is None else _take(valid, max(round(share * len(valid.y)), 20)),
        test=None,
    )


def _split(rng: np.random.Generator, rows: int) -> Split:
    numbers = rng.normal(size=(rows, NUMBERS))
    small, large = rng.integers(4, size=rows), rng.integers(50, size=rows)
    y = 10 * numbers[:, 0] + 5 * np.abs(numbers[:, 1]) + numbers[:, 2] * small + np.sin(large)
    numbers[rng.random(numbers.shape) < MISSING] = np.nan
    X = pd.DataFrame(numbers, columns=[f"number_{i}" for i in range(NUMBERS)])
    categories = {"small": pd.Series(small).map("s{}".format), "large": pd.Series(large).map("l{}".format)}
    X = X.assign(**{name: column.astype(object) for name, column in categories.items()})
    return Split(X, y + rng.normal(size=rows), f"{rows:016x}")


def _take(split: Split, rows: int) -> Split:
    if rows >= len(split.y):
        return split
    chosen = np.sort(np.random.default_rng(0).permutation(len(split.y))[:rows])
    return Split(
        split.X.iloc[chosen].reset_index(drop=True), split.y[chosen], f"{split.digest[:8]}{rows:08x}"
    )
