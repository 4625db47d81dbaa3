"""Train a recorded trial again, from what MLflow holds of it, and compare."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from sweeps.api.earlier import settings_of
from sweeps.api.encodings import Encodings
from sweeps.api.finals import Finals
from sweeps.api.resume import Changes
from sweeps.api.shelf import Shelf
from sweeps.data.cache import DataCache
from sweeps.data.datasets import Dataset, load_dataset
from sweeps.data.sampling import sample_of, sampled
from sweeps.engines import open_engine, visible_gpus
from sweeps.environment import environment
from sweeps.errors import SpaceError, UsageError
from sweeps.record import Sample, SweepRecord
from sweeps.reproduction import Reproduction, changed
from sweeps.scratch import scratch_folder
from sweeps.settings import Sweep
from sweeps.space.search_space import SearchSpace, load_space
from sweeps.sweep import settle
from sweeps.tracking.context import git_commit
from sweeps.tracking.reader import find_trial, read_source, read_sweep
from sweeps.tracking.store import find_store, resolve_uri
from sweeps.trial import Finished, Outcome, State
from sweeps.worker import run_trial

TOLERANCE = 1e-6
"""By default, relative: what another order of the same sums may do; a changed model does more."""


def reproduce_trial(
    trial: str,
    *,
    space: str | Path | None = None,
    data: Mapping[str, Any] | None = None,
    tolerance: float = TOLERANCE,
    tracking_uri: str | None = None,
) -> Reproduction:
    """Train a trial again in this process, from its point and seed, and compare it with its record.

    Nothing is written to MLflow. The search space, the data and the packages are those of now; what differs
    from then is told, also where it was trained on a GPU and there is none here.

    Args:
        trial: ``SWEEP:NUMBER``, ``SWEEP:best``, a number, of the latest sweep, or the trial's run id.
        space: where the search space lies now; it must be the one of then.
        data: fields of ``DataSpec`` by name: where the rows lie now.
        tolerance: how far figures may be off, relative to those recorded, and still count as the same.
        tracking_uri: MLflow store, as for ``run_sweep``.

    Raises:
        UsageError: no such trial, or nothing is recorded of it.
        SpaceError: the search space is not the one of then.
        DataError: a file is gone.
        StoreError: the store refuses.
    """
    store = find_store(resolve_uri(tracking_uri))
    run_id, number = find_trial(store, trial)
    record = read_sweep(store, run_id, curves=True)
    finished = _finished(record, number)
    given = {} if space is None else {"space": str(space)}
    values = Changes(settings=given, data=data).apply(record.settings) if record.settings else {}
    settings = settings_of(replace(record, settings=values))
    then = _environment(record)
    threads, device = int(then.get("threads", settings.threads or 1)), _device(settings)
    made, dataset = _open_space(record, settings), load_dataset(settings.data)
    searched = sampled(dataset, settings.sample)
    return Reproduction(
        record.name,
        finished.number,
        finished.trial.run_id,
        finished.outcome,
        _train(finished, replace(settings, threads=threads, device=device), made, dataset, searched),
        changed(then, _described(dataset, sample_of(searched), threads, device)),
        tolerance,
    )


def kept_source(trial: str, *, tracking_uri: str | None = None) -> str:
    """Give the text of the search space that was kept with a trial's sweep; it is only read, never run.

    Raises:
        UsageError: no such trial.
        StoreError: the store refuses, or has no source.
    """
    store = find_store(resolve_uri(tracking_uri))
    run_id, _ = find_trial(store, trial)
    return read_source(store, read_sweep(store, run_id))


def _finished(record: SweepRecord, number: int) -> Finished:
    found = next((t for t in record.trials if t.number == number), None)
    if found is None or found.outcome.state is State.LOST:
        known = ", ".join(str(t.number) for t in record.trials[:10]) or "none"
        wrong = f"sweep {record.name} has no outcome of it; it has those of {known}"
        raise UsageError(f"trial {number}", wrong, f"sweeps show {record.run_id[:8]}")
    return found


def _open_space(record: SweepRecord, settings: Sweep) -> SearchSpace:
    space = load_space(settings.space)
    if space.digest == record.extra.get("space_digest"):
        return space
    wrong = f"is not the search space that sweep {record.name} was run with"
    hint = "--save-space FILE writes that one out; read it, then pass --space FILE"
    raise SpaceError(space.at(), wrong, hint)


def _environment(record: SweepRecord) -> dict[str, str]:
    kept: dict[str, str] = json.loads(record.extra.get("environment", "{}"))
    extra = {name: record.extra[name] for name in ("data_digest", "commit") if record.extra.get(name)}
    return kept | extra | _drawn(record.sample)


def _device(settings: Sweep) -> str:
    """Give the device of then; where that was a GPU and there is none, the CPU, as a difference."""
    return settings.device if settings.device == "cpu" or visible_gpus() else "cpu"


def _described(dataset: Dataset, sample: Sample | None, threads: int, device: str) -> dict[str, str]:
    commit = git_commit(Path.cwd())
    found = environment(threads, device) | {"data_digest": dataset.digest} | _drawn(sample)
    return found | ({"commit": commit} if commit else {})


def _drawn(sample: Sample | None) -> dict[str, str]:
    return {} if sample is None else {"sample_digest": sample.digest}


def _train(
    finished: Finished, settings: Sweep, space: SearchSpace, dataset: Dataset, searched: Dataset
) -> Outcome:
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_folder())
        engine = stack.enter_context(open_engine("serial", None, settings.threads, (), settings.device))
        encodings = Encodings(dataset, searched, space, settings.features, scratch, DataCache(None))
        finals = Finals(settings.seed, dataset, space, encodings, Shelf(scratch, 1), engine)
        task = finals.task(finished.trial.proposal, keep_below=float("-inf"))
        return settle(engine.submit(run_trial, task, None))
