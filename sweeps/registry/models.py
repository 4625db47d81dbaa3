"""Log one self-contained model of a trial in a safe format, and load it without trusting it."""

import hashlib
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sweeps.errors import StoreError
from sweeps.registry.apart import predict_apart
from sweeps.registry.formats import load_checked, save_checked
from sweeps.registry.forms import FORM, form_tags
from sweeps.registry.store import Store, patient, registry_errors
from sweeps.scratch import scratch_folder

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel as MlflowLoggedModel
    from mlflow.entities import Metric
    from mlflow.entities.model_registry import ModelVersion as MlflowModelVersion

DIGEST = "sweeps.model_sha256"

MOST_FILES, MOST_BYTES = 1000, 8 << 30
"""Of a model that somebody else logged."""

NOT_OURS = frozenset({"registered_model_meta"})
"""MLflow writes it beside a model whenever somebody loads a registered version."""


class BrokenModelError(StoreError):
    """A model is not as it was logged: files are gone or changed, or it was never finished."""


@dataclass(frozen=True)
class LoggedModel:
    """A model in MLflow that is complete."""

    model_id: str

    @property
    def uri(self) -> str:
        """What MLflow loads it by."""
        return f"models:/{self.model_id}"


def log_model(
    store: Store,
    experiment_id: str,
    run_id: str,
    pipeline: Any,
    example: "pd.DataFrame",
    *,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    data_name: str,
    data_digest: str,
    form: str = "",
) -> LoggedModel:
    """Log a pipeline from raw rows to predictions as the model of a trial, whose own times stay as they are.

    A second call for the same trial and form gives the first one's model.

    Args:
        store: where.
        experiment_id: of the trial.
        run_id: of the trial.
        pipeline: fitted scikit-learn pipeline.
        example: a few raw rows; they give the signature and the input example.
        params: of the trial, as they are to be logged.
        metrics: figures of the model, by metric name.
        data_name: of the dataset the metrics were measured on.
        data_digest: of that dataset.
        form: what the model is, where it is not the trial's own, see ``forms``.

    Raises:
        SpaceError: the pipeline holds what no safe format can.
        StoreError: MLflow refuses.
    """
    client = patient(store.client)
    with registry_errors(store):
        model_id = _existing(client, experiment_id, run_id, form)
        if model_id is None:
            tags = {"sweeps.data": data_name, "sweeps.data_digest": data_digest, **form_tags(form)}
            made = client.create_logged_model(experiment_id, "model", run_id, tags, dict(params), "regressor")
            model_id = str(made.model_id)
            _upload(client, model_id, pipeline, example)
            _close_leftovers(client, experiment_id, run_id)
        _link(client, run_id, model_id)
        linked = {"model_id": model_id, "dataset_name": data_name[:500], "dataset_digest": data_digest[:36]}
        client.log_batch(
            run_id, metrics=_metrics(client, run_id, _missing(client, model_id, metrics), **linked)
        )
    return LoggedModel(model_id)


def find_model(store: Store, experiment_id: str, run_id: str, form: str = "") -> LoggedModel | None:
    """Give the complete model of a form that was logged for a trial; None where there is none."""
    with registry_errors(store):
        model_id = _existing(store.client, experiment_id, run_id, form)
    return None if model_id is None else LoggedModel(model_id)


def refuse_model(store: Store, logged: LoggedModel) -> None:
    """Mark a model whose files were changed, so that it is not used and the next call logs a new one."""
    with registry_errors(store):
        store.client.finalize_logged_model(logged.model_id, "FAILED")


def loads_back(store: Store, uri: str, X: "pd.DataFrame", expected: "np.ndarray") -> None:
    """Check that a logged model, loaded anew, predicts what was scored.

    Args:
        store: where.
        uri: ``models:/…``.
        X: raw rows.
        expected: predictions for them, (rows,).

    Raises:
        StoreError: it does not load, or predicts something else.
    """
    import numpy as np

    predicted = np.asarray(load_pipeline(store, uri).predict(X), dtype=float)
    if predicted.shape != np.shape(expected):
        raise StoreError(
            f"model {uri}", f"loaded back it gives shape {predicted.shape}, scored was {np.shape(expected)}"
        )
    worst = float(np.max(np.abs(predicted - expected) / np.maximum(1.0, np.abs(expected)), initial=0.0))
    if not worst <= 1e-9:
        raise StoreError(
            f"model {uri}", f"loaded back it predicts differently, by up to {worst:.3g} of the value"
        )


