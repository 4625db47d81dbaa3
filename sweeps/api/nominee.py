"""What is to be registered: the winner as it was chosen or a blend of finalists, perhaps trained again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps import registry
from sweeps.api.finals import Chosen
from sweeps.data.datasets import Dataset
from sweeps.record import Blend, Member, Refit, SweepRecord
from sweeps.tracking.schema import trial_name
from sweeps.tracking.store import Store

TOGETHER = "train+valid"


@dataclass(frozen=True)
class Ground:
    """What a promotion stands on."""

    store: Store
    record: SweepRecord
    dataset: Dataset
    drift: Mapping[str, Any] | None = None
    """How the rows it is judged on differ from those learned from, for the evidence; None: not known."""


@dataclass(frozen=True)
class Nominee:
    """One model, with what it was chosen by.

    Figures keep their names everywhere: ``test_rmse`` is that of a trial's own model, ``blend_test_rmse``
    that of an average of such, ``refit_test_rmse`` that of a model trained on validation rows, too. Beside
    another model's figures those of the winner are called ``winner_rmse`` and ``winner_test_rmse``.
    """

    chosen: Chosen
    pipeline: Any
    """From raw rows to predictions."""
    blend: Blend | None = None
    """The average that was set beside the winner, taken or not; None where none was asked for."""
    refit: Refit | None = None
    """Where it was trained again."""
    squared: NDArray[np.float64] | None = None
    """Squared errors on the test rows of all that it was chosen among, (models, rows); None where unknown."""

    @property
    def members(self) -> Sequence[Member]:
        """Of the blend, where it is one; else empty."""
        return self.blend.members if self.blend is not None and self.blend.taken else ()

    @property
    def form(self) -> str:
        """By which its run's models are told apart."""
        return registry.form_of(self.members, refit=self.refit is not None)

    def run_id(self, record: SweepRecord) -> str:
        """Give the run it belongs to: the winner's, for a blend the sweep's own."""
        return record.run_id if self.members else self.chosen.winner.trial.run_id

    def trained_on(self, dataset: Dataset) -> str:
        """Say which rows it was trained on: ``train`` or ``train+valid``."""
        return TOGETHER if self.refit is not None or dataset.cv is not None else "train"

    @property
    def params(self) -> Mapping[str, Any]:
        """Of the winner; for a blend the weights by trial."""
        if self.members:
            return {trial_name(m.number): m.weight for m in self.members}
        return self.chosen.winner.trial.proposal.params

    @property
    def figures(self) -> dict[str, float]:
        """Its own."""
        if self.refit is not None:
            return {"refit_test_rmse": self.refit.test_rmse}
        return self._blend_figures if self.members else self._winner_figures("")

    @property
    def tags(self) -> dict[str, Any]:
        """What a version of it carries: its own figures, and apart from them those it was chosen by."""
        number = self.chosen.winner.number
        whose: dict[str, Any] = {"winner": number} if self.members else {"trial": number}
        before: dict[str, float] = self._winner_figures("winner_") if self.form else {}
        return {**whose, **before, **(self._blend_figures if self.members else {}), **self.figures}

    @property
    def _blend_figures(self) -> dict[str, float]:
        return {} if self.blend is None else _known("blend_", self.blend.rmse, self.blend.test_rmse)

    def _winner_figures(self, prefix: str) -> dict[str, float]:
        return _known(prefix, self.chosen.winner.outcome.rmse, self.chosen.test_rmse)


def _known(prefix: str, rmse: float | None, test_rmse: float | None) -> dict[str, float]:
    found = {f"{prefix}rmse": rmse, f"{prefix}test_rmse": test_rmse}
    return {name: value for name, value in found.items() if value is not None}
