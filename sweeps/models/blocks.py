"""Train scikit-learn's ensembles in blocks of rounds, so that a watch can end them; bit for bit as in one go.

``warm_start`` goes on where the block before ended. Left out, and trained in one go without a curve, is what
would not be identical, or not for nothing:

- ``GradientBoostingRegressor`` with ``n_iter_no_change``: each block would begin its patience anew;
- forests with ``oob_score``: scored, and warned about, in every block;
- ``BaggingRegressor``: it would remember the seeds of its last block only;
- networks and linear models: a warm start begins a new schedule of learning rates;
- a ``random_state`` that is a generator: every block would draw on from it;
- pipelines and subclasses: their own ``fit`` may do anything.
"""

import numbers
from collections.abc import Iterator, Sequence
from typing import Any

from sweeps.models.kinds import is_histogram

_ROUNDS = {
    "RandomForestRegressor": "n_estimators",
    "ExtraTreesRegressor": "n_estimators",
    "GradientBoostingRegressor": "n_estimators",
    "HistGradientBoostingRegressor": "max_iter",
}
"""The classes that can be trained in blocks, and the parameter that holds their rounds."""


def has_blocks(estimator: Any) -> bool:
    """Whether training it in blocks gives what training in one go gives."""
    kind = type(estimator)
    if not kind.__module__.startswith("sklearn.ensemble.") or kind.__name__ not in _ROUNDS:
        return False
    params = estimator.get_params(deep=False)
    return (
        not params["warm_start"]
        and not params.get("oob_score")
        and (params.get("n_iter_no_change") is None or is_histogram(estimator))
        and isinstance(params["random_state"], numbers.Integral)
        and isinstance(params[_ROUNDS[kind.__name__]], numbers.Integral)
    )


def fit_blocks(estimator: Any, X: Any, y: Any, steps: Sequence[int]) -> Iterator[tuple[int, bool]]:
    """Fit in place; after each block, say how many rounds there are and whether that was the last.

    Args:
        estimator: one that ``has_blocks``.
        X: training rows.
        y: their target.
        steps: those after which a block ends, ascending, from 0.
    """
    name = _ROUNDS[type(estimator).__name__]
    total = getattr(estimator, name)
    estimator.set_params(warm_start=True)
    for rounds in [*(step + 1 for step in steps if step + 1 < total), total]:
        estimator.set_params(**{name: rounds}).fit(X, y)
        if rounds == total or _stopped_itself(estimator):
            break
        yield rounds, False
    estimator.set_params(warm_start=False, **{name: total})
    yield getattr(estimator, "n_iter_", total), True


def _stopped_itself(estimator: Any) -> bool:
    """Whether histogram boosting would go no further, also where its patience ended with the block."""
    if not getattr(estimator, "do_early_stopping_", False):
        return False
    by_validation = estimator.validation_fraction is not None
    scores = estimator.validation_score_ if by_validation else estimator.train_score_
    return bool(estimator._should_stop(scores))  # noqa: SLF001  # the very question fit() asks each round