def load_pipeline(store: Store, uri: str) -> Any:
    """Load a scikit-learn model without trusting what it says about itself.

    Only the skops format and the types on our own list are loaded. The files must have the digest recorded
    when we logged them; a model of another origin has none, there the list alone protects.

    Args:
        store: where.
        uri: ``models:/m-…``, ``models:/NAME/VERSION`` or ``models:/NAME@ALIAS``.

    Raises:
        BrokenModelError: it is not READY, or the files are gone or changed.
        StoreError: it is of an unsafe format, or the store refuses.
    """
    with _downloaded(store, uri) as (folder, _):
        return load_checked(folder, uri)


def predict_safely(store: Store, uri: str, X: "pd.DataFrame") -> "np.ndarray":
    """Predict raw rows with a registered model, whoever registered it.

    One that lies in a SQLite store of this user's, with the digest recorded there, is loaded here. Any other
    is loaded in a process of its own, which may crash.

    Args:
        store: where.
        uri: as ``load_pipeline`` takes it.
        X: raw rows.

    Returns:
        Predictions, (rows,), float64.

    Raises:
        BrokenModelError: as ``load_pipeline``.
        StoreError: likewise, or its process died.
    """
    import numpy as np

    with _downloaded(store, uri) as (folder, has_digest):
        if has_digest and store.uri.startswith("sqlite:"):
            return np.asarray(load_checked(folder, uri).predict(X), dtype=np.float64).reshape(len(X))
        return predict_apart(folder, uri, X)


@contextmanager
def _downloaded(store: Store, uri: str) -> Iterator[tuple[Path, bool]]:
    """Bring a model's files here; also say whether their digest was recorded, and so checked."""
    with scratch_folder() as scratch:
        with registry_errors(store):
            place, digest = _locate(store.client, uri)
            folder = _download(store, uri, place, digest, scratch)
        if digest is not None and digest != files_digest(folder):
            raise BrokenModelError(
                f"model {uri}", "its files were changed since it was logged (sha256 differs)"
            )
        yield folder, digest is not None


def _download(store: Store, uri: str, place: str, digest: str | None, scratch: Path) -> Path:
    """Fetch a model's files; those of one we logged must be there."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        if digest is None:
            _check_extent(uri, place, store.uri)
        return Path(download_artifacts(artifact_uri=place, dst_path=str(scratch), tracking_uri=store.uri))
    except (FileNotFoundError, MlflowException) as error:
        gone = isinstance(error, FileNotFoundError) or error.error_code == "RESOURCE_DOES_NOT_EXIST"
        if not gone or digest is None:
            raise
        raise BrokenModelError(f"model {uri}", "its files are gone") from error


def _check_extent(uri: str, place: str, tracking_uri: str) -> None:
    """Refuse what is no model by its size alone, before any of it is here.

    Raises:
        StoreError: too many files, or too many bytes.
    """
    from mlflow.artifacts import list_artifacts

    folders, files, size = deque([place.rstrip("/")]), 0, 0
    while folders:
        folder = folders.popleft()
        for item in list_artifacts(artifact_uri=folder, tracking_uri=tracking_uri):
            if item.is_dir:
                folders.append(f"{folder}/{PurePosixPath(item.path).name}")
            files, size = files + 1, size + int(item.file_size or 0)
            if files > MOST_FILES or size > MOST_BYTES:
                wrong = f"has more than {MOST_FILES} files or {MOST_BYTES >> 30} GiB"
                raise StoreError(f"model {uri}", wrong, "it is not loaded")


def files_digest(folder: Path) -> str:
    """Give the sha256 over the names and contents of a model's files."""
    total = hashlib.sha256()
    files = [p for p in folder.rglob("*") if p.is_file() and p.name not in NOT_OURS]
    for path in sorted(files, key=lambda p: p.relative_to(folder).as_posix()):
        total.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def _existing(client: "MlflowClient", experiment_id: str, run_id: str, form: str) -> str | None:
    found = client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'")
    ready = [m for m in found if _is_ready(m) and DIGEST in m.tags and m.tags.get(FORM, "") == form]
    return min((str(m.model_id) for m in ready), default=None)


