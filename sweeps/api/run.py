"""``run_sweep``: the whole job in one call, from Python and notebooks."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sweeps.api.precheck import precheck
from sweeps.api.workers import start_workers
from sweeps.data.spec import DataSpec
from sweeps.notify.target import read_targets
from sweeps.record import SweepRecord
from sweeps.selection.gate import Gate
from sweeps.settings import DEFAULT_TRIALS, MAX_SEED, Sweep
from sweeps.stopping import StopRules
from sweeps.trial import Finished


def run_sweep(
    space: str | Path,
    data: str | None = None,
    *,
    trials: int | None = None,
    time: float | None = None,
    target_rmse: float | None = None,
    patience: int | None = None,
    max_failures: int | None = None,
    train: str | Path | None = None,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    table: str | Path | None = None,
    target: str | None = None,
    split_by: str | None = None,
    split_seed: int = 0,
    categorical: Sequence[str] = (),
    data_dir: str | Path | None = None,
    cv: int | None = None,
    workers: int | None = None,
    threads: int | None = None,
    device: str = "cpu",
    engine: str = "local",
    worker_env: Sequence[str] = (),
    algo: str = "tpe",
    algo_options: Mapping[str, Any] | None = None,
    prune: str = "none",
    prune_options: Mapping[str, Any] | None = None,
    trial_timeout: float | None = None,
    seed: int | None = None,
    features: str | None = None,
    sample: str | int | None = None,
    top: int = 5,
    experiment: str | None = None,
    name: str | None = None,
    register_as: str | None = None,
    register: bool = True,
    gate: Gate | str | None = None,
    refit: str = "none",
    blend: bool = False,
    tracking_uri: str | None = None,
    results: str | Path = "results",
    cache: bool = True,
    on_trial: Callable[[Finished], object] | None = None,
    progress: bool = True,
    notify: Sequence[str] = (),
) -> SweepRecord:
    """Run a sweep: search, track in MLflow, choose on held-out rows, register the best model, report.

    Args:
        space: name under ``search_spaces/`` or path of a module with ``SPACE``.
        data: ``"diabetes"``, ``"green-taxi:2023-01,2023-02,2023-03"`` or ``"module.py:function"``; else name
            files with ``train``/``valid``/``test`` or ``table``, and ``target``.
        trials: how many; 20 when neither this nor ``time`` is given.
        time: seconds after which no further trial starts.
        target_rmse: stop at this validation rmse.
        patience: stop after so many trials without a new best.
        max_failures: stop, and register nothing, when more trials fail.
        train: CSV, gzipped CSV or Parquet file.
        valid: likewise.
        test: likewise; decides between the finalists.
        table: one file to split 60/20/20 by ``split_seed``, or by the order of ``split_by``.
        target: name of the column to predict.
        split_by: column to split ``table`` by, the earliest rows train.
        split_seed: of the random split, of the folds and of ``sample``.
        categorical: columns that are categories although they hold numbers.
        data_dir: where the months of green taxi trips lie; else ``SWEEPS_DATA_DIR``, else ``data``.
        cv: folds of cross-validation on train and validation rows.
        workers: trials at once; as many as there are cores (at most 8), or GPUs, by default, on a cluster as
            many as it has room for.
        threads: per trial; cores // workers by default, 1 on a cluster.
        device: ``"cuda"`` trains XGBoost on GPUs, one for each trial; kept with the sweep.
        engine: ``"local"`` (processes), ``"serial"`` (this process), or a cluster: ``"dask://HOST:PORT"``,
            ``"ray://HOST:PORT"``, ``"spark://HOST:PORT"``; ``"dask"``, ``"ray"`` and Spark's ``"local[N]"``
            start one on this machine.
        worker_env: names of credentials in the environment that workers are to see; others are withheld.
        algo: ``tpe``, ``random``, ``anneal``, ``mix`` or ``atpe``.
        algo_options: settings of the algorithm, such as ``{"n_startup_jobs": 10}``.
        prune: ``forecast``, ``asha`` or ``median`` stop hopeless trials early; ``none`` does not.
        prune_options: settings of the pruner, such as ``{"eta": 4}``.
        trial_timeout: seconds after which a trial is killed and counts as failed.
        seed: of all draws; a fresh one by default, kept with the sweep.
        features: ``"auto"`` or ``"dataset"``, overriding the space's ``FEATURES``.
        sample: how many of the training rows the search takes, ``"10%"`` or ``50_000``, drawn by
            ``split_seed``; the finalists are trained again on all of them. All by default.
        top: how many of the best trials are scored on the test rows.
        experiment: name of the MLflow experiment; the data's name by default.
        name: of the sweep; made from space, data and time by default.
        register_as: name of the registered model; the data's name and ``-regressor`` by default.
        register: whether to register at all.
        gate: the verdict that the winner needs to become champion, or its kind: ``better`` (the default),
            ``significant`` or ``none``.
        refit: ``"train+valid"``: what was chosen is trained again on both before it is registered, and gets a
            test rmse of its own.
        blend: whether an average of the finalists takes the winner's place where it is better on the test
            rows.
        tracking_uri: MLflow store; ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db`` here by default.
        results: folder for ``<name>/report.html``, tables and pictures.
        cache: whether the rows and features are kept on disk for the next sweep on the same data.
        on_trial: called with every trial that ends.
        progress: whether a notebook shows how the sweep goes on; elsewhere nothing is shown.
        notify: commands and web addresses that are told of a new best, the verdict and the end, as JSON.

    Returns:
        The finished sweep as MLflow holds it: its trials, finalists and registered model.

    Raises:
        SweepsError: space, data, store or settings are unusable, or no trial succeeded (``sweeps.errors``).
    """
    sweep = Sweep(
        space=str(space),
        data=DataSpec(
            name=data,
            train=_text(train),
            valid=_text(valid),
            test=_text(test),
            table=_text(table),
            target=target,
            split_by=split_by,
            seed=split_seed,
            categorical=tuple(categorical),
            data_dir=_text(data_dir),
            cv=cv,
        ),
        stop=_stop(trials, time, target_rmse, patience, max_failures),
        seed=secrets.randbelow(MAX_SEED) if seed is None else seed,
        algo=algo,
        algo_options={key: str(value) for key, value in (algo_options or {}).items()},
        prune=prune,
        prune_options={key: str(value) for key, value in (prune_options or {}).items()},
        trial_timeout=trial_timeout,
        engine=engine,
        worker_env=tuple(worker_env),
        workers=workers,
        threads=threads,
        device=device,
        features=features,
        sample=_text(sample),
        top=top,
        experiment=experiment,
        name=name,
        register_as=register_as,
        register=register,
        gate=Gate(gate) if isinstance(gate, str) else gate,
        refit=refit,
        blend=blend,
    )
    place = tracking_uri, Path(results)
    return run_settings(sweep, *place, on_trial, cache=cache, progress=progress, notify=notify)


def run_settings(
    sweep: Sweep,
    tracking_uri: str | None = None,
    results: Path = Path("results"),
    on_trial: Callable[[Finished], object] | None = None,
    *,
    cache: bool = True,
    progress: bool = False,
    notify: Sequence[str] = (),
) -> SweepRecord:
    """Run a sweep from its settings; see ``run_sweep``."""
    targets = read_targets(notify)
    precheck(sweep, tracking_uri, results)
    with start_workers(sweep) as engine:
        from sweeps.api.session import Session
        from sweeps.api.shown import run_session

        with Session(sweep, engine, tracking_uri, results, cache=cache, notify=targets) as session:
            return run_session(session, on_trial, progress=progress)


def _stop(trials: int | None, time: float | None, *others: Any) -> StopRules:
    """Give the rules by which it ends: after the usual number of trials where no end is given."""
    return StopRules(DEFAULT_TRIALS if trials is None and time is None else trials, time, *others)


def _text(value: str | int | Path | None) -> str | None:
    return None if value is None else str(value)
