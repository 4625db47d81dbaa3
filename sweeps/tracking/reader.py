"""Read sweeps back from MLflow: what lists, reports and resume work on."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.errors import StoreError, UsageError, unknown
from sweeps.record import Blend, Finalist, Member, ModelVersion, Refit, Sample, SweepRecord
from sweeps.scratch import scratch_folder
from sweeps.tracking import schema
from sweeps.tracking.context import COMMIT
from sweeps.tracking.owner import DRIVEN, Owner
from sweeps.tracking.rows import PAGE, RunRow, search, trial_rows
from sweeps.tracking.store import Store, store_errors
from sweeps.trial import Finished, State, Trial

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

RANK = {State.COMPLETE: 0, State.PRUNED: 1, State.FAILED: 2, State.LOST: 3}
"""Which of several runs of one trial counts."""


@dataclass(frozen=True)
class SweepHeader:
    """A sweep as a line in a list."""

    run_id: str
    name: str
    experiment: str
    experiment_id: str
    state: str
    started: float
    """Unix time in seconds."""
    ended: float | None
    space: str
    data: str
    best_rmse: float | None
    best_trial: int | None
    counts: Mapping[str, int]
    """Trials by state, in small letters: ``complete``, ``pruned``, ``failed``, ``lost``."""
    owner: Owner | None = None
    """Who drives it; None where nobody does, or it is not known."""

    @property
    def is_driven(self) -> bool | None:
        """Whether its owner lives and drives it; None where that cannot be seen from here."""
        if self.owner is None:
            return None
        return self.run_id in DRIVEN if self.owner == Owner.this() else self.owner.lives


def list_sweeps(
    store: Store, experiment: str | None = None, limit: int | None = 20, *, deleted: bool = False
) -> list[SweepHeader]:
    """Give the latest sweeps, newest first.

    Args:
        store: where to look.
        experiment: only this one; all for None.
        limit: at most so many; all for None.
        deleted: those that were deleted, instead of the others.

    Raises:
        UsageError: there is no such experiment.
    """
    with store_errors(store.shown):
        names = {e.experiment_id: e.name for e in _experiments(store)}
        if experiment is not None:
            if experiment not in names.values():
                raise UsageError("--experiment", unknown("experiment", experiment, names.values()))
            names = {key: name for key, name in names.items() if name == experiment}
        runs = search(store, list(names), f"tags.`{schema.KIND}` = 'sweep'", limit, deleted=deleted)
    return [_header(run, names[run.info.experiment_id]) for run in runs]


def sweeps_named(store: Store, experiment: str, name: str) -> list[SweepHeader]:
    """Give the sweeps of a name in an experiment, newest first; none where there is no such experiment.

    Raises:
        StoreError: MLflow refuses.
    """
    with store_errors(store.shown):
        found = store.client.get_experiment_by_name(experiment)
        places = [found.experiment_id] if found is not None else []
        runs = search(store, places, f"tags.`{schema.KIND}` = 'sweep'", None)
    return [_header(run, experiment) for run in runs if run.info.run_name == name]


def find_sweep(store: Store, ref: str) -> str:
    """Give the run id of a sweep; see ``find_header``."""
    return find_header(store, ref).run_id


def find_header(store: Store, ref: str) -> SweepHeader:
    """Find a sweep.

    Args:
        store: where to look.
        ref: a run id or the start of one, a name, or ``last``.

    Raises:
        UsageError: none or several are meant.
    """
    return pick_header(store, ref, list_sweeps(store, limit=None))


def find_trial(store: Store, ref: str) -> tuple[str, int]:
    """Find a trial; give the run id of its sweep, and its number.

    Args:
        store: where to look.
        ref: ``SWEEP:NUMBER``, ``SWEEP:best``, a number, of the latest sweep, or at least eight digits of the
            trial's own run id.

    Raises:
        UsageError: none or several are meant.
    """
    sweep, _, word = ref.rpartition(":")
    if re.fullmatch(r"\d{1,7}|best", word):
        header = find_header(store, sweep or "last")
        return header.run_id, _best_of(header) if word == "best" else int(word)
    if re.fullmatch(r"[0-9a-f]{8,32}", ref):
        return _trial_of_run(store, ref)
    wrong, hint = (
        "is not the name of a trial",
        "write SWEEP:NUMBER or SWEEP:best, such as last:12, or its run id",
    )
    raise UsageError(f"trial {ref!r}", wrong, hint)


def read_header(store: Store, run_id: str) -> SweepHeader:
    """Give a sweep as it is now.

    Raises:
        StoreError: MLflow refuses, or it is gone.
    """
    with store_errors(store.shown):
        run = store.client.get_run(run_id)
        return _header(run, store.client.get_experiment(run.info.experiment_id).name)


def best_runs(store: Store, experiment_id: str, sweep: str, limit: int = 10) -> list[str]:
    """Give the run ids of a sweep's best COMPLETE trials, the lowest rmse first.

    Raises:
        StoreError: MLflow refuses.
    """
    query = f"tags.`{schema.PARENT}` = '{sweep}' and tags.`{schema.STATE}` = '{State.COMPLETE}'"
    with store_errors(store.shown):
        order = [f"metrics.`{schema.RMSE}` ASC"]
        runs = store.client.search_runs([experiment_id], query, max_results=limit, order_by=order)
    return [run.info.run_id for run in runs]


def pick_header(store: Store, ref: str, sweeps: Sequence[SweepHeader]) -> SweepHeader:
    """Find a sweep among some, the newest first; see ``find_header``.

    Raises:
        UsageError: none or several are meant.
    """
    if ref == "last" and sweeps:
        return sweeps[0]
    named = [s for s in sweeps if s.name == ref]
    prefix = re.fullmatch(r"[0-9a-f]{1,32}", ref) is not None
    found = named or [s for s in sweeps if prefix and s.run_id.startswith(ref)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"sweep {ref!r}", f"means {len(found)} sweeps: {_listing(found)}", "use more of the id"
        )
    wrong = f"no such sweep; recent: {_listing(sweeps)}" if sweeps else "there is no sweep in this store"
    raise UsageError(f"sweep {ref!r}", wrong, f"searched {store.shown}")


def read_sweep(store: Store, run_id: str, curves: bool = False) -> SweepRecord:
    """Give a sweep with all its trials; their models stay in MLflow.

    Args:
        store: where it is.
        run_id: of the sweep.
        curves: whether the outcomes have their curves, as thinned when they were written, folds and rungs;
            from an MLflow server that takes up to three requests a trial.

    Raises:
        StoreError: it is not a sweep's run, or a trial's tags are damaged.
    """
    with store_errors(store.shown):
        run = store.client.get_run(run_id)
        if run.data.tags.get(schema.KIND) != "sweep":
            raise StoreError(f"run {run_id}", "is not a sweep", "sweeps list shows them")
        experiment = store.client.get_experiment(run.info.experiment_id)
        rows = trial_rows(store, experiment.experiment_id, run_id, curves)
        settings = _settings(store, run)
    header, tags = _header(run, experiment.name), run.data.tags
    trials = _counted([_finished(row) for row in rows if _state(row).final])
    done = {str(t.number) for t in trials}
    return SweepRecord(
        run_id=run_id,
        name=header.name,
        experiment=header.experiment,
        experiment_id=header.experiment_id,
        state=header.state,
        started=header.started,
        ended=header.ended,
        settings=settings,
        trials=trials,
        running=len({row.tags[schema.TRIAL] for row in rows if not _state(row).final} - done),
        finalists=[Finalist(*row) for row in json.loads(tags.get(schema.FINALISTS, "[]"))],
        model=ModelVersion(**json.loads(tags[schema.MODEL])) if schema.MODEL in tags else None,
        **_finish(json.loads(tags.get(schema.FINISH, "{}"))),
        sample=Sample(**json.loads(tags[schema.SAMPLE])) if schema.SAMPLE in tags else None,
        extra={**_own_tags(tags), "commit": tags.get(COMMIT, ""), **run.data.metrics},
    )


def _finish(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give what became of the winner, as fields of a record."""
    blend, refit = values.get("blend"), values.get("refit")
    members = [Member(**one) for one in blend["members"]] if blend else []
    return {
        "blend": Blend(**{**blend, "members": members}) if blend else None,
        "refit": Refit(**refit) if refit else None,
    }


