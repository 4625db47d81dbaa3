"""What runs on a worker: one trial from its task to its outcome. Never imports MLflow."""

import math
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from socket import gethostname
from typing import Any, NamedTuple

from sweeps.aside import aside
from sweeps.data.prepared import open_folds, open_refit
from sweeps.models import Fitted, build, fit, fit_custom, pace_of, rounds_of
from sweeps.models.aloud import Aloud
from sweeps.models.device import place, to_cpu
from sweeps.models.failure import describe
from sweeps.models.isolation import isolated
from sweeps.models.kinds import is_boosted
from sweeps.models.scoring import mean_curve, mean_metrics, score
from sweeps.models.threads import limited
from sweeps.pruning import ForecastWatch, Pruned, Watch, survives
from sweeps.shared import here
from sweeps.space.search_space import SearchSpace, load_space
from sweeps.trial import Fold, Outcome, Params, State, Task


class _Scored(NamedTuple):
    fitted: Fitted
    metrics: dict[str, float]


def run_trial(task: Task) -> Outcome:
    """Train and score one trial; total, so that only an engine's own trouble ends otherwise.

    Returns:
        COMPLETE with the mean over the folds of ``rmse`` and of ``mae``, ``r2`` (left out where the
        validation target is constant), ``best_iteration``; ``fit_seconds`` over all folds; with several
        folds ``rmse_std`` (population), each fold's rmse, and the curve as the mean over the rounds all folds
        have. A refit has no validation rows: its ``rmse`` is on the rows trained on, and it is never pruned.
        ``error`` of a COMPLETE outcome says why its model could not be kept.
        PRUNED where the task's cutoffs ended it, with the curve so far and no model. The ``rmse`` is the
        figure it was judged by: the best of the curve, or the mean of the folds so far.
        FAILED with the traceback, and the reason as its last line, for whatever went wrong in the trial.

    Raises:
        KeyboardInterrupt: the user interrupts the process it runs in.
    """
    try:
        with isolated(task.seed):
            outcome = _run(task)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # SystemExit and the like are the trial's doing too
        outcome = Outcome(State.FAILED, error=describe(error))
    return replace(outcome, worker=f"{gethostname()}:{os.getpid()}")


def _run(task: Task) -> Outcome:
    space = _open_space(here(task.setup.space), task.setup.space_digest)
    params = space.params(task.point)
    if task.refit_rounds is not None:
        return _run_fold(space, params, _open_refit(here(task.setup.data)), replace(task, cutoffs=()))
    folds = _open_folds(here(task.setup.data))
    if len(folds) == 1:
        return _run_fold(space, params, folds[0], task)
    return _run_folds(space, params, folds, task)


def _run_fold(space: SearchSpace, params: Params, fold: Fold, task: Task) -> Outcome:
    watch, scored = survives(task.cutoffs, forecast=task.forecast), None
    started = time.perf_counter()
    try:
        scored = _fit_and_score(space, params, fold, task, watch if task.cutoffs else None)
    except (Pruned, Exception):
        if not watch.reason:  # else it is the end that the watch asked for, in whatever a train() wrapped it
            raise
    if scored is None or watch.reason:
        return _pruned(watch, time.perf_counter() - started)
    metrics = dict(scored.metrics)
    rmse = metrics.pop("rmse")
    model, note = _keep(scored.fitted.model) if rmse < task.keep_below else (None, None)
    return Outcome(
        State.COMPLETE, rmse, metrics, scored.fitted.curve, error=note, model=model, rungs=watch.rungs
    )


def _pruned(watch: Watch | ForecastWatch, seconds: float) -> Outcome:
    if not math.isfinite(watch.figure):
        return Outcome(State.FAILED, error=f"no finite rmse: {watch.reason}")
    metrics = {"fit_seconds": seconds}
    return Outcome(State.PRUNED, watch.figure, metrics, watch.curve, error=watch.reason, rungs=watch.rungs)


def _run_folds(space: SearchSpace, params: Params, folds: Sequence[Fold], task: Task) -> Outcome:
    watch, scored = survives(task.cutoffs, folds=True), list[_Scored]()
    for fold in folds:
        scored.append(_fit_and_score(space, params, fold, task, None))
        aside((f"fold {len(scored)}", scored[-1].metrics["rmse"]))
        if len(scored) < len(folds) and not watch(len(scored) - 1, scored[-1].metrics["rmse"]):
            break
    metrics = mean_metrics([one.metrics for one in scored])
    return Outcome(
        State.PRUNED if watch.reason else State.COMPLETE,
        metrics.pop("rmse"),
        metrics,
        mean_curve([one.fitted.curve for one in scored]),
        error=watch.reason or None,
        folds=tuple(one.metrics["rmse"] for one in scored),
    )


def _fit_and_score(
    space: SearchSpace, params: Params, fold: Fold, task: Task, watch: Watch | ForecastWatch | None
) -> _Scored:
    started = time.perf_counter()
    fitted = _fit(space, params, fold, task, watch)
    seconds = time.perf_counter() - started
    with limited(task.setup.threads):
        figures = score(fitted, fold)
    return _Scored(fitted, {**fitted.metrics, **figures, "fit_seconds": seconds})


def _fit(
    space: SearchSpace, params: Params, fold: Fold, task: Task, watch: Watch | ForecastWatch | None
) -> Fitted:
    threads = task.setup.threads
    if space.train is not None:
        with limited(threads):
            return fit_custom(space.train, params, fold, watch=Aloud(watch, "step", first=0))
    estimator = build(space.model, params)
    place(estimator, task.setup.device)
    if isinstance(watch, Watch):
        watch.pace = pace_of(estimator)
    elif watch is not None:
        watch.most = rounds_of(estimator)
    # without a judge, training in blocks for the sake of a look would cost time and make another curve
    heard = Aloud(watch) if watch is not None or is_boosted(estimator) else None
    rounds = task.refit_rounds or None
    return fit(estimator, fold, seed=task.seed, threads=threads, rounds=rounds, watch=heard)


def _keep(model: Any) -> tuple[bytes | None, str | None]:
    """The model's bytes, or why there are none."""
    if model is None:
        return None, None
    from skops.io import dumps

    try:
        to_cpu(model)
        return dumps(model), None
    except Exception as error:  # noqa: BLE001  # the trial did its work; the note travels with its outcome
        return (
            None,
            f"the model could not be kept: {type(model).__name__}: {describe(error, traceback=False)}",
        )


@lru_cache(maxsize=2)
def _open_space(path: str, digest: str) -> SearchSpace:
    space = load_space(path)
    if space.digest != digest:
        raise ValueError(f"the search space {path} was changed after the sweep began; start a new sweep")
    return space


@lru_cache(maxsize=4)
def _open_folds(folder: str) -> tuple[Fold, ...]:
    return open_folds(folder)


@lru_cache(maxsize=4)
def _open_refit(folder: str) -> Fold:
    return open_refit(folder)
