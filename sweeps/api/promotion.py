"""Register the winner of a sweep and judge it against the champion on the same rows."""

from collections.abc import Mapping
from typing import Any

from sweeps import registry
from sweeps.api.finals import Chosen, held_out, predict
from sweeps.api.jury import Jury
from sweeps.data.datasets import Dataset, Split
from sweeps.record import ModelVersion, SweepRecord
from sweeps.selection.gate import Gate
from sweeps.tracking.schema import param_texts
from sweeps.tracking.store import Store


def log_winner(store: Store, record: SweepRecord, dataset: Dataset, chosen: Chosen) -> registry.LoggedModel:
    """Log the winner as one model, load it back and compare its predictions with the scored ones.

    Raises:
        SpaceError: no safe format can hold the model.
        StoreError: the store refuses, or the model predicts something else once loaded.
    """
    rows = held_out(dataset) or dataset.train
    expected = predict(chosen.pipeline, rows)
    logged = _log(store, record, dataset, chosen, rows)
    try:
        registry.loads_back(store, logged.uri, rows.X, expected)
    except registry.BrokenModelError:  # logged earlier, and changed since
        registry.refuse_model(store, logged)
        logged = _log(store, record, dataset, chosen, rows)
        registry.loads_back(store, logged.uri, rows.X, expected)
    return logged


def _log(
    store: Store, record: SweepRecord, dataset: Dataset, chosen: Chosen, rows: Split
) -> registry.LoggedModel:
    winner = chosen.winner
    return registry.log_model(
        store,
        record.experiment_id,
        winner.trial.run_id,
        chosen.pipeline,
        dataset.train.X.head(5),
        params=param_texts(winner.trial.proposal.params),
        metrics=_figures(chosen),
        data_name=dataset.name,
        data_digest=rows.digest,
    )


def promote_winner(
    store: Store,
    record: SweepRecord,
    dataset: Dataset,
    chosen: Chosen,
    logged: registry.LoggedModel,
    name: str,
    gate: Gate | None = None,
    drift: Mapping[str, Any] | None = None,
) -> ModelVersion:
    """Register the logged model; alias ``champion`` where the verdict on it says so.

    Doing it twice makes no second version.

    Args:
        store: where.
        record: the sweep.
        dataset: its data.
        chosen: its winner.
        logged: the winner's model, see ``log_winner``.
        name: of the registered model.
        gate: the verdict asked for; by default a lower rmse on the same rows.
        drift: how the rows it is judged on differ from those it learned from, for the evidence.

    Raises:
        UsageError: the gate names a column that cannot be compared.
        StoreError: the registry refuses.
    """
    jury = Jury(store, gate or Gate(), record, dataset, chosen, logged, drift)
    winner = chosen.winner
    tags = {
        "sweep": record.run_id,
        "sweep_name": record.name,
        "trial": winner.number,
        "data": dataset.name,
        "data_digest": dataset.digest,
        "by": registry.who(),
        **_figures(chosen),
    }
    candidate = registry.Candidate(logged, winner.trial.run_id, tags, jury.digest, jury.rmse)
    version, judged = registry.promote(store, name, candidate, jury.judge)
    if judged is not None:
        evidence = {**judged.evidence, "model": {"name": version.name, "version": version.version}}
        registry.keep_evidence(store, record.run_id, version, evidence, judged.card)
    return version


def _figures(chosen: Chosen) -> Mapping[str, float]:
    rmse = chosen.winner.outcome.rmse
    figures = {"rmse": rmse, "test_rmse": chosen.test_rmse}
    return {key: value for key, value in figures.items() if value is not None}
