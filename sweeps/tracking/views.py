"""Views of sweeps, kept with their experiment, that MLflow's UI lists under "Views" and opens by a link.

The UI keeps them in tags of the experiment, in a format of its own
(docs/decisions/0024-views-in-the-mlflow-ui.md). So they are written only where that format is known, and
whoever finds none takes the plain link.
"""

import json
import re
import time
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from sweeps.errors import StoreError
from sweeps.record import SweepRecord
from sweeps.tracking.change import milliseconds
from sweeps.tracking.links import trials_link, view_link
from sweeps.tracking.probe import scheme_of
from sweeps.tracking.probe_http import server_version
from sweeps.tracking.store import Store, store_errors
from sweeps.tracking.view_state import state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOWN = ("3.17",)
"""Versions of MLflow whose UI shows our views as ``tests/browser/test_mlflow_ui.py`` says."""
PREFIX = "mlflow.sharedViewState."
OURS = re.compile(re.escape(PREFIX) + "sweeps-([0-9a-f]{32})")
KEPT = 10
"""Views of one experiment; the UI loads them all with it. The oldest go, and come back with ``sweeps ui``."""
MOST = 20_000
"""Characters MLflow keeps in an experiment's tag."""


def save_view(store: Store, record: SweepRecord) -> bool:
    """Write the view of a sweep anew; say whether it is there now. Only the newest views are kept.

    Whatever the store refuses, nothing is raised: the sweep is as good without.
    """
    try:
        return _save(store, record)
    except StoreError:
        return False


def has_view(store: Store, experiment_id: str, sweep: str) -> bool:
    """Whether a sweep's view is there.

    Raises:
        StoreError: MLflow refuses.
    """
    return f"{PREFIX}{key_of(sweep)}" in _tags(store, experiment_id)


def sweep_link(store: Store, base: str, experiment_id: str, sweep: str, running: bool = True) -> str:
    """Give the link to a sweep's view, to the plain table of its trials where there is none.

    Args:
        store: where the sweep is.
        base: address of the server that is to show it.
        experiment_id: of the sweep.
        sweep: its run id.
        running: whether that server can be asked for its version already.
    """
    with suppress(StoreError):
        if has_view(store, experiment_id, sweep) and is_known(store, base if running else None):
            return view_link(base, experiment_id, key_of(sweep))
    return trials_link(base, experiment_id, sweep)


def remove_view(store: Store, experiment_id: str, sweep: str) -> None:
    """Remove the view of a sweep, where there is one.

    Raises:
        StoreError: MLflow refuses.
    """
    if has_view(store, experiment_id, sweep):
        with store_errors(store.shown):
            store.client.delete_experiment_tag(experiment_id, f"{PREFIX}{key_of(sweep)}")


def key_of(sweep: str) -> str:
    """Give the key of a sweep's view."""
    return f"sweeps-{sweep}"


def is_known(store: Store, server: str | None = None) -> bool:
    """Whether the UI that shows this store is one whose views we know.

    Args:
        store: a server, or a database, for which MLflow's own server is run from the installed package.
        server: address of another server that runs on the database.

    Raises:
        StoreError: the server is unreachable.
    """
    address = store.uri if scheme_of(store.uri) in ("http", "https") else server
    found = server_version(address) if address else version("mlflow")
    return ".".join(found.split(".")[:2]) in KNOWN


def _save(store: Store, record: SweepRecord) -> bool:
    view = {"name": record.name, "createdAt": _now(), "state": state_of(record)}
    text = json.dumps(view)
    if len(text) > MOST or not is_known(store):
        return False
    with store_errors(store.shown):
        store.client.set_experiment_tag(record.experiment_id, f"{PREFIX}{key_of(record.run_id)}", text)
        for tag in _superfluous(_tags(store, record.experiment_id)):
            store.client.delete_experiment_tag(record.experiment_id, tag)
    return True


def _now() -> int:
    return milliseconds(time.time())


def _tags(store: Store, experiment_id: str) -> "Mapping[str, str]":
    with store_errors(store.shown):
        return dict(store.client.get_experiment(experiment_id).tags)


def _superfluous(tags: "Mapping[str, str]") -> list[str]:
    """Give the tags of our views but for the newest."""
    ours = sorted((tag for tag in tags if OURS.fullmatch(tag)), key=lambda tag: _written(tags[tag]))
    return ours[:-KEPT]


def _written(text: str) -> int:
    """Give the time of a view; 0 for one that somebody changed."""
    try:
        view: Any = json.loads(text)
        return int(view["createdAt"])
    except (ValueError, TypeError, KeyError):
        return 0
