"""Go on with a sweep where it was: from what MLflow holds of it, on this machine or another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sweeps.api.earlier import Earlier, NothingLeftError, settings_of
from sweeps.api.workers import start_workers
from sweeps.engines import check_engine
from sweeps.notify.target import read_targets
from sweeps.record import SweepRecord
from sweeps.settings import Sweep
from sweeps.space.module import find_space, read_space
from sweeps.tracking.claim import claimed, silent
from sweeps.tracking.reader import find_header, read_source, read_sweep
from sweeps.tracking.repair import close_trials, ended_with
from sweeps.tracking.store import Store, find_store, resolve_uri
from sweeps.trial import Finished


@dataclass(frozen=True)
class Changes:
    """What a resumed sweep does otherwise than before; None: as before."""

    trials: int | None = None
    seconds: float | None = None
    settings: Mapping[str, Any] | None = None
    """Fields of ``Sweep`` by name."""
    data: Mapping[str, Any] | None = None
    """Fields of ``DataSpec`` by name: where the same rows lie now."""
    accept: bool = False
    """Go on although space or data were changed."""

    def apply(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Give the settings as JSON values with the changes in them."""
        stop = {**values["stop"], **_given({"trials": self.trials, "seconds": self.seconds})}
        data = {**values["data"], **_given(self.data or {})}
        return {**values, **_given(self.settings or {}), "stop": stop, "data": data}


@dataclass(frozen=True)
class Resumable:
    """A sweep that this process has claimed."""

    store: Store
    sweep: Sweep
    """Its settings from now on."""
    earlier: Earlier


@contextmanager
def resumable(
    sweep: str,
    changes: Changes,
    tracking_uri: str | None = None,
    waits: Callable[[str], object] = silent,
) -> Iterator[Resumable]:
    """Claim a sweep for this process, put right what its last driver left, and say how to go on.

    Args:
        sweep: run id or its beginning, name, or ``last``.
        changes: what it does otherwise from now on.
        tracking_uri: MLflow store, as for ``run_sweep``.
        waits: told of a wait of seconds, in words.

    Raises:
        UsageError: there is no such sweep.
        NothingLeftError: it is complete, and no more is asked for.
        SweepOwnedError: another driver lives.
        StoreError: the store refuses, or holds too little of the sweep.
        SpaceError: the search space is gone, or was changed; it has not been run.
        DataError: a file is not where the sweep found it.
    """
    store = find_store(resolve_uri(tracking_uri))
    with claimed(store, find_header(store, sweep), waits) as header:
        close_trials(store, header, ended_with(header.owner))
        record = read_sweep(store, header.run_id)
        settings = settings_of(replace(record, settings=_placed(record, changes)))
        given = settings.workers, settings.threads, settings.trial_timeout, settings.device
        check_engine(settings.engine, *given)
        if settings.prune != "none":
            record = read_sweep(store, header.run_id, curves=True)
        earlier = Earlier(record, read_source(store, record), changes.accept)
        earlier.check_unfinished(store, settings)
        earlier.check_source(read_space(find_space(settings.space)))
        yield Resumable(store, settings, earlier)


def resume_sweep(
    sweep: str,
    *,
    trials: int | None = None,
    time: float | None = None,
    workers: int | None = None,
    threads: int | None = None,
    engine: str | None = None,
    worker_env: Sequence[str] | None = None,
    accept_changes: bool = False,
    tracking_uri: str | None = None,
    results: str | Path = "results",
    on_trial: Callable[[Finished], object] | None = None,
    progress: bool = True,
    notify: Sequence[str] = (),
) -> SweepRecord:
    """Go on with an interrupted sweep: finished trials stay, interrupted ones are repeated first.

    With one worker the points are those that the sweep would have visited without the interruption.

    Args:
        sweep: run id or its beginning, name, or ``last``.
        trials: in all, the finished ones included; by default as before.
        time: seconds in all; by default as before.
        workers: trials at once; by default as before.
        threads: per trial; likewise.
        engine: likewise.
        worker_env: names of credentials that workers are to see; by default as before.
        accept_changes: go on although the search space or the data were changed.
        tracking_uri: MLflow store, as for ``run_sweep``.
        results: folder for the reports.
        on_trial: called with every trial that ends from now on.
        progress: whether a notebook shows how the sweep goes on.
        notify: commands and web addresses that are told from now on; they are not kept with the sweep.

    Returns:
        The sweep as MLflow holds it, with the trials of all its sessions; at once where it is complete.

    Raises:
        SweepsError: as ``run_sweep``; also where another driver owns the sweep.
    """
    from sweeps.api.session import Session
    from sweeps.api.shown import run_session

    settings = {"workers": workers, "threads": threads, "engine": engine, "worker_env": worker_env}
    changes, targets = Changes(trials, time, settings, accept=accept_changes), read_targets(notify)
    try:
        with resumable(sweep, changes, tracking_uri) as found, start_workers(found.sweep) as opened:
            place = found.sweep, opened, found.store.uri, Path(results)
            with Session(*place, earlier=found.earlier, notify=targets) as session:
                return run_session(session, on_trial, progress=progress)
    except NothingLeftError as complete:
        return complete.record


def _placed(record: SweepRecord, changes: Changes) -> Mapping[str, Any]:
    """Give the settings with the changes; those that cannot be read stay as they are, to be refused later."""
    try:
        return changes.apply(record.settings)
    except (KeyError, TypeError):
        return record.settings


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
