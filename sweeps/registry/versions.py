"""One version for each model: found or made, deduplicated, with its figures; checked last."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeps.errors import StoreError, UsageError
from sweeps.registry.aliases import mark_broken
from sweeps.registry.forms import FORM, form_tags
from sweeps.registry.models import DIGEST, BrokenModelError, LoggedModel, load_pipeline
from sweeps.registry.standing import BROKEN, CHAMPION, RMSE_ON, VALIDATED, Version, read_standing, version_of
from sweeps.registry.store import Store, patient, pointed_at, registry_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

ABOUT = (
    "The winners of sweeps, each judged on rows that its search never saw. The alias **champion** is on "
    "the version that won there last, **previous** on the champion before it, **challenger** on "
    "the latest one that did not win."
)
"""Description of a registered model that we make."""
LINK = "mlflow.modelVersions"
"""From it the UI shows on a logged model which versions it became."""


@dataclass(frozen=True)
class Candidate:
    """A logged model that was loaded back and checked, on its way into the registry."""

    logged: LoggedModel
    run_id: str
    """Of the trial; of the sweep where the model is a blend of several."""
    tags: Mapping[str, Any]
    """Kept on the version as ``sweeps.…``."""
    rows: str = ""
    """Digest of the held-out rows it was scored on; empty where every row was trained on."""
    rmse: float | None = None
    """On those rows."""
    form: str = ""
    """As it was logged with, see ``forms``: a run has one version of each."""


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
        standing = read_standing(store.client, name)
    number = standing.aliases.get(CHAMPION)
    return None if number is None else standing.versions[number]


def enter(store: Store, name: str, candidate: Candidate) -> int:
    """Find or make the version of a candidate, with its figures; give its number.

    It counts from the tag ``sweeps.validated``, which comes with its first verdict: a kill before leaves a
    version that nobody takes for whole, and that the next call completes.
    """
    client = patient(store.client)
    with pointed_at(store):
        _ensure_model(client, name)
        number = _whole(store, name, candidate) or _create(client, name, candidate)
        number = _only(client, name, candidate, number)
    version = version_of(client.get_model_version(name, str(number)))
    _link_version(client, version.source.removeprefix("models:/"), name, number)
    wanted = {f"sweeps.{key}": str(value) for key, value in candidate.tags.items()}
    wanted["sweeps.model_sha256"] = client.get_logged_model(candidate.logged.model_id).tags.get(DIGEST, "")
    if candidate.rmse is not None:
        wanted[f"{RMSE_ON}{candidate.rows}"] = repr(candidate.rmse)
    for key, text in wanted.items():
        if version.tags.get(key) != text:
            client.set_model_version_tag(name, str(number), key, text)
    return number


def _ensure_model(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description=ABOUT)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        if _is_prompt(client, name):
            hint = "choose another name with --register-as or --as"
            raise StoreError(f"model {name}", "is a prompt in this registry, not a model", hint) from None


def _is_prompt(client: "MlflowClient", name: str) -> bool:
    """Whether a name that is taken is that of a prompt; MLflow then says that no such model is there."""
    from mlflow.exceptions import MlflowException

    try:
        return bool(client.get_registered_model(name).tags.get("mlflow.prompt.is_prompt"))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return True


def _alike(client: "MlflowClient", name: str, candidate: Candidate) -> list[Version]:
    """Give the versions of a candidate's run and form, the first one first."""
    found = client.search_model_versions(f"name = '{name}' and run_id = '{candidate.run_id}'")
    versions = [version_of(v) for v in found if v.tags.get(FORM, "") == candidate.form]
    return sorted(versions, key=lambda v: v.number)


def _whole(store: Store, name: str, candidate: Candidate) -> int | None:
    """Give the version that the trial's model has already; one whose files were changed is marked."""
    for version in _alike(store.client, name, candidate):
        if version.tags.get(BROKEN):
            continue
        if version.source == candidate.logged.uri:
            return version.number
        try:  # logged by another promoter of the same sweep
            load_pipeline(store, version.uri)
        except BrokenModelError as error:
            mark_broken(patient(store.client), name, version.number, str(error))
        else:
            return version.number
    return None


def _create(client: "MlflowClient", name: str, candidate: Candidate) -> int:
    logged = candidate.logged
    tags = form_tags(candidate.form)
    made = client.create_model_version(
        name, logged.uri, candidate.run_id, tags=tags, model_id=logged.model_id
    )
    return int(made.version)


def _only(client: "MlflowClient", name: str, candidate: Candidate, number: int) -> int:
    """Keep one of a trial's versions where a lost answer or a second promoter made more: the first.

    Only what was never judged and has no alias is deleted: nobody can have used it.
    """
    from mlflow.exceptions import MlflowException

    whole = [v for v in _alike(client, name, candidate) if not v.tags.get(BROKEN)]
    first = min([number, *(v.number for v in whole)])
    named = set(read_standing(client, name).aliases.values())
    for extra in whole:
        if extra.number != first and extra.number not in named and not extra.tags.get(VALIDATED):
            with suppress(MlflowException):  # the other promoter was quicker
                client.delete_model_version(name, str(extra.number))
    return first


def _link_version(client: "MlflowClient", model_id: str, name: str, number: int) -> None:
    known = json.loads(client.get_logged_model(model_id).tags.get(LINK, "[]"))
    this = {"name": name, "version": number}
    if not any(v["name"] == name and int(v["version"]) == number for v in known):
        client.set_logged_model_tags(model_id, {LINK: json.dumps([*known, this])})
