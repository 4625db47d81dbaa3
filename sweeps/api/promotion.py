"""Log what a sweep nominates, register it, and judge it against the champion on the same rows."""

from collections.abc import Callable
from typing import Any

from sweeps import registry
from sweeps.api.finals import held_out, predict
from sweeps.api.jury import Jury
from sweeps.api.nominee import Ground, Nominee
from sweeps.data.datasets import Split
from sweeps.record import ModelVersion
from sweeps.selection.gate import Gate
from sweeps.tracking.schema import param_texts


def log_nominee(ground: Ground, nominee: Nominee) -> registry.LoggedModel:
    """Log it as one model, load it back and compare its predictions with the scored ones.

    Raises:
        SpaceError: no safe format can hold the model.
        StoreError: the store refuses, or the model predicts something else once loaded.
    """
    store, rows = ground.store, held_out(ground.dataset) or ground.dataset.train
    expected = predict(nominee.pipeline, rows)
    logged = _log(ground, nominee, rows)
    try:
        registry.loads_back(store, logged.uri, rows.X, expected)
    except registry.BrokenModelError:  # logged earlier, and changed since
        registry.refuse_model(store, logged)
        logged = _log(ground, nominee, rows)
        registry.loads_back(store, logged.uri, rows.X, expected)
    return logged


def _log(ground: Ground, nominee: Nominee, rows: Split) -> registry.LoggedModel:
    return registry.log_model(
        ground.store,
        ground.record.experiment_id,
        nominee.run_id(ground.record),
        nominee.pipeline,
        ground.dataset.train.X.head(5),
        params=param_texts(nominee.params),
        metrics=nominee.figures,
        data_name=ground.dataset.name,
        data_digest=rows.digest,
        form=nominee.form,
    )


def stored(ground: Ground, run_id: str, form: str, tell: Callable[[str], object]) -> Any:
    """Give the pipeline that was logged for a run earlier; None where there is none that can be used.

    Args:
        ground: where.
        run_id: of the trial, for a blend of the sweep.
        form: of the model, see ``registry.form_of``.
        tell: told in words of a model that was changed since it was logged.

    Raises:
        StoreError: the store refuses.
    """
    logged = registry.find_model(ground.store, ground.record.experiment_id, run_id, form)
    if logged is None:
        return None
    try:
        return registry.load_pipeline(ground.store, logged.uri)
    except registry.BrokenModelError as error:
        registry.refuse_model(ground.store, logged)
        tell(f"{error}; it is not used, the finalists are trained again")
        return None


def promote_nominee(
    ground: Ground, nominee: Nominee, logged: registry.LoggedModel, name: str, gate: Gate | None = None
) -> ModelVersion:
    """Register the logged model; alias ``champion`` where the verdict on it says so.

    Doing it twice makes no second version.

    Args:
        ground: store, sweep and data.
        nominee: what is registered.
        logged: its model, see ``log_nominee``.
        name: of the registered model.
        gate: the verdict asked for; by default a lower rmse on the same rows.
        drift: how the rows it is judged on differ from those it learned from, for the evidence.

    Raises:
        UsageError: the gate names a column that cannot be compared.
        StoreError: the registry refuses.
    """
    record, dataset = ground.record, ground.dataset
    jury = Jury(ground, gate or Gate(), nominee, logged)
    tags = {
        "sweep": record.run_id,
        "sweep_name": record.name,
        "data": dataset.name,
        "data_digest": dataset.digest,
        "trained_on": nominee.trained_on(dataset),
        "by": registry.who(),
        **nominee.tags,
    }
    candidate = registry.Candidate(logged, nominee.run_id(record), tags, jury.digest, jury.rmse, nominee.form)
    version, judged = registry.promote(ground.store, name, candidate, jury.judge)
    if judged is not None:
        evidence = {**judged.evidence, "model": {"name": version.name, "version": version.version}}
        registry.keep_evidence(ground.store, record.run_id, version, evidence, judged.card)
    return version
