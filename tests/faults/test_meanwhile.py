"""What others do while a sweep runs: set variables and clocks, delete runs, rewrite files, kill a report."""

import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pytest

from sweeps.api.resume import resume_sweep
from sweeps.api.run import run_sweep
from sweeps.errors import StoreError
from sweeps.record import SweepRecord
from sweeps.report.write import write_report
from sweeps.tracking import database
from sweeps.tracking.change import Entry
from sweeps.tracking.claim import close_abandoned
from sweeps.tracking.database import database_of
from sweeps.tracking.owner import Owner
from sweeps.tracking.reader import find_header, list_sweeps, read_sweep
from sweeps.tracking.store import open_store
from sweeps.tracking.writer import Origin, SweepWriter
from sweeps.trial import Finished, Outcome, Proposal, State
from tests.bad.places import without_privilege
from tests.laws.make import write_space
from tests.made_sweep import record as made_record
from tests.shell import RIDGE, TRAIN

QUICK = TRAIN.replace("BODY", "return (params['x'] - 0.3) ** 2")
TRIALS = 6


def sweep(folder: Path, body: str = QUICK, name: str = "made", **more: Any) -> SweepRecord:
    given = {"data": "diabetes", "trials": TRIALS, "register": False, **more}
    return run_sweep(
        write_space(folder, body), given.pop("data"), seed=3, engine="serial", name=name,
        tracking_uri=f"sqlite:///{folder / 'mlflow.db'}", results=folder / "results", **given,
    )  # fmt: skip


def points(record: SweepRecord) -> list[Any]:
    return [(t.number, t.trial.proposal.point, t.outcome.rmse) for t in record.trials]


def at(number: int, do: Callable[[Finished], object]) -> Callable[[Finished], None]:
    """Call back once, when that trial is written."""

    def callback(finished: Finished) -> None:
        if finished.number == number:
            do(finished)

    return callback


def test_f25_a_store_that_becomes_read_only(tmp_path: Path) -> None:
    """The sweep ends with one line; what was finished is safe, and goes on once the store can be written."""
    sweep(tmp_path, trials=1)  # nobody may not read the files of what is imported late
    with TemporaryDirectory() as name:
        folder, file = Path(name).resolve(), Path(name).resolve() / "mlflow.db"
        if os.geteuid() == 0:  # who may write anywhere
            os.chown(folder, 65534, 65534)

        def take_away(_: Finished) -> None:
            for path, mode in ((file, 0o444), (folder, 0o555)):
                path.chmod(mode)
            database_of(store).engine.dispose()  # type: ignore[union-attr]  # it is SQLite

        with without_privilege():
            store = open_store(f"sqlite:///{file}")
            with pytest.raises(StoreError, match="attempt to write a readonly database") as error:
                sweep(folder, on_trial=at(2, take_away), trials=400)
        assert error.value.exit_code == 5
        for path in (folder, file):
            path.chmod(0o755)
        database_of(store).engine.dispose()  # type: ignore[union-attr]  # else it stays as it was opened
        before = read_sweep(store, find_header(store, "made").run_id)
        ended = [t for t in before.trials if t.outcome.state is State.COMPLETE]
        assert len(ended) >= 3
        whole = resume_sweep("made", tracking_uri=store.uri, results=folder / "results", trials=20)
        assert points(whole)[: len(ended)] == points(replace(before, trials=ended))


def test_f44_a_run_that_the_environment_names_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``mlflow run`` sets these; another tool may have left them."""
    client = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}").client
    others = client.create_experiment("others")
    run = client.get_run(client.create_run(others).info.run_id)
    before = run.to_dictionary()
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", others)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "others")
    record = sweep(tmp_path, RIDGE, register=True, trials=2)
    assert record.model is not None
    assert record.experiment == "diabetes"
    assert client.get_run(run.info.run_id).to_dictionary() == before
    assert [one.info.run_id for one in client.search_runs([others])] == [run.info.run_id]


@pytest.mark.parametrize("hours", [-1, 1])
def test_f45_a_clock_that_is_set_in_the_middle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    real = time.time

    def jump(_: Finished) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + 3600 * hours)

    record = sweep(tmp_path, on_trial=at(2, jump), time=1000)
    assert len(record.trials) == TRIALS, "--time is by a clock that nobody sets"
    assert all(0 <= t.ended - t.trial.started < 1800 for t in record.trials)
    assert record.ended is not None
    assert record.ended >= max(t.ended for t in record.trials) - 0.001
    client = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}").client
    history = client.get_metric_history(record.run_id, "best_rmse")
    assert history[-1].value == record.extra["best_rmse"] == record.best.outcome.rmse  # type: ignore[union-attr]


def test_f45_no_living_driver_is_taken_for_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor by a process that was started after the clock was set."""
    writer = begun(tmp_path)
    store = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    parent = Owner(**{**vars(Owner.this()), "pid": os.getppid(), "born": ticks(os.getppid())})
    store.client.set_tag(writer.run_id, "sweeps.owner", str(parent))
    boot, real = psutil.boot_time(), time.time
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: boot + 3600)
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    assert Owner.this().lives is True
    header = close_abandoned(store, list_sweeps(store))[0]
    assert (header.state, header.is_driven) == ("RUNNING", True)
    store.client.set_tag(writer.run_id, "sweeps.owner", str(replace(parent, born=parent.born - 9)))
    assert close_abandoned(store, list_sweeps(store))[0].state == "INTERRUPTED"


