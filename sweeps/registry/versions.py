"""Register a model and move the aliases."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeps.errors import UsageError
from sweeps.record import ModelVersion
from sweeps.registry.models import LoggedModel
from sweeps.registry.store import Store, pointed_at, registry_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as MlflowModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
LINK = "mlflow.modelVersions"
"""From it the UI shows on a logged model which versions it became."""


@dataclass(frozen=True)
class Version:
    """A registered version as it stands in the registry."""

    name: str
    number: int
    run_id: str
    """Of the trial it comes from; empty for a model of another origin."""
    tags: Mapping[str, str]

    @property
    def uri(self) -> str:
        """What MLflow loads it by."""
        return f"models:/{self.name}/{self.number}"


def check_model_name(name: str, option: str = "--register-as") -> None:
    """Refuse a name that a URI, a file system or a page could not hold.

    Args:
        name: as typed.
        option: where it was typed.

    Raises:
        UsageError: it has other characters than letters, digits, ``.``, ``_`` and ``-``.
    """
    if not re.fullmatch(r"[\w.-]{1,255}", name) or not name.strip("."):
        raise UsageError(option, f"{name[:40]!r}: use letters, digits, . _ - (1..255)")


def champion_of(store: Store, name: str) -> Version | None:
    """Give the version with the alias ``champion``; None where there is none."""
    with registry_errors(store):
        number = _aliases(store.client, name).get(CHAMPION)
        return None if number is None else _version(store.client.get_model_version(name, str(number)))


def promote(
    store: Store,
    name: str,
    logged: LoggedModel,
    run_id: str,
    *,
    tags: Mapping[str, Any],
    description: str,
    verdict: str,
    reason: str,
) -> ModelVersion:
    """Register a model and move an alias to it; a second time changes nothing and mends what a kill left.

    Args:
        store: where.
        name: of the registered model.
        logged: the model, see ``log_model``.
        run_id: of the trial.
        tags: kept on the version as ``sweeps.…``.
        description: Markdown.
        verdict: ``champion`` or ``challenger``. A champion stays it whatever the verdict on itself.
        reason: of the verdict.

    Raises:
        UsageError: the name is illegal.
        StoreError: the registry refuses.
    """
    check_model_name(name)
    client = store.client
    with registry_errors(store):
        with pointed_at(store):
            number = _register(client, name, logged, run_id, description)
        if _aliases(client, name).get(CHAMPION) == number:
            verdict, reason = CHAMPION, reason if verdict == CHAMPION else "it is the champion already"
        for key, value in {**tags, "verdict": verdict, "reason": reason}.items():
            client.set_model_version_tag(name, str(number), f"sweeps.{key}", str(value))
        _link_version(client, logged.model_id, name, number)
        _move_aliases(client, name, number, verdict)
    return ModelVersion(name, number, verdict, reason)


def _register(client: "MlflowClient", name: str, logged: LoggedModel, run_id: str, description: str) -> int:
    """Find or create the version of a model."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    found = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    numbers = sorted(int(v.version) for v in found if v.source == logged.uri)
    if not numbers:
        version = client.create_model_version(name, logged.uri, run_id, model_id=logged.model_id)
        numbers = [int(version.version)]
    client.update_model_version(name, str(numbers[0]), description)
    return numbers[0]


def _link_version(client: "MlflowClient", model_id: str, name: str, number: int) -> None:
    known = json.loads(client.get_logged_model(model_id).tags.get(LINK, "[]"))
    this = {"name": name, "version": number}
    if not any(v["name"] == name and int(v["version"]) == number for v in known):
        client.set_logged_model_tags(model_id, {LINK: json.dumps([*known, this])})


def _move_aliases(client: "MlflowClient", name: str, number: int, verdict: str) -> None:
    aliases = _aliases(client, name)
    champion = aliases.get(CHAMPION)
    if verdict != CHAMPION:
        client.set_registered_model_alias(name, verdict, str(number))
        return
    if champion not in (None, number):
        client.set_registered_model_alias(name, PREVIOUS, str(champion))
    if champion != number:
        client.set_registered_model_alias(name, CHAMPION, str(number))
    if aliases.get(CHALLENGER) == number:
        client.delete_registered_model_alias(name, CHALLENGER)


def _aliases(client: "MlflowClient", name: str) -> dict[str, int]:
    """Give the aliases of a registered model; none for one that does not exist."""
    from mlflow.exceptions import MlflowException

    try:
        return {alias: int(number) for alias, number in client.get_registered_model(name).aliases.items()}
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}


def _version(version: "MlflowModelVersion") -> Version:
    return Version(version.name, int(version.version), version.run_id or "", dict(version.tags))