def _is_ready(model: "MlflowLoggedModel") -> bool:
    return str(getattr(model.status, "value", model.status)).endswith("READY")


def _upload(client: "MlflowClient", model_id: str, pipeline: Any, example: "pd.DataFrame") -> None:
    """Write the model's files; READY comes last, so a kill leaves a model that nobody takes for whole."""
    try:
        with scratch_folder() as scratch:
            folder = scratch / "model"
            save_checked(pipeline, example, folder, model_id)
            client.set_logged_model_tags(model_id, {DIGEST: files_digest(folder)})
            client.log_model_artifacts(model_id, str(folder))
        client.finalize_logged_model(model_id, "READY")
    except Exception:
        with suppress(Exception):  # a disk that is full takes no note of it either; PENDING is as good
            client.finalize_logged_model(model_id, "FAILED")
        raise


def _close_leftovers(client: "MlflowClient", experiment_id: str, run_id: str) -> None:
    """Mark what kills left PENDING; a promoter still at work on one makes it READY all the same."""
    for model in client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'"):
        if str(getattr(model.status, "value", model.status)).endswith("PENDING"):
            client.finalize_logged_model(model.model_id, "FAILED")


def _link(client: "MlflowClient", run_id: str, model_id: str) -> None:
    from mlflow.entities import LoggedModelOutput

    outputs = client.get_run(run_id).outputs
    if model_id not in [m.model_id for m in (outputs.model_outputs if outputs else [])]:
        client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])


def _missing(client: "MlflowClient", model_id: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """Give the figures a model does not have yet: MLflow refuses them where the data goes by another name."""
    known = {(metric.key, metric.value) for metric in client.get_logged_model(model_id).metrics or ()}
    return {key: value for key, value in metrics.items() if (key, value) not in known}


def _metrics(
    client: "MlflowClient", run_id: str, metrics: Mapping[str, float], **linked: str
) -> "list[Metric]":
    """Give a model's figures; one the trial has already keeps its time, else it would be there twice."""
    from mlflow.entities import Metric

    known = {key: client.get_metric_history(run_id, key) for key in metrics}
    now = int(time.time() * 1000)
    times = {
        key: next((m.timestamp for m in known[key] if m.value == value), now)
        for key, value in metrics.items()
    }
    return [Metric(key, float(value), times[key], 0, **linked) for key, value in metrics.items()]


def _locate(client: "MlflowClient", uri: str) -> tuple[str, str | None]:
    """Say where a model's files are, and their recorded digest."""
    name = uri.removeprefix("models:/")
    if not name.startswith("m-") or "/" in name or "@" in name:
        version = _look_up(client, name)
        if not (version.source or "").startswith("models:/m-"):
            return client.get_model_version_download_uri(version.name, version.version), None
        name = str(version.source).removeprefix("models:/")
    model = _logged(client, uri, name)
    if not _is_ready(model):
        raise BrokenModelError(f"model {uri}", f"is {model.status}, not READY")
    return model.artifact_location, model.tags.get(DIGEST)


def _logged(client: "MlflowClient", uri: str, model_id: str) -> "MlflowLoggedModel":
    from mlflow.exceptions import MlflowException

    try:
        return client.get_logged_model(model_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise BrokenModelError(f"model {uri}", "its logged model was deleted") from error


def _look_up(client: "MlflowClient", name: str) -> "MlflowModelVersion":
    model, at, alias = name.partition("@")
    if at:
        return client.get_model_version_by_alias(model, alias)
    model, _, number = name.rpartition("/")
    return client.get_model_version(model, number)
