"""The finalists: their models from raw rows to predictions, scored on held-out rows."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sweeps.analysis.intervals import bootstrap
from sweeps.api.encodings import Encodings
from sweeps.api.shelf import Shelf
from sweeps.data.datasets import Dataset, Split
from sweeps.data.prepared import Prepared
from sweeps.record import Finalist, Predictions
from sweeps.search.searcher import trial_seed
from sweeps.selection import pick, rank
from sweeps.space.search_space import SearchSpace
from sweeps.sweep import settle, without_model
from sweeps.trial import Finished, Outcome, Proposal, Setup, State, Task
from sweeps.waiting import wait_for_first
from sweeps.worker import run_trial

PREDICTIONS_KEPT = 2000
"""Rows whose predictions stay with the sweep, for the report's residuals."""


class Engine(Protocol):
    """Where a model that was not kept is trained again."""

    threads: int
    device: str

    def share(self, folder: Path) -> None:
        """Have later tasks find the files of a folder."""

    def submit(self, fn: Any, task: Task, limit: float | None = None) -> "Future[Outcome]":
        """Run ``fn(task)``, for at most so many seconds."""


class InterruptedFinalsError(Exception):
    """The user interrupts while finalists are trained again."""


class NotRefittedError(Exception):
    """A trial could not be trained again on training and validation rows; the text says which and why."""


@dataclass(frozen=True)
class Chosen:
    """The winner among the finalists."""

    finalists: tuple[Finalist, ...]
    winner: Finished
    pipeline: Any
    """From raw rows to predictions; None where the user's ``train`` returns no model."""
    test_rmse: float | None
    predictions: Predictions | None = None
    """Of the winner for held-out rows."""
    squared: NDArray[np.float64] | None = None
    """Squared errors of the finalists on the test rows, (finalists, rows); None where they are not known."""


