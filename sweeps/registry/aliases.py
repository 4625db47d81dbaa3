"""Make the aliases follow who is champion; whoever calls it, whenever, however often."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sweeps.errors import StoreError
from sweeps.registry.journal import crowning, note
from sweeps.registry.models import BrokenModelError, load_pipeline
from sweeps.registry.standing import (
    BROKEN,
    CHALLENGER,
    CHAMPION,
    CROWNED,
    PREVIOUS,
    TERM,
    VALIDATED,
    WITHDRAWN,
    Standing,
    read_standing,
)
from sweeps.registry.store import Store, patient, registry_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

ROUNDS = 50
"""So often somebody else may come between before we give up."""


def reconcile(store: Store, name: str) -> int | None:
    """Put right what killed promoters and users left: the alias leads to a whole version that loads.

    Args:
        store: where.
        name: of the registered model.

    Returns:
        The champion's version; None where no version is whole.

    Raises:
        StoreError: the registry refuses.
    """
    client = patient(store.client)
    with registry_errors(store):
        respect_hand(client, name)
        for _ in range(ROUNDS):
            heir = read_standing(client, name).succession().heir
            if heir is None or _loads(store, name, heir):
                follow(client, name)
                crown(client, name)
            if read_standing(client, name).succession().heir == heir:
                return heir
    raise busy(name)


def respect_hand(client: "MlflowClient", name: str) -> None:
    """Where somebody moved the alias without this tool, make that version champion for the record."""
    standing = read_standing(client, name)
    succession = standing.succession()
    if not succession.moved_by_hand or succession.alias is None:
        return
    if not standing.versions[succession.alias].tags.get(VALIDATED):
        _tag(client, name, succession.alias, VALIDATED, "by hand")
    if standing.versions[succession.alias].tags.get(WITHDRAWN):
        client.delete_model_version_tag(name, str(succession.alias), WITHDRAWN)
    reason = "somebody moved the alias without this tool"
    give_term(client, standing, succession.alias, "by hand", succession.heir, reason)
    _tag(client, name, succession.alias, CROWNED, str(succession.next_term))


def follow(client: "MlflowClient", name: str, rows: str | None = None) -> None:
    """Move the aliases to where they belong, and look again: the last to write must have seen it all.

    Args:
        client: of the registry.
        name: of the registered model.
        rows: digest of the rows whose figures decide between promotions of the same term; by default those
            that were judged on last.

    Raises:
        StoreError: others keep changing the model.
    """
    for _ in range(ROUNDS):
        standing = read_standing(client, name)
        succession = standing.succession(rows)
        heir = succession.heir
        if heir is None:
            return
        if succession.of(heir).term < max(1, succession.last_term):
            give_term(
                client, standing, heir, "best left", None, "the best that is left: the champion is gone"
            )
        _withdraw(client, standing, heir)
        wanted = _wanted(standing.aliases, heir, succession.previous)
        if not wanted:
            return
        for alias, number in wanted.items():
            _set(client, name, alias, number)
    raise busy(name)


def _wanted(aliases: Mapping[str, int], heir: int, previous: int | None) -> dict[str, int | None]:
    """Give the aliases that lead elsewhere than they should, the way back before the champion."""
    wanted: dict[str, int | None] = {PREVIOUS: previous, CHAMPION: heir}
    if previous is None and aliases.get(PREVIOUS) != heir:
        del wanted[PREVIOUS]
    if aliases.get(CHALLENGER) == heir:
        wanted[CHALLENGER] = None
    return {alias: number for alias, number in wanted.items() if aliases.get(alias) != number}


def _set(client: "MlflowClient", name: str, alias: str, number: int | None) -> None:
    if number is None:
        client.delete_registered_model_alias(name, alias)
    else:
        client.set_registered_model_alias(name, alias, str(number))


def _withdraw(client: "MlflowClient", standing: Standing, heir: int) -> None:
    """Withdraw the champion that a rollback replaced."""
    event = standing.events.get((standing.versions[heir].term, heir), {})
    gone = standing.versions.get(int(event.get("withdraws") or 0))
    if gone is not None and not gone.tags.get(WITHDRAWN):
        _tag(client, standing.name, gone.number, WITHDRAWN, str(event["withdrawn"]))


def crown(client: "MlflowClient", name: str, rows: str | None = None) -> None:
    """Note that the champion's promotion went through."""
    standing = read_standing(client, name)
    succession = standing.succession(rows)
    heir = succession.heir
    if heir is not None and succession.alias == heir and succession.of(heir).on_its_way:
        _tag(client, name, heir, CROWNED, str(succession.of(heir).term))


def give_term(
    client: "MlflowClient", standing: Standing, number: int, what: str, instead_of: int | None, reason: str
) -> None:
    """Make a version champion that no verdict made so; the journal comes after the term, see ``heir``."""
    term = standing.succession().next_term
    _tag(client, standing.name, number, TERM, str(term))
    note(client, standing, term, number, crowning(what, instead_of, reason))


def mark_broken(client: "MlflowClient", name: str, number: int, reason: str) -> None:
    """Note that a version's files are gone or changed: it is nobody's champion any more."""
    _tag(client, name, number, BROKEN, reason[:500])


def busy(name: str) -> StoreError:
    """Give the error of a model that others keep changing."""
    return StoreError(f"model {name}", "others keep changing its champion", "try again in a minute")


def _loads(store: Store, name: str, number: int) -> bool:
    """Whether a version's files are as they were logged; marks it where they are not.

    A version of another origin may be of a format that is never loaded here: that is for its owner to judge.
    """
    try:
        load_pipeline(store, f"models:/{name}/{number}")
    except BrokenModelError as error:
        mark_broken(patient(store.client), name, number, str(error))
        return False
    except StoreError as error:
        if read_standing(store.client, name).versions[number].tags.get(VALIDATED) != "by hand":
            raise error from None
    return True


def _tag(client: "MlflowClient", name: str, number: int, key: str, text: str) -> None:
    client.set_model_version_tag(name, str(number), key, text)
