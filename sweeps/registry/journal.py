"""The journal of a model: every promotion and rollback, kept on the registered model itself."""

import getpass
import json
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sweeps.registry.standing import CHAMPION, EVENT, Standing, read_standing
from sweeps.registry.store import Store, registry_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOST_REASON = 500
"""Characters of a reason that are kept; MLflow truncates or refuses long tags."""


@dataclass(frozen=True)
class Event:
    """One entry of the journal."""

    term: int
    """Counts the champions of a model."""
    version: int
    verdict: str
    """``champion`` or ``challenger``."""
    what: str
    """``promoted``, ``challenged``, ``rolled back``, ``by hand`` or ``best left``."""
    instead_of: int | None
    """The champion it was judged against, or replaced."""
    reason: str
    when: float
    """Unix time in seconds, by the clock of whoever did it."""
    who: str
    rmse: float | None = None
    """Of the version, on the rows of the verdict."""
    rival_rmse: float | None = None
    rows: str = ""
    """Digest of those rows."""


def history(store: Store, name: str) -> list[Event]:
    """Give a model's journal, oldest first; empty where nothing was ever promoted with this tool.

    Raises:
        StoreError: the registry refuses.
    """
    with registry_errors(store):
        standing = read_standing(store.client, name)
    return sorted(events_of(standing), key=lambda event: (event.term, event.when, event.version))


def events_of(standing: Standing) -> list[Event]:
    """Give the entries of a standing."""
    known = {one.name for one in fields(Event)}
    return [
        Event(**{"term": term, "version": version, **{k: v for k, v in text.items() if k in known}})
        for (term, version), text in standing.events.items()
    ]


def note(
    client: "MlflowClient", standing: Standing, term: int, version: int, event: Mapping[str, Any]
) -> None:
    """Write an entry; one that says the same already stays, with its time."""
    known = standing.events.get((term, version))
    if known is not None and all(known.get(key) == event.get(key) for key in ("verdict", "what")):
        return
    text = {**event, "reason": str(event["reason"])[:MOST_REASON], "when": time.time(), "who": who()}
    client.set_registered_model_tag(standing.name, f"{EVENT}{term}.{version}", json.dumps(text))


def who() -> str:
    """Name the user and the machine."""
    with suppress(OSError, KeyError):  # a container's user may have no name
        return f"{getpass.getuser()}@{socket.gethostname()}"
    return f"someone@{socket.gethostname()}"


def crowning(what: str, instead_of: int | None, reason: str) -> dict[str, Any]:
    """Give the entry of a champion that no verdict made."""
    return {"verdict": CHAMPION, "what": what, "instead_of": instead_of, "reason": reason}
