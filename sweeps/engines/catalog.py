"""Engines by name, imported when opened."""

from importlib import import_module
from typing import cast

from sweeps.engines.base import Engine
from sweeps.engines.cores import available_cores, split_cores
from sweeps.errors import UsageError, unknown

KNOWN = {
    "serial": "sweeps.engines.serial:SerialEngine",
    "local": "sweeps.engines.local:LocalEngine",
}


def check_engine(url: str, workers: int | None = None, threads: int | None = None) -> None:
    """Refuse what ``open_engine`` would refuse, without importing an engine.

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


def open_engine(url: str, workers: int | None = None, threads: int | None = None) -> Engine:
    """Make the engine called ``url``; it starts when entered as a context.

    Args:
        url: ``serial`` or ``local``.
        workers: trials at once; None for as many as pay off.
        threads: per trial; None for the cores divided by the workers.

    Raises:
        UsageError: an unknown name, or numbers that the engine cannot serve.
    """
    check_engine(url, workers, threads)
    cores = available_cores()
    if url == "serial":
        workers = 1
    slots, share = split_cores(workers, max(1, cores // (threads or 1)) if workers is None else cores)
    module, name = KNOWN[url].split(":")
    return cast("Engine", getattr(import_module(module), name)(slots, threads or share))
