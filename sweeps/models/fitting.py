"""One door to training: picks how by the kind of estimator, and keeps it within its threads."""

from typing import Any

from sweeps.models.device import check_gpu
from sweeps.models.fitted import Fitted
from sweeps.models.kinds import is_boosted
from sweeps.models.threads import limited
from sweeps.models.watch import Watch
from sweeps.trial import Fold


def fit(
    estimator: Any,
    fold: Fold,
    *,
    seed: int,
    threads: int,
    rounds: int | None = None,
    watch: Watch | None = None,
) -> Fitted:
    """Train an estimator on a fold and predict its validation rows.

    Args:
        estimator: not fitted; scikit-learn's are fitted in place.
        fold: ``X_valid`` None trains without validation, and so without early stopping.
        seed: for every ``random_state`` the user left at None.
        threads: how many threads training may use where the user left ``n_jobs`` at None; the returned
            model has no number of its own then, so that it suits any machine.
        rounds: boosting rounds of XGBoost, in place of the estimator's; others ignore it.
        watch: may end the training: of XGBoost after each round, of some of scikit-learn's ensembles after
            its steps (see ``sweeps.models.blocks``), of others never; the model is the same with and without.

    Raises:
        BaseException: whatever the estimator, or the watch, raises.
        RuntimeError: the estimator is to train on a GPU, and there is none here.
    """
    check_gpu(estimator)
    if is_boosted(estimator):
        from sweeps.models.boosting import fit_boosted

        with limited(threads):
            return fit_boosted(estimator, fold, seed=seed, threads=threads, rounds=rounds, watch=watch)
    from sweeps.models.estimators import fit_estimator

    with limited(threads):
        return fit_estimator(estimator, fold, seed=seed, watch=watch)
