"""Write a sweep to MLflow: the driver's only pen, by run id, never through an active run."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from threading import RLock
from typing import Any, Protocol

from sweeps.credentials import redact
from sweeps.environment import installed
from sweeps.errors import SpaceError, SweepOwnedError
from sweeps.ranges import Range
from sweeps.record import Blend, Finalist, ModelVersion, Predictions, Refit, SweepRecord
from sweeps.tracking import schema
from sweeps.tracking.by_client import ClientPen, tags_of
from sweeps.tracking.by_sql import SqlPen
from sweeps.tracking.change import Change, Draft, Entry, milliseconds
from sweeps.tracking.context import context_tags
from sweeps.tracking.database import database_of
from sweeps.tracking.doubles import delete_doubles, doubled_trials
from sweeps.tracking.findings import (
    record_drift,
    record_finalists,
    record_finish,
    record_predictions,
    record_promotion,
)
from sweeps.tracking.inputs import DatasetInfo, log_datasets
from sweeps.tracking.owner import DRIVEN, Owner
from sweeps.tracking.spool import Spool
from sweeps.tracking.store import Store, check_label, ensure_experiment, store_errors
from sweeps.tracking.tally import Tally
from sweeps.trial import Finished, Params, State, Trial

STANDING_SECONDS = 1.0
"""How old the sweep's own figures may get while trials end."""

BEAT_SECONDS = 5.0
"""How often a sweep shows that it is driven, and looks whether it should end, when nothing else happens."""

UNSET: tuple[Any, ...] = (None, (), [], "")
"""Settings nobody gave; as params they would only hide the others on the sweep's page."""


@dataclass(frozen=True)
class Origin:
    """What a sweep searches, and on what."""

    space_name: str
    space_source: str
    space_digest: str
    data_name: str
    data_digest: str
    inputs: Sequence[DatasetInfo] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """What else decides its figures, see ``sweeps.environment``."""
    ranges: Sequence[Range] = ()

    def tags(self) -> dict[str, str]:
        """Give the tags of the sweep's run."""
        return {
            "sweeps.space": self.space_name,
            "sweeps.space_digest": self.space_digest,
            "sweeps.data": redact(self.data_name),
            "sweeps.data_digest": self.data_digest,
            "sweeps.version": installed("sweeps") or "not installed",
            schema.ENVIRONMENT: json.dumps(dict(self.environment)),
        }


class Pen(Protocol):
    """A way of writing."""

    batch: int
    """Changes worth handing over at once."""
    doubles: bool
    """Whether a lost answer may leave a second run."""

    def write(self, changes: Sequence[Change]) -> list[str]:
        """Write changes in order; give the ids of their runs."""


