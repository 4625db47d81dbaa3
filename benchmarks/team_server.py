"""The server of a team, for a benchmark: MLflow on a PostgreSQL, with files served, and users if wanted.

Servers and database are those of the tests.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import psutil
import pytest

from tests.stores import BIN, Postgres, free_port, postgres_server, process, wait_for

AUTH = """[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/auth.db
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""
"""As docs/teams.md has it."""


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    uri: str
    log: Path
    process: psutil.Process
    password: str
    """Of all its users; empty where it asks for none."""

    def login(self, user: str) -> dict[str, str]:
        """Give the variables that one of the team has."""
        own = {"MLFLOW_TRACKING_URI": self.uri}
        names = {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": self.password}
        return {**own, **names} if self.password else own

    def cpu_seconds(self) -> float:
        """Give the CPU time of its processes so far."""
        times = [one.cpu_times() for one in (self.process, *self.process.children(recursive=True))]
        return sum(one.user + one.system for one in times)


@contextmanager
def serving(folder: Path, database: str, users: Sequence[str], workers: int) -> Iterator[Server]:
    """Run a server.

    Args:
        folder: for its files; empty.
        database: URI of an empty database.
        users: who may write; none for a server that asks nobody who they are.
        workers: its processes.
    """
    port, log, password = free_port(), folder / "server.log", secrets.token_hex(16) if users else ""
    words = ["--app-name", "basic-auth"] if users else []
    command = [
        str(BIN / "mlflow"), "server", *words, "--host", "127.0.0.1", "--port", str(port),
        "--allowed-hosts", f"127.0.0.1:{port}", "--artifacts-destination", str(folder / "artifacts"),
        "--workers", str(workers),
    ]  # fmt: skip
    variables = {
        "MLFLOW_BACKEND_STORE_URI": database,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": password,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(16),
    }
    (folder / "auth.ini").write_text(AUTH.format(folder=folder), "utf-8")
    with process(command, folder, log, variables) as running:
        wait_for(f"http://127.0.0.1:{port}/health", running, log)
        server = Server(f"http://127.0.0.1:{port}", log, psutil.Process(running.pid), password)
        if users:
            _admit(server, users)
        yield server


def _admit(server: Server, users: Sequence[str]) -> None:
    """Make accounts that may write to every experiment, and register models of their own."""
    from mlflow.server import get_app_client

    with mock.patch.dict(os.environ, server.login("admin")):
        admin = get_app_client("basic-auth", server.uri)
        team = admin.create_role("default", "team")
        admin.add_role_permission(team.id, "workspace", "*", "USE")
        admin.add_role_permission(team.id, "experiment", "*", "EDIT")
        for name in users:
            admin.create_user(name, server.password)
            admin.assign_role(name, team.id)


@contextmanager
def databases() -> Iterator[Postgres]:
    """Run a PostgreSQL.

    Raises:
        SystemExit: it is not installed.
    """
    try:
        with postgres_server() as made:
            yield made
    except pytest.skip.Exception as missing:
        raise SystemExit(f"error: {missing}") from None
