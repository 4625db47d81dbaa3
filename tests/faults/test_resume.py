"""A sweep that was interrupted goes on from where it was: nothing lost, nothing twice."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from sweeps.api.resume import resume_sweep
from sweeps.api.run import run_sweep
from sweeps.errors import DataError, SpaceError, UsageError
from sweeps.record import SweepRecord
from sweeps.tracking.reader import find_header, find_sweep, read_sweep
from sweeps.tracking.store import open_store
from sweeps.trial import Finished, State
from tests.inside import Inside
from tests.laws.make import write_space
from tests.shell import RIDGE, SOON, TRAIN, Shell, beside_others, wait_until

QUICK = TRAIN.replace("BODY", "return (params['x'] - 0.3) ** 2")
SLOW = TRAIN.replace("BODY", "import time; time.sleep(0.05); return (params['x'] - 0.3) ** 2")
LONG = TRAIN.replace("BODY", "import time; time.sleep(1000)")
CURVES = """
SPACE = {"x": hp.uniform("x", 0, 1)}
def train(params, data, report):
    for step in range(40):
        report(step, params["x"] + 1 / (step + 1))
    return params["x"] + 1 / 40
"""


class StopError(Exception):
    """Ends a sweep in the middle."""


def points(record: SweepRecord) -> list[Any]:
    return [(t.number, t.trial.proposal.point, t.outcome.state, t.outcome.rmse) for t in record.trials]


def cut_after(count: int) -> Any:
    """A callback that ends a sweep after so many trials."""
    left = iter(range(count - 1))

    def callback(_: Finished) -> None:
        if next(left, None) is None:
            raise StopError

    return callback


def sweep(folder: Path, uri: str, body: str, name: str, **settings: Any) -> SweepRecord:
    space = write_space(folder, body)
    given = {"trials": 12, "seed": 3, "engine": "serial", "register": False, **settings}
    return run_sweep(space, "diabetes", name=name, tracking_uri=uri, results=folder / "results", **given)


def interrupted(folder: Path, uri: str, body: str, after: int, **settings: Any) -> None:
    with pytest.raises(StopError):
        sweep(folder, uri, body, "cut", on_trial=cut_after(after), **settings)


def resumed(folder: Path, uri: str, **settings: Any) -> SweepRecord:
    return resume_sweep("cut", tracking_uri=uri, results=folder / "results", **settings)


@pytest.mark.parametrize("prune", ["none", "forecast", "asha", "median"])
@pytest.mark.parametrize("after", [1, 7])
def test_the_whole_is_as_if_never_interrupted(
    prune: str, after: int, tmp_path: Path, sqlite_uri: str
) -> None:
    settings = {"trials": 25, "prune": prune} | (
        {"prune_options": {"min_rounds": 4}} if prune != "none" else {}
    )
    interrupted(tmp_path, sqlite_uri, CURVES, after, **settings)
    whole = resumed(tmp_path, sqlite_uri)
    assert points(whole) == points(sweep(tmp_path, sqlite_uri, CURVES, "never cut", **settings))
    assert whole.state == "COMPLETE"
    if prune != "none":
        assert whole.count(State.PRUNED) > 0


def test_on_every_store(tmp_path: Path, any_uri: str) -> None:
    name = f"cut-{tmp_path.name}"
    with pytest.raises(StopError):
        sweep(tmp_path, any_uri, QUICK, name, on_trial=cut_after(3), trials=6)
    whole = resume_sweep(name, tracking_uri=any_uri, results=tmp_path / "results")
    assert points(whole) == points(sweep(tmp_path, any_uri, QUICK, f"{name}-never", trials=6))
    runs = open_store(any_uri).client.search_runs(
        [whole.experiment_id], f"tags.`mlflow.parentRunId` = '{whole.run_id}'"
    )
    assert {run.info.status for run in runs} <= {"FINISHED", "FAILED"}
    assert len([run for run in runs if run.info.status == "FINISHED"]) == 6
    assert "RUNNING" not in {run.info.status for run in runs}


def test_the_winner_may_be_of_an_earlier_session(tmp_path: Path, sqlite_uri: str) -> None:
    """Its model is gone with the session; it is trained again."""
    interrupted(tmp_path, sqlite_uri, RIDGE, 8, trials=9, register=True)
    record = resumed(tmp_path, sqlite_uri)
    assert record.model is not None
    assert len(record.finalists) == 5
    assert all(finalist.test_rmse for finalist in record.finalists)


def test_more_trials_for_a_complete_sweep(tmp_path: Path, sqlite_uri: str) -> None:
    made = sweep(tmp_path, sqlite_uri, QUICK, "cut", trials=4)
    again = resumed(tmp_path, sqlite_uri)
    assert (points(again), again.run_id, again.ended) == (points(made), made.run_id, made.ended)
    whole = resumed(tmp_path, sqlite_uri, trials=7)
    assert points(whole) == points(sweep(tmp_path, sqlite_uri, QUICK, "never cut", trials=7))
    assert whole.settings["stop"]["trials"] == 7


def test_a_complete_sweep_is_no_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """B10: whoever resumes until it is done is done; a script need not look first."""
    inside = Inside(tmp_path, monkeypatch, capsys)
    sweep(tmp_path, f"sqlite:///{tmp_path / 'mlflow.db'}", QUICK, "cut", trials=4)
    done = inside("resume", "cut")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "sweep cut is complete: 4 trials; nothing to do (to go on: --trials 8)\n"
    told = inside.json("resume", "cut", "--trials", "3")
    assert (told["state"], told["trials"]["complete"], told["name"]) == ("COMPLETE", 4, "cut")


def test_a_changed_space_is_refused_with_the_difference(tmp_path: Path, sqlite_uri: str) -> None:
    interrupted(tmp_path, sqlite_uri, QUICK, 3, trials=5)
    write_space(tmp_path, QUICK.replace("0.3", "0.7"))
    with pytest.raises(
        SpaceError, match=r"was changed since sweep cut began: - return .* 0\.3.*; \+ return .* 0\.7"
    ):
        resumed(tmp_path, sqlite_uri)
    whole = resumed(tmp_path, sqlite_uri, accept_changes=True)
    assert (len(whole.trials), whole.state) == (5, "COMPLETE")
    files = open_store(sqlite_uri).client.list_artifacts(whole.run_id, "space")
    assert len(files) == 2, "the old text is kept beside the new one"


def test_a_changed_space_without_a_place_for_a_trial_is_refused(tmp_path: Path, sqlite_uri: str) -> None:
    interrupted(tmp_path, sqlite_uri, QUICK, 3, trials=5)
    write_space(tmp_path, QUICK.replace('"x", 0', '"y", 0'))
    with pytest.raises(SpaceError, match=r"has no place in it.*start a new sweep"):
        resumed(tmp_path, sqlite_uri, accept_changes=True)


def test_changed_data_is_refused(tmp_path: Path, sqlite_uri: str) -> None:
    from sklearn.datasets import load_diabetes

    rows = load_diabetes(as_frame=True).frame
    rows.to_csv(tmp_path / "rows.csv", index=False)
    space = write_space(tmp_path, QUICK)
    given = {"table": tmp_path / "rows.csv", "target": "target", "trials": 5, "engine": "serial"}
    with pytest.raises(StopError):
        run_sweep(
            space, name="cut", tracking_uri=sqlite_uri, register=False, results=tmp_path / "results",
            on_trial=cut_after(2), **given,
        )  # fmt: skip
    rows.head(400).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(DataError, match=r"was changed since sweep cut began: digest \w+, now \w+"):
        resumed(tmp_path, sqlite_uri)
    assert len(resumed(tmp_path, sqlite_uri, accept_changes=True).trials) == 5


def test_a_name_that_is_unfinished_is_offered_to_go_on(tmp_path: Path, sqlite_uri: str) -> None:
    interrupted(tmp_path, sqlite_uri, QUICK, 3)
    run_id = find_sweep(open_store(sqlite_uri), "cut")
    state = read_sweep(open_store(sqlite_uri), run_id).state
    if state == "FAILED":  # an error in a callback is no interruption
        open_store(sqlite_uri).client.set_tag(run_id, "sweeps.state", "INTERRUPTED")
    with pytest.raises(UsageError, match=rf"--name cut: .* INTERRUPTED \(sweeps resume {run_id[:8]}"):
        sweep(tmp_path, sqlite_uri, QUICK, "cut")


# drivers that die


def killed(shell: Shell, body: str, *arguments: str, trials: int, moment: float) -> None:
    """A sweep whose driver is killed this share of its way through."""
    process = shell.start(body, "--trials", str(trials), "--name", "cut", "--no-register", *arguments)
    assert process.stderr is not None
    wanted = round(moment * trials)
    for line in process.stderr:
        if (told := re.match(r"\[(\d+)/", line)) and int(told[1]) >= wanted:
            break
    process.kill()
    process.wait()


def statuses(shell: Shell) -> dict[str, list[str]]:
    runs = shell.client.search_runs(["1"])
    return {
        kind: sorted(run.info.status for run in runs if run.data.tags["sweeps.kind"] == kind)
        for kind in ("sweep", "trial")
    }


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_driver_loses_nothing(shell: Shell, workers: str) -> None:
    passing = shell.folder / "passing"
    passing.mkdir()
    shell.env["TMPDIR"] = str(passing)
    killed(shell, SLOW, "--workers", workers, "--seed", "3", trials=20, moment=0.5)
    before = read_sweep(open_store(shell.uri), find_sweep(open_store(shell.uri), "cut"))
    assert list(passing.glob("sweeps-*")), "it had no time to clean up"
    done = shell("resume", "cut", "--json")
    assert list(passing.glob("sweeps-*")) == [], "the next one did"
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"]["complete"] == 20
    after = read_sweep(open_store(shell.uri), before.run_id)
    assert [t.number for t in after.trials] == list(range(20))
    kept = {t.number: t for t in after.trials}
    assert all(kept[t.number] == t for t in before.trials), "finished trials are untouched"
    assert "RUNNING" not in {status for some in statuses(shell).values() for status in some}
    if workers == "1":
        whole = shell.run(
            SLOW, "--workers", "1", "--seed", "3", "--trials", "20", "--name", "whole", "--json"
        )
        assert whole.returncode == 0, whole.stderr
        store = open_store(shell.uri)
        assert points(after) == points(read_sweep(store, find_sweep(store, "whole")))


@pytest.mark.slow
def test_the_next_command_that_sees_it_closes_what_a_dead_driver_left(shell: Shell) -> None:
    process = shell.start(LONG, "--trials", "9", "--workers", "2", "--name", "cut")
    wait_until(lambda: (shell.folder / "mlflow.db").exists() and statuses(shell)["trial"], process)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    assert not psutil.wait_procs(workers, timeout=beside_others(2))[1], "no orphan goes on training"
    listed = shell("list", "--json")
    assert json.loads(listed.stdout)["sweeps"][0]["state"] == "INTERRUPTED"
    assert statuses(shell) == {"sweep": ["KILLED"], "trial": ["FAILED", "FAILED"]}
    [one, _] = [run for run in shell.client.search_runs(["1"]) if run.data.tags["sweeps.kind"] == "trial"]
    assert f"its driver (process {process.pid} on" in one.data.tags["sweeps.error"]


@pytest.mark.slow
def test_stop_from_another_terminal(shell: Shell) -> None:
    process = shell.start(LONG, "--trials", "9", "--workers", "2", "--name", "cut")
    wait_until(lambda: (shell.folder / "mlflow.db").exists() and statuses(shell)["trial"], process)
    done = shell("stop", "cut", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "INTERRUPTED"
    _, told = process.communicate(timeout=SOON)
    assert process.returncode == 128 + signal.SIGTERM
    assert "    sweeps resume " in told
    assert statuses(shell) == {"sweep": ["KILLED"], "trial": ["FAILED", "FAILED"]}
    again = shell("stop", "cut")
    assert (again.returncode, "is INTERRUPTED" in again.stdout) == (0, True)


@pytest.mark.slow
def test_doctor_finds_and_mends(shell: Shell) -> None:
    process = shell.start(LONG, "--trials", "9", "--workers", "2", "--name", "cut")
    wait_until(lambda: (shell.folder / "mlflow.db").exists() and statuses(shell)["trial"], process)
    process.kill()
    process.wait()
    found = shell("doctor")
    assert found.returncode == 9
    assert "reachable, writable, schema current" in found.stdout
    assert "is said to run, but its driver" in found.stdout
    assert statuses(shell)["sweep"] == ["RUNNING"], "without --fix nothing is changed"
    mended = shell("doctor", "--fix", "--json")
    assert mended.returncode == 0, mended.stderr
    assert [one["fixed"] for one in json.loads(mended.stdout)["findings"]] == [True]
    assert statuses(shell) == {"sweep": ["KILLED"], "trial": ["FAILED", "FAILED"]}
    assert "was interrupted" in shell("doctor").stdout


def test_a_sweep_is_deleted_with_its_trials_and_restored(tmp_path: Path, any_uri: str) -> None:
    from sweeps.tracking.lifecycle import delete_sweep, find_deleted, restore_sweep

    name = f"gone-{tmp_path.name}"
    made = sweep(tmp_path, any_uri, QUICK, name, trials=3)
    store = open_store(any_uri)
    assert delete_sweep(store, find_header(store, name)) == 3
    with pytest.raises(UsageError, match=r"no such sweep|no sweep"):
        find_header(store, name)
    assert (
        store.client.search_runs([made.experiment_id], f"tags.`mlflow.parentRunId` = '{made.run_id}'") == []
    )
    assert restore_sweep(store, find_deleted(store, name)) == 3
    assert points(read_sweep(store, find_sweep(store, name))) == points(made)
