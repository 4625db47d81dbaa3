"""The stages of a trial: Proposal, Trial, Task, Outcome. Plain, frozen, picklable data.

``point`` maps each active Hyperopt label to its raw coordinate (the index for a choice); ``params`` is what
the model receives. ``params`` alone cannot replay a choice, so both are kept.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

Point = Mapping[str, float | int]
Params = Mapping[str, Any]
Curve = tuple[tuple[int, float], ...]
Cutoffs = tuple[tuple[int, float], ...]
"""Pairs of a rung's step and the highest figure that survives it, steps ascending: ``sweeps.pruning``."""


class State(StrEnum):
    """Where a trial stands."""

    RUNNING = "RUNNING"
    """Submitted to an engine; nothing is known yet."""
    COMPLETE = "COMPLETE"
    """Trained and scored: it has a finite rmse."""
    PRUNED = "PRUNED"
    """Stopped early as hopeless; never selected."""
    FAILED = "FAILED"
    """The trial itself did wrong (raised, gave no finite rmse): told to the searcher."""
    LOST = "LOST"
    """The engine did wrong (worker died, withdrawn): not told, tried again."""

    @property
    def final(self) -> bool:
        """Whether nothing more can happen to the trial."""
        return self is not State.RUNNING


@dataclass(frozen=True)
class Proposal:
    """A point to try, as the searcher gave it."""

    number: int
    """From 0, in the order of asking."""
    point: Point
    """Hyperopt's raw coordinates by label; the index for a choice."""
    params: Params
    """What the model receives."""
    seed: int
    """For whatever the training draws at random; derived from the sweep's seed and the number."""


@dataclass(frozen=True)
class Trial:
    """A proposal whose MLflow run exists."""

    proposal: Proposal
    """The point that is tried."""
    run_id: str
    """Of the nested run in MLflow."""
    started: float
    """Unix time in seconds."""


class Encoding(NamedTuple):
    """What form of the features a model wants; each form is encoded once per sweep."""

    native_categories: bool
    """Categories as integer codes in their own columns (XGBoost, HistGradientBoosting), else one-hot."""
    keeps_missing: bool
    """Missing numbers stay NaN, else they are imputed and the numbers scaled."""


@dataclass(frozen=True)
class Fold:
    """Encoded arrays: ``X`` is (rows, features), dense or CSR; ``y`` is (rows,), float64."""

    X_train: Any
    y_train: Any
    X_valid: Any
    """None for the refit on train+valid."""
    y_valid: Any
    categorical: tuple[int, ...] = ()
    """Columns of X that hold category codes (NaN: missing or unseen)."""


@dataclass(frozen=True)
class Setup:
    """What all trials of a sweep share; a worker opens it once and keeps it."""

    space: str
    """Path of the search-space module."""
    space_digest: str
    data: str
    """Folder of the encoded data, see ``sweeps.data.prepared``; one folder per encoding."""
    threads: int
    """Threads one trial may use."""
    device: str = "cpu"
    """``cuda``: XGBoost's models train on the GPU that the worker sees."""


@dataclass(frozen=True)
class Task:
    """One trial as it travels to a worker."""

    number: int
    point: Point
    seed: int
    setup: Setup
    keep_below: float = math.inf
    """The fitted model comes back only if the trial's rmse is below this (the k-th best at submission)."""
    refit_rounds: int | None = None
    """Train on train+valid without a validation set, for this many boosting rounds (0: as the params say)."""
    cutoffs: Cutoffs = ()
    """Where the trial ends itself as hopeless, from all trials known at submission; empty: never. A rung
    with too little known has an infinite cutoff: the trial is measured there."""
    forecast: bool = False
    """The cutoffs hold for where the curve is heading (``sweeps.forecast``), not for where it stands."""


@dataclass(frozen=True)
class Outcome:
    """What came back from a trial.

    Raises:
        ValueError: a COMPLETE outcome without a finite rmse, or another final one without a reason.
    """

    state: State
    """How it ended."""
    rmse: float | None = None
    """On the validation rows; None for a trial without one."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Further figures by name: ``mae``, ``r2``, ``fit_seconds``, ``best_iteration``, ``rmse_std`` …"""
    curve: Curve = ()
    """Pairs of step (boosting round, from 0) and validation rmse."""
    error: str | None = None
    """Why it is not COMPLETE; the last line is the reason, what stands before it the traceback."""
    model: bytes | None = None
    """The fitted model in skops format, where it was worth keeping."""
    folds: tuple[float, ...] = ()
    """The rmse of each fold that was trained, in order; empty without cross-validation."""
    rungs: Curve = ()
    """Pairs of a rung's step, as in the task's cutoffs, and the figure there: what a pruner learns from (but
    under cross-validation, from the folds); empty where nothing was measured."""
    worker: str = field(default="", compare=False)
    """Host and process it ran in, ``host:pid``; empty where that process did not live to tell."""

    def __post_init__(self) -> None:
        if not self.state.final:
            raise ValueError(f"an outcome is final, got {self.state}")
        if self.state is State.COMPLETE and (self.rmse is None or not math.isfinite(self.rmse)):
            raise ValueError(f"a COMPLETE outcome needs a finite rmse, got {self.rmse!r}")
        if self.state in (State.FAILED, State.LOST) and not self.error:
            raise ValueError(f"a {self.state} outcome needs the reason")

    @property
    def reason(self) -> str:
        """The last line of the error; empty for a COMPLETE trial."""
        return (self.error or "").strip().rsplit("\n", 1)[-1]


@dataclass(frozen=True)
class Finished:
    """A trial with its outcome: what the loop yields and what history is made of."""

    trial: Trial
    """What was tried."""
    outcome: Outcome
    """What came of it."""
    ended: float
    """Unix time in seconds."""

    @property
    def number(self) -> int:
        """The trial's number, from 0."""
        return self.trial.proposal.number
