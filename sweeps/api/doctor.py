"""Look for what kills and outages left in a store, and put it right."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sweeps.errors import SweepOwnedError
from sweeps.registry import reconcile
from sweeps.registry.leftovers import amiss, half_made
from sweeps.tracking.claim import claimed, is_driven, silent
from sweeps.tracking.reader import SweepHeader, list_sweeps
from sweeps.tracking.repair import RUNNING, close_sweep, close_trials, ended_with, open_trials, write_waiting
from sweeps.tracking.spool import Spool
from sweeps.tracking.store import Store, mark_checked

FIX = "sweeps doctor --fix"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be."""

    what: str
    wrong: str
    next_step: str
    """What to type."""
    mend: Callable[[], object] | None = None
    """Puts it right; None where that takes a decision, or time."""


def examine(store: Store, waits: Callable[[str], object] = silent) -> Iterator[Finding]:
    """Find what is wrong in a store that was opened, and so is reachable, writable and of the right schema.

    Args:
        store: where.
        waits: told of a wait of seconds, in words.

    Raises:
        StoreError: the store refuses.
    """
    headers = list_sweeps(store, limit=None)
    still_open = open_trials(store, headers)
    for header in headers:
        if header.state != RUNNING:
            yield from _of_ended(store, header, still_open[header.run_id])
        elif not is_driven(store, header, waits):
            yield _undriven(store, header)
    yield from _of_registry(store)


def fitness(store: Store) -> str:
    """Say in what respect a store that was opened is fit, and prove that it can be written.

    A server looks after its schema itself; into one without a sweep there is nothing to write.

    Raises:
        StoreError: it refuses.
    """
    latest = list_sweeps(store, limit=1)
    for header in latest:
        mark_checked(store, header.experiment_id)
    schema = "" if store.artifacts is None else ", schema current"
    return f"reachable{', writable' if latest else ''}{schema}"


def _undriven(store: Store, header: SweepHeader) -> Finding:
    wrong = f"is said to run, but {ended_with(header.owner)}"
    mend = partial(_mend, store, header, close_sweep)
    return Finding(_named(header), wrong, f"{_resume(header)}, or {FIX}", mend)


def _of_ended(store: Store, header: SweepHeader, still_open: int) -> Iterator[Finding]:
    if header.state == "INTERRUPTED":
        yield Finding(_named(header), "was interrupted", _resume(header))
    if not (waiting := Spool(header.run_id)).is_empty:
        wrong = f"has ended, but results of it wait in {waiting.path}"
        yield Finding(_named(header), wrong, FIX, partial(_mend, store, header, write_waiting))
    if still_open:
        wrong = f"has ended, but {still_open} of its trials' runs are said to run"
        close = partial(close_trials, why="of a lost answer")
        yield Finding(_named(header), wrong, FIX, partial(_mend, store, header, close))


def _mend(store: Store, header: SweepHeader, put_right: Callable[[Store, SweepHeader], object]) -> None:
    """Put a sweep right, unless somebody goes on with it meanwhile: that one does it, too."""
    with suppress(SweepOwnedError), claimed(store, header) as now:
        if now.state == header.state:
            put_right(store, now)


def _named(header: SweepHeader) -> str:
    return f"sweep {header.name} ({header.run_id[:8]})"


def _resume(header: SweepHeader) -> str:
    return f"sweeps resume {header.run_id[:8]}"


def _of_registry(store: Store) -> Iterator[Finding]:
    for found in half_made(store):
        again = f"sweeps promote {found.sweep[:8]} --as {found.name}{found.options}"
        yield Finding(f"model {found.name} version {found.number}", "was registered but never checked", again)
    for model in amiss(store):
        yield Finding(f"model {model.name}", model.wrong, FIX, partial(reconcile, store, model.name))
