"""XGBoost's callback that gives each validation row its weight where equal rows are predicted once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xgboost.callback import TrainingCallback


class Recounted(TrainingCallback):  # type: ignore[misc]  # its types are not followed
    """Puts the rmse over all rows in the place of that over the distinct ones, before others read it.

    XGBoost calls callbacks in no certain order (3.0), and prints what a metric of ours gives with six
    decimals; so this one replaces XGBoost's figure, and calls the others itself.

    Args:
        valid: matrix of the distinct rows.
        place: by row of all, its row in ``valid``.
        y: by row of all, its target.
        others: to be called after it, before the training and after each round.
    """

    def __init__(
        self, valid: Any, place: NDArray[np.int64], y: Any, others: Sequence[TrainingCallback]
    ) -> None:
        self._valid, self._place, self._others = valid, place, others
        self._y = np.asarray(y, dtype=np.float32)  # as XGBoost keeps it

    def before_training(self, model: Any) -> Any:
        """Let the others begin."""
        for other in self._others:
            model = other.before_training(model)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Correct the figure of the round; the others may end the training."""
        evals_log["valid"]["rmse"][-1] = self._rmse(model.predict(self._valid))
        ends = [other.after_iteration(model, epoch, evals_log) for other in self._others]
        return any(ends)

    def _rmse(self, predictions: NDArray[np.float32]) -> float:
        """The root of the mean squared error as XGBoost has it: squares of 32 bits, added up in 64."""
        squares = np.square(self._y - predictions[self._place])
        return float(np.sqrt(squares.sum(dtype=np.float64) / len(squares)))
