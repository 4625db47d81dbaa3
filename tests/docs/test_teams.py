"""The page for teams, done against a real server with users: what it allows, and what it refuses."""

import base64
import os
import re
import select
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import psutil
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from docs.generate.walk import StepError, Walk, run_sweeps, walk, walking
from sweeps.tracking.reader import find_sweep, read_sweep
from sweeps.tracking.store import find_store
from tests.shell import SWEEPS
from tests.stores import free_port, postgres_server, process, wait_for

PAGE = Path(__file__).parents[2] / "docs" / "teams.md"
DATABASE = "postgresql://mlflow:database-password@localhost/mlflow"
AS_BEN = {"MLFLOW_TRACKING_USERNAME": "ben", "MLFLOW_TRACKING_PASSWORD": "bens-first-password"}

pytestmark = pytest.mark.slow


@dataclass
class Team(Walk):
    """Several people and a server: it goes on while the page does, as does a command that ends in ``&``."""

    running: ExitStack = field(default_factory=ExitStack)

    def run(self, command: str) -> str:
        if command.startswith("mlflow server"):
            self._serve(command)
            return ""
        if command.endswith(" &"):
            self._leave_running(command.removesuffix(" &"))
            return ""
        return super().run(command)

    def _serve(self, command: str) -> None:
        log, port = self.folder / "server.log", re.findall(r"--port (\d+)", command)[0]
        own = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        words = [*command.split(), "--workers", "2"]
        server = self.running.enter_context(process(words, self.folder, log, own))
        wait_for(f"http://127.0.0.1:{port}/health", server, log)

    def _leave_running(self, command: str) -> None:
        """Start a sweep as another machine would, and go on when one of its trials is on the server."""
        log = self.folder / "sweep.log"
        words = [*SWEEPS, *command.split()[1:]]
        started = self.running.enter_context(process(words, self.folder, log, dict(os.environ)))
        name = command.partition("--name ")[2].split()[0]
        client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
        while not finished_trials(client, name):
            assert started.poll() is None, log.read_text()
            select.select([], [], [], 0.5)


def finished_trials(client: MlflowClient, name: str) -> list[Run]:
    """The finished trials of a sweep in the experiment of the page; none before its driver wrote one."""
    experiment = client.get_experiment_by_name("diabetes")
    assert experiment is not None
    where = [experiment.experiment_id]
    sweeps = client.search_runs(where, f"attributes.run_name = '{name}'")
    parents = [f"tags.`mlflow.parentRunId` = '{sweep.info.run_id}'" for sweep in sweeps]
    done = "attributes.status = 'FINISHED'"
    return [run for parent in parents for run in client.search_runs(where, f"{parent} AND {done}")]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty PostgreSQL database; a SQLite file where it is not installed."""
    with ExitStack() as stack:
        try:
            new_database = stack.enter_context(postgres_server())
        except pytest.skip.Exception:
            yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'mlflow.db'}"
        else:
            yield new_database()


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[Team]:
    """The team after the page was done."""
    folder, port = tmp_path_factory.mktemp("team"), free_port()
    instead = {
        "mlflow.example.org:5000": f"127.0.0.1:{port}",
        "--host 0.0.0.0 --port 5000": f"--host 127.0.0.1 --port {port}",
        "/srv/mlflow": str(folder),
        DATABASE: database,
    }
    with ExitStack() as running:
        team = Team(folder, instead, running=running)
        walk(PAGE, team)
        yield team


@pytest.fixture
def ben(team: Team) -> Iterator[str]:
    """Be Ben; gives the server's address."""
    uri = team.adapted("http://mlflow.example.org:5000")
    with walking(team.folder), mock.patch.dict(os.environ, {**AS_BEN, "MLFLOW_TRACKING_URI": uri}):
        yield uri


def test_all_sweeps_are_in_one_place(ben: str) -> None:
    listed = run_sweeps("sweeps list")
    assert all(name in listed for name in ("annas-ridge", "bens-lasso", "annas-long"))


def test_the_long_sweep_was_stopped_by_another(ben: str) -> None:
    store = find_store(ben)
    record = read_sweep(store, find_sweep(store, "annas-long"))
    assert record.state == "INTERRUPTED"
    assert 0 < len(record.trials) < 5000


def test_who_may_not_promote_is_told_so(ben: str) -> None:
    before = find_store(ben).client.get_registered_model("diabetes-team").aliases
    with pytest.raises(StepError, match=r"exit code 5") as refused:
        run_sweeps("sweeps promote bens-lasso --as diabetes-team")
    assert re.search(r"(?i)403|permission", str(refused.value))
    assert find_store(ben).client.get_registered_model("diabetes-team").aliases == before


def test_only_its_own_name_reaches_the_server(ben: str) -> None:
    words = base64.b64encode(":".join(AS_BEN.values()).encode()).decode()
    known = {"Authorization": f"Basic {words}"}
    path = f"{ben}/api/2.0/mlflow/experiments/search?max_results=1"
    with urllib.request.urlopen(urllib.request.Request(path, headers=known), timeout=60) as answer:
        assert answer.status == 200
    foreign = urllib.request.Request(path, headers={**known, "Host": "10.evil.com:5000"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(foreign, timeout=60)


def test_no_secret_is_on_a_command_line(team: Team) -> None:
    lines = [" ".join(found.info["cmdline"] or ()) for found in psutil.process_iter(["cmdline"])]
    port = team.adapted("mlflow.example.org:5000").partition(":")[2]
    assert any(port in line for line in lines)
    secrets = ("SECRETPW", "the-admin-password", "a-long-random-text")
    assert not [line for line in lines if any(secret in line for secret in secrets)]
