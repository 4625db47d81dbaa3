"""Look for what kills and outages left in a store, and put it right."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from sweeps.registry import reconcile
from sweeps.registry.leftovers import amiss, half_made
from sweeps.tracking.claim import is_driven, silent
from sweeps.tracking.reader import SweepHeader, list_sweeps
from sweeps.tracking.repair import RUNNING, close_sweep, close_trials, ended_with, open_trials, write_waiting
from sweeps.tracking.spool import Spool
from sweeps.tracking.store import Store

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


def _undriven(store: Store, header: SweepHeader) -> Finding:
    wrong = f"is said to run, but {ended_with(header.owner)}"
    return Finding(_named(header), wrong, f"{_resume(header)}, or {FIX}", lambda: close_sweep(store, header))


def _of_ended(store: Store, header: SweepHeader, still_open: int) -> Iterator[Finding]:
    if header.state == "INTERRUPTED":
        yield Finding(_named(header), "was interrupted", _resume(header))
    if not (waiting := Spool(header.run_id)).is_empty:
        wrong = f"has ended, but results of it wait in {waiting.path}"
        yield Finding(_named(header), wrong, FIX, lambda: write_waiting(store, header))
    if still_open:
        wrong = f"has ended, but {still_open} of its trials' runs are said to run"
        yield Finding(_named(header), wrong, FIX, lambda: close_trials(store, header, "of a lost answer"))


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
