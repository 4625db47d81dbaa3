"""Register the winner of a sweep and judge it against the champion on the same rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps import registry
from sweeps.api.finals import Chosen, held_out, predict, rmse_of
from sweeps.data.datasets import Dataset, Split
from sweeps.errors import SweepsError, one_line
from sweeps.record import ModelVersion, SweepRecord
from sweeps.selection import Verdict, verdict
from sweeps.tracking.store import Store


def log_winner(store: Store, record: SweepRecord, dataset: Dataset, chosen: Chosen) -> registry.LoggedModel:
    """Log the winner as one model, load it back and compare its predictions with the scored ones.

    Raises:
        SpaceError: no safe format can hold the model.
        StoreError: the store refuses, or the model predicts something else once loaded.
    """
    rows = held_out(dataset) or dataset.train
    winner = chosen.winner
    logged = registry.log_model(
        store,
        record.experiment_id,
        winner.trial.run_id,
        chosen.pipeline,
        dataset.train.X.head(5),
        params=winner.trial.proposal.params,
        metrics=_figures(chosen),
        data_name=dataset.name,
        data_digest=rows.digest,
    )
    registry.loads_back(store, logged.uri, rows.X, predict(chosen.pipeline, rows))
    return logged


def promote_winner(
    store: Store,
    record: SweepRecord,
    dataset: Dataset,
    chosen: Chosen,
    logged: registry.LoggedModel,
    name: str,
) -> ModelVersion:
    """Register the logged model; alias ``champion`` if it beats the present one on the same rows.

    Doing it twice makes no second version.

    Raises:
        StoreError: the registry refuses.
    """
    judged = judge(store, name, dataset, chosen.pipeline)
    winner = chosen.winner
    tags = {
        "sweep": record.run_id,
        "sweep_name": record.name,
        "trial": winner.number,
        "data": dataset.name,
        "data_digest": dataset.digest,
        **_figures(chosen),
    }
    return registry.promote(
        store,
        name,
        logged,
        winner.trial.run_id,
        tags=tags,
        description=describe(record, dataset, chosen, judged),
        verdict=judged.alias,
        reason=judged.reason,
    )


def judge(store: Store, name: str, dataset: Dataset, pipeline: Any) -> Verdict:
    """Compare a candidate with the champion on the held-out rows."""
    champion, rows = registry.champion_of(store, name), held_out(dataset)
    if champion is None:
        return verdict(0.0, None)
    if rows is None:
        return verdict(0.0, None, "every row was trained on; name test rows with --test")
    try:
        theirs = rmse_of(_champion_predictions(store, champion.uri, rows), rows)
    except Exception as error:  # noqa: BLE001  # a foreign model may raise anything; it then stays champion
        text = str(error) if isinstance(error, SweepsError) else f"{type(error).__name__}: {error}"
        return verdict(0.0, None, one_line(text)[:500])
    return verdict(rmse_of(predict(pipeline, rows), rows), theirs)


def describe(record: SweepRecord, dataset: Dataset, chosen: Chosen, judged: Verdict) -> str:
    """Write the version's description, in Markdown."""
    figures = "\n".join(f"| {key} | {value:.6g} |" for key, value in _figures(chosen).items())
    params = ", ".join(f"{key}={value}" for key, value in chosen.winner.trial.proposal.params.items())
    return (
        f"Winner of sweep **{record.name}**, trial {chosen.winner.number}: "
        f"{judged.alias}, {judged.reason}.\n\n"
        f"| figure | value |\n|---|---|\n{figures}\n\n"
        f"Data `{dataset.name}`, digest `{dataset.digest}`. Takes raw rows with the columns of the signature "
        f"and predicts `{dataset.target}`.\n\nParams: {params}\n"
    )


def _figures(chosen: Chosen) -> Mapping[str, float]:
    rmse = chosen.winner.outcome.rmse
    figures = {"rmse": rmse, "test_rmse": chosen.test_rmse}
    return {key: value for key, value in figures.items() if value is not None}


def _champion_predictions(store: Store, uri: str, rows: Split) -> NDArray[np.float64]:
    return predict(registry.load_pipeline(store, uri), rows)
