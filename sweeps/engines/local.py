"""Real processes on this machine: one per slot, kept warm, replaced when it dies."""

import os
from collections.abc import Collection, Sequence
from functools import partial
from typing import Self

from sweeps.engines.gpus import VISIBLE
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
        gpus: one for each process; None where they train on the CPU.

    Raises:
        UsageError: on systems without process groups.
    """

    def __init__(
        self,
        slots: int,
        threads: int = 1,
        keep: Collection[str] = (),
        gpus: Sequence[str] | None = None,
    ) -> None:
        if os.name != "posix":
            raise UsageError("--engine local", "needs Linux or macOS", "use --engine serial")
        super().__init__("local", slots, threads, "cpu" if gpus is None else "cuda")
        self._keep, self._gpus = keep, gpus

    def __enter__(self) -> Self:
        self._open = True
        env = environment(self.threads, self._keep)
        for slot in range(self.slots):
            own = {VISIBLE: self._gpus[slot]} if self._gpus else {}
            self._add(Slot(self._jobs, partial(WorkerProcess, env | own)))
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
