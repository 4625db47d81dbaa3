"""What earlier sessions left of a sweep, and whether this one may go on from there."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sweeps.data.datasets import Dataset
from sweeps.errors import DataError, SpaceError, StoreError
from sweeps.record import SweepRecord
from sweeps.settings import Sweep
from sweeps.space.module import SpaceFile
from sweeps.space.search_space import SearchSpace
from sweeps.spans import covered
from sweeps.stopping import Standing
from sweeps.tracking.store import Store
from sweeps.trial import Finished, State

DIFFERENCES = 6
"""Lines of a changed search space that a message shows."""


class NothingLeftError(Exception):
    """A sweep that is complete was to go on: what was wanted is there.

    It is no mistake: docs/decisions/0033-what-is-no-mistake.md.

    Args:
        store: where it is.
        record: as it is there.
        said: why nothing is left, in words.
    """

    def __init__(self, store: Store, record: SweepRecord, said: str) -> None:
        super().__init__(f"sweep {record.name} {said}")
        self.store, self.record = store, record


@dataclass(frozen=True)
class Earlier:
    """An unfinished sweep, as the store holds it.

    Args:
        record: with the curves where a pruner learns from them; none of its trials runs.
        source: text of the search space it was begun with.
        accept_changes: go on although space or data are not what they were.
    """

    record: SweepRecord
    source: str
    accept_changes: bool = False

    @property
    def seconds(self) -> float:
        """For how long trials ran: what counts towards ``--time``.

        Those that were lost do not count: of one whose driver was killed only the moment is known at which
        somebody noticed, perhaps the next morning.
        """
        return covered((t.trial.started, t.ended) for t in self.finished)

    @cached_property
    def finished(self) -> list[Finished]:
        """The trials that have an outcome."""
        return [t for t in self.record.trials if t.outcome.state is not State.LOST]

    def check_unfinished(self, store: Store, sweep: Sweep) -> None:
        """See whether there is anything left to do.

        Args:
            store: where it is.
            sweep: its settings from now on.

        Raises:
            NothingLeftError: it is complete, and the settings ask for no more.
        """
        reason = sweep.stop.reason(
            Standing(t.outcome for t in self.finished), len(self.finished), self.seconds
        )
        if self.record.state == "COMPLETE" and reason:
            more = f"--trials {2 * len(self.finished)}" if sweep.stop.trials else "--time with a longer time"
            said = f"is complete: {reason}; nothing to do (to go on: {more})"
            raise NothingLeftError(store, self.record, said)

    def check_source(self, file: SpaceFile) -> None:
        """Compare the text of the search space before any of it runs: it is the store that names the file.

        Raises:
            SpaceError: it was changed.
        """
        list(self._check_space(file))

    def check(self, space: SearchSpace, dataset: Dataset) -> list[str]:
        """Compare space and data with those the sweep was begun with; give warnings on accepted changes.

        Raises:
            SpaceError: the search space was changed.
            DataError: the data was changed.
        """
        return [*self._check_space(space), *self._check_data(dataset)]

    def history(self, space: SearchSpace) -> list[Finished]:
        """Give the trials with their params as the space evaluates them: a store has only their text.

        Raises:
            SpaceError: a changed space has no place for a trial's point.
        """
        return [self._at(space, trial) for trial in self.record.trials]

    def _at(self, space: SearchSpace, finished: Finished) -> Finished:
        proposal = finished.trial.proposal
        try:
            params = space.params(proposal.point)
        except (ValueError, LookupError) as error:
            raise self._no_place(space, finished, str(error)) from error
        if unknown := proposal.point.keys() - set(space.labels):
            raise self._no_place(space, finished, f"it has no {', '.join(sorted(unknown))}")
        return replace(finished, trial=replace(finished.trial, proposal=replace(proposal, params=params)))

    def _no_place(self, space: SearchSpace, finished: Finished, why: str) -> SpaceError:
        wrong = f"trial {finished.number} of sweep {self.record.name} has no place in it: {why}"
        return SpaceError(space.at(), wrong, "start a new sweep")

    def _check_space(self, space: SearchSpace | SpaceFile) -> Iterator[str]:
        if space.digest == self.record.extra.get("space_digest"):
            return
        changed = "; ".join(differences(self.source, space.source)) or "white space only"
        if not self.accept_changes:
            hint = "bring it back, or --accept-changes to go on with it"
            raise SpaceError(space.at(), f"was changed since sweep {self.record.name} began: {changed}", hint)
        yield f"the search space was changed since the sweep began: {changed}"

    def _check_data(self, dataset: Dataset) -> Iterator[str]:
        before = self.record.extra.get("data_digest")
        if dataset.digest == before:
            return
        changed = f"was changed since sweep {self.record.name} began: digest {before}, now {dataset.digest}"
        if not self.accept_changes:
            hint = "bring the old rows back, or --accept-changes to compare trials on different rows"
            raise DataError(f"data {dataset.name}", changed, hint)
        yield f"the data {changed}; earlier trials were scored on the old rows"


def settings_of(record: SweepRecord) -> Sweep:
    """Read the settings of a sweep.

    Raises:
        StoreError: there are none that this version can read.
        DataError: a file they name is not there.
    """
    try:
        return Sweep.from_json(record.settings)
    except (KeyError, TypeError) as error:
        wrong = "the store has no settings of it (sweep.json) that this version can read"
        raise StoreError(f"sweep {record.name}", wrong, "run a new sweep") from error


def differences(before: str, now: str, most: int = DIFFERENCES) -> Sequence[str]:
    """Give the first lines in which two texts differ, as a diff marks them."""
    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), n=0, lineterm="")
    marked = [" ".join(line.split()) for line in lines if not line.startswith(("---", "+++", "@@"))]
    marked = [line for line in marked if line[1:].strip()]
    return marked[:most] + (["…"] if len(marked) > most else [])
