"""Seven hyperparameters and a train() that sleeps: what its slots do beside that is the driver's doing."""

from collections.abc import Mapping
from typing import Any

from hyperopt import hp

from benchmarks.naps import nap

SPACE = {f"x{index}": hp.uniform(f"x{index}", -1, 1) for index in range(7)}


def train(params: Mapping[str, Any], data: Any = None, report: Any = None) -> float:
    """Give a figure that depends on the params, so that the search has something to follow."""
    nap()
    rmse: float = sum(abs(value) for value in params.values())
    return rmse
