"""Register the best model of an earlier sweep, from what MLflow holds of it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sweeps import registry
from sweeps.api.drift import drift_of
from sweeps.api.earlier import settings_of
from sweeps.api.encodings import Encodings
from sweeps.api.finals import Chosen, Finals
from sweeps.api.news import News
from sweeps.api.note import note
from sweeps.api.promotion import log_winner, promote_winner
from sweeps.api.shelf import Shelf
from sweeps.api.workers import start_engine
from sweeps.data.cache import DataCache
from sweeps.data.datasets import Dataset, load_dataset
from sweeps.engines import ON_THIS_MACHINE, Engine
from sweeps.errors import DataError, NoUsableTrialError, SpaceError
from sweeps.notify.target import read_targets
from sweeps.record import SweepRecord
from sweeps.selection import pick
from sweeps.selection.gate import Gate
from sweeps.settings import Sweep
from sweeps.space.module import find_space, read_space
from sweeps.space.search_space import load_space
from sweeps.tracking.claim import close_abandoned
from sweeps.tracking.dress import dress
from sweeps.tracking.findings import record_drift, record_finalists, record_predictions, record_promotion
from sweeps.tracking.reader import find_header, read_sweep
from sweeps.tracking.store import Store, find_store, resolve_uri


def promote_sweep(
    sweep: str,
    register_as: str | None = None,
    *,
    gate: Gate | str | None = None,
    tracking_uri: str | None = None,
    tell: Callable[[str], object] = lambda _: None,
    notify: Sequence[str] = (),
) -> SweepRecord:
    """Register the winner of a sweep and judge it against the champion on the same rows.

    What a finished sweep logged is used as it is; for an interrupted one the finalists are trained again from
    their points and seeds. Doing it twice makes no second version.

    Args:
        sweep: run id or its beginning, name, or ``last``.
        register_as: name of the registered model; by default as the sweep said.
        gate: the verdict asked for, or its kind; by default as the sweep said, else a lower rmse.
        tracking_uri: MLflow store, as for ``run_sweep``.
        tell: told in words of a model that was changed since it was logged, and is not used; and of test rows
            that are not distributed like the training rows.
        notify: commands and web addresses that are told the verdict, as JSON.

    Returns:
        The sweep with its finalists and its registered model.

    Raises:
        SpaceError: the search space was changed since.
        DataError: the data was changed since.
        NoUsableTrialError: no trial is COMPLETE, or its training gives no model.
        StoreError: the store refuses.
    """
    targets = read_targets(notify)
    if register_as is not None:
        registry.check_model_name(register_as, "--as")
    store = find_store(resolve_uri(tracking_uri))
    [header] = close_abandoned(store, [find_header(store, sweep)])
    record = read_sweep(store, header.run_id)
    if record.best is None:
        hint = f"sweeps show {record.run_id[:8]} says why"
        raise NoUsableTrialError(
            f"sweep {record.name}", "no trial is COMPLETE: there is nothing to promote", hint
        )
    settings = settings_of(record)
    dataset = load_dataset(settings.data)
    if dataset.digest != record.extra.get("data_digest"):
        wrong = (
            f"was changed since the sweep (digest {record.extra.get('data_digest')}, now {dataset.digest})"
        )
        raise DataError(f"data {dataset.name}", wrong, "bring the old data back, or run a new sweep")
    name = register_as or settings.register_as or f"{dataset.slug}-regressor"
    registry.check_model_name(name)
    chosen = _logged(store, record, tell) or _choose(store, record, settings, dataset)
    logged = log_winner(store, record, dataset, chosen)
    wanted = Gate(gate) if isinstance(gate, str) else gate or settings.gate
    drift = _drift(store, record, dataset, settings, tell)
    version = promote_winner(store, record, dataset, chosen, logged, name, wanted, drift)
    record_promotion(store, record.run_id, version)
    record = replace(record, finalists=chosen.finalists, model=version)
    with News(targets, tell) as news:
        news.begin(store, record.run_id, record.experiment_id, record.name, record.experiment)
        news.verdict(chosen.winner, chosen.test_rmse, version, record.state)
        dress(store, record, note(record))
    return record


def _logged(store: Store, record: SweepRecord, tell: Callable[[str], object]) -> Chosen | None:
    """Give the winner whose model the sweep logged; None where it did not get so far."""
    if not record.finalists:
        return None
    winner = pick(record.finalists)
    trial = next((t for t in record.trials if t.number == winner.number), None)
    if trial is None:
        return None
    logged = registry.find_model(store, record.experiment_id, trial.trial.run_id)
    if logged is None:
        return None
    try:
        pipeline = registry.load_pipeline(store, logged.uri)
    except registry.BrokenModelError as error:
        registry.refuse_model(store, logged)
        tell(f"trial {trial.number}: {error}; it is not used, the finalists are trained again")
        return None
    return Chosen(tuple(record.finalists), trial, pipeline, winner.test_rmse)


def _drift(
    store: Store, record: SweepRecord, dataset: Dataset, settings: Sweep, tell: Callable[[str], object]
) -> dict[str, Any] | None:
    """Tell, and keep with the sweep, how the rows that decide differ from those learned from."""
    found = drift_of(dataset, settings.data.split_by)
    if found is None:
        return None
    for warning in found.warnings:
        tell(warning)
    record_drift(store, record.run_id, found.to_json())
    return found.to_json()


def _choose(store: Store, record: SweepRecord, settings: Sweep, dataset: Dataset) -> Chosen:
    """Train the finalists again, score them and write them to the sweep."""
    file = read_space(find_space(settings.space))
    if file.digest != record.extra.get("space_digest"):
        wrong = "was changed since the sweep: the finalists cannot be trained again as they were"
        hint = f"bring back the source kept with sweep {record.name}"
        raise SpaceError(f"space {file.path.stem}", wrong, hint)
    space = load_space(settings.space)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="sweeps-")))
        engine = stack.enter_context(_trainers(settings))
        encodings = Encodings(dataset, space, settings.features, scratch, DataCache(None))
        finals = Finals(settings.seed, dataset, space, encodings, Shelf(scratch, settings.top), engine)
        chosen = finals.choose(record.trials, settings.top)
    if chosen.pipeline is None:
        wrong = f"no valid model to promote: training its {len(chosen.finalists)} finalists again gives none"
        raise NoUsableTrialError(f"sweep {record.name}", wrong, f"sweeps show {record.run_id[:8]}")
    record_finalists(store, record.run_id, chosen.finalists)
    if chosen.predictions is not None:
        record_predictions(store, record.run_id, chosen.predictions)
    return chosen


def _trainers(settings: Sweep) -> AbstractContextManager[Engine]:
    """Give an engine on this machine: the cluster that a sweep ran on may be long gone."""
    space, threads, keep = settings.space, settings.threads, settings.worker_env
    if settings.engine in ON_THIS_MACHINE:
        return start_engine(space, settings.engine, settings.workers, threads, keep)
    return start_engine(space, "local", None, threads, keep)
