"""Promote a version: judged against whoever is champion, until nobody new comes between."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweeps.record import ModelVersion
from sweeps.registry.aliases import ROUNDS, busy, crown, follow, mark_broken, respect_hand
from sweeps.registry.journal import note
from sweeps.registry.models import BrokenModelError
from sweeps.registry.standing import (
    CHALLENGER,
    CHAMPION,
    REASON,
    RMSE_ON,
    ROWS,
    TERM,
    VALIDATED,
    VERDICT,
    WITHDRAWN,
    Standing,
    Version,
    read_standing,
)
from sweeps.registry.store import Store, patient, registry_errors
from sweeps.registry.versions import Candidate, check_model_name, enter
from sweeps.selection import Verdict

if TYPE_CHECKING:
    from mlflow import MlflowClient


MAX_DESCRIPTION = 5000
"""Characters that MLflow's tables hold."""


@dataclass(frozen=True)
class Judged:
    """What a comparison with the champion gave."""

    verdict: Verdict
    card: str = ""
    """Markdown, the version's description."""
    rival_rmse: float | None = None
    """Of the champion, on the candidate's rows; None where it was not scored."""
    fit: bool = True
    """Whether it passed the checks of itself; one that did not is never champion, however the others fare."""
    evidence: dict[str, Any] = field(default_factory=dict)
    """Figures, as they go into ``verdict.json``."""


Judge = Callable[[Version | None], Judged]
"""Compares the candidate with a version; raises BrokenModelError where that one is not as it was logged."""


def promote(
    store: Store, name: str, candidate: Candidate, judge: Judge
) -> tuple[ModelVersion, Judged | None]:
    """Register a candidate and let it take the alias ``champion`` if its verdict says so.

    A second time changes nothing and mends what a kill left; any number of promoters may do it at once.

    Args:
        store: where.
        name: of the registered model.
        candidate: what is registered.
        judge: compares it with the champion, None where there is none; asked again when another promoter
            made a new champion meanwhile.

    Returns:
        The version with what became of it, and the last comparison; None where there was nothing to compare.

    Raises:
        UsageError: the name is illegal.
        StoreError: the registry refuses.
    """
    check_model_name(name)
    with registry_errors(store):
        number = enter(store, name, candidate)
        client = patient(store.client)
        respect_hand(client, name)
        return _Promotion(client, name, number, candidate, judge).settle()


