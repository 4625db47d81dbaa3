"""Cut one table into train, validation and test rows."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.errors import DataError

SHARES = (0.6, 0.2)
"""Train and validation; the rest is the test split."""


def split_by_seed(frame: pd.DataFrame, seed: int) -> list[pd.DataFrame]:
    """60/20/20 at random; the same seed gives the same rows."""
    return _cut(frame, np.random.default_rng(seed).permutation(len(frame)))


def split_by_column(frame: pd.DataFrame, column: str, what: str) -> list[pd.DataFrame]:
    """60/20/20 in the order of a column: the earliest rows train, the latest test.

    Raises:
        DataError: no such column, missing values in it, or a single value.
    """
    if column not in frame.columns:
        names = ", ".join(frame.columns)
        raise DataError(f"--split-by {column}", f"{what} has no such column (columns: {names})")
    if frame[column].isna().any():
        raise DataError(
            f"--split-by {column}", f"{frame[column].isna().sum()} values of it are missing in {what}"
        )
    if frame[column].nunique() < 3:
        raise DataError(f"--split-by {column}", f"only {frame[column].nunique()} different values in {what}")
    order = frame[column].reset_index(drop=True).sort_values(kind="stable").index.to_numpy()
    return _cut(frame, order)


def _cut(frame: pd.DataFrame, order: NDArray[np.int64]) -> list[pd.DataFrame]:
    ends = np.rint(np.cumsum(SHARES) * len(frame)).astype(int)
    return [frame.iloc[rows].reset_index(drop=True) for rows in np.split(order, ends)]
