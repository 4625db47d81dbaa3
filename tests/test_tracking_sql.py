"""Writing straight into MLflow's tables leaves what MLflow's client would leave, row for row."""

import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweeps.errors import StoreError
from sweeps.tracking import by_client, database
from sweeps.tracking.change import Entry
from sweeps.tracking.database import database_of
from sweeps.tracking.reader import read_sweep
from sweeps.tracking.schema import thinned
from sweeps.tracking.store import Store, open_store
from sweeps.tracking.writer import Origin, SweepWriter
from sweeps.trial import Outcome, Proposal, State

from .stores import postgres_server

if TYPE_CHECKING:
    from mlflow.entities import Run

Way = Callable[[Store], SweepWriter]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """Each kind of store whose tables we know."""
    monkeypatch.chdir(tmp_path)
    return open_store(str(request.getfixturevalue(f"{request.param}_uri")))


def begin(store: Store) -> SweepWriter:
    origin = Origin("s", "SPACE = {}\n", "d" * 64, "made", "e" * 36)
    return SweepWriter.open(store, "exp", "sweep", settings={}, origin=origin)


def by_tables(store: Store) -> SweepWriter:
    writer = begin(store)
    assert writer.batch > 1
    return writer


def by_the_client(store: Store) -> SweepWriter:
    """As with an MLflow whose tables we have not seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "VERIFIED", frozenset({"another"}))
        writer = begin(store)
    assert writer.batch == 1
    return writer


def proposal(number: int, **params: Any) -> Proposal:
    return Proposal(number, {"x": number / 3}, {"x": number / 3, **params}, seed=number)


def complete(rmse: float, **more: Any) -> Outcome:
    return Outcome(State.COMPLETE, rmse, **more)


LONG_CURVE = tuple((i, 100.0 / (i + 1) + (i % 7)) for i in range(1000))
PRUNED = Outcome(State.PRUNED, 9.0, error="round 27", curve=LONG_CURVE[:28], rungs=((8, 9.5), (26, 9.0)))
FAILED = Outcome(State.FAILED, error="Traceback:\n  File x\nValueError: höchst \x1b[31m ungünstig \ud800")
ENTRIES = [
    [Entry(proposal(n), began=100.5 + n) for n in range(3)],
    [
        Entry(proposal(0), outcome=complete(1 / 3, metrics={"mae": 5, "r2": -1e300}), ended=200.25),
        Entry(proposal(1), outcome=complete(2.0, curve=LONG_CURVE, folds=(1.5, 1.5, 3.0)), ended=201),
        Entry(proposal(3, name="größe 尺寸 🚕", flag=True, none=None), 150.0, FAILED, 202.0),
        Entry(proposal(4), 151.0, PRUNED, 203.0),
        Entry(proposal(5), 152.0, Outcome(State.LOST, error="worker died"), 204.0),
    ],
    [
        Entry(proposal(5), 205.0, complete(0.25, curve=((0, 2.0), (0, 2.0), (0, 3.0))), 206.0),
        Entry(proposal(6, long="é" * 6000, longer="x" * 7000, **{"k" * 250: "v"}), 1.0, complete(0.5), 2.0),
        Entry(proposal(7, **{f"p{i}": i for i in range(150)}), 207.0, complete(1.0), 208.0),
        Entry(proposal(8), 209.0, complete(1.0, metrics={f"m{i}": i / 7 for i in range(1200)}), 210.0),
        Entry(Proposal(9, {f"x{i:04}": 0.5 for i in range(600)}, {}, 2**31), 211.0, complete(1.0), 212.0),
        Entry(proposal(10, **{"a[0]": 1, "a(0)": 2}), 213.0),
    ],
]


LATER = 4e9
"""After the sweeps of these tests began: an earlier end is written as if it had come with the beginning."""


def later(entry: Entry) -> Entry:
    began, ended = (None if at is None else at + LATER for at in (entry.began, entry.ended))
    return replace(entry, began=began, ended=ended or 0.0)


def write_all(writer: SweepWriter) -> str:
    for entries in [[later(entry) for entry in some] for some in ENTRIES]:
        for first in range(0, len(entries), writer.batch):
            writer.write(entries[first : first + writer.batch])
        writer.write_standing()
    return writer.run_id


def trials_of(store: Store, sweep: str) -> "list[Run]":
    experiment = store.client.get_run(sweep).info.experiment_id
    return list(store.client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{sweep}'"))


def rows(store: Store, sweep: str) -> dict[str, list[str]]:
    """Every row of a sweep's trials, and those its trials left on the sweep's run, without the run ids."""
    from sqlalchemy import select

    names = {t.info.run_id: f"{t.info.run_name} {t.info.status}" for t in trials_of(store, sweep)}
    inner = database_of(store)
    assert inner is not None
    found: dict[str, list[str]] = {}
    with inner.begin() as connection:
        for table in (inner.runs, inner.tags, inner.params, inner.metrics, inner.latest):
            ids = [*names] if table is inner.runs else [*names, sweep]  # the clock says when a sweep began
            held = connection.execute(select(table).where(table.c.run_uuid.in_(ids))).mappings().all()
            held = [row for row in held if row.get("key") not in ("sweeps.beat", "sweeps.key")]
            texts = [repr(dict(row)).replace(row["run_uuid"], names.get(row["run_uuid"], "")) for row in held]
            found[table.name] = sorted(text.replace(sweep, "SWEEP") for text in texts)
    return found


def test_both_ways_leave_the_same_rows(store: Store) -> None:
    by_sql, by_api = rows(store, write_all(by_tables(store))), rows(store, write_all(by_the_client(store)))
    for name in by_sql:
        assert by_sql[name] == by_api[name], name
    assert {name: len(held) for name, held in by_sql.items() if len(held) < 11} == {}
    assert len(by_sql["runs"]) == 12


def seen_through_the_client(store: Store, sweep: str) -> list[Any]:
    """What MLflow's client gives of a sweep's trials, without their run ids."""
    seen = []
    for run in trials_of(store, sweep):
        run_id = run.info.run_id
        assert store.client.get_run(run_id).to_dictionary() == run.to_dictionary()
        curve = [(m.step, m.value, m.timestamp) for m in store.client.get_metric_history(run_id, "val_rmse")]
        files = [f.path for f in store.client.list_artifacts(run_id)]
        text = Path(store.client.download_artifacts(run_id, files[0])).read_text() if files else ""
        held = json.dumps(run.to_dictionary(), sort_keys=True).replace(run_id, "X").replace(sweep, "S")
        seen.append((held, sorted(curve), text))
    return sorted(seen)


def test_the_client_sees_the_same(store: Store) -> None:
    by_sql = seen_through_the_client(store, write_all(by_tables(store)))
    assert by_sql == seen_through_the_client(store, write_all(by_the_client(store)))
    assert [text for _, _, text in by_sql if text] == [FAILED.error.replace("\ud800", "?")]  # type: ignore[union-attr]


def test_both_ways_read_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = write_all(by_tables(store))
    store.client.delete_run(read_sweep(store, sweep).trials[0].trial.run_id)
    by_sql = read_sweep(store, sweep, curves=True)
    monkeypatch.setattr(database, "VERIFIED", frozenset())
    assert read_sweep(store, sweep, curves=True) == by_sql
    assert [t.number for t in by_sql.trials] == [1, 3, 4, 5, 6, 7, 8, 9]
    assert by_sql.running == 2


def test_mlflow_goes_on_with_our_rows(store: Store) -> None:
    writer = by_tables(store)
    (finished,) = writer.write([Entry(proposal(0), 1.0, complete(5.0), 2.0)])
    run_id, client = finished.trial.run_id, store.client
    client.log_metric(run_id, "rmse", 4.0, step=1)
    client.set_tag(run_id, "sweeps.state", "CHANGED")
    client.log_param(run_id, "more", 1)
    client.delete_run(run_id)
    client.restore_run(run_id)
    run = client.get_run(run_id)
    assert (run.data.metrics["rmse"], run.data.tags["sweeps.state"]) == (4.0, "CHANGED")
    assert run.data.params["more"] == "1"


@pytest.mark.parametrize("way", [by_tables, by_the_client])
def test_nothing_is_written_to_what_was_deleted(store: Store, way: Way) -> None:
    writer = way(store)
    for number in (0, 1):
        writer.write([Entry(proposal(number), began=1.0)])
    one, experiment = trials_of(store, writer.run_id)[0], writer.experiment_id
    gone, number = one.info.run_id, int(one.data.tags["sweeps.trial"])
    store.client.delete_run(gone)
    with pytest.raises(StoreError, match=f"run {gone}.*(deleted|active)"):
        writer.write([Entry(proposal(number), outcome=complete(1.0), ended=2.0)])
    assert store.client.get_run(gone).to_dictionary()["data"] == one.to_dictionary()["data"]
    store.client.delete_experiment(experiment)
    with pytest.raises(StoreError, match=f"experiment {experiment}.*(deleted|active)"):
        writer.write([Entry(proposal(2), began=3.0)])
    store.client.restore_experiment(experiment)
    assert read_sweep(store, writer.run_id).trials == []


@pytest.mark.parametrize("way", [by_tables, by_the_client])
def test_who_sees_a_final_state_sees_all_of_the_outcome(sqlite_uri: str, way: Way) -> None:
    """Another process looks whenever a statement was carried out."""
    from sqlalchemy import event

    store = open_store(sqlite_uri)
    writer = way(store)
    looks: list[int] = []
    with closing(sqlite3.connect(sqlite_uri.removeprefix("sqlite:///"))) as other:

        def look(*_: Any) -> None:
            final = other.execute(
                "SELECT run_uuid FROM tags WHERE key = 'sweeps.state' AND value IN ('COMPLETE', 'FAILED')"
            ).fetchall()
            looks.append(len(final))
            for (run,) in final:
                ((failed,),) = other.execute(
                    "SELECT count(*) FROM tags WHERE key = 'sweeps.error' AND run_uuid = ?", (run,)
                )
                held = [
                    other.execute(f"SELECT count(*) FROM {name} WHERE run_uuid = ?", (run,)).fetchone()[0]  # noqa: S608
                    for name in ("params", "metrics", "latest_metrics")
                ]
                assert failed or held == [131, 1202 + len(thinned(LONG_CURVE)), 1203]

        engine = database_of(store).engine  # type: ignore[union-attr]
        event.listen(engine, "after_cursor_execute", look)
        event.listen(engine, "commit", look)
        many = complete(1.0, metrics={f"m{i}": 1.0 for i in range(1201)}, curve=LONG_CURVE)
        params = {f"p{i}": i for i in range(130)}
        writer.write([Entry(proposal(0, **params), began=1.0)])
        for entry in (
            Entry(proposal(0), outcome=many, ended=2.0),
            Entry(proposal(1, **params), 1.0, many, 2.0),
            Entry(proposal(2), 1.0, FAILED, 2.0),
        ):
            writer.write([entry])
        event.remove(engine, "after_cursor_execute", look)
        event.remove(engine, "commit", look)
        look()
    assert set(looks) == {0, 1, 2, 3}


def test_all_or_nothing(sqlite_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    writer = by_tables(open_store(sqlite_uri))
    with closing(sqlite3.connect(sqlite_uri.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"^MLflow sqlite:.*database is locked$"):
            writer.write(ENTRIES[0])
        other.execute("ROLLBACK")
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON metrics BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
        with pytest.raises(StoreError, match="disk is full"):
            writer.write([Entry(proposal(0), began=1.0), Entry(proposal(1), 1.0, complete(1.0), 2.0)])
        assert other.execute("SELECT count(*) FROM runs").fetchone() == (1,)
        other.execute("DROP TRIGGER full")
    assert len(writer.write([Entry(proposal(1), 1.0, complete(1.0), 2.0)])) == 1


def test_a_database_that_went_away_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # the artifacts of a sweep in PostgreSQL go to the folder it is run in
    with postgres_server() as new_database:
        store = open_store(new_database())
        writer = by_tables(store)
        ended(store)
        writer.write([Entry(proposal(0), 1.0, complete(1.0), 2.0)])  # a connection that was cut is made anew
    with pytest.raises(StoreError, match=r"^MLflow postgresql://\*\*\*@.*[Cc]onnection") as error:
        writer.write([Entry(proposal(1), 1.0, complete(1.0), 2.0)])
    assert "SECRETPW" not in str(error.value)


def ended(store: Store) -> None:
    """Cut every idle connection."""
    import psycopg

    with psycopg.connect(store.uri, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_two_writers_in_one_file(sqlite_uri: str) -> None:
    writers = [by_tables(open_store(sqlite_uri)) for _ in range(2)]
    threads = [threading.Thread(target=many, args=(writer,), daemon=True) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    store = open_store(sqlite_uri)
    assert [len(read_sweep(store, writer.run_id).trials) for writer in writers] == [40, 40]


def many(writer: SweepWriter) -> None:
    for number in range(40):
        writer.write([Entry(proposal(number), 1.0, complete(1.0), 2.0)])


def test_a_server_is_written_through_its_client(server_uri: str) -> None:
    assert database_of(open_store(server_uri)) is None
    assert begin(open_store(server_uri)).batch == by_client.ClientPen.batch