class Finals:
    """Turns trials into pipelines and scores them.

    Args:
        sweep_seed: the sweep's; a trial trained again draws from the same stream.
        dataset: the raw rows.
        space: what was searched.
        encodings: the encoded rows.
        shelf: models kept so far.
        engine: trains the others again.
        interrupt: when it is done, waiting for them ends.
        limit: seconds that a trial may take; what is trained on more rows may take longer by as much.
    """

    def __init__(
        self,
        sweep_seed: int,
        dataset: Dataset,
        space: SearchSpace,
        encodings: Encodings,
        shelf: Shelf,
        engine: Engine,
        interrupt: "Future[Any] | None" = None,
        limit: float | None = None,
    ) -> None:
        self._seed, self._dataset, self._space, self._limit = sweep_seed, dataset, space, limit
        self._encodings, self._shelf, self._engine = encodings, shelf, engine
        self._interrupt: Future[Any] = Future() if interrupt is None else interrupt
        self._shared: set[Path] = set()
        self.warnings: list[str] = []
        """Why finalists have no model, where training them again went wrong."""

    def choose(self, trials: Sequence[Finished], top: int) -> Chosen:
        """Score the ``top`` best trials on the test split and give the one with the lowest rmse there.

        Where the search took a sample, they are trained again on all training rows first.

        Raises:
            ValueError: no trial is COMPLETE.
            InterruptedFinalsError: the user interrupts.
        """
        ranked = rank(trials, top)
        whole = self._on_all_rows(ranked)
        missing = {t.number: self._submit(t, self._together) for t in whole if self._to_train(t)}
        finalists: list[Finalist] = []
        predicted: dict[int, NDArray[np.float64]] = {}
        best: Any = None
        for searched, trial in zip(ranked, whole, strict=True):
            pipeline = self._pipeline(trial, missing.get(trial.number))
            finalists.append(self._score(searched, trial, pipeline, predicted))
            if pick(finalists) is finalists[-1]:
                best = pipeline
        chosen = pick(finalists)
        winner = chosen.own(next(t for t in ranked if t.number == chosen.number))
        kept = sample(self._dataset, chosen.number, best, predicted.get(chosen.number))
        squared = [
            squared_errors(one, self._dataset.test) for one in predicted.values() if self._dataset.test
        ]
        scored = judged(finalists, dict(zip(predicted, squared, strict=True)))
        return Chosen(scored, winner, best, chosen.test_rmse, kept, np.stack(squared) if squared else None)

    def pipelines(self, trials: Sequence[Finished]) -> dict[int, Any]:
        """Give the models of trials by number, from raw rows to predictions; without those that have none.

        Raises:
            InterruptedFinalsError: the user interrupts.
        """
        lacking = [t for t in trials if self._shelf.get(t.number) is None]
        again = {t.number: t for t in self._on_all_rows(lacking)}
        whole = [again.get(t.number, t) for t in trials]
        missing = {t.number: self._submit(t, self._together) for t in whole if self._to_train(t)}
        found = {t.number: self._pipeline(t, missing.get(t.number)) for t in whole}
        return {number: pipeline for number, pipeline in found.items() if pipeline is not None}

    def refit(self, trials: Sequence[Finished]) -> dict[int, Any]:
        """Train trials again on training and validation rows together; give their models by number.

        Features are fitted on both, too. There is nothing to stop early by: boosting goes on for the number
        of rounds that was best in the search.

        Raises:
            NotRefittedError: that gives no model.
            InterruptedFinalsError: the user interrupts.
        """
        begun = [(trial, self._submit(trial, together=True)) for trial in trials]
        return {trial.number: self._refitted(trial, again) for trial, again in begun}

    def _on_all_rows(self, trials: Sequence[Finished]) -> list[Finished]:
        """Run trials of a sample again as if there were none; give them with what came of that.

        Under ``cv`` that is on the folds of all rows, which say how many rounds are best there.
        """
        if self._encodings.sample is None:
            return list(trials)
        begun = [(trial, self._submit(trial, together=False)) for trial in trials]
        return [self._run_again(trial, again) for trial, again in begun]

    def _run_again(self, trial: Finished, again: "Future[Outcome]") -> Finished:
        outcome = self._trained(trial, again, together=False)
        self._shelf.keep(trial.number, outcome.model)
        return replace(trial, outcome=without_model(outcome))

    def _refitted(self, trial: Finished, again: "Future[Outcome]") -> Any:
        outcome = self._trained(trial, again, together=True)
        if outcome.model is None:
            why = outcome.reason or "its training gives no model"
            raise NotRefittedError(f"trial {trial.number}: {why}")
        return self._behind_features(trial, outcome.model, together=True)

    def _pipeline(self, trial: Finished, again: "Future[Outcome] | None") -> Any:
        """Give the trial's model behind the fitted features; None where training gives no model."""
        outcome = trial.outcome
        if again is not None:
            outcome = self._trained(trial, again, self._together)
            self._shelf.keep(trial.number, outcome.model)
        model = self._shelf.get(trial.number)
        if model is None:
            if outcome.error:
                self.warnings.append(f"trial {trial.number} has no model: {outcome.reason}")
            return None
        return self._behind_features(trial, model, self._together)

    def _behind_features(self, trial: Finished, model: bytes, together: bool) -> Any:
        from sklearn.pipeline import Pipeline

        prepared = self._prepared(trial.trial.proposal, together)
        return Pipeline([("features", prepared.transformer), ("model", _load(model))])

    @property
    def _together(self) -> bool:
        """Whether finalists are trained on training and validation rows together, as folds have none left."""
        return self._dataset.cv is not None

    def _prepared(self, proposal: Proposal, together: bool) -> Prepared:
        params = self._space.params(proposal.point)
        return self._encodings.together(params) if together else self._encodings.whole(params)

    def task(self, proposal: Proposal, keep_below: float) -> Task:
        """Pack a proposal of the search for the worker."""
        prepared = self._encodings.of(self._space.params(proposal.point))
        if self._encodings.sample is not None:
            keep_below = -math.inf  # a finalist gets another model, of all rows
        return self._task(proposal, prepared, keep_below)

    def _task(
        self, proposal: Proposal, prepared: Prepared, keep_below: float, refit_rounds: int | None = None
    ) -> Task:
        data = prepared.folder
        if data not in self._shared:
            self._engine.share(data)
            self._shared.add(data)
        given = self._engine.threads, self._engine.device
        setup = Setup(str(self._space.path), self._space.digest, str(data), *given)
        return Task(proposal.number, proposal.point, proposal.seed, setup, keep_below, refit_rounds)

    def _to_train(self, trial: Finished) -> bool:
        """Whether a trial must be trained again; in vain where training gives no model, but that of folds."""
        if self._encodings.sample is not None and not (self._dataset.cv and trial.outcome.rmse is not None):
            return False  # it has been, or that failed
        pointless = self._shelf.never_had(trial.number) and not self._dataset.cv
        return self._shelf.get(trial.number) is None and not pointless

    def _submit(self, trial: Finished, together: bool) -> "Future[Outcome]":
        """Train a trial from its point and seed."""
        proposal = trial.trial.proposal
        same = replace(proposal, seed=trial_seed(self._seed, proposal.number))
        prepared = self._prepared(same, together)
        task = self._task(same, prepared, math.inf, _rounds(trial) if together else None)
        return self._engine.submit(run_trial, task, self._longer_limit)

    @property
    def _longer_limit(self) -> float | None:
        """Seconds that training on all rows may take."""
        sample = self._encodings.sample
        if self._limit is None or sample is None:
            return self._limit
        return self._limit * sample.of / sample.rows

    def _trained(self, trial: Finished, again: "Future[Outcome]", together: bool) -> Outcome:
        outcome = self._wait(again)
        if outcome.state is not State.LOST:
            return outcome
        return self._wait(self._submit(trial, together))  # an accident; twice is none

    def _wait(self, again: "Future[Outcome]") -> Outcome:
        wait_for_first([again, self._interrupt])
        if self._interrupt.done():
            raise InterruptedFinalsError
        return settle(again)

    def _score(
        self,
        searched: Finished,
        trial: Finished,
        pipeline: Any,
        predicted: dict[int, NDArray[np.float64]],
    ) -> Finalist:
        """Score a finalist, as the search had it and as it is now; keep what it predicts for test rows."""
        test, rmse = self._dataset.test, searched.outcome.rmse
        if rmse is None:
            raise ValueError(f"trial {trial.number} has no rmse")
        finalist = Finalist(trial.number, rmse, None)
        if self._encodings.sample is not None:
            finalist = replace(finalist, whole_rmse=trial.outcome.rmse, rounds=_rounds(trial))
        if test is None or pipeline is None:
            return finalist
        predicted[trial.number] = predict(pipeline, test)
        return replace(finalist, test_rmse=rmse_of(predicted[trial.number], test))


