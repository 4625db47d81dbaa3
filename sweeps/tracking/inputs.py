"""Datasets as MLflow inputs, from what is known about them: MLflow itself would hash whole tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from sweeps.credentials import redact

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput

Context = Literal["training", "validation", "testing"]

TRIES = 3

KINDS = {"b": "boolean", "i": "long", "u": "long", "f": "double", "M": "datetime"}
"""MLflow's word for a column by the first letter numpy gives its kind; anything else is a string."""


@dataclass(frozen=True)
class DatasetInfo:
    """One split of a dataset."""

    context: Context
    name: str
    digest: str
    """At most 36 characters."""
    source: str
    """Where it comes from, as the user named it."""
    rows: int
    columns: Mapping[str, str] = field(default_factory=dict)
    """numpy kind by column: ``f``, ``i``, ``M``, ``O`` …"""


def log_datasets(client: "MlflowClient", run_id: str, datasets: Sequence[DatasetInfo]) -> None:
    """Link datasets to a run."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = [
        DatasetInput(
            Dataset(
                d.name[:500],
                d.digest[:36],
                "local",
                json.dumps({"uri": redact(d.source)}),
                _schema(d),
                _profile(d),
            ),
            [InputTag("mlflow.data.context", d.context)],
        )
        for d in datasets
    ]
    if inputs:
        _link(client, run_id, inputs)


def _link(client: "MlflowClient", run_id: str, inputs: "list[DatasetInput]") -> None:
    """Log inputs, again where another process has added the same dataset at the same moment.

    MLflow (3.17) looks for it, adds it and is refused, with nothing written; then it finds the other's.
    """
    from mlflow.exceptions import MlflowException

    for left in reversed(range(TRIES)):
        try:
            client.log_inputs(run_id, inputs)
        except MlflowException as error:
            if not left or not _is_there_now(str(error)):
                raise
        else:
            return


def _is_there_now(refusal: str) -> bool:
    """Whether a database refused a dataset since it has it: in the words of SQLite, PostgreSQL and MySQL."""
    text = refusal.lower()
    return "datasets" in text and ("unique constraint" in text or "duplicate entry" in text)


def _schema(dataset: DatasetInfo) -> str:
    columns = [
        {"type": KINDS.get(kind, "string"), "name": name, "required": True}
        for name, kind in dataset.columns.items()
    ]
    return json.dumps({"mlflow_colspec": columns})


def _profile(dataset: DatasetInfo) -> str:
    return json.dumps({"num_rows": dataset.rows, "num_elements": dataset.rows * len(dataset.columns)})
