"""The benchmarks of many slots and of a team: their arithmetic, and each once in the smallest size."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.naps import Nap
from benchmarks.team_store import FAILED, last_line, shared
from benchmarks.utilisation import pauses, use
from tests.stores import Postgres
from tests.test_benchmarks import benchmark

NAPS = [Nap(1, 10.0, 11.0), Nap(2, 10.1, 11.1), Nap(1, 11.2, 12.3), Nap(2, 11.5, 12.5)]


def test_utilisation_is_what_is_asked_for_of_all_the_time_there_is() -> None:
    figures = {
        "written": [(9.0, 1.0), (11.1, 2.0), (11.2, 2.25), (12.4, 2.5), (13.0, 9.0)],
        "commits": [9.5, 10.5, 11.0, 12.5, 12.6],
        "peak_mb": 300.0,
    }
    found = use("local", 2, 1.0, NAPS, figures, started=4.0)
    assert found.utilisation == pytest.approx(4 / (2 * 2.5))
    assert found.pause_ms == pytest.approx(300)
    assert found.long_pause_ms == pytest.approx(400)
    assert found.asks_per_second == pytest.approx(4 / 2.5)
    assert found.commits_per_second == pytest.approx(3 / 2.5)
    assert found.cpu_ms == pytest.approx(250)
    assert found.ready_seconds == pytest.approx(6)


def test_pauses_are_those_of_one_process() -> None:
    assert pauses(NAPS) == pytest.approx([0.2, 0.4])
    assert pauses(NAPS[:2]) == []


def test_a_teams_figures_are_those_of_the_drivers_that_ended_well() -> None:
    figures: list[Any] = [
        {"written": [(101.0, 100.5), (102.0, 100.0)], "cpu_seconds": 0.3},
        {"written": [(104.0, 103.0)], "cpu_seconds": 0.3},
    ]
    found = shared(True, 1.0, 4, ["member-2: exit code 1"], figures, 100.0, 2.0)
    assert found.per_second == pytest.approx(3 / 4)
    assert (found.wait, found.long_wait) == pytest.approx((1.0, 2.0))
    assert (found.driver_ms, found.server_ms) == pytest.approx((200, 500))


def test_a_driver_that_failed_is_told_without_the_paths_of_its_traceback() -> None:
    text = 'Traceback (most recent call last):\n  File "/srv/x.py", line 1\nStoreError: no answer\n\n'
    assert last_line(text) == "StoreError: no answer"


def test_a_request_that_failed_is_found_in_the_servers_log() -> None:
    line = '2026/01/02 03:04:05 INFO:     127.0.0.1:1 - "POST /api/2.0/mlflow/runs/create HTTP/1.1" {}'
    assert FAILED.findall(line.format("503 Service Unavailable"))
    assert not FAILED.findall(line.format("200 OK"))


@pytest.mark.slow
def test_utilisation(tmp_path: Path) -> None:
    options = ["--local", "2", "--dask", "", "--rounds", "3", "--seconds", "0.2"]
    page, figures, _ = benchmark("utilisation", tmp_path, *options)
    assert "| engine | slots | trials | utilisation, % |" in page
    raw: Any = figures["raw"]
    [found] = raw
    assert (found["slots"], found["trials"]) == (2, 6)
    assert 0.02 < found["utilisation"] < 1
    assert 0 < found["pause_ms"] <= found["long_pause_ms"]
    assert all(found[name] > 0 for name in ("asks_per_second", "commits_per_second", "ready_seconds"))


@pytest.mark.nightly
@pytest.mark.parametrize(("drivers", "slots", "trials"), [(2, 1, 3), (10, 4, 12)])
def test_team_store(postgres: Postgres, tmp_path: Path, drivers: int, slots: int, trials: int) -> None:
    """It starts a PostgreSQL of its own; the fixture skips where there is none."""
    sizes = f"--drivers {drivers} --slots {slots} --trials {trials} --server-workers {min(drivers, 4)}"
    page, figures, _ = benchmark(
        "team_store", tmp_path, *sizes.split(), "--seconds", "0", "--apart", "2", seconds=550
    )
    assert f"## {drivers} drivers × {slots} slots on one server" in page
    raw: Any = figures["raw"]
    assert [one["users"] for one in raw] == [False, True]
    assert [one["errors"] for one in raw] == [[], []]
    assert all(one["trials"] == drivers * trials and one["per_second"] > 0 for one in raw)
    assert all(0 < one["wait"] <= one["long_wait"] for one in raw)
    assert all(one["driver_ms"] > 0 and one["server_ms"] > 0 for one in raw)
