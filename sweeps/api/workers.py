"""The engine of a sweep, started before anything heavy is imported here: the workers import meanwhile."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sweeps.engines import Engine, open_engine
from sweeps.errors import UsageError
from sweeps.settings import Sweep
from sweeps.space.beside import names_beside
from sweeps.space.module import find_space
from sweeps.warm_up import warm_up


@contextmanager
def start_workers(sweep: Sweep) -> Iterator[Engine]:
    """Give the sweep's engine, open, with its processes under way.

    Raises:
        UsageError: the engine is unknown, or its numbers cannot be served; or a variable for it is not set.
        SpaceError: there is no such search space.
    """
    if missing := [name for name in sweep.worker_env if name not in os.environ]:
        name = missing[0]
        raise UsageError(f"--worker-env {name}", "is not set here", f"export {name}=…, or leave it out")
    numbers = sweep.workers, sweep.threads
    with start_engine(sweep.space, sweep.engine, *numbers, sweep.worker_env, sweep.device) as engine:
        yield engine


@contextmanager
def start_engine(
    space: str,
    url: str,
    workers: int | None,
    threads: int | None,
    keep: Sequence[str] = (),
    device: str = "cpu",
) -> Iterator[Engine]:
    """Give an engine, open, whose processes import what the trials of a search space need.

    Args:
        space: name or path.
        url: of the engine.
        workers: as ``open_engine`` takes them, likewise ``threads``.
        threads: of one trial.
        keep: environment variables that the processes see although they look like credentials.
        device: that trials train on, as ``open_engine`` takes it.

    Raises:
        UsageError: the engine is unknown, or its numbers cannot be served.
        SpaceError: there is no such search space.
    """
    path = find_space(space)
    with open_engine(url, workers, threads, keep, device) as engine:
        engine.share(path.parent, names_beside(path))
        engine.prepare(warm_up, str(path))
        yield engine
