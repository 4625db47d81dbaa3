"""A Dask cluster on this machine, for the time of one sweep: on loopback, and closed to everybody else.

Its scheduler is in a process of its own, which starts the workers and replaces dead ones: from the driver,
each of them would import the user's main script, which would then need a guard.
"""

import subprocess
from collections.abc import Collection
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from distributed import LocalCluster, Security

from sweeps.engines.child import settle_in
from sweeps.engines.process import Started, end, environment, start
from sweeps.errors import UsageError

STARTING = 60.0
"""Seconds that scheduler and workers get to be there."""
CLOSING = 4.0
"""Seconds that they get to end by themselves."""
_NO_PAGES = {f"DASK_DISTRIBUTED__{who}__HTTP__ROUTES": "[]" for who in ("SCHEDULER", "WORKER")}
"""Dask's servers of plain HTTP start whatever one says; these tell nothing."""
_TLS = (
    "ca_file",
    "client_key",
    "client_cert",
    "scheduler_key",
    "scheduler_cert",
    "worker_key",
    "worker_cert",
)


class Here:
    """The driver's end of it.

    Args:
        workers: how many.
        threads: of each.
        keep: names of credentials in the environment that they get.
    """

    def __init__(self, workers: int, threads: int, keep: Collection[str]) -> None:
        self._wanted, self._env = (workers, threads), environment(1, keep) | _NO_PAGES
        self._started: Started | None = None

    def start(self) -> tuple[str, Security]:
        """Start it; give the scheduler's address, and the certificate without which nobody is let in.

        Raises:
            UsageError: it does not start.
        """
        security = Security.temporary()
        self._started = start("dask_here", self._env)
        tasks = self._started.tasks
        tasks.send((*self._wanted, {f"tls_{name}": getattr(security, f"tls_{name}") for name in _TLS}))
        try:
            if tasks.poll(STARTING):
                address: str = tasks.recv()
                return address, security
        except EOFError:
            pass
        raise UsageError("--engine dask", "Dask did not start on this machine; what it said is above")

    def close(self) -> None:
        """End it, with its workers."""
        started, self._started = self._started, None
        if started is not None:
            with suppress(OSError, subprocess.TimeoutExpired):
                started.tasks.send_bytes(b"end")
                started.process.wait(CLOSING)
            end(started)


def serve(tasks: int, lifeline: int) -> None:
    """Run scheduler and workers until the driver is gone.

    Args:
        tasks: file descriptor of a two-way pipe: how many workers come in, the address goes out.
        lifeline: file descriptor that is readable, at its end, when the driver is gone.
    """
    driver = settle_in(tasks, lifeline)
    workers, threads, tls = driver.recv()
    with _cluster(workers, threads, Security(require_encryption=True, **tls)) as cluster:
        driver.send(cluster.scheduler_address)
        _wait_for_end(driver)


def _cluster(workers: int, threads: int, security: Security) -> Any:
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=threads,
        host="127.0.0.1",
        protocol="tls://",
        security=security,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # of a server without pages, see _NO_PAGES
        memory_limit=0,  # the trials are in processes of their own; Dask would look at the wrong ones
    )


def _wait_for_end(driver: Connection) -> None:
    try:
        driver.recv_bytes()
    except (EOFError, OSError):
        return
