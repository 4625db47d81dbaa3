"""Write a sweep to MLflow: the driver's only pen, by run id, never through an active run."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from sweeps.errors import UsageError, one_line, redact
from sweeps.record import Finalist, ModelVersion
from sweeps.tracking import schema
from sweeps.tracking.context import context_tags
from sweeps.tracking.inputs import DatasetInfo, log_datasets
from sweeps.tracking.store import Store, check_label, ensure_experiment, store_errors
from sweeps.trial import Finished, Outcome, Params, Proposal, State, Trial

if TYPE_CHECKING:
    from mlflow.entities import Metric

MOST_FINALISTS = 150
"""They travel in one tag."""


@dataclass(frozen=True)
class Origin:
    """What a sweep searches, and on what."""

    space_name: str
    space_source: str
    space_digest: str
    data_name: str
    data_digest: str
    inputs: Sequence[DatasetInfo] = ()

    def tags(self) -> dict[str, str]:
        """Give the tags of the sweep's run."""
        return {
            "sweeps.space": self.space_name,
            "sweeps.space_digest": self.space_digest,
            "sweeps.data": redact(self.data_name),
            "sweeps.data_digest": self.data_digest,
            "sweeps.version": _own_version(),
        }


class SweepWriter:
    """A sweep's run and those of its trials; see ``open``."""

    def __init__(
        self,
        store: Store,
        experiment_id: str,
        run_id: str,
        context: Mapping[str, str],
        describe: Callable[[Params], Params],
    ) -> None:
        self.store, self.experiment_id, self.run_id = store, experiment_id, run_id
        self.seconds = 0.0
        """Wall time spent in MLflow so far."""
        self._context, self._describe = context, describe
        self._counts: Counter[State] = Counter()
        self._best: tuple[float, int] | None = None
        self._step = 0
        self._clock = 0

    @classmethod
    def open(
        cls,
        store: Store,
        experiment: str,
        name: str,
        *,
        settings: Mapping[str, Any],
        origin: Origin,
        describe: Callable[[Params], Params] = schema.flat,
    ) -> "SweepWriter":
        """Begin a sweep: make its run, with settings, source and datasets.

        Args:
            store: where.
            experiment: made where there is none.
            name: of the sweep.
            settings: JSON values, everything needed to run it again; kept as ``sweep.json`` and as params.
            origin: the search space and the data.
            describe: gives the params of a trial as they are to be logged, flat.

        Raises:
            UsageError: a name is illegal.
            StoreError: MLflow refuses, or the experiment is deleted.
        """
        started = time.perf_counter()
        check_label("--name", name, 250)
        experiment_id = ensure_experiment(store, experiment)
        context = context_tags()
        tags = {**context, **origin.tags(), schema.KIND: "sweep", schema.STATE: str(State.RUNNING)}
        with store_errors(store.shown):
            run = store.client.create_run(experiment_id, tags=tags, run_name=name)
        writer = cls(store, experiment_id, run.info.run_id, context, describe)
        writer.seconds = time.perf_counter() - started
        writer._log_origin(settings, origin)
        return writer

    def start(self, proposal: Proposal) -> Trial:
        """Make the trial's run and log its params."""
        from mlflow.entities import Param

        started = time.time()
        tags = {**self._context, **schema.trial_tags(proposal, self.run_id)}
        params = [
            Param(schema.legal(key), schema.param_text(value))
            for key, value in self._describe(proposal.params).items()
        ]
        with self._call():
            run = self.store.client.create_run(
                self.experiment_id, _ms(started), tags, schema.trial_name(proposal.number)
            )
            self.store.client.log_batch(run.info.run_id, params=params)
        return Trial(proposal, run.info.run_id, started)

    def finish(self, trial: Trial, outcome: Outcome) -> Finished:
        """Write the trial's final state, and how the sweep stands with it.

        MLflow writes tags after metrics: once the state is there, all of the outcome is.
        """
        ended = time.time()
        with self._call():
            if outcome.state is State.FAILED:
                self._log_text(trial.run_id, redact(outcome.error or ""), "error.txt")
            metrics = _metrics(outcome, _ms(ended))
            self.store.client.log_batch(trial.run_id, metrics=metrics, tags=_tags(_verdict(outcome)))
            self.store.client.set_terminated(trial.run_id, schema.STATUS[outcome.state], _ms(ended))
            self._log_standing(trial.proposal.number, outcome, _ms(ended))
        return Finished(trial, outcome, ended)

    def log_finalists(self, finalists: Sequence[Finalist]) -> None:
        """Write the table of finalists, so that a reader gets it back.

        Raises:
            UsageError: more than fit.
        """
        with self._call():
            record_finalists(self.store, self.run_id, finalists)

    def log_promotion(self, promoted: ModelVersion) -> None:
        """Write which model the sweep gave the registry."""
        with self._call():
            record_promotion(self.store, self.run_id, promoted)

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Keep a file as an artifact of the sweep."""
        with self._call():
            self.store.client.log_artifact(self.run_id, str(path), folder)

    def close(self, state: str, note: str = "", metrics: Mapping[str, float] | None = None) -> None:
        """End the sweep.

        Args:
            state: COMPLETE, INTERRUPTED or FAILED.
            note: Markdown, shown on top of the sweep's page.
            metrics: further figures of the sweep as a whole.
        """
        from mlflow.entities import Metric

        now = time.time()
        tags = {schema.STATE: state, schema.NOTE: redact(note)[: schema.MAX_TAG]}
        figures = [Metric(schema.legal(key), value, _ms(now), 0) for key, value in (metrics or {}).items()]
        with self._call():
            self.store.client.log_batch(self.run_id, metrics=figures, tags=_tags(tags))
            self.store.client.set_terminated(self.run_id, schema.SWEEP_STATUS[state], _ms(time.time()))
            self.store.settle()

    def _log_origin(self, settings: Mapping[str, Any], origin: Origin) -> None:
        from mlflow.entities import Param

        params = [
            Param(schema.legal(key), schema.param_text(value)) for key, value in schema.flat(settings).items()
        ]
        file = f"space/{PurePath(origin.space_name).stem}.py"
        with self._call():
            self.store.client.log_batch(self.run_id, params=params)
            self._log_text(self.run_id, json.dumps(settings, indent=2), "sweep.json")
            self._log_text(self.run_id, origin.space_source, file)
            log_datasets(self.store.client, self.run_id, origin.inputs)

    def _log_standing(self, number: int, outcome: Outcome, now: int) -> None:
        """Bring counts and best up to date; steps and times only grow, else MLflow shows an old value."""
        from mlflow.entities import Metric

        self._counts[outcome.state] += 1
        self._step, self._clock = max(self._step, number), max(self._clock + 1, now)
        tags = _tags({schema.BEST_TRIAL: str(number)}) if self._is_best(number, outcome) else []
        figures = {f"trials_{outcome.state.lower()}": float(self._counts[outcome.state])}
        if self._best is not None:
            figures["best_rmse"] = self._best[0]
        metrics = [Metric(key, value, self._clock, self._step) for key, value in figures.items()]
        self.store.client.log_batch(self.run_id, metrics=metrics, tags=tags)

    def _is_best(self, number: int, outcome: Outcome) -> bool:
        if outcome.state is not State.COMPLETE or outcome.rmse is None:
            return False
        if self._best is not None and (outcome.rmse, number) >= self._best:
            return False
        self._best = (outcome.rmse, number)
        return True

    def _log_text(self, run_id: str, text: str, file: str) -> None:
        self.store.client.log_text(run_id, text.encode("utf-8", "replace").decode(), file)

    @contextmanager
    def _call(self) -> Iterator[None]:
        started = time.perf_counter()
        try:
            with store_errors(self.store.shown):
                yield
        finally:
            self.seconds += time.perf_counter() - started


def record_finalists(store: Store, sweep: str, finalists: Sequence[Finalist]) -> None:
    """Write the table of finalists on the sweep's run.

    Raises:
        UsageError: more than fit.
    """
    if len(finalists) > MOST_FINALISTS:
        raise UsageError("--top", f"at most {MOST_FINALISTS} finalists, got {len(finalists)}")
    rows = [[f.number, f.rmse, f.test_rmse] for f in finalists]
    table = {"columns": ["trial", "rmse", "test_rmse"], "data": rows}
    with store_errors(store.shown):
        store.client.log_dict(sweep, table, "finalists.json")
        store.client.set_tag(sweep, schema.FINALISTS, json.dumps(rows, separators=(",", ":")))


def record_promotion(store: Store, sweep: str, promoted: ModelVersion) -> None:
    """Write on the sweep's run which model it gave the registry."""
    content = {
        "name": promoted.name,
        "version": promoted.version,
        "alias": promoted.alias,
        "reason": promoted.reason,
    }
    with store_errors(store.shown):
        store.client.set_tag(sweep, schema.MODEL, json.dumps(content))


def _own_version() -> str:
    try:
        return version("sweeps")
    except PackageNotFoundError:
        return "not installed"  # run from a checkout


def _verdict(outcome: Outcome) -> dict[str, str]:
    tags = {schema.STATE: str(outcome.state)}
    if outcome.reason:
        tags[schema.ERROR] = one_line(redact(outcome.reason))[: schema.MAX_ERROR]
    return tags


def _metrics(outcome: Outcome, now: int) -> "list[Metric]":
    from mlflow.entities import Metric

    curve = [Metric("val_rmse", value, now, step) for step, value in schema.thinned(outcome.curve)]
    return [Metric(name, value, now, 0) for name, value in schema.figures(outcome).items()] + curve


def _tags(tags: Mapping[str, str]) -> list[Any]:
    from mlflow.entities import RunTag

    return [RunTag(key, str(value)) for key, value in tags.items()]


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
