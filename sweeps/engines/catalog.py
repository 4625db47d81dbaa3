"""Engines by name, imported when opened."""

from collections.abc import Collection
from importlib import import_module
from typing import cast

from sweeps.engines.base import Engine
from sweeps.engines.cores import available_cores, split_cores
from sweeps.errors import UsageError, unknown

KNOWN = {
    "serial": "sweeps.engines.serial:SerialEngine",
    "local": "sweeps.engines.local:LocalEngine",
}


def check_engine(
    url: str, workers: int | None = None, threads: int | None = None, limit: float | None = None
) -> None:
    """Refuse what ``open_engine`` would refuse, without importing an engine.

    Args:
        url: as ``open_engine`` takes it.
        workers: likewise.
        threads: likewise.
        limit: seconds a task may take; only an engine with processes of its own can end one.

    Raises:
        UsageError: an unknown name, or numbers that the engine cannot serve.
    """
    if url not in KNOWN:
        raise UsageError("--engine", unknown("engine", url, KNOWN))
    if threads is not None and threads < 1:
        raise UsageError("--threads", f"{threads} is not a number of threads", "pass 1 or more")
    if url == "serial" and workers not in (None, 1):
        raise UsageError(
            "--workers", f"the serial engine runs 1 trial at a time, got {workers}", "use --engine local"
        )
    if url == "serial" and limit is not None:
        raise UsageError(
            "--trial-timeout", "the serial engine cannot end a trial", "use --engine local --workers 1"
        )


def open_engine(
    url: str, workers: int | None = None, threads: int | None = None, keep: Collection[str] = ()
) -> Engine:
    """Make the engine called ``url``; it starts when entered as a context.

    Args:
        url: ``serial`` or ``local``.
        workers: trials at once; None for as many as pay off.
        threads: per trial; None for the cores divided by the workers.
        keep: names of credentials in the environment that its processes get; others are withheld.

    Raises:
        UsageError: an unknown name, or numbers that the engine cannot serve.
    """
    check_engine(url, workers, threads)
    cores = available_cores()
    if url == "serial":
        workers = 1
    slots, share = split_cores(workers, max(1, cores // (threads or 1)) if workers is None else cores)
    module, name = KNOWN[url].split(":")
    return cast("Engine", getattr(import_module(module), name)(slots, threads or share, keep))
