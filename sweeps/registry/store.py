"""What the registry needs of an open store."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from sweeps.errors import StoreError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_pointing = threading.Lock()


class Store(Protocol):
    """What is needed of an open store."""

    @property
    def client(self) -> "MlflowClient":
        """For tracking and registry."""

    @property
    def uri(self) -> str:
        """Of the tracking store."""

    @property
    def shown(self) -> str:
        """The URI as it may be printed."""


@contextmanager
def registry_errors(store: Store) -> Iterator[None]:
    """Turn what MLflow raises into a StoreError of one line."""
    import requests
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise StoreError(
            f"MLflow {store.shown}", str(error.message).strip().split("\n", 1)[0][:300]
        ) from error
    except (OSError, requests.RequestException) as error:
        raise StoreError(f"MLflow {store.shown}", f"{type(error).__name__}: {error}"[:300]) from error


@contextmanager
def pointed_at(store: Store) -> Iterator[None]:
    """Make a store MLflow's global one for a moment: a registry in a database looks for models there."""
    import mlflow

    with _pointing:
        before = os.environ.get("MLFLOW_TRACKING_URI")
        mlflow.set_tracking_uri(store.uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)  # type: ignore[arg-type]  # None takes the setting back
