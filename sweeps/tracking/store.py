"""Open an MLflow store, or say in one line within seconds why not."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.credentials import without_secrets
from sweeps.errors import StoreDownError, StoreError, UsageError, absent
from sweeps.tracking.deadline import AT_ONCE, Patience
from sweeps.tracking.probe import canonical, probe, scheme_of, shown
from sweeps.tracking.quiet import quiet

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

EXPERIMENT_TAGS = {
    "mlflow.experiment.primaryMetric.name": "rmse",  # the UI orders its charts by this
    "mlflow.experiment.primaryMetric.greaterIsBetter": "False",
    "mlflow.note.content": (
        "Each sweep is a run, its trials are nested under it, and its description says what came out. "
        "**Views** lists the latest sweeps with charts; `sweeps ui SWEEP` opens any of them."
    ),
}
"""Tags of an experiment that we make."""


@dataclass(frozen=True)
class Store:
    """An MLflow tracking store and registry that answered."""

    client: "MlflowClient"
    uri: str = field(repr=False)
    """Absolute; may hold a password: never print or log it."""
    shown: str
    """The URI as it may be printed."""
    artifacts: Path | None
    """Folder for the artifacts of new experiments; None where the server decides."""

    def artifact_location(self, experiment: str) -> str | None:
        """Give the place of a new experiment's artifacts; None where the server decides."""
        if self.artifacts is None:
            return None
        return (self.artifacts / (re.sub(r"[^\w.-]+", "-", experiment).strip("-.") or "experiment")).as_uri()

    def settle(self) -> None:
        """Bring a SQLite store into its one file, so that a copy of the file is whole."""
        if scheme_of(self.uri) == "sqlite":
            from sweeps.tracking.sqlite import checkpoint, path_of

            checkpoint(path_of(self.uri))


def resolve_uri(given: str | None) -> str:
    """Say which store is meant: the one given, else ``MLFLOW_TRACKING_URI``, else ``mlflow.db`` here.

    MLflow's own default depends on what lies in the folder (an old ``mlruns`` makes it refuse to start).
    """
    return given or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path.cwd() / 'mlflow.db'}"


def check_store(uri: str) -> None:
    """Find out whether a store can be used, or could be made; makes nothing.

    Raises:
        StoreError: it is unreachable, unfit or not MLflow's; known within 5 seconds.
    """
    _probe_both(*_places(uri), make=False)


def is_missing(uri: str) -> bool:
    """Whether a store is a SQLite file that is not there yet.

    Raises:
        StoreError: the URI is of no kind we know.
    """
    uri = canonical(uri)
    if scheme_of(uri) != "sqlite":
        return False
    from sweeps.tracking.sqlite import path_of

    return absent(path_of(uri)) == "no such file"


def find_store(uri: str) -> Store:
    """Open a store that must be there: to read one is no reason to make one.

    Raises:
        StoreError: there is none, or it is unreachable, unfit or not MLflow's; known within 5 seconds.
    """
    if is_missing(uri):
        hint = "`sweeps run` makes it; or name another store with --tracking-uri"
        raise StoreError(f"MLflow {shown(canonical(uri))}", "no such file, so no sweep is in it", hint)
    return open_store(uri)


def open_store(uri: str, patience: Patience = AT_ONCE) -> Store:
    """Open a store; a SQLite file that does not exist is made.

    Args:
        uri: of the store.
        patience: with a server.

    Raises:
        StoreError: it is unreachable, unfit or not MLflow's; known within 5 seconds, or as patience ends.
    """
    quiet()
    uri, registry = _places(uri)
    _probe_both(uri, registry, make=True, patience=patience)
    from mlflow import MlflowClient

    with store_errors(shown(uri)):
        client = MlflowClient(tracking_uri=uri, registry_uri=registry)
        client.search_experiments(max_results=1)
    return Store(client, uri, shown(uri), _artifact_folder(uri))


def ensure_experiment(store: Store, name: str) -> str:
    """Find or make an experiment; give its id.

    Raises:
        UsageError: MLflow could not hold the name.
        StoreError: an experiment of that name is deleted.
    """
    check_label("--experiment", name, 500)
    with store_errors(store.shown):
        found = store.client.get_experiment_by_name(name) or _create_experiment(store, name)
    if found.lifecycle_stage == "deleted":
        restore = f"restore: mlflow experiments restore -x {found.experiment_id}, or use another name"
        raise StoreError(f"experiment {name!r}", "is deleted", restore)
    return str(found.experiment_id)


