"""XGBoost's callback that lets a watch follow the rounds."""

from typing import Any

from xgboost.callback import TrainingCallback

from sweeps.models.watch import Watch


class Watched(TrainingCallback):  # type: ignore[misc]  # its types are not followed
    """Tells a watch the validation rmse after each round; changes nothing in what is trained.

    Args:
        watch: raises where the training shall end.
        last: the round after which it ends anyway: nothing is to be saved there any more.
    """

    def __init__(self, watch: Watch, last: int) -> None:
        self._watch, self._last = watch, last

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Report the round; True would end the training as if it were complete."""
        if epoch < self._last:
            self._watch.report(epoch, float(evals_log["valid"]["rmse"][-1]))
        return False
