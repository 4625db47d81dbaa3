"""Where trials run: one file per engine, opened by name."""

from sweeps.engines.base import Engine, LateTaskError, LostTaskError, TaskError
from sweeps.engines.catalog import ON_THIS_MACHINE, check_engine, open_engine
from sweeps.engines.cores import available_cores, crowded, split_cores
from sweeps.engines.gpus import visible_gpus

__all__ = [
    "ON_THIS_MACHINE",
    "Engine",
    "LateTaskError",
    "LostTaskError",
    "TaskError",
    "available_cores",
    "check_engine",
    "crowded",
    "open_engine",
    "split_cores",
    "visible_gpus",
]
