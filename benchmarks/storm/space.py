"""The storm's search space, for our driver."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.storm import work

SPACE = work.SPACE


def train(params: Mapping[str, Any], data: Any = None, report: Any = None) -> float:
    """One trial; the worker has the driver's folder."""
    return work.objective(params, Path.cwd())