def _create_experiment(store: Store, name: str) -> "Experiment":
    from mlflow.exceptions import MlflowException

    try:
        made = store.client.create_experiment(name, artifact_location=store.artifact_location(name))
        for key, value in EXPERIMENT_TAGS.items():
            store.client.set_experiment_tag(made, key, value)
    except MlflowException as error:
        # Another process, or our own request sent twice, made it meanwhile.
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    found = store.client.get_experiment_by_name(name)
    if found is None:
        raise StoreError(f"experiment {name!r}", "was made but is not there", "try again")
    return found


def mark_checked(store: Store, experiment_id: str) -> None:
    """Write into a store, where it disturbs nobody: when it was last looked over.

    Raises:
        StoreError: it refuses.
    """
    with store_errors(store.shown):
        store.client.set_experiment_tag(experiment_id, "sweeps.checked", str(int(time.time())))


def check_label(option: str, name: str, longest: int) -> None:
    """Refuse a name that MLflow or a terminal could not show.

    Raises:
        UsageError: it is empty, too long or not printable.
    """
    if not name.strip() or len(name) > longest or not name.isprintable():
        raise UsageError(option, f"1..{longest} printable characters, got {name[:40]!r}")


@contextmanager
def store_errors(about: str) -> Iterator[None]:
    """Turn what MLflow raises into a StoreError of one line, a StoreDownError where waiting may help.

    Args:
        about: the store as it may be printed.
    """
    import requests
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        why = telling_line(str(error.message)) or type(error).__name__
        kind = StoreDownError if may_pass(error.error_code, str(error.message)) else StoreError
        raise kind(f"MLflow {about}", why) from without_secrets(error)
    except (OSError, requests.RequestException) as error:
        why = f"{type(error).__name__}: {error}"[:300]
        raise StoreDownError(f"MLflow {about}", why) from without_secrets(error)


def may_pass(code: str, message: str) -> bool:
    """Whether what MLflow raised may be otherwise a moment later.

    Args:
        code: of the exception; INTERNAL_ERROR where the answer was no JSON of MLflow's, or there was none.
        message: of the exception.
    """
    if "readonly database" in message:
        return False
    if status := re.search(r"failed with error code (\d{3})", message):
        return status[1] in ("408", "429") or status[1].startswith("5")
    return code in ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "INTERNAL_ERROR")


def telling_line(text: str) -> str:
    """Give the line of an error that says what is wrong: the first, but for SQLAlchemy's remark before it."""
    lines = (line.strip() for line in text.split("\n") if not line.startswith("(raised as a result of"))
    return next(filter(None, lines), "")[:300]


def _places(uri: str) -> tuple[str, str]:
    """Give the canonical URIs of the tracking store and of the registry."""
    try:
        registry = canonical(os.environ.get("MLFLOW_REGISTRY_URI") or uri)
    except StoreError as error:
        if not os.environ.get("MLFLOW_REGISTRY_URI"):
            raise
        raise StoreError("MLFLOW_REGISTRY_URI", f"{error.what}: {error.wrong}", error.next_step) from error
    return canonical(uri), registry


def _probe_both(uri: str, registry: str, make: bool, patience: Patience = AT_ONCE) -> None:
    probe(uri, make, patience)
    if registry != uri:
        _probe_registry(registry, make, patience)


def _probe_registry(uri: str, make: bool, patience: Patience) -> None:
    try:
        probe(uri, make, patience)
    except StoreError as error:
        name = f"registry {shown(uri)!r} (MLFLOW_REGISTRY_URI)"
        raise StoreError(name, f"model registry not available: {error.wrong}", error.next_step) from error


def _artifact_folder(uri: str) -> Path | None:
    scheme = scheme_of(uri)
    if scheme in ("http", "https"):
        return None
    if scheme == "sqlite":
        from sweeps.tracking.sqlite import path_of

        return path_of(uri).parent / "mlartifacts"
    return Path.cwd() / "mlartifacts"
