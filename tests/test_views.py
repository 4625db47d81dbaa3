"""The view of a sweep in MLflow's UI, as it is kept in the store; ``tests/browser`` looks at it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sweeps.cli.lifecycle import delete_command, restore_command
from sweeps.cli.ui import ui_command
from sweeps.record import SweepRecord
from sweeps.tracking import views
from sweeps.tracking.dress import NOT_COMPLETE, RANKS, colours, dress
from sweeps.tracking.reader import read_sweep
from sweeps.tracking.store import Store, open_store
from sweeps.tracking.view_state import LISTED, MOST_AXES, shapes_of, state_of
from sweeps.trial import Finished, Outcome, Proposal, State, Trial
from tests.laws.make import finished
from tests.made_sweep import write_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(write_store(tmp_path_factory.mktemp("store"))[0])


@pytest.fixture(scope="module")
def record(store: Store) -> SweepRecord:
    [run] = store.client.search_runs(["1"], "tags.`sweeps.kind` = 'sweep'")
    return read_sweep(store, run.info.run_id)


@pytest.fixture
def dressed(store: Store, record: SweepRecord) -> Iterator[SweepRecord]:
    dress(store, record)
    yield record
    views.remove_view(store, record.experiment_id, record.run_id)


def of_params(number: int, params: Mapping[str, Any], rmse: float = 1.0) -> Finished:
    trial = Trial(Proposal(number, {}, params, seed=number), f"run{number}", started=0.0)
    return Finished(trial, Outcome(State.COMPLETE, rmse), ended=1.0)


def kept(store: Store, experiment_id: str) -> dict[str, Any]:
    tags = store.client.get_experiment(experiment_id).tags
    return {key: json.loads(text) for key, text in tags.items() if key.startswith(views.PREFIX)}


def invoke(command: Any, store: Store, *words: str) -> Any:
    answer = CliRunner().invoke(command, [*words, "--json", "--tracking-uri", store.uri])
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_a_sweep_that_ended_has_its_view_colours_and_descriptions(store: Store, dressed: SweepRecord) -> None:
    [view] = kept(store, dressed.experiment_id).values()
    assert view["name"] == dressed.name
    assert dressed.run_id in json.loads(view["state"])["searchFilter"]
    tags = {t.number: store.client.get_run(t.trial.run_id).data.tags for t in dressed.trials}
    assert [tags[n]["mlflow.runColor"] for n in (1, 3)] == [RANKS[0], NOT_COMPLETE]
    winner, other = tags[4]["mlflow.note.content"], tags[1]["mlflow.note.content"]
    assert "Finalist of sweep [made](#/experiments/1/runs/" in winner
    assert "Registered as [diabetes-regressor version 3](#/models/diabetes-regressor/versions/3?" in winner
    assert "rmse 5.5 on validation, 5.9 on the test rows" in other
    assert "Registered" not in other
    scored = {
        t.number: store.client.get_run(t.trial.run_id).data.metrics.get("test_rmse") for t in dressed.trials
    }
    assert {n: rmse for n, rmse in scored.items() if rmse is not None} == {1: 5.9, 4: 5.8}
    assert tags[3]["mlflow.note.content"] == "Pruned: stopped at round 20"


def test_the_link_is_the_views_where_there_is_one(store: Store, dressed: SweepRecord) -> None:
    where = store, "http://h", dressed.experiment_id, dressed.run_id
    assert f"viewStateShareKey=sweeps-{dressed.run_id}" in views.sweep_link(*where, running=False)
    views.remove_view(store, dressed.experiment_id, dressed.run_id)
    assert "searchFilter=" in views.sweep_link(*where, running=False)


def test_an_mlflow_whose_views_are_not_known_gets_the_plain_link(
    store: Store, dressed: SweepRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "KNOWN", ("2.0",))
    where = store, "http://h", dressed.experiment_id, dressed.run_id
    assert "searchFilter=" in views.sweep_link(*where, running=False)
    assert not views.save_view(store, dressed)


def test_a_server_that_does_not_answer_gets_the_plain_link(store: Store, dressed: SweepRecord) -> None:
    where = store, "http://127.0.0.1:9", dressed.experiment_id, dressed.run_id
    assert "searchFilter=" in views.sweep_link(*where)


def test_only_the_newest_views_are_kept_and_those_of_others(
    store: Store, record: SweepRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = f"{views.PREFIX}0123"
    store.client.set_experiment_tag(
        record.experiment_id, foreign, json.dumps({"name": "mine", "createdAt": 1})
    )
    clock = iter(range(1000, 1100))
    monkeypatch.setattr(views, "_now", lambda: next(clock))
    runs = [f"{n:032x}" for n in range(views.KEPT + 3)]
    assert all(views.save_view(store, replace(record, run_id=run)) for run in runs)
    newest = [f"{views.PREFIX}sweeps-{run}" for run in runs[-views.KEPT :]]
    assert sorted(kept(store, record.experiment_id)) == sorted([foreign, *newest])
    for tag in (foreign, *newest):
        store.client.delete_experiment_tag(record.experiment_id, tag)


def test_deleting_a_sweep_removes_its_view_and_ui_brings_it_back(
    store: Store, dressed: SweepRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke(delete_command, store, dressed.run_id)
    assert kept(store, dressed.experiment_id) == {}
    invoke(restore_command, store, dressed.run_id)
    monkeypatch.setattr("sweeps.cli.ui.find_server", lambda page, port: "http://127.0.0.1:9")
    answer = invoke(ui_command, store, dressed.run_id, "--no-open")
    assert [view["name"] for view in kept(store, dressed.experiment_id).values()] == [dressed.name]
    assert answer["compare"].count("%22") == 2 * (3 + 1)


def test_a_store_that_takes_nothing_does_no_harm(tmp_path: Path) -> None:
    uri, run_id = write_store(tmp_path)
    opened = open_store(uri)
    record = read_sweep(opened, run_id)
    opened.client.delete_experiment(record.experiment_id)
    dress(opened, record, "a note")
    assert not views.save_view(opened, record)


def test_without_branches_there_is_one_chart_of_what_was_searched() -> None:
    trials = [of_params(n, {"depth": n, "kind": "tree", "rate": 0.1 * n}) for n in range(3)]
    assert shapes_of(trials) == [["depth", "rate"]]


def test_each_branch_has_a_chart_in_which_its_trials_are_whole() -> None:
    tree = [of_params(n, {"model": "tree", "depth": n, "rounds": 9}) for n in range(3)]
    line = [of_params(n, {"model": "line", "alpha": 0.1 * n}) for n in range(3, 5)]
    assert shapes_of([*tree, *line]) == [["model"], ["model", "depth"], ["model", "alpha"]]


def test_trials_without_a_figure_have_no_say() -> None:
    failed = replace(of_params(9, {"alpha": 1}), outcome=Outcome(State.FAILED, error="x"))
    assert shapes_of([failed, *(of_params(n, {"depth": n}) for n in range(2))]) == [["depth"]]
    assert shapes_of([failed]) == []


def test_a_wide_space_fits_into_the_tag(record: SweepRecord) -> None:
    names = [f"a_rather_long_name_of_a_param_{n}" for n in range(60)]
    wide = [of_params(n, {name: n + i for i, name in enumerate(names)}) for n in range(3)]
    state = state_of(replace(record, trials=wide))
    assert len(state) < views.MOST / 2
    assert [len(shape) for shape in shapes_of(wide)] == [MOST_AXES]


def test_colours_grow_lighter_with_the_rank_and_end_where_the_ui_does() -> None:
    given = colours([finished(n, rmse=float(n)) for n in range(LISTED + 20)])
    assert list(given) == [f"run{n}" for n in range(LISTED)]
    assert list(dict.fromkeys(given.values())) == list(RANKS)