def judged(finalists: Sequence[Finalist], squared: Mapping[int, NDArray[np.float64]]) -> tuple[Finalist, ...]:
    """Give the finalists with the intervals of their test rmse, from the squared errors on the test rows."""
    if not squared:
        return tuple(finalists)
    found = dict(zip(squared, bootstrap(list(squared.values())), strict=True))
    return tuple(replace(f, **found[f.number]._asdict()) if f.number in found else f for f in finalists)


def sample(
    dataset: Dataset, trial: int, pipeline: Any, predicted: NDArray[np.float64] | None
) -> Predictions | None:
    """Keep what the winner predicts for a sample of the held-out rows; None where no row was held out."""
    rows = held_out(dataset)
    if rows is None or pipeline is None:
        return None
    values = predict(pipeline, rows) if predicted is None else predicted
    count = len(rows.y)
    drawn = np.random.default_rng(0).choice(count, min(count, PREDICTIONS_KEPT), replace=False)
    kept = np.sort(drawn)
    true = np.asarray(rows.y, dtype=np.float64)[kept].tolist()
    split = "valid" if dataset.test is None else "test"
    return Predictions(trial, split, count, kept.tolist(), true, values[kept].tolist())


def held_out(dataset: Dataset) -> Split | None:
    """Give the rows no finalist was trained on: test, else validation; None when every row was trained on."""
    return dataset.test or (None if dataset.cv else dataset.valid)


def predict(pipeline: Any, split: Split) -> NDArray[np.float64]:
    """Predict raw rows, (rows,)."""
    return np.asarray(pipeline.predict(split.X), dtype=np.float64).reshape(len(split.y))


def rmse_of(predictions: NDArray[np.float64], split: Split) -> float:
    """Give the root mean squared error of predictions for a split."""
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(split.y, predictions))


def squared_errors(predictions: NDArray[np.float64], split: Split) -> NDArray[np.float64]:
    """Give the squared error of each row, (rows,)."""
    return np.asarray((predictions - split.y) ** 2)


def _rounds(trial: Finished) -> int:
    """Give the boosting rounds that were best, across folds on average; 0 for models without rounds."""
    best = trial.outcome.metrics.get("best_iteration")
    return 0 if best is None else round(best) + 1


def _load(model: bytes) -> Any:
    """Load what one of our own workers dumped a moment ago."""
    from skops.io import get_untrusted_types, loads

    return loads(model, trusted=get_untrusted_types(data=model))
