"""What a logged model's files say: its size, and whether its signature takes the rows it was trained on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.errors import one_line
from sweeps.registry.store import Store, registry_errors
from sweeps.scratch import scratch_folder

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Inspection:
    """A logged model from outside."""

    megabytes: float
    refusal: str
    """What its signature says against the rows; empty where it takes them."""


def inspect_model(store: Store, model_id: str, rows: "pd.DataFrame") -> Inspection:
    """Look at a logged model.

    Args:
        store: where.
        model_id: of the logged model.
        rows: raw, as in training.

    Raises:
        StoreError: MLflow refuses.
    """
    from mlflow.artifacts import download_artifacts

    with registry_errors(store), scratch_folder() as scratch:
        place = store.client.get_logged_model(model_id).artifact_location
        folder = Path(download_artifacts(artifact_uri=place, dst_path=str(scratch), tracking_uri=store.uri))
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        return Inspection(size / 1e6, _refusal(folder, rows))


def _refusal(folder: Path, rows: "pd.DataFrame") -> str:
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model, validate_schema

    signature = Model.load(str(folder)).signature
    if signature is None:
        return "it has no signature"
    try:
        validate_schema(rows, signature.inputs)
    except MlflowException as error:
        return one_line(str(error.message))[:200]
    return ""
