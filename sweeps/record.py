"""A sweep as MLflow holds it: what readers, reports and selection work on. Plain data, no MLflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeps.trial import Finished, State


@dataclass(frozen=True)
class Finalist:
    """One of the best trials, scored on held-out rows."""

    number: int
    rmse: float
    """On the validation split (the cross-validated mean with ``--cv``)."""
    test_rmse: float | None
    """On the test split; None where the dataset has none."""


@dataclass(frozen=True)
class ModelVersion:
    """A version in the MLflow model registry."""

    name: str
    version: int
    alias: str
    """``champion`` or ``challenger``."""
    reason: str
    """Why it got that alias."""

    @property
    def uri(self) -> str:
        """What ``mlflow.pyfunc.load_model`` takes."""
        return f"models:/{self.name}/{self.version}"


@dataclass(frozen=True)
class SweepRecord:
    """A sweep with all its trials."""

    run_id: str
    name: str
    experiment: str
    experiment_id: str
    state: str
    """RUNNING, COMPLETE, INTERRUPTED or FAILED."""
    started: float
    """Unix time in seconds."""
    ended: float | None
    settings: Mapping[str, Any]
    """The content of ``sweep.json``: everything needed to run it again."""
    trials: Sequence[Finished]
    """By number; trials still RUNNING are not in it; a number occurs once (COMPLETE wins over LOST)."""
    running: int = 0
    finalists: Sequence[Finalist] = ()
    model: ModelVersion | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def count(self, state: State) -> int:
        """How many trials ended in ``state``."""
        return sum(1 for t in self.trials if t.outcome.state is state)

    @property
    def best(self) -> Finished | None:
        """The COMPLETE trial with the lowest rmse, the earlier one of equals; None where there is none."""
        complete = [t for t in self.trials if t.outcome.state is State.COMPLETE]
        return min(complete, key=lambda t: (t.outcome.rmse, t.number), default=None)
