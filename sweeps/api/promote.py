"""Register the best model of an earlier sweep, from what MLflow holds of it."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sweeps import registry
from sweeps.api.encodings import Encodings
from sweeps.api.finals import Chosen, Finals
from sweeps.api.promotion import log_winner, promote_winner
from sweeps.api.shelf import Shelf
from sweeps.data.datasets import Dataset, load_dataset
from sweeps.engines import open_engine
from sweeps.errors import DataError, NoUsableTrialError, SpaceError, StoreError
from sweeps.record import SweepRecord
from sweeps.selection import pick
from sweeps.settings import Sweep
from sweeps.space.search_space import load_space
from sweeps.tracking.reader import find_sweep, read_sweep
from sweeps.tracking.store import Store, find_store, resolve_uri
from sweeps.tracking.writer import record_finalists, record_promotion


def promote_sweep(
    sweep: str, register_as: str | None = None, *, tracking_uri: str | None = None
) -> SweepRecord:
    """Register the winner of a sweep and judge it against the champion on the same rows.

    What a finished sweep logged is used as it is; for an interrupted one the finalists are trained again from
    their points and seeds. Doing it twice makes no second version.

    Args:
        sweep: run id or its beginning, name, or ``last``.
        register_as: name of the registered model; by default as the sweep said.
        tracking_uri: MLflow store, as for ``run_sweep``.

    Returns:
        The sweep with its finalists and its registered model.

    Raises:
        SpaceError: the search space was changed since.
        DataError: the data was changed since.
        NoUsableTrialError: no trial is COMPLETE, or its training gives no model.
        StoreError: the store refuses.
    """
    if register_as is not None:
        registry.check_model_name(register_as, "--as")
    store = find_store(resolve_uri(tracking_uri))
    record = read_sweep(store, find_sweep(store, sweep))
    if record.best is None:
        hint = f"sweeps show {record.run_id[:8]} says why"
        raise NoUsableTrialError(
            f"sweep {record.name}", "no trial is COMPLETE: there is nothing to promote", hint
        )
    settings = _settings(record)
    dataset = load_dataset(settings.data)
    if dataset.digest != record.extra.get("data_digest"):
        wrong = (
            f"was changed since the sweep (digest {record.extra.get('data_digest')}, now {dataset.digest})"
        )
        raise DataError(f"data {dataset.name}", wrong, "bring the old data back, or run a new sweep")
    name = register_as or settings.register_as or f"{dataset.slug}-regressor"
    registry.check_model_name(name)
    chosen = _logged(store, record) or _choose(store, record, settings, dataset)
    logged = log_winner(store, record, dataset, chosen)
    version = promote_winner(store, record, dataset, chosen, logged, name)
    record_promotion(store, record.run_id, version)
    return replace(record, finalists=chosen.finalists, model=version)


def _settings(record: SweepRecord) -> Sweep:
    """Read the settings of a sweep; one killed at its very start has none."""
    try:
        return Sweep.from_json(record.settings)
    except (KeyError, TypeError) as error:
        wrong = "the store has no settings of it (sweep.json) that this version can read"
        raise StoreError(f"sweep {record.name}", wrong, "run a new sweep") from error


def _logged(store: Store, record: SweepRecord) -> Chosen | None:
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
    pipeline = registry.load_pipeline(store, logged.uri)
    return Chosen(tuple(record.finalists), trial, pipeline, winner.test_rmse)


def _choose(store: Store, record: SweepRecord, settings: Sweep, dataset: Dataset) -> Chosen:
    """Train the finalists again, score them and write them to the sweep."""
    space = load_space(settings.space)
    if space.digest != record.extra.get("space_digest"):
        wrong = "was changed since the sweep: the finalists cannot be trained again as they were"
        raise SpaceError(f"space {space.name}", wrong, f"bring back the source kept with sweep {record.name}")
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="sweeps-")))
        engine = stack.enter_context(open_engine(settings.engine, settings.workers, settings.threads))
        encodings = Encodings(dataset, space, settings.features, scratch)
        finals = Finals(settings.seed, dataset, space, encodings, Shelf(scratch, settings.top), engine)
        chosen = finals.choose(record.trials, settings.top)
    if chosen.pipeline is None:
        raise NoUsableTrialError(
            f"sweep {record.name}", "its training gives no model that could be registered"
        )
    record_finalists(store, record.run_id, chosen.finalists)
    return chosen