class _Promotion:
    """One version on its way."""

    def __init__(
        self, client: "MlflowClient", name: str, number: int, candidate: Candidate, judge: Judge
    ) -> None:
        self._client, self._name, self._number = client, name, number
        self._candidate, self._judge = candidate, judge

    def settle(self) -> tuple[ModelVersion, Judged | None]:
        """Be judged until the one we were judged against is still the one to beat."""
        met, judged = list[int](), None
        for _ in range(ROUNDS):
            standing = read_standing(self._client, self._name)
            if reason := self._decided(standing):
                return self._became(CHAMPION if reason == ALREADY else CHALLENGER, reason), judged
            rival = standing.others(self._number, self._candidate.rows).heir or 0
            if judged is not None and rival == met[-1] and self._is_settled(standing, judged, met):
                return self._end(standing, judged), judged
            try:
                judged = self._judge(standing.versions.get(rival))
            except BrokenModelError as error:
                mark_broken(self._client, self._name, rival, str(error))
                continue
            met.append(rival)
            self._write(standing, rival, judged)
        raise busy(self._name)

    def _is_settled(self, standing: Standing, judged: Judged, met: list[int]) -> bool:
        """Whether there is nothing to say to a rival we have met: not, where it rose above us meanwhile.

        Two that were judged on different rows may both be the better one; then one gives in.
        """
        lost = judged.verdict.alias != CHAMPION
        heir = standing.succession(self._candidate.rows).heir
        return lost or heir == self._number or met.count(met[-1]) > PATIENCE

    def _decided(self, standing: Standing) -> str:
        """Say why there is nothing to judge; empty where there is."""
        succession = standing.succession(self._candidate.rows)
        if withdrawn := standing.versions[self._number].tags.get(WITHDRAWN):
            follow(self._client, self._name)
            back = f"sweeps rollback {self._name} --to {self._number} brings it back"
            return f"it was withdrawn {withdrawn}: {back}"
        if succession.heir == self._number and succession.of(self._number).crowned:
            follow(self._client, self._name, self._candidate.rows)
            return ALREADY
        return ""

    def _write(self, standing: Standing, rival: int, judged: Judged) -> None:
        """Write the verdict; the term is what counts, the journal and the aliases follow it."""
        if judged.rival_rmse is not None:
            self._tag(f"{RMSE_ON}{self._candidate.rows}", repr(judged.rival_rmse), rival)
        if self._candidate.rows and standing.rows != self._candidate.rows:
            self._client.set_registered_model_tag(self._name, ROWS, self._candidate.rows)
        self._say(judged.verdict)
        self._client.update_model_version(self._name, str(self._number), judged.card[:MAX_DESCRIPTION])
        if judged.verdict.alias == CHAMPION:
            self._accept(standing, rival, judged)
        else:
            self._yield(standing, rival, judged)
        follow(self._client, self._name, self._candidate.rows)

    def _accept(self, standing: Standing, rival: int, judged: Judged) -> None:
        others = standing.others(self._number, self._candidate.rows)
        mine = standing.succession(self._candidate.rows).of(self._number)
        term = mine.term if mine.on_its_way and mine.term >= others.next_term else others.next_term
        self._tag(TERM, str(term))
        self._tag(VALIDATED, "true")  # after the term: whole versions without one were judged, and lost
        note(self._client, standing, term, self._number, self._entry("promoted", rival, judged))

    def _yield(self, standing: Standing, rival: int, judged: Judged) -> None:
        """Take back what an earlier round claimed; a former champion keeps its term."""
        mine, entry = standing.versions[self._number], self._entry("challenged", rival, judged)
        if standing.succession(self._candidate.rows).of(self._number).on_its_way:
            note(self._client, standing, mine.term, self._number, entry)
            self._client.delete_model_version_tag(self._name, str(self._number), TERM)
        else:
            term = standing.versions[rival].term if rival else 0
            note(self._client, standing, term, self._number, entry)
            self._tag(VALIDATED, "true" if judged.fit else "unfit")
        self._client.set_registered_model_alias(self._name, CHALLENGER, str(self._number))

    def _end(self, standing: Standing, judged: Judged) -> ModelVersion:
        """Nobody came between: the champion's promotion went through."""
        mine = standing.succession(self._candidate.rows)
        if mine.heir == self._number:
            crown(self._client, self._name, self._candidate.rows)
        elif judged.verdict.alias == CHAMPION:  # the other was judged on other rows, and is champion now
            reason = f"version {mine.heir} was promoted at the same time, on other rows"
            judged = Judged(Verdict(CHALLENGER, reason), judged.card, judged.rival_rmse)
            self._say(judged.verdict)
            self._yield(standing, mine.heir or 0, judged)
        return self._became(judged.verdict.alias, judged.verdict.reason)

    def _entry(self, what: str, rival: int, judged: Judged) -> dict[str, Any]:
        verdict, candidate = judged.verdict, self._candidate
        return {
            "verdict": verdict.alias, "what": what, "instead_of": rival or None, "reason": verdict.reason,
            "rmse": candidate.rmse, "rival_rmse": judged.rival_rmse, "rows": candidate.rows,
        }  # fmt: skip

    def _say(self, verdict: Verdict) -> None:
        self._tag(VERDICT, verdict.alias)
        self._tag(REASON, verdict.reason[:500])

    def _tag(self, key: str, text: str, number: int | None = None) -> None:
        self._client.set_model_version_tag(self._name, str(number or self._number), key, text)

    def _became(self, alias: str, reason: str) -> ModelVersion:
        return ModelVersion(self._name, self._number, alias, reason)


PATIENCE = 5
"""So often a promoter rises above the same rival."""

ALREADY = "it is the champion already"
