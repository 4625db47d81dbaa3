"""Real processes on this machine: one per slot, kept warm, replaced when it dies."""

import os
from collections.abc import Collection
from functools import partial
from typing import Self

from sweeps.engines.pool import Pool
from sweeps.engines.process import WorkerProcess, environment
from sweeps.engines.slot import Slot
from sweeps.errors import UsageError


class LocalEngine(Pool):
    """Each slot is a thread here that feeds one process of its own.

    Args:
        slots: how many processes.
        threads: what each may use.
        keep: names of credentials in the environment that the processes get.

    Raises:
        UsageError: on systems without process groups.
    """

    def __init__(self, slots: int, threads: int = 1, keep: Collection[str] = ()) -> None:
        if os.name != "posix":
            raise UsageError("--engine local", "needs Linux or macOS", "use --engine serial")
        super().__init__("local", slots, threads)
        self._keep = keep

    def __enter__(self) -> Self:
        self._open = True
        env = environment(self.threads, self._keep)
        for _ in range(self.slots):
            self._add(Slot(self._jobs, partial(WorkerProcess, env)))
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
