"""Answers of an MLflow server that are lost, late, or a refusal: nothing is lost, nothing is there twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.api.resume import resume_sweep
from sweeps.api.run import run_sweep
from sweeps.errors import StoreError
from sweeps.record import SweepRecord
from sweeps.tracking import outage
from sweeps.tracking.reader import find_sweep, list_sweeps, read_sweep
from sweeps.tracking.store import open_store
from tests.faults.proxy import DROP, PASS, SILENT, Proxy, proxy_before
from tests.laws.make import write_space
from tests.shell import TRAIN

QUICK = TRAIN.replace("BODY", "return (params['x'] - 0.3) ** 2")
TRIALS = 5
BUSY = "runs/create", "runs/log-batch"
HEALTH = "/health", "/version", "experiments/search"


@pytest.fixture
def proxy(server_uri: str) -> Iterator[Proxy]:
    with proxy_before(server_uri) as made:
        yield made


def sweep(folder: Path, uri: str) -> SweepRecord:
    return run_sweep(
        write_space(folder, QUICK), "diabetes", trials=TRIALS, seed=3, engine="serial", name=folder.name,
        register=False, tracking_uri=uri, results=folder / "results",
    )  # fmt: skip


def all_is_well(uri: str, name: str) -> None:
    """Every trial is there once, nothing is left running, and the sweep itself is there once."""
    store = open_store(uri)
    [header] = [one for one in list_sweeps(store, limit=None) if one.name == name]
    record = read_sweep(store, header.run_id)
    assert [t.number for t in record.trials] == list(range(TRIALS))
    assert {str(t.outcome.state) for t in record.trials} == {"COMPLETE"}
    assert (record.state, record.running) == ("COMPLETE", 0)
    query = f"tags.`mlflow.parentRunId` = '{record.run_id}'"
    runs = store.client.search_runs([record.experiment_id], query)
    assert {run.info.status for run in runs} <= {"FINISHED", "FAILED"}
    doubles = [run for run in runs if run.info.status == "FAILED"]
    assert {run.data.tags["sweeps.state"] for run in doubles} <= {"LOST"}
    assert len(runs) - len(doubles) == TRIALS


def test_f32_the_first_answer_of_every_kind_is_lost(tmp_path: Path, proxy: Proxy, server_uri: str) -> None:
    proxy.rule = lambda path, count: DROP if count == 1 and path not in HEALTH else PASS
    sweep(tmp_path, proxy.uri)
    assert {"runs/create", "runs/log-batch", "runs/update"} <= proxy.asked.keys()
    all_is_well(server_uri, tmp_path.name)


def test_f32_every_third_answer_is_lost(tmp_path: Path, proxy: Proxy, server_uri: str) -> None:
    proxy.rule = lambda path, count: DROP if count % 3 == 0 and path not in HEALTH else PASS
    sweep(tmp_path, proxy.uri)
    all_is_well(server_uri, tmp_path.name)


@pytest.mark.parametrize("status", ["429", "503"])
def test_f33_a_server_that_has_no_time_for_some_calls(
    tmp_path: Path, proxy: Proxy, server_uri: str, status: str
) -> None:
    proxy.rule = lambda path, count: status if path in BUSY and 3 <= count < 6 else PASS
    sweep(tmp_path, proxy.uri)
    assert min(proxy.asked[path] for path in BUSY) > 5
    all_is_well(server_uri, tmp_path.name)


def test_f33_a_server_that_says_when_to_come_back_is_asked_then(
    tmp_path: Path, proxy: Proxy, server_uri: str
) -> None:
    proxy.retry_after = "2"
    proxy.rule = lambda path, count: "429" if (path, count) == ("runs/log-batch", 4) else PASS
    sweep(tmp_path, proxy.uri)
    _, _, _, refused, again, *_ = proxy.times["runs/log-batch"]
    assert 1.9 < again - refused < 10
    all_is_well(server_uri, tmp_path.name)


def cut_off(tmp_path: Path, proxy: Proxy, status: str, uri: str) -> StoreError:
    """From its third trial on the sweep is refused everything; later it is resumed."""
    proxy.rule = lambda path, _: status if proxy.asked["runs/create"] > 3 else PASS
    with pytest.raises(StoreError) as error:
        sweep(tmp_path, uri)
    proxy.rule = lambda *_: PASS
    resume_sweep(tmp_path.name, tracking_uri=proxy.uri, results=tmp_path / "results")
    return error.value


def test_f33_a_server_that_never_has_time_again(
    tmp_path: Path, proxy: Proxy, server_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outage, "LONGEST", 0.5)
    error = cut_off(tmp_path, proxy, "503", proxy.uri)
    assert error.exit_code == 5
    assert "sweeps resume " in str(error)
    all_is_well(server_uri, tmp_path.name)


def test_f34_an_answer_that_never_comes(
    tmp_path: Path, proxy: Proxy, server_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    proxy.rule = lambda path, count: SILENT if (path, count) == ("runs/log-batch", 4) else PASS
    sweep(tmp_path, proxy.uri)
    assert proxy.asked["runs/log-batch"] > 4
    all_is_well(server_uri, tmp_path.name)


def test_f36_a_token_that_expires(tmp_path: Path, proxy: Proxy, server_uri: str) -> None:
    error = cut_off(tmp_path, proxy, "401", proxy.uri.replace("//", "//anne:SECRETPW@"))
    assert error.exit_code == 5
    assert "401" in str(error)
    assert "SECRETPW" not in str(error)
    all_is_well(server_uri, tmp_path.name)


def test_f32_a_sweep_is_found_by_its_name_afterwards(tmp_path: Path, proxy: Proxy, server_uri: str) -> None:
    """Also where two runs were made of it."""
    proxy.rule = lambda path, count: DROP if (path, count) == ("runs/create", 1) else PASS
    made = sweep(tmp_path, proxy.uri)
    assert proxy.asked["runs/create"] == TRIALS + 2
    assert find_sweep(open_store(server_uri), tmp_path.name) == made.run_id
