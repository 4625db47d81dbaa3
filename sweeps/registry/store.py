"""What the registry needs of an open store."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from sweeps.credentials import without_secrets
from sweeps.errors import StoreError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_pointing = threading.Lock()

CLASH = re.compile(r"UNIQUE constraint failed|duplicate key value|IntegrityError|creation error")
CLASHES = 10
"""So often somebody may come between one call."""


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
        why = str(error.message).strip().split("\n", 1)[0][:300]
        raise StoreError(f"MLflow {store.shown}", why) from without_secrets(error)
    except (OSError, requests.RequestException) as error:
        why = f"{type(error).__name__}: {error}"[:300]
        raise StoreError(f"MLflow {store.shown}", why) from without_secrets(error)


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


class _Patient:
    """A client whose calls are repeated where another process came between."""

    def __init__(self, client: "MlflowClient") -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return partial(_again, call) if callable(call) else call


def patient(client: "MlflowClient") -> "MlflowClient":
    """Give a client that repeats what two processes did at once.

    MLflow looks whether an alias or a tag is there and then inserts it, in two steps: of two processes that
    do so at once, one is told of a broken constraint. All that promotion writes may be written twice.
    """
    return cast("MlflowClient", _Patient(client))


def _again(call: Callable[..., Any], *args: Any, **named: Any) -> Any:
    from mlflow.exceptions import MlflowException

    for _ in range(CLASHES):
        try:
            return call(*args, **named)
        except MlflowException as error:
            if not CLASH.search(str(error.message)):
                raise
    return call(*args, **named)
