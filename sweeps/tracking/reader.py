"""Read sweeps back from MLflow: what lists, reports and resume work on."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sweeps.errors import StoreError, UsageError, unknown
from sweeps.record import Finalist, ModelVersion, SweepRecord
from sweeps.tracking import schema
from sweeps.tracking.store import Store, store_errors
from sweeps.trial import Finished, State, Trial

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run

PAGE = 1000
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


def list_sweeps(store: Store, experiment: str | None = None, limit: int | None = 20) -> list[SweepHeader]:
    """Give the latest sweeps, newest first.

    Args:
        store: where to look.
        experiment: only this one; all for None.
        limit: at most so many; all for None.

    Raises:
        UsageError: there is no such experiment.
    """
    with store_errors(store.shown):
        names = {e.experiment_id: e.name for e in _experiments(store)}
        if experiment is not None:
            if experiment not in names.values():
                raise UsageError("--experiment", unknown("experiment", experiment, names.values()))
            names = {key: name for key, name in names.items() if name == experiment}
        runs = _search(store, list(names), f"tags.`{schema.KIND}` = 'sweep'", limit)
    return [_header(run, names[run.info.experiment_id]) for run in runs]


def find_sweep(store: Store, ref: str) -> str:
    """Give the run id of a sweep.

    Args:
        store: where to look.
        ref: a run id or the start of one, a name, or ``last``.

    Raises:
        UsageError: none or several are meant.
    """
    sweeps = list_sweeps(store, limit=None)
    if ref == "last" and sweeps:
        return sweeps[0].run_id
    named = [s for s in sweeps if s.name == ref]
    prefix = re.fullmatch(r"[0-9a-f]{1,32}", ref) is not None
    found = named or [s for s in sweeps if prefix and s.run_id.startswith(ref)]
    if len(found) == 1:
        return found[0].run_id
    if found:
        raise UsageError(
            f"sweep {ref!r}", f"means {len(found)} sweeps: {_listing(found)}", "use more of the id"
        )
    wrong = f"no such sweep; recent: {_listing(sweeps)}" if sweeps else "there is no sweep in this store"
    raise UsageError(f"sweep {ref!r}", wrong, f"searched {store.shown}")


def read_sweep(store: Store, run_id: str) -> SweepRecord:
    """Give a sweep with all its trials; their curves and models stay in MLflow.

    Raises:
        StoreError: it is not a sweep's run, or a trial's tags are damaged.
    """
    with store_errors(store.shown):
        run = store.client.get_run(run_id)
        if run.data.tags.get(schema.KIND) != "sweep":
            raise StoreError(f"run {run_id}", "is not a sweep", "sweeps list shows them")
        experiment = store.client.get_experiment(run.info.experiment_id)
        of_sweep = f"tags.`{schema.PARENT}` = '{run_id}' and tags.`{schema.KIND}` = 'trial'"
        runs = _search(store, [experiment.experiment_id], of_sweep, None)
        settings = _settings(store, run)
    header, tags = _header(run, experiment.name), run.data.tags
    trials = _counted([_finished(r) for r in runs if _state(r).final])
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
        running=len({r.data.tags[schema.TRIAL] for r in runs if not _state(r).final} - done),
        finalists=[Finalist(*row) for row in json.loads(tags.get(schema.FINALISTS, "[]"))],
        model=ModelVersion(**json.loads(tags[schema.MODEL])) if schema.MODEL in tags else None,
        extra={**_own_tags(tags), **run.data.metrics},
    )


def _search(store: Store, experiments: list[str], query: str, limit: int | None) -> "list[Run]":
    runs: list[Run] = []
    token = None
    while experiments and (limit is None or len(runs) < limit):
        size = PAGE if limit is None else min(PAGE, limit - len(runs))
        page = store.client.search_runs(
            experiments, query, max_results=size, order_by=["attributes.start_time DESC"], page_token=token
        )
        runs.extend(page)
        token = page.token
        if not token:
            break
    return runs


def _experiments(store: Store) -> "Iterator[Experiment]":
    token = None
    while True:
        page = store.client.search_experiments(max_results=PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _settings(store: Store, run: "Run") -> Mapping[str, Any]:
    """Read ``sweep.json``; empty for a sweep that was killed before it was written."""
    with TemporaryDirectory(prefix="sweeps-") as folder:
        if not any(file.path == "sweep.json" for file in store.client.list_artifacts(run.info.run_id)):
            return {}
        path = store.client.download_artifacts(run.info.run_id, "sweep.json", folder)
        settings: Mapping[str, Any] = json.loads(Path(path).read_text("utf-8"))
    return settings


def _state(run: "Run") -> State:
    return State(run.data.tags.get(schema.STATE, State.RUNNING))


def _finished(run: "Run") -> Finished:
    try:
        proposal = schema.read_proposal(run.data.tags, run.data.params)
        outcome = schema.outcome_of(run.data.tags, run.data.metrics)
    except (KeyError, ValueError) as error:
        raise StoreError(
            f"trial run {run.info.run_id}", f"its tags are damaged: {error}", "delete that run"
        ) from error
    started = run.info.start_time / 1000
    ended = run.info.end_time / 1000 if run.info.end_time else started
    return Finished(Trial(proposal, run.info.run_id, started), outcome, ended)


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
    )


def _own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix("sweeps."): value for key, value in tags.items() if key.startswith("sweeps.")}


def _listing(sweeps: Sequence[SweepHeader]) -> str:
    return ", ".join(f"{s.name} ({s.run_id[:8]})" for s in sweeps[:5]) + (", …" if len(sweeps) > 5 else "")