def ticks(pid: int) -> float:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf(
        "SC_CLK_TCK"
    )


def begun(folder: Path, trials: int = TRIALS) -> SweepWriter:
    """A sweep whose trials are yet to come."""
    record = sweep(folder, trials=1)
    store = open_store(f"sqlite:///{folder / 'mlflow.db'}")
    settings = {**record.settings, "stop": {**record.settings["stop"], "trials": trials}}
    origin = Origin("made", QUICK, str(record.extra["space_digest"]), "d", str(record.extra["data_digest"]))
    return SweepWriter.open(store, "diabetes", "long", settings=settings, origin=origin)


@pytest.mark.parametrize("way", ["by tables", "by the client"])
def test_f46_more_trials_than_a_page_of_mlflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """All of 1500 are seen at resume, so that only those after them are run."""
    writer = begun(tmp_path, trials=1502)
    asked = [Proposal(n, {"x": n / 1500}, {"x": n / 1500}, n) for n in range(1500)]
    entries = [
        Entry(p, p.number + 1.0, Outcome(State.COMPLETE, p.number + 1.0), p.number + 2.0) for p in asked
    ]
    for first in range(0, 1500, writer.batch):
        writer.write(entries[first : first + writer.batch])
    writer.close("INTERRUPTED")
    if way == "by the client":
        monkeypatch.setattr(database, "VERIFIED", frozenset({"another"}))
    uri, ran = f"sqlite:///{tmp_path / 'mlflow.db'}", list[int]()
    done = resume_sweep(
        "long", tracking_uri=uri, results=tmp_path / "results", on_trial=lambda t: ran.append(t.number)
    )
    assert ran == [1500, 1501]
    assert [t.number for t in done.trials] == list(range(1502))


def test_f47_a_trial_that_is_deleted_is_run_again(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    lost = sweep(tmp_path, on_trial=at(3, lambda t: store.client.delete_run(t.trial.run_id)))
    assert [t.number for t in lost.trials] == [0, 1, 2, 4, 5]
    whole = resume_sweep("made", tracking_uri=store.uri, results=tmp_path / "results")
    assert points(whole) == points(sweep(tmp_path, name="undisturbed"))


@pytest.mark.parametrize("what", ["sweep", "experiment"])
def test_f47_a_sweep_that_is_deleted_ends_with_one_line(tmp_path: Path, what: str) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")

    def delete(_: Finished) -> None:
        header = find_header(store, "made")
        if what == "sweep":
            store.client.delete_run(header.run_id)
        else:
            store.client.delete_experiment(header.experiment_id)

    with pytest.raises(StoreError, match=rf"^{'run' if what == 'sweep' else what} \w+: was deleted during"):
        sweep(tmp_path, on_trial=at(2, delete), trials=400)


def test_f51_rows_that_change_on_disk_change_nothing_under_way(tmp_path: Path) -> None:
    from sklearn.datasets import load_diabetes

    rows, file = load_diabetes(as_frame=True).frame, tmp_path / "rows.csv"
    rows.to_csv(file, index=False)
    given = {"data": None, "table": file, "target": "target"}
    calm = sweep(tmp_path, RIDGE, "calm", **given)
    changed = sweep(tmp_path, RIDGE, on_trial=at(2, lambda _: file.write_text("a,target\n1,2\n")), **given)
    assert points(changed) == points(calm)
    assert changed.finalists == calm.finalists
    assert changed.extra["data_digest"] == calm.extra["data_digest"]
    store = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert points(read_sweep(store, changed.run_id)) == points(calm)


def test_f53_a_report_is_whole_or_the_old_one_wherever_its_writer_is_killed(tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "report"
    names = sorted(path.name for path in write_report(made_record(), whole, plot=False))
    write_report(replace(made_record(), trials=()), folder, plot=False)
    old = {name: (folder / name).read_bytes() for name in names}
    new = {name: (whole / name).read_bytes() for name in names}
    for call in range(1, 100):
        killed = killed_at(call, lambda: write_report(made_record(), folder, plot=False))
        assert all((folder / name).read_bytes() in (old[name], new[name]) for name in names)
        if not killed:
            break
        write_report(replace(made_record(), trials=()), folder, plot=False)
        assert sorted(path.name for path in folder.iterdir()) == names, (
            "no remains of the one that was killed"
        )
    assert call > 4
    assert {name: (folder / name).read_bytes() for name in names} == new


def killed_at(call: int, work: Callable[[], object]) -> bool:
    """Do something in a child that kills itself at its n-th call to the file system; tell whether it did."""
    pid = os.fork()
    if pid == 0:
        left = iter(range(call - 1))

        def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*args: Any, **named: Any) -> Any:
                if next(left, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **named)

            return counted

        try:
            for name in ("open", "replace", "unlink", "mkdir"):
                setattr(Path, name, deadly(getattr(Path, name)))
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001  # nothing may return into a second copy of these tests
            traceback.print_exc()
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code == -signal.SIGKILL


def test_f53_what_goes_wrong_in_the_child_ends_there() -> None:
    with pytest.raises(AssertionError):
        killed_at(1000, lambda: os.environ["NO_SUCH_VARIABLE"])