class SweepWriter:
    """A sweep's run and those of its trials; see ``open`` and ``reopen``. Threads take turns."""

    def __init__(self, store: Store, experiment_id: str, draft: Draft, pen: Pen) -> None:
        self.store, self.experiment_id, self.run_id = store, experiment_id, draft.parent
        self.batch = pen.batch
        """Entries worth handing over at once."""
        self._draft, self._pen = draft, pen
        self._running: dict[int, Trial] = {}
        self._tally, self._spool = Tally(draft.parent), Spool(draft.parent)
        self._standing: Change | None = None
        self._tallied, self._looked = 0.0, time.monotonic()
        self._owner, self._turn = str(Owner.this()), RLock()
        DRIVEN.add(self.run_id)
        self.asked_to_stop = False
        """Whether somebody wrote the tag ``sweeps.stop``; looked up with every beat."""

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
        check_label("--name", name, 250)
        experiment_id = ensure_experiment(store, experiment)
        context = context_tags()
        tags = {**context, **origin.tags(), schema.KIND: "sweep", **_begun(settings)}
        with store_errors(store.shown):
            pen = open_pen(store, experiment_id)
            key = {schema.KEY: uuid.uuid4().hex} if pen.doubles else {}
            run = store.client.create_run(experiment_id, tags={**tags, **key}, run_name=name)
        if pen.doubles:
            delete_doubles(store, experiment_id, run.info.run_id, key[schema.KEY])
        writer = cls(store, experiment_id, Draft(run.info.run_id, context, describe), pen)
        writer._tally.go_on((), run.info.start_time)
        writer._log_origin(settings, origin)
        return writer

    @classmethod
    def reopen(
        cls,
        store: Store,
        record: SweepRecord,
        *,
        settings: Mapping[str, Any],
        origin: Origin,
        describe: Callable[[Params], Params] = schema.flat,
    ) -> "SweepWriter":
        """Go on with a sweep that this or another process began: from now on this one drives it.

        Args:
            store: where.
            record: what is there of it; no trial of it runs.
            settings: as they are from now on.
            origin: likewise.
            describe: see ``open``.

        Raises:
            StoreError: MLflow refuses, or is gone.
        """
        changed = origin.space_digest != record.extra.get("space_digest")
        with store_errors(store.shown):
            pen = open_pen(store, record.experiment_id)
            tags = {**origin.tags(), **_begun(settings), schema.ERROR: "", schema.STOP: ""}
            store.client.log_batch(record.run_id, tags=tags_of(tags))
            # last: a kill in between leaves a sweep that the next command sees to be abandoned
            store.client.update_run(record.run_id, status="RUNNING")
        writer = cls(store, record.experiment_id, Draft(record.run_id, context_tags(), describe), pen)
        writer._tally.go_on(record.trials, milliseconds(time.time()))
        writer._log_settings(settings)
        if changed:
            writer._log_space(origin, f"-{origin.space_digest[:8]}")
        return writer

    def write(self, entries: Sequence[Entry]) -> list[Finished]:
        """Write trials that began or ended; give those that ended, in order.

        MLflow's tags are written last: once a final state is there, all of the outcome is.

        Raises:
            StoreError: MLflow refuses, or is gone.
            SpaceError: a point does not fit into a tag.
        """
        with self._call():
            run_ids = self._pen.write([self._draft.change(entry, self._run_of(entry)) for entry in entries])
        self._spool.done(
            e.proposal.number for e in entries if e.outcome and e.outcome.state is not State.LOST
        )
        finished = [self._written(entry, run_id) for entry, run_id in zip(entries, run_ids, strict=True)]
        return [one for one in finished if one is not None]

    def keep(self, entry: Entry) -> None:
        """Keep a trial that began and ended on local disk, until it is written. Any thread may call this."""
        with suppress(SpaceError):  # whoever writes it will say so
            self._spool.add(entry.proposal.number, self._draft.change(entry, None))

    def forget(self) -> None:
        """Nothing waits any more."""
        self._spool.done(())

    def kept(self) -> Path | None:
        """Give the file in which results wait, as safe as they can be there; None where there can be none."""
        try:
            self._spool.sync()
        except OSError:
            return None
        return self._spool.path

    def _run_of(self, entry: Entry) -> str | None:
        return self._running[entry.proposal.number].run_id if entry.began is None else None

    def _written(self, entry: Entry, run_id: str) -> Finished | None:
        number = entry.proposal.number
        if entry.began is not None:
            self._running[number] = Trial(entry.proposal, run_id, entry.began)
        if entry.outcome is None:
            return None
        self._tally.add(number, entry.outcome, milliseconds(entry.ended))
        return Finished(self._running.pop(number), entry.outcome, entry.ended)

    @property
    def standing_due(self) -> float:
        """Seconds until the sweep's own figures should be written, or a beat where they are up to date."""
        current = self._tally.is_written and self._standing is None
        age = BEAT_SECONDS if current else STANDING_SECONDS
        return max(0.0, self._tallied + age - time.monotonic())

    def write_standing(self) -> None:
        """Bring counts, best and its history on the sweep's own run up to date, and show that it is driven.

        Raises:
            StoreError: MLflow refuses, or is gone.
            SweepOwnedError: another process has taken the sweep over.
        """
        with self._call():
            self._standing = self._standing or self._tally.take() or Change(self.run_id)
            beat = {schema.BEAT: str(milliseconds(time.time()))}
            self._pen.write([replace(self._standing, verdict={**self._standing.verdict, **beat})])
            self._standing, self._tallied = None, time.monotonic()
            if self._tallied - self._looked >= BEAT_SECONDS:
                self._look()

    def _look(self) -> None:
        """See what others wrote on the sweep's run."""
        tags = self.store.client.get_run(self.run_id).data.tags
        self._looked = time.monotonic()
        self.asked_to_stop = bool(tags.get(schema.STOP))
        if tags.get(schema.OWNER) not in ("", self._owner):
            other = Owner.read(tags.get(schema.OWNER, ""))
            by = other.shown if other else "another process"
            raise SweepOwnedError(
                f"sweep {self.run_id[:8]}", f"{by} has taken it over", "leave it to that one"
            )

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

    def log_finish(self, blend: Blend | None, refit: Refit | None) -> None:
        """Write what became of the winner before it was registered."""
        with self._call():
            record_finish(self.store, self.run_id, blend, refit)

    def log_predictions(self, predictions: Predictions) -> None:
        """Keep what the winner predicts for held-out rows."""
        with self._call():
            record_predictions(self.store, self.run_id, predictions)

    def log_drift(self, drift: Mapping[str, Any]) -> None:
        """Keep how the held-out rows differ from the training rows."""
        with self._call():
            record_drift(self.store, self.run_id, drift)

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
        tags = {schema.STATE: state, schema.NOTE: redact(note)[: schema.MAX_TAG], schema.OWNER: ""}
        figures = [
            Metric(schema.legal(key), value, milliseconds(now), 0) for key, value in (metrics or {}).items()
        ]
        self.write_standing()
        with self._call():
            self._close_doubles()
            ended = max(milliseconds(now), self._tally.clock)
            self.store.client.set_terminated(self.run_id, schema.SWEEP_STATUS[state], ended)
            # last: a kill in between leaves a sweep that the next command sees to be abandoned
            self.store.client.log_batch(self.run_id, metrics=figures, tags=tags_of(tags))
            self.store.settle()
        self.let_go()

    def _close_doubles(self) -> None:
        if self._pen.doubles:
            own = [trial.run_id for trial in self._running.values()]
            self._pen.write(doubled_trials(self.store, self.experiment_id, self.run_id, own))

    def let_go(self) -> None:
        """Drive the sweep no more, whatever the store holds of it."""
        DRIVEN.discard(self.run_id)

    def _log_origin(self, settings: Mapping[str, Any], origin: Origin) -> None:
        from mlflow.entities import Param

        given = {key: value for key, value in schema.flat(settings).items() if value not in UNSET}
        texts = schema.param_texts(given)
        params = [Param(key, text) for key, text in texts.items()]
        with self._call():
            self.store.client.log_batch(self.run_id, params=params)
            log_datasets(self.store.client, self.run_id, origin.inputs)
        self._log_settings(settings)
        self._log_space(origin)

    def _log_settings(self, settings: Mapping[str, Any]) -> None:
        self._log_text(json.dumps(settings, indent=2), "sweep.json")

    def _log_space(self, origin: Origin, suffix: str = "") -> None:
        self._log_text(origin.space_source, f"space/{PurePath(origin.space_name).stem}{suffix}.py")
        self._log_text(json.dumps([one.to_json() for one in origin.ranges]), schema.RANGES)

    def _log_text(self, text: str, file: str) -> None:
        with self._call():
            self.store.client.log_text(self.run_id, text.encode("utf-8", "replace").decode(), file)

    @contextmanager
    def _call(self) -> Iterator[None]:
        with self._turn, store_errors(self.store.shown):
            yield


def _begun(settings: Mapping[str, Any]) -> dict[str, str]:
    """Give the tags of a sweep that this process drives."""
    tags = {schema.STATE: str(State.RUNNING), schema.OWNER: str(Owner.this())}
    text = json.dumps(settings, separators=(",", ":"))
    return tags | {schema.SETTINGS: text if len(text) <= schema.MAX_TAG else ""}


def open_pen(store: Store, experiment_id: str) -> Pen:
    """Give the best way of writing to a store.

    Args:
        store: where.
        experiment_id: of the runs to be made.
    """
    database = database_of(store)
    if database is None:
        return ClientPen(store, experiment_id)
    location = store.client.get_experiment(experiment_id).artifact_location
    return SqlPen(database, experiment_id, location)
