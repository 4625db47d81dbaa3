"""How many cores there are, and how trials share them."""

from typing import NamedTuple

from sweeps.errors import UsageError
from sweeps.wording import counted

MOST_WORKERS = 8
"""By default; with more trials at once, each proposal knows too little of the others."""


class Room(NamedTuple):
    """What was asked for, and what suits this machine."""

    workers: int | None
    """As asked for."""
    threads: int | None
    """As asked for, per trial."""
    slots: int
    """Trials at once on this machine."""
    share: int
    """Threads of each of them."""
    gpus: tuple[str, ...] | None = None
    """Those of this machine, one for each slot here; None where trials train on the CPU."""

    @property
    def device(self) -> str:
        """What trials train on."""
        return "cpu" if self.gpus is None else "cuda"


def room_for(workers: int | None, threads: int | None, gpus: tuple[str, ...] | None = None) -> Room:
    """Find out how many trials run at once on this machine, and with how many threads.

    Args:
        workers: trials at once; None for as many as pay off.
        threads: per trial; None for the cores divided by the workers.
        gpus: one for each trial that runs here at once; None where trials train on the CPU.

    Raises:
        UsageError: ``workers`` is below 1.
    """
    cores = available_cores()
    if gpus is not None:
        slots, share = split_cores(workers or len(gpus) or 1, cores)
        return Room(workers, threads, slots, threads or share, gpus)
    slots, share = split_cores(workers, max(1, cores // (threads or 1)) if workers is None else cores)
    return Room(workers, threads, slots, threads or share)


def available_cores() -> int:
    """Cores this process may use: honours CPU affinity and container quotas."""
    from joblib import cpu_count

    return int(cpu_count())


def split_cores(workers: int | None, cores: int) -> tuple[int, int]:
    """Divide cores into workers and threads for each; what is not given never makes their product too large.

    Several processes of one thread train more models per minute than one with several threads, so by default
    there is a worker per core, and on large machines as many of 4 to 8 as leave the fewest cores idle.
    More workers than cores, if asked for, get one thread each.

    Raises:
        UsageError: ``workers`` is below 1.
    """
    if workers is None:
        workers = cores if cores <= MOST_WORKERS else _fewest_idle(cores)
    if workers < 1:
        raise UsageError("--workers", f"{workers} is not a number of workers", "pass 1 or more")
    return workers, max(1, cores // workers)


def _fewest_idle(cores: int) -> int:
    return max(range(MOST_WORKERS // 2, MOST_WORKERS + 1), key=lambda w: (w * (cores // w), w))


def crowded(slots: int, threads: int) -> str:
    """Say what is wrong with more threads on this machine than cores; empty where there are enough."""
    cores = available_cores()
    if slots * threads <= cores:
        return ""
    return (
        f"{counted(slots, 'worker')} × {counted(threads, 'thread')} on {counted(cores, 'core')} get in each "
        "other's way: "
        f"XGBoost may take many times as long (leave out --threads, or --workers {max(1, cores // threads)})"
    )
