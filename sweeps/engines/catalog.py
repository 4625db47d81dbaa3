"""Engines by name, imported when opened."""

import os
import re
from collections.abc import Collection
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple, cast

from sweeps.engines.base import Engine
from sweeps.engines.cores import room_for
from sweeps.engines.gpus import gpus_for, visible_gpus
from sweeps.errors import UsageError, unknown

ON_THIS_MACHINE = {
    "serial": "sweeps.engines.serial:SerialEngine",
    "local": "sweeps.engines.local:LocalEngine",
}
"""Engines on this machine alone."""


class Extra(NamedTuple):
    """An engine that is made with a package of an extra."""

    module: str
    """Of ours; its ``open_engine`` makes the engine."""
    package: str
    """Of the extra, as it is imported."""
    pattern: str
    """Of the names that lead to it."""
    forms: str
    """The same for people."""


ADDRESS = r"://[\w.-]+:\d{1,5}"
EXTRAS = {
    "dask": Extra("sweeps.engines.dask", "distributed", rf"dask({ADDRESS})?", "dask, dask://HOST:PORT"),
    "ray": Extra("sweeps.engines.ray", "ray", rf"ray({ADDRESS})?", "ray, ray://HOST:PORT"),
    "spark": Extra(
        "sweeps.engines.spark", "pyspark", rf"spark{ADDRESS}|local\[[1-9]\d*\]", "local[N], spark://HOST:PORT"
    ),
}
"""Engines on clusters, by the name of the extra."""

GPUS_HERE = ("serial", "local", "dask")
"""Engines whose trials train on GPUs of this machine, if on any."""


def check_engine(
    url: str,
    workers: int | None = None,
    threads: int | None = None,
    limit: float | None = None,
    device: str = "cpu",
) -> None:
    """Refuse what ``open_engine`` would refuse, without importing an engine.

    Args:
        url: as ``open_engine`` takes it.
        workers: likewise.
        threads: likewise.
        limit: seconds a task may take; only an engine with processes of its own can end one.
        device: as ``open_engine`` takes it.

    Raises:
        UsageError: an unknown name, an extra that is not installed, numbers that the engine cannot serve, or
            GPUs that are not there.
    """
    if url not in ON_THIS_MACHINE:
        _check_extra(url)
    if threads is not None and threads < 1:
        raise UsageError("--threads", f"{threads} is not a number of threads", "pass 1 or more")
    if workers is not None and workers < 1:
        raise UsageError("--workers", f"{workers} is not a number of workers", "pass 1 or more")
    if url == "serial" and workers not in (None, 1):
        raise UsageError(
            "--workers", f"the serial engine runs 1 trial at a time, got {workers}", "use --engine local"
        )
    if url == "serial" and limit is not None:
        raise UsageError(
            "--trial-timeout", "the serial engine cannot end a trial", "use --engine local --workers 1"
        )
    _gpus(url, workers, device)


def open_engine(
    url: str,
    workers: int | None = None,
    threads: int | None = None,
    keep: Collection[str] = (),
    device: str = "cpu",
) -> Engine:
    """Make the engine called ``url``; it starts when entered as a context.

    Args:
        url: ``serial``, ``local``, or that of a cluster, see ``EXTRAS``.
        workers: trials at once; None for as many as pay off here, or as a cluster has room for.
        threads: per trial; None for the cores divided by the workers, on a cluster one.
        keep: names of credentials in the environment that its processes get; others are withheld.
        device: ``cpu``, or ``cuda`` for a GPU to each trial: then as many pay off as there are GPUs.

    Raises:
        UsageError: an unknown name, an extra that is not installed, numbers that the engine cannot serve, or
            GPUs that are not there.
    """
    check_engine(url, workers, threads)
    most = 1 if url == "serial" else workers
    room = room_for(most, threads, _gpus(url, most, device))
    if url in ON_THIS_MACHINE:
        module, name = ON_THIS_MACHINE[url].split(":")
        return cast("Engine", getattr(import_module(module), name)(room.slots, room.share, keep, room.gpus))
    return cast("Engine", import_module(EXTRAS[_extra(url)].module).open_engine(url, room, keep))


def _extra(url: str) -> str:
    """Give the extra that an engine belongs to; empty where there is none."""
    return next((name for name, extra in EXTRAS.items() if re.fullmatch(extra.pattern, url)), "")


def _gpus(url: str, workers: int | None, device: str) -> tuple[str, ...] | None:
    """Give GPUs of this machine for trials; None on the CPU, and maybe none where a cluster has its own."""
    if device == "cpu":
        return None
    if _extra(url) == "spark":
        wrong = f"no trial gets a GPU with --engine {url}"
        hint = "use --engine local, dask://HOST:PORT or ray://HOST:PORT"
        raise UsageError(f"--device {device}", wrong, hint)
    return gpus_for(workers) if url in GPUS_HERE else visible_gpus()


def _check_extra(url: str) -> None:
    name = _extra(url)
    if not name:
        raise UsageError("--engine", *_unknown(url))
    if os.name != "posix":
        raise UsageError(f"--engine {url}", "needs Linux or macOS", "use --engine serial")
    if find_spec(EXTRAS[name].package) is None:
        wrong = f"package {EXTRAS[name].package!r} is not installed"
        raise UsageError(f"--engine {url}", wrong, f"pip install 'sweeps[{name}]'")


def _unknown(url: str) -> tuple[str, str]:
    """Say what is wrong with a name, and what would be right."""
    kind = url.partition("://")[0]
    if kind in EXTRAS:
        return f"{url!r} is no address", f"such as {EXTRAS[kind].forms}"
    return unknown("engine", url, [*ON_THIS_MACHINE, *EXTRAS]), ", ".join(
        extra.forms for extra in EXTRAS.values()
    )
