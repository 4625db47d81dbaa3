"""Take a sweep over from a driver that is gone, and from nobody else."""

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sweeps.data.cache_folder import cache_folder
from sweeps.errors import SweepOwnedError
from sweeps.tracking import schema
from sweeps.tracking.owner import Owner
from sweeps.tracking.reader import SweepHeader, read_header
from sweeps.tracking.repair import RUNNING, close_sweep, is_abandoned
from sweeps.tracking.store import Store, store_errors
from sweeps.tracking.writer import BEAT_SECONDS

WATCH_SECONDS = 4 * BEAT_SECONDS
"""A sweep on another machine that does not beat for so long is not driven any more."""


def silent(_: str) -> None:
    """Tell nobody."""


@contextmanager
def claimed(
    store: Store, header: SweepHeader, waits: Callable[[str], object] = silent
) -> Iterator[SweepHeader]:
    """Give a sweep as it is now; nobody drives it, nor begins to on this machine, while the context lasts.

    Processes of other machines see the owner's tag, and each checks it with every beat.

    Args:
        store: where the sweep is.
        header: of the sweep.
        waits: told of a wait of seconds, in words.

    Raises:
        SweepOwnedError: another driver lives.
        StoreError: the store refuses.
    """
    with _locked(header):
        now = read_header(store, header.run_id)  # another may have driven it since it was read
        if now.state == RUNNING and is_driven(store, now, waits):
            raise _owned(now)
        yield now


def close_abandoned(store: Store, headers: Iterable[SweepHeader]) -> list[SweepHeader]:
    """Close sweeps whose driver, on this machine, is gone; give all as they are then.

    Raises:
        StoreError: MLflow refuses.
    """
    return [_closed(store, header) if is_abandoned(header) else header for header in headers]


def _closed(store: Store, header: SweepHeader) -> SweepHeader:
    """Close a sweep, unless somebody is just going on with it."""
    try:
        with claimed(store, header) as now:
            return close_sweep(store, now) if is_abandoned(now) else now
    except SweepOwnedError:
        return header


def _owned(header: SweepHeader) -> SweepOwnedError:
    by = header.owner.shown if header.owner else "another process"
    return SweepOwnedError(
        f"sweep {header.name}", f"is driven by {by}", f"wait for it, or: sweeps stop {header.run_id[:8]}"
    )


@contextmanager
def _locked(header: SweepHeader) -> Iterator[None]:
    """Hold the sweep's lock; the system lifts it when the process dies.

    Where there can be no lock (a read-only home) the owner's tag alone must do.
    """
    path = cache_folder() / "locks" / header.run_id
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = _opened(path)
    except BlockingIOError:
        raise _owned(header) from None
    except OSError:
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # first: whoever opens it now sees below that it is not the one in place
        os.close(descriptor)


def _opened(path: Path) -> int:
    """Open a lock's file and lock it; again where whoever held the lock has just taken the file away.

    Raises:
        BlockingIOError: another process has the lock.
        OSError: there can be no file, or no lock on it.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_in_place(path, descriptor):
                return descriptor
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_in_place(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def is_driven(store: Store, header: SweepHeader, waits: Callable[[str], object] = silent) -> bool:
    """Whether the owner of a sweep that is said to run lives; of one on another machine the beats tell.

    Args:
        store: where the sweep is.
        header: of the sweep.
        waits: told of a wait of seconds, in words.

    Raises:
        StoreError: the store refuses.
    """
    driven = header.is_driven
    return _beats(store, header, waits) if driven is None else driven


def _beats(store: Store, header: SweepHeader, waits: Callable[[str], object]) -> bool:
    """Watch a sweep for some beats; by this clock, since those of other machines may differ."""
    where = header.owner.shown if header.owner else "another process"
    waits(f"waiting up to {WATCH_SECONDS:g} s to see whether {where} still drives sweep {header.name}")
    before, until = _marks(store, header), time.monotonic() + WATCH_SECONDS
    while time.monotonic() < until:
        time.sleep(BEAT_SECONDS / 5)
        if _marks(store, header) != before:
            return True
    return False


def _marks(store: Store, header: SweepHeader) -> tuple[str | None, Owner | None]:
    with store_errors(store.shown):
        tags = store.client.get_run(header.run_id).data.tags
    return tags.get(schema.BEAT), Owner.read(tags.get(schema.OWNER, ""))
