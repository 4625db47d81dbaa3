"""Move ``champion`` back to an earlier version, checked and recorded."""

import time
from typing import TYPE_CHECKING

from sweeps.errors import StoreError, UsageError
from sweeps.record import ModelVersion
from sweeps.registry.aliases import crown, follow, respect_hand
from sweeps.registry.journal import crowning, note, who
from sweeps.registry.models import load_pipeline
from sweeps.registry.standing import BROKEN, CHAMPION, TERM, VALIDATED, WITHDRAWN, Standing, read_standing
from sweeps.registry.store import Store, patient, registry_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient


def rollback(store: Store, name: str, to: int | None = None) -> ModelVersion:
    """Make an earlier version champion again; the one it replaces is withdrawn and is not promoted again.

    Going back to a version that was withdrawn itself takes that back, and withdraws nothing.

    Args:
        store: where.
        name: of the registered model.
        to: the version; by default the champion before the present one that was not withdrawn.

    Returns:
        The champion.

    Raises:
        UsageError: there is no such model or version, or none to go back to.
        StoreError: the version is not whole or does not load, or the registry refuses.
    """
    client = patient(store.client)
    with registry_errors(store):
        respect_hand(client, name)
        standing = read_standing(client, name)
        target, heir = _target(standing, to), standing.succession().heir
        load_pipeline(store, f"models:/{name}/{target}")
        reason = f"somebody went back to it from version {heir}" if heir else "somebody chose it"
        if target == heir:
            reason = "it is the champion already"
        else:
            _choose(client, standing, target, heir, reason)
        follow(client, name)
        crown(client, name)
    return ModelVersion(name, target, CHAMPION, reason)


def _target(standing: Standing, to: int | None) -> int:
    """Say which version is meant, and that it may be champion."""
    if not standing.versions:
        raise UsageError(f"model {standing.name}", "there is none of that name with a version", "sweeps list")
    contenders = standing.succession().contenders
    heir = standing.succession().heir
    earlier = [c for c in contenders if c.whole and c.crowned and c.number != heir]
    if to is None and not earlier:
        wrong = "no other version was champion before, so there is nothing to go back to"
        raise UsageError(
            f"model {standing.name}", wrong, f"sweeps history {standing.name}; --to names a version"
        )
    number = max(earlier, key=lambda c: c.term).number if to is None else to
    if number not in standing.versions:
        known = ", ".join(map(str, standing.versions))
        raise UsageError(f"--to {number}", f"model {standing.name} has no such version; known: {known}")
    tags = standing.versions[number].tags
    if tags.get(BROKEN) or tags.get(VALIDATED) not in ("true", "by hand"):
        unfit = "did not pass its checks" if VALIDATED in tags else "was never checked by this tool"
        wrong = tags.get(BROKEN) or unfit
        raise StoreError(f"model {standing.name} version {number}", wrong, "choose another with --to")
    return number


def _choose(client: "MlflowClient", standing: Standing, target: int, heir: int | None, reason: str) -> None:
    """The term counts; the journal says what is withdrawn, so that whoever comes next can finish it."""
    name, term = standing.name, standing.succession().next_term
    undo = bool(standing.versions[target].tags.get(WITHDRAWN))
    if undo:
        client.delete_model_version_tag(name, str(target), WITHDRAWN)
    client.set_model_version_tag(name, str(target), TERM, str(term))
    entry = crowning("rolled back", heir, reason)
    if not undo and heir is not None:
        on = time.strftime("%Y-%m-%d %H:%M", time.localtime())
        entry = {**entry, "withdraws": heir, "withdrawn": f"on {on} by {who()}"}
    note(client, standing, term, target, entry)