def read_source(store: Store, record: SweepRecord) -> str:
    """Give the text of the search space a sweep was begun with; empty where a kill came before it was kept.

    Raises:
        StoreError: MLflow refuses.
    """
    with store_errors(store.shown):
        files = [file.path for file in store.client.list_artifacts(record.run_id, "space")]
        digest = str(record.extra.get("space_digest", ""))[:8]
        newest = [file for file in files if file.endswith(f"-{digest}.py")] or files[:1]
        return _artifact(store, record.run_id, newest[0]) if newest else ""


def _best_of(header: SweepHeader) -> int:
    if header.best_trial is None:
        wrong, hint = "no trial has an rmse", f"sweeps show {header.run_id[:8]} says why"
        raise UsageError(f"the best trial of {header.name}", wrong, hint)
    return header.best_trial


def _trial_of_run(store: Store, ref: str) -> tuple[str, int]:
    with store_errors(store.shown):
        ids = [experiment.experiment_id for experiment in _experiments(store)]
        wanted = f"attributes.run_id LIKE '{ref}%' and tags.`{schema.KIND}` = 'trial'"
        found = search(store, ids, wanted, 2)
    if len(found) != 1:
        wrong = "means several trials" if found else f"there is no trial with that run id in {store.shown}"
        raise UsageError(f"trial {ref!r}", wrong, "sweeps show SWEEP NUMBER tells a trial's run id")
    tags = found[0].data.tags
    return tags[schema.PARENT], int(tags[schema.TRIAL])


