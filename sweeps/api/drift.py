"""Compare the rows that decide about a winner with those that it learned from."""

from sweeps.api.finals import held_out
from sweeps.data.datasets import Dataset
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
    X, y = dataset.together if dataset.cv else (dataset.train.X, dataset.train.y)
    return find_drift(
        X.assign(**{dataset.target: y}),
        rows.X.assign(**{dataset.target: rows.y}),
        target=dataset.target,
        split="validation" if dataset.test is None else "test",
        categorical=dataset.categorical,
        split_by=split_by,
    )
