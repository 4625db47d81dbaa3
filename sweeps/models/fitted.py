"""What training gives, whatever trained it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps.trial import Curve


@dataclass(frozen=True)
class Fitted:
    """A trained model with what it was scored by."""

    model: Any
    """With ``predict``; None where the user's ``train()`` gave none."""
    predictions: NDArray[np.float64] | None
    """On the validation rows, in their order; None for a refit and for the user's ``train()``."""
    curve: Curve = ()
    """Validation rmse by round, from 0; empty where training has no rounds, or they were not measured."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """``best_iteration``: index of the last round the model uses. From ``train()``: all it returned."""