def _experiments(store: Store) -> "Iterator[Experiment]":
    token = None
    while True:
        page = store.client.search_experiments(max_results=PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _settings(store: Store, run: "Run") -> Mapping[str, Any]:
    """Read the settings; empty where they did not fit into a tag and a kill came before ``sweep.json``."""
    if text := run.data.tags.get(schema.SETTINGS):
        return dict(json.loads(text))
    if not any(file.path == "sweep.json" for file in store.client.list_artifacts(run.info.run_id)):
        return {}
    settings: Mapping[str, Any] = json.loads(_artifact(store, run.info.run_id, "sweep.json"))
    return settings


def _artifact(store: Store, run_id: str, file: str) -> str:
    with scratch_folder() as folder:
        return Path(store.client.download_artifacts(run_id, file, str(folder))).read_text("utf-8")


def _state(row: RunRow) -> State:
    return State(row.tags.get(schema.STATE, State.RUNNING))


def _finished(row: RunRow) -> Finished:
    try:
        proposal = schema.read_proposal(row.tags, row.params)
        outcome = schema.outcome_of(row.tags, row.metrics, row.histories)
    except (KeyError, ValueError) as error:
        raise StoreError(
            f"trial run {row.run_id}", f"its tags are damaged: {error}", "delete that run"
        ) from error
    started = row.started / 1000
    ended = row.ended / 1000 if row.ended else started
    return Finished(Trial(proposal, row.run_id, started), outcome, ended)


def _counted(finished: Sequence[Finished]) -> list[Finished]:
    """Keep one run per number: the best state, then the earliest."""
    chosen: dict[int, Finished] = {}
    for one in sorted(finished, key=lambda f: (RANK[f.outcome.state], f.trial.started, f.trial.run_id)):
        chosen.setdefault(one.number, one)
    return [chosen[number] for number in sorted(chosen)]


def _header(run: "Run", experiment: str) -> SweepHeader:
    tags, metrics, info = run.data.tags, run.data.metrics, run.info
    best = tags.get(schema.BEST_TRIAL)
    return SweepHeader(
        run_id=info.run_id,
        name=info.run_name,
        experiment=experiment,
        experiment_id=info.experiment_id,
        state=tags.get(schema.STATE, str(State.RUNNING)),
        started=info.start_time / 1000,
        ended=info.end_time / 1000 if info.end_time else None,
        space=tags.get("sweeps.space", ""),
        data=tags.get("sweeps.data", ""),
        best_rmse=metrics.get("best_rmse"),
        best_trial=int(best) if best else None,
        counts={s.lower(): int(metrics.get(f"trials_{s.lower()}", 0)) for s in RANK},
        owner=Owner.read(tags.get(schema.OWNER, "")),
    )


def _own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix("sweeps."): value for key, value in tags.items() if key.startswith("sweeps.")}


def _listing(sweeps: Sequence[SweepHeader]) -> str:
    return ", ".join(f"{s.name} ({s.run_id[:8]})" for s in sweeps[:5]) + (", …" if len(sweeps) > 5 else "")
