"""Compare the rows that decide about a winner with those that it learned from."""

import pandas as pd

from sweeps.api.finals import held_out
from sweeps.data.datasets import Dataset, Split
from sweeps.selection.drift import Drift, find_drift


def drift_of(dataset: Dataset, split_by: str | None) -> Drift | None:
    """Look for drift; None where every row was trained on.

    Args:
        dataset: the rows.
        split_by: the column in whose order they were split; None where they were not.
    """
    rows = held_out(dataset)
    if rows is None:
        return None
    learned = [dataset.train, *([dataset.valid] if dataset.cv and dataset.valid else [])]
    return find_drift(
        pd.concat([_whole(split, dataset.target) for split in learned], ignore_index=True),
        _whole(rows, dataset.target),
        target=dataset.target,
        split="validation" if dataset.test is None else "test",
        categorical=dataset.categorical,
        split_by=split_by,
    )


def _whole(split: Split, target: str) -> pd.DataFrame:
    return split.X.assign(**{target: split.y})
