"""A sweep as MLflow holds it: what readers, reports and selection work on. Plain data, no MLflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeps.ranges import Range
from sweeps.trial import Finished, State


@dataclass(frozen=True)
class Finalist:
    """One of the best trials, scored on held-out rows."""

    number: int
    """The trial's number."""
    rmse: float
    """On the validation split (the cross-validated mean with ``--cv``)."""
    test_rmse: float | None
    """On the test split; None where the dataset has none."""
    low: float | None = None
    """Of the 95 % interval of ``test_rmse`` (``sweeps.analysis.intervals``); None where it was not judged."""
    high: float | None = None
    """The upper end of that interval."""
    wins: float | None = None
    """Share of such draws of test rows on which it has the lowest rmse of all finalists."""


@dataclass(frozen=True)
class Member:
    """A finalist as a part of a blend."""

    number: int
    """The trial's number."""
    weight: float
    """Above 0; those of all members sum to 1."""


@dataclass(frozen=True)
class Blend:
    """An average of finalists, set beside the single winner. Its members are trained on the training rows."""

    members: Sequence[Member]
    """The heaviest first."""
    rmse: float
    """On the validation rows, on which the weights were chosen: it is lower there than elsewhere."""
    test_rmse: float | None
    """On the test rows; None where it is one finalist alone, and so was not scored."""
    taken: bool
    """Whether it took the winner's place."""
    reason: str
    """Why it did, or did not."""

    @property
    def formula(self) -> str:
        """Name the members with their weights."""
        return " + ".join(f"{m.weight:.3g} × trial {m.number}" for m in self.members)


@dataclass(frozen=True)
class Refit:
    """What was chosen, trained again on more rows before it was registered."""

    rows: str
    """Which: ``train+valid``."""
    test_rmse: float
    """On the test rows, of the model trained on these rows. It chose nothing."""


@dataclass(frozen=True)
class Predictions:
    """What the winner predicts for held-out rows, or for a sample of them."""

    trial: int
    split: str
    """``test`` or ``valid``."""
    rows: int
    """Of the split."""
    index: Sequence[int]
    """Positions of the sampled rows in the split, ascending; as long as the two others."""
    true: Sequence[float]
    predicted: Sequence[float]


@dataclass(frozen=True)
class ModelVersion:
    """A version in the MLflow model registry."""

    name: str
    """Of the registered model."""
    version: int
    """From 1."""
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
    """Of the parent run in MLflow."""
    name: str
    """Of the sweep."""
    experiment: str
    """Name of the MLflow experiment it is in."""
    experiment_id: str
    """Its id."""
    state: str
    """RUNNING, COMPLETE, INTERRUPTED or FAILED."""
    started: float
    """Unix time in seconds."""
    ended: float | None
    """Unix time in seconds; None while it runs."""
    settings: Mapping[str, Any]
    """The content of ``sweep.json``: everything needed to run it again."""
    trials: Sequence[Finished]
    """By number; trials still RUNNING are not in it; a number occurs once (COMPLETE wins over LOST)."""
    running: int = 0
    """How many trials run now."""
    finalists: Sequence[Finalist] = ()
    """The best trials, scored on the test rows; empty before that."""
    model: ModelVersion | None = None
    """The registered version; None where nothing was registered."""
    blend: Blend | None = None
    """The average of finalists that was set beside the winner; None where none was asked for."""
    refit: Refit | None = None
    """What was registered, where it was trained again; None where it is as it was chosen."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What else is known: digests of space and data, ``overhead``, ``ui``."""
    ranges: Sequence[Range] = ()
    """What was searched; only where asked for (``sweeps.tracking.evidence``), as are the predictions."""
    predictions: Predictions | None = None
    """What the winner predicts for held-out rows; only where asked for."""
    drift: Mapping[str, Any] | None = None
    """How the held-out rows differ from the training rows (``sweeps.selection.drift``), as JSON values; only
    where asked for."""

    def count(self, state: State) -> int:
        """How many trials ended in ``state``."""
        return sum(1 for t in self.trials if t.outcome.state is state)

    @property
    def best(self) -> Finished | None:
        """The COMPLETE trial with the lowest rmse, the earlier one of equals; None where there is none."""
        complete = [t for t in self.trials if t.outcome.state is State.COMPLETE]
        return min(complete, key=lambda t: (t.outcome.rmse, t.number), default=None)


def varying(trials: Sequence[Finished]) -> list[str]:
    """Give the params that not all trials have, or not with the same value, in their order."""
    given = [t.trial.proposal.params for t in trials]
    names = dict.fromkeys(name for params in given for name in params)
    return [name for name in names if len({repr(params.get(name)) for params in given}) > 1]
