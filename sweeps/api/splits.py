"""The splits of a dataset, as MLflow lists them among the inputs of a run."""

from sweeps.data.datasets import Dataset
from sweeps.tracking.inputs import Context, DatasetInfo

CONTEXTS: dict[str, Context] = {"train": "training", "valid": "validation", "test": "testing"}


def dataset_infos(dataset: Dataset) -> list[DatasetInfo]:
    """Describe the splits for MLflow's dataset inputs."""
    return [
        DatasetInfo(
            CONTEXTS[name],
            f"{dataset.slug}-{name}",
            split.digest,
            dataset.name,
            len(split.y),
            {str(column): split.X[column].dtype.kind for column in split.X.columns},
        )
        for name, split in dataset.splits.items()
    ]
