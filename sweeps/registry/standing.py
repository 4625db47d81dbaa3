"""What the registry holds of a model: its versions, its aliases, and the journal of its champions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeps.selection.succession import Contender, Succession

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as MlflowModelVersion

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"

TERM, CROWNED = "sweeps.term", "sweeps.crowned"
VALIDATED, BROKEN, WITHDRAWN = "sweeps.validated", "sweeps.broken", "sweeps.withdrawn"
VERDICT, REASON = "sweeps.verdict", "sweeps.reason"
RMSE_ON = "sweeps.rmse_on."
"""And the digest of the rows: on a version."""
ROWS = "sweeps.rows"
"""Digest of the rows that were judged on last: on the model."""
EVENT = "sweeps.event."
"""And term and version: on the model, since a version may be deleted."""

Events = Mapping[tuple[int, int], Mapping[str, Any]]


@dataclass(frozen=True)
class Version:
    """A registered version as it stands in the registry."""

    name: str
    number: int
    run_id: str
    """Of the trial it comes from, for a blend of the sweep; empty for a model of another origin."""
    tags: Mapping[str, str]
    source: str = ""
    """The logged model that it is, as ``models:/m-…``."""

    @property
    def uri(self) -> str:
        """What MLflow loads it by."""
        return f"models:/{self.name}/{self.number}"

    @property
    def term(self) -> int:
        """In which it was made champion; 0: never, or it lost since."""
        return int(self.tags.get(TERM) or 0)

    def contender(self, rows: str) -> Contender:
        """Give it as a contender on rows of a digest."""
        tags, figure = self.tags, self.tags.get(f"{RMSE_ON}{rows}")
        return Contender(
            self.number,
            whole=tags.get(VALIDATED) in ("true", "by hand")
            and not tags.get(BROKEN)
            and not tags.get(WITHDRAWN),
            term=self.term,
            crowned=bool(tags.get(CROWNED)) and tags[CROWNED] == tags.get(TERM),
            broken=bool(tags.get(BROKEN)),
            rmse=float(figure) if figure else None,
        )


@dataclass(frozen=True)
class Standing:
    """A registered model at one moment."""

    name: str
    aliases: Mapping[str, int]
    versions: Mapping[int, Version]
    events: Events
    """By term and version."""
    rows: str
    """Digest of the rows that were judged on last; empty where none were."""

    def succession(self, rows: str | None = None) -> Succession:
        """Say who is champion, with figures on rows of a digest, by default those judged on last."""
        judged_on = self.rows if rows is None else rows
        contenders = tuple(v.contender(judged_on) for v in self.versions.values())
        return Succession(contenders, self.aliases.get(CHAMPION), self._last_term())

    def others(self, number: int, rows: str) -> Succession:
        """Say who would be champion were there no such version."""
        return self.succession(rows).without(number, self._last_term(leaving_out=number))

    def _last_term(self, leaving_out: int | None = None) -> int:
        made = [
            term
            for (term, version), event in self.events.items()
            if event.get("verdict") == CHAMPION and version != leaving_out
        ]
        return max(made, default=0)


def read_standing(client: "MlflowClient", name: str) -> Standing:
    """Read a model; an empty standing where there is none.

    The alias is read before and after the versions: it is that of one moment.
    """
    model, versions = _model(client, name), dict[int, Version]()
    while model is not None:
        versions = _versions(client, name)
        again = _model(client, name)
        if again is not None and again.aliases == model.aliases:
            break
        model = again
    if model is None:
        return Standing(name, {}, {}, {}, "")
    aliases = {alias: int(number) for alias, number in model.aliases.items() if int(number) in versions}
    return Standing(name, aliases, versions, _events(model.tags), model.tags.get(ROWS, ""))


def _model(client: "MlflowClient", name: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _versions(client: "MlflowClient", name: str) -> dict[int, Version]:
    found: list[MlflowModelVersion] = []
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return {int(v.version): version_of(v) for v in sorted(found, key=lambda v: int(v.version))}


def version_of(version: "MlflowModelVersion") -> Version:
    """Give MLflow's version as ours."""
    return Version(
        version.name, int(version.version), version.run_id or "", dict(version.tags), version.source or ""
    )


def _events(tags: Mapping[str, str]) -> dict[tuple[int, int], Mapping[str, Any]]:
    events = {}
    for key, text in tags.items():
        if key.startswith(EVENT):
            term, _, version = key.removeprefix(EVENT).partition(".")
            events[int(term), int(version)] = json.loads(text)
    return events
