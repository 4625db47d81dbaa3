"""From the winner to what is registered: logged, set beside a blend, trained again, as it was asked for."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from sweeps import registry
from sweeps.api.blending import averaged, beside_winner, mix
from sweeps.api.checks import check_alone
from sweeps.api.finals import Chosen, Finals, NotRefittedError, predict, rmse_of
from sweeps.api.nominee import TOGETHER, Ground, Nominee
from sweeps.api.promotion import log_nominee, stored
from sweeps.data.datasets import Split
from sweeps.errors import DataError, NoUsableTrialError, SpaceError
from sweeps.record import Blend, Member, Refit
from sweeps.selection.gate import Gate, failures
from sweeps.settings import Sweep
from sweeps.trial import Finished

Nominated = tuple[Nominee, registry.LoggedModel]


class Nomination:
    """Makes and logs what a sweep gives the registry. Whatever decided something is logged, the winner first.

    Args:
        ground: store, sweep and data; there are test rows where a refit or a blend is asked for.
        sweep: the settings, which say what is asked for.
        finals: trains trials again; only asked for where that is needed.
        tell: told in words of a model that was changed since it was logged, and is not used.
    """

    def __init__(
        self, ground: Ground, sweep: Sweep, finals: Callable[[], Finals], tell: Callable[[str], object]
    ) -> None:
        self._ground, self._sweep, self._finals, self._tell = ground, sweep, finals, tell

    def settle(self, chosen: Chosen) -> Nominated:
        """Nominate a model, and log it.

        Args:
            chosen: with the winner's pipeline.

        Raises:
            NoUsableTrialError: what was chosen could not be trained again; the winner is logged all the same.
            InterruptedFinalsError: the user interrupts.
            SpaceError: no safe format can hold the model.
            StoreError: the store refuses.
        """
        nominee = Nominee(chosen, chosen.pipeline, squared=chosen.squared)
        nominated = nominee, log_nominee(self._ground, nominee)
        if self._sweep.blend:
            nominated = self._blended(*nominated)
        if self._sweep.refit != "none" and self._ground.dataset.cv is None:
            nominated = self._refitted(nominated[0])
        return nominated

    def _blended(self, nominee: Nominee, logged: registry.LoggedModel) -> Nominated:
        """Let an average of the finalists take the winner's place if it is better on the test rows."""
        blend, pipeline = self._average(nominee.chosen)
        if len(blend.members) < 2:
            return replace(nominee, blend=blend), logged
        trial = beside_winner(self._gate, nominee.pipeline, pipeline, self._test)
        taken = trial.verdict.alias == "champion"
        blend = replace(blend, test_rmse=trial.rmse, taken=taken, reason=trial.verdict.reason)
        rival = nominee.chosen.squared
        among = None if rival is None else np.vstack([rival, trial.squared])
        candidate = Nominee(nominee.chosen, pipeline, blend, squared=among)
        found = self._fit_to_register(candidate) if taken else None
        if isinstance(found, registry.LoggedModel):
            return candidate, found
        refused = replace(blend, taken=False, reason=found or blend.reason)
        return replace(nominee, blend=refused), logged

    def _fit_to_register(self, candidate: Nominee) -> registry.LoggedModel | str:
        """Log a blend; say why it cannot be registered where the winner perhaps can."""
        ground = self._ground
        try:
            logged = log_nominee(ground, candidate)
        except SpaceError as error:
            return f"it cannot be registered: {error.wrong}"
        checks = check_alone(ground.store, self._gate, ground.dataset, candidate.pipeline, logged, self._test)
        failed = failures(list(checks))
        return f"it did not pass: {failed}" if failed else logged

    def _average(self, chosen: Chosen) -> tuple[Blend, Any]:
        """Give the best average of the finalists on the validation rows; not yet scored on test rows."""
        earlier, numbers = self._ground.record.blend, [f.number for f in chosen.finalists]
        if earlier is not None and earlier.taken and {m.number for m in earlier.members} <= set(numbers):
            form = registry.form_of(earlier.members)
            pipeline = stored(self._ground, self._ground.record.run_id, form, self._tell)
            if pipeline is not None:
                return earlier, pipeline
        winner, valid = chosen.winner.number, self._valid
        others = self._trials(number for number in numbers if number != winner)
        pipelines = {**(self._finals().pipelines(others) if others else {}), winner: chosen.pipeline}
        found = mix(pipelines, valid)
        blend = Blend(found.members, found.rmse, None, False, _alone(found.members, len(pipelines)))
        return blend, averaged(found.members, pipelines) if len(found.members) > 1 else None

    def _refitted(self, nominee: Nominee) -> Nominated:
        """Train what was chosen again on training and validation rows, and score that apart."""
        form = registry.form_of(nominee.members, refit=True)
        pipeline = stored(self._ground, nominee.run_id(self._ground.record), form, self._tell)
        if pipeline is None:
            pipeline = self._trained_again(nominee)
        refit = Refit(TOGETHER, rmse_of(predict(pipeline, self._test), self._test))
        again = replace(nominee, pipeline=pipeline, refit=refit)
        return again, log_nominee(self._ground, again)

    def _trained_again(self, nominee: Nominee) -> Any:
        finals, members, record = self._finals(), nominee.members, self._ground.record
        winner = nominee.chosen.winner.number
        try:
            pipelines = finals.refit(self._trials([m.number for m in members] or [winner]))
        except (NotRefittedError, SpaceError, DataError) as error:
            wrong = f"what was chosen could not be trained again on training and validation rows: {error}"
            hint = f"sweeps promote {record.run_id[:8]} --refit none registers it as it was chosen"
            raise NoUsableTrialError(f"sweep {record.name}", wrong, hint) from error
        return averaged(members, pipelines) if members else pipelines[winner]

    def _trials(self, numbers: Iterable[int]) -> list[Finished]:
        known = {trial.number: trial for trial in self._ground.record.trials}
        return [known[number] for number in numbers if number in known]

    @property
    def _gate(self) -> Gate:
        return self._sweep.gate or Gate()

    @property
    def _test(self) -> Split:
        return _needed(self._ground.dataset.test)

    @property
    def _valid(self) -> Split:
        return _needed(self._ground.dataset.valid)


def _alone(members: tuple[Member, ...], models: int) -> str:
    """Say why there is nothing to blend; empty where there is."""
    if len(members) > 1:
        return ""
    trial = f"trial {members[0].number}"
    if models < 2:
        return f"no finalist but {trial} has a model"
    return f"no average is better than {trial} alone on the validation rows"


def _needed(split: Split | None) -> Split:
    """Give rows whose absence was refused before anything was trained (``checks.check_finish``)."""
    if split is None:
        raise ValueError("a refit or a blend without the rows it takes")
    return split
