"""What runs on a worker: one trial from its task to its outcome. Never imports MLflow."""

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sweeps.data.prepared import open_folds, open_refit
from sweeps.models import Fitted, build, fit, fit_custom
from sweeps.models.failure import describe
from sweeps.models.isolation import isolated
from sweeps.models.scoring import mean_curve, mean_metrics, score
from sweeps.models.threads import limited
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
        folds ``rmse_std`` (population), and the curve as the mean over the rounds all folds have.
        A refit has no validation rows: its ``rmse`` is on the rows trained on.
        ``error`` of a COMPLETE outcome says why its model could not be kept.
        FAILED with the traceback, and the reason as its last line, for whatever went wrong in the trial.

    Raises:
        KeyboardInterrupt: the user interrupts the process it runs in.
    """
    try:
        with isolated(task.seed):
            return _outcome(task, _train(task))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # SystemExit and the like are the trial's doing too
        return Outcome(State.FAILED, error=describe(error))


def warm_up(space: str) -> None:
    """Import what trials of a search space need, while the driver is still busy elsewhere."""
    import skops.io  # noqa: F401  # the slowest of what keeping a model needs

    load_space(space)


def _train(task: Task) -> list[_Scored]:
    space = _open_space(task.setup.space, task.setup.space_digest)
    params = space.params(task.point)
    folds = _open_folds(task.setup.data) if task.refit_rounds is None else (_open_refit(task.setup.data),)
    return [_fit_and_score(space, params, fold, task) for fold in folds]


def _fit_and_score(space: SearchSpace, params: Params, fold: Fold, task: Task) -> _Scored:
    started = time.perf_counter()
    fitted = _fit(space, params, fold, task)
    seconds = time.perf_counter() - started
    with limited(task.setup.threads):
        figures = score(fitted, fold)
    return _Scored(fitted, {**figures, **fitted.metrics, "fit_seconds": seconds})


def _fit(space: SearchSpace, params: Params, fold: Fold, task: Task) -> Fitted:
    threads = task.setup.threads
    if space.train is not None:
        with limited(threads):
            return fit_custom(space.train, params, fold)
    estimator = build(space.model, params)
    return fit(estimator, fold, seed=task.seed, threads=threads, rounds=task.refit_rounds or None)


def _outcome(task: Task, scored: Sequence[_Scored]) -> Outcome:
    metrics = mean_metrics([s.metrics for s in scored])
    rmse = metrics.pop("rmse")
    model, note = (
        _keep(scored[0].fitted.model) if len(scored) == 1 and rmse < task.keep_below else (None, None)
    )
    curve = mean_curve([s.fitted.curve for s in scored])
    return Outcome(State.COMPLETE, rmse, metrics, curve, note, model)


def _keep(model: Any) -> tuple[bytes | None, str | None]:
    """The model's bytes, or why there are none."""
    if model is None:
        return None, None
    from skops.io import dumps

    try:
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
