"""The rows that a search trains on, where it does not take all of them."""

from dataclasses import replace

import numpy as np

from sweeps.data.checks import MIN_ROWS
from sweeps.data.datasets import Dataset, Split
from sweeps.data.digest import digest_split
from sweeps.data.sample_size import read_sample
from sweeps.errors import UsageError
from sweeps.record import Sample

_STREAM = 1
"""Beside the seed of the split, so that what is drawn here has nothing to do with how a table was split."""


def sampled(dataset: Dataset, wanted: str | None) -> Dataset:
    """Give a dataset with some of its training rows, drawn at random, in their order; it is for the search.

    The same dataset, split seed and wish give the same rows. Validation rows stay whole. Under ``cv`` the
    rows of all folds are the training rows: folds are cut from those that were drawn.

    Args:
        dataset: all rows.
        wanted: how many, see ``read_sample``; None for all.

    Returns:
        Without test rows; the dataset itself where all rows are taken.

    Raises:
        UsageError: too few rows to train on.
    """
    if wanted is None:
        return dataset
    X, y = dataset.train.X, dataset.train.y
    if dataset.cv is not None:
        X, y = dataset.together
    count = _count(wanted, len(y))
    if count == len(y):
        return dataset
    rng = np.random.default_rng([dataset.seed, _STREAM])
    rows = np.sort(rng.choice(len(y), count, replace=False))
    part, target = X.iloc[rows].reset_index(drop=True), y[rows]
    train = Split(part, target, digest_split(part, target, dataset.target))
    valid = dataset.valid if dataset.cv is None else None
    return replace(dataset, train=train, valid=valid, test=None, sampled_from=len(y))


def sample_of(dataset: Dataset) -> Sample | None:
    """Say what was drawn; None for a dataset of all rows."""
    if dataset.sampled_from is None:
        return None
    return Sample(len(dataset.train.y), dataset.sampled_from, dataset.train.digest)


def _count(wanted: str, rows: int) -> int:
    amount = read_sample(wanted)
    count = min(amount if isinstance(amount, int) else round(amount * rows), rows)
    if count < min(MIN_ROWS, rows):
        wrong = f"takes {count} of {rows:,} training rows; at least {MIN_ROWS} needed"
        raise UsageError(f"--sample {wanted}", wrong, "take a larger share, or leave it out")
    return count
