"""Register the best model of an earlier sweep, from what MLflow holds of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sweeps import registry
from sweeps.api.again import Again
from sweeps.api.checks import check_finish, check_segment
from sweeps.api.drift import drift_of
from sweeps.api.earlier import settings_of
from sweeps.api.finals import Chosen
from sweeps.api.news import News
from sweeps.api.nomination import Nomination
from sweeps.api.nominee import Ground
from sweeps.api.note import note
from sweeps.api.promotion import promote_nominee, stored
from sweeps.data.datasets import Dataset, load_dataset
from sweeps.errors import DataError, NoUsableTrialError
from sweeps.notify.target import read_targets
from sweeps.record import SweepRecord
from sweeps.selection import pick
from sweeps.selection.gate import Gate
from sweeps.settings import Sweep
from sweeps.tracking.claim import close_abandoned
from sweeps.tracking.dress import dress
from sweeps.tracking.findings import (
    record_drift,
    record_finalists,
    record_finish,
    record_predictions,
    record_promotion,
)
from sweeps.tracking.reader import find_header, read_sweep
from sweeps.tracking.store import Store, find_store, resolve_uri


def promote_sweep(
    sweep: str,
    register_as: str | None = None,
    *,
    gate: Gate | str | None = None,
    refit: str | None = None,
    blend: bool | None = None,
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
        refit: ``"train+valid"``: what is registered is trained again on both first; ``"none"``: it is not; by
            default as the sweep said.
        blend: whether an average of the finalists takes the winner's place where it is better on the test
            rows; by default as the sweep said.
        tracking_uri: MLflow store, as for ``run_sweep``.
        tell: told in words of a model that was changed since it was logged, and is not used; and of test rows
            that are not distributed like the training rows.
        notify: commands and web addresses that are told the verdict, as JSON.

    Returns:
        The sweep with its finalists and its registered model.

    Raises:
        UsageError: a refit or a blend is asked for without rows to judge it on.
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
    settings = _wanted(settings_of(record), gate, refit, blend)
    dataset = load_dataset(settings.data)
    if dataset.digest != record.extra.get("data_digest"):
        wrong = (
            f"was changed since the sweep (digest {record.extra.get('data_digest')}, now {dataset.digest})"
        )
        raise DataError(f"data {dataset.name}", wrong, "bring the old data back, or run a new sweep")
    name = register_as or settings.register_as or f"{dataset.slug}-regressor"
    registry.check_model_name(name)
    check_segment(settings.gate, dataset)
    for warning in check_finish(settings, dataset):
        tell(warning)
    ground = Ground(store, record, dataset, _drift(store, record, dataset, settings, tell))
    with News(targets, tell) as news:
        news.begin(store, record.run_id, record.experiment_id, record.name, record.experiment)
        return _promoted(ground, settings, name, tell, news)


def _wanted(settings: Sweep, gate: Gate | str | None, refit: str | None, blend: bool | None) -> Sweep:
    """Give the settings with what is asked for now."""
    return replace(
        settings,
        gate=Gate(gate) if isinstance(gate, str) else gate or settings.gate,
        refit=settings.refit if refit is None else refit,
        blend=settings.blend if blend is None else blend,
    )


def _promoted(
    ground: Ground, settings: Sweep, name: str, tell: Callable[[str], object], news: News
) -> SweepRecord:
    """Find or train the winner, make of it what is asked for, and register that."""
    store, record = ground.store, ground.record
    with Again(record, settings, ground.dataset) as again:
        chosen = _logged(ground, tell) or _choose(store, record, settings, again)
        nominee, logged = Nomination(ground, settings, lambda: again.finals, tell).settle(chosen)
    if nominee.blend or nominee.refit or record.blend or record.refit:
        record_finish(store, record.run_id, nominee.blend, nominee.refit)
    version = promote_nominee(ground, nominee, logged, name, settings.gate)
    record_promotion(store, record.run_id, version)
    record = replace(
        record, finalists=chosen.finalists, model=version, blend=nominee.blend, refit=nominee.refit
    )
    news.verdict(chosen.winner, chosen.test_rmse, version, record.state)
    dress(store, record, note(record))
    return record


def _logged(ground: Ground, tell: Callable[[str], object]) -> Chosen | None:
    """Give the winner whose model the sweep logged; None where it did not get so far."""
    record = ground.record
    if not record.finalists:
        return None
    winner = pick(record.finalists)
    trial = next((t for t in record.trials if t.number == winner.number), None)
    if trial is None:
        return None
    pipeline = stored(ground, trial.trial.run_id, "", tell)
    return None if pipeline is None else Chosen(tuple(record.finalists), trial, pipeline, winner.test_rmse)


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


def _choose(store: Store, record: SweepRecord, settings: Sweep, again: Again) -> Chosen:
    """Train the finalists again, score them and write them to the sweep."""
    chosen = again.finals.choose(record.trials, settings.top)
    if chosen.pipeline is None:
        wrong = f"no valid model to promote: training its {len(chosen.finalists)} finalists again gives none"
        raise NoUsableTrialError(f"sweep {record.name}", wrong, f"sweeps show {record.run_id[:8]}")
    record_finalists(store, record.run_id, chosen.finalists)
    if chosen.predictions is not None:
        record_predictions(store, record.run_id, chosen.predictions)
    return chosen
