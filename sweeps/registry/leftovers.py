"""What killed promoters, users and disks left in the registry."""

from typing import NamedTuple

from sweeps.registry.forms import FORM, promoted_by
from sweeps.registry.models import BrokenModelError, load_pipeline
from sweeps.registry.standing import CHAMPION, VALIDATED, Version, read_standing
from sweeps.registry.store import Store, registry_errors

PAGE = 1000


class HalfMade(NamedTuple):
    """A version of a sweep's model that was registered but never checked."""

    name: str
    number: int
    sweep: str
    """Run id."""
    options: str = ""
    """Of ``sweeps promote``, to come to this version again."""


class Amiss(NamedTuple):
    """A model whose champion is not the version that it should be; ``reconcile`` mends it."""

    name: str
    wrong: str


def half_made(store: Store) -> list[HalfMade]:
    """Find versions whose promotion was not finished; ``sweeps promote`` finishes it.

    Raises:
        StoreError: the registry refuses.
    """
    with registry_errors(store):
        return [
            HalfMade(version.name, version.number, sweep, promoted_by(version.tags.get(FORM, "")))
            for name in _names(store)
            for version in read_standing(store.client, name).versions.values()
            if VALIDATED not in version.tags and (sweep := _sweep_of(store, version))
        ]


def amiss(store: Store) -> list[Amiss]:
    """Find models of ours whose alias ``champion`` leads nowhere, elsewhere, or to files that were changed.

    Raises:
        StoreError: the registry refuses.
    """
    with registry_errors(store):
        wrong = {name: _wrong(store, name) for name in _names(store)}
    return [Amiss(name, text) for name, text in wrong.items() if text]


def _wrong(store: Store, name: str) -> str:
    standing = read_standing(store.client, name)
    succession = standing.succession()
    champion, heir = standing.aliases.get(CHAMPION), succession.heir
    if heir is None or succession.moved_by_hand:
        return ""
    if champion is None:
        return f"has no champion, though version {heir} is whole"
    if champion != heir:
        return f"has champion version {champion}, a promotion of version {heir} was cut off"
    if standing.versions[champion].tags[VALIDATED] != "true":  # of another origin: for its owner to judge
        return ""
    try:
        load_pipeline(store, f"models:/{name}/{champion}")
    except BrokenModelError as error:
        return f"has champion version {champion}, which cannot be used: {error.wrong}"
    return ""


def _names(store: Store) -> list[str]:
    """The registered models that hold a version of ours."""
    found, token = set[str](), None
    while True:
        page = store.client.search_model_versions(max_results=PAGE, page_token=token)
        found |= {v.name for v in page if v.run_id}
        token = page.token
        if not token:
            return sorted(found)


def _sweep_of(store: Store, version: Version) -> str:
    """The sweep of a version; empty for one of another origin, or whose run is gone."""
    from mlflow.exceptions import MlflowException

    if not version.run_id:
        return ""
    try:
        tags = store.client.get_run(version.run_id).data.tags
    except MlflowException:
        return ""
    sweeps = {"trial": tags.get("mlflow.parentRunId", ""), "sweep": version.run_id}
    return str(sweeps.get(tags.get("sweeps.kind", ""), ""))
