"""The containers of a team, without Docker: the file is read, and its server's own command is run."""

import configparser
import re
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mlflow.environment_variables
import pytest
import yaml
from mlflow.cli import cli

from sweeps.credentials import is_secret
from tests.stores import BIN, Postgres, free_port, process, wait_for

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "team"
TEXT = (FOLDER / "compose.yaml").read_text()
NAMED = re.compile(r"\$\{(\w+):\?\}")
NAME = "mlflow.example.org"
MADE_UP = {key: f"{key.lower().replace('_', '')}0123456789" for key in NAMED.findall(TEXT)}
FILLED = {**MADE_UP, "SERVER_NAME": NAME}
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]


def filled(text: str) -> str:
    """What Compose makes of a text."""
    return NAMED.sub(lambda found: FILLED[found[1]], text)


def option(words: list[str], name: str) -> str:
    """The value of an option on a command line."""
    return words[words.index(name) + 1]


def test_the_environment_file_has_every_name_and_no_value_that_is_secret() -> None:
    lines = re.findall(r"^(\w+)=(.*)$", (FOLDER / "env.example").read_text(), re.MULTILINE)
    assert {name for name, _ in lines} == set(NAMED.findall(TEXT))
    assert [name for name, value in lines if value] == ["SERVER_NAME"]
    assert "$" not in NAMED.sub("", TEXT), "a value that is missing must be an error"
    assert "/examples/team/.env" in (ROOT / ".gitignore").read_text().splitlines()


def test_no_secret_is_in_the_file_or_on_a_command_line() -> None:
    for service in SERVICES.values():
        for name, value in service["environment"].items():
            assert not is_secret(name, value) or NAMED.search(value) or value.startswith("/"), name
        assert set(NAMED.findall(" ".join(service.get("command", [])))) <= {"SERVER_NAME"}


def test_images_are_pinned_and_the_server_is_the_one_that_is_tested() -> None:
    recipe = SERVICES["mlflow"]["build"]["dockerfile_inline"]
    images = [service["image"] for service in SERVICES.values()] + re.findall(r"FROM (\S+)", recipe)
    assert all(re.search(r":\d[\w.-]*$", image) for image in images)
    pins = dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert dict(re.findall(r"'(\w+)\[\w+\]==([\d.]+)'", recipe)) == {
        name: pins[name] for name in ("mlflow", "psycopg")
    }
    assert SERVICES["mlflow"]["image"].endswith(f":{pins['mlflow']}")


def test_only_the_server_is_reached_and_only_from_its_machine() -> None:
    assert {name: service.get("ports") for name, service in SERVICES.items()} == {
        "mlflow": ["127.0.0.1:5000:5000"],
        "database": None,
        "objects": None,
    }


def test_a_service_waits_for_those_it_needs_until_they_are_well() -> None:
    mlflow = SERVICES["mlflow"]
    well = {"condition": "service_healthy"}
    assert mlflow["depends_on"] == {"database": well, "objects": well}
    assert all(service["healthcheck"]["test"][0] == "CMD" for service in SERVICES.values())
    database, objects = SERVICES["database"], SERVICES["objects"]
    at = urlsplit(filled(mlflow["environment"]["MLFLOW_BACKEND_STORE_URI"]))
    assert at.hostname == "database"
    assert f"--port={at.port}" in database["healthcheck"]["test"]
    assert {at.username, at.path[1:]} == {database["environment"][f"POSTGRES_{x}"] for x in ("USER", "DB")}
    assert at.password == filled(database["environment"]["POSTGRES_PASSWORD"])
    at = urlsplit(mlflow["environment"]["MLFLOW_S3_ENDPOINT_URL"])
    assert at.hostname == "objects"
    assert f"-s3.port={at.port}" in objects["command"]
    assert f":{at.port}/" in objects["healthcheck"]["test"][-1]
    bucket = urlsplit(option(mlflow["command"], "--artifacts-destination")).hostname
    assert f"-bucket={bucket}" in objects["command"]
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert [mlflow["environment"][key] for key in keys] == [objects["environment"][key] for key in keys]


def test_the_servers_options_and_variables_are_mlflows() -> None:
    _, name, *words = map(filled, SERVICES["mlflow"]["command"])
    command = cli.get_command(None, name)  # type: ignore[arg-type]
    given = command.make_context(name, words).params
    assert given["allowed_hosts"] == NAME, "no port: it is that of https"
    assert given["cors_allowed_origins"] == f"https://{NAME}"
    assert given["port"] == 5000
    own = [name for name in SERVICES["mlflow"]["environment"] if name.startswith("MLFLOW_")]
    known = {param.envvar for param in command.params} | set(vars(mlflow.environment_variables))
    assert set(own) <= known


def test_the_page_starts_its_server_with_the_same_options() -> None:
    [command] = re.findall(r"^mlflow server .*$", (ROOT / "docs" / "teams.md").read_text(), re.MULTILINE)
    ours = [word for word in SERVICES["mlflow"]["command"] if word.startswith("--")]
    assert [word for word in command.split() if word.startswith("--")] == ours


def test_every_volume_is_declared_and_used() -> None:
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service["volumes"]]
    declared = set(yaml.safe_load(TEXT)["volumes"])
    assert {source for source, *_ in mounts if "/" not in source} == declared
    assert [source for source, *_ in mounts if "/" in source] == ["./auth.ini"]


def test_users_are_let_in_as_the_page_says() -> None:
    page = (ROOT / "docs" / "teams.md").read_text()
    [block] = re.findall(r"^```ini\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    ours, theirs = configparser.ConfigParser(), configparser.ConfigParser()
    ours.read(FOLDER / "auth.ini")
    theirs.read_string(block)
    own, said = dict(ours["mlflow"]), dict(theirs["mlflow"])
    place = urlsplit(own.pop("database_uri")).path[1:]
    said.pop("database_uri")
    assert own == said
    volumes = dict(mount.split(":")[:2] for mount in SERVICES["mlflow"]["volumes"])
    assert str(Path(place).parent) == volumes["accounts"]
    assert SERVICES["mlflow"]["environment"]["MLFLOW_AUTH_CONFIG_PATH"] == volumes["./auth.ini"]


@dataclass
class Served:
    """The server of the file, as a proxy on its machine sees it."""

    port: int

    def ask(self, path: str, **parts: Any) -> tuple[int, bytes]:
        """Send a request; give the status and what was answered."""
        headers = {"Host": NAME, "Content-Type": "application/json", **parts.pop("headers", {})}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers, **parts)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


ADMIN = {"Authorization": "Basic " + b64encode(f"admin:{FILLED['ADMIN_PASSWORD']}".encode()).decode()}
SEARCH = "/api/2.0/mlflow/experiments/search"


@pytest.fixture(scope="module")
def served(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The very command of the file, but for addresses and files: here they are this machine's."""
    folder, port = tmp_path_factory.mktemp("team"), free_port()
    _, *words = map(filled, SERVICES["mlflow"]["command"])
    here = {"--host": "127.0.0.1", "--port": str(port), "--artifacts-destination": "files"}
    for name, value in here.items():
        words[words.index(name) + 1] = value
    env = {name: filled(value) for name, value in SERVICES["mlflow"]["environment"].items()}
    scheme, database = urlsplit(env["MLFLOW_BACKEND_STORE_URI"]).scheme, urlsplit(postgres())
    env["MLFLOW_BACKEND_STORE_URI"] = database._replace(scheme=scheme).geturl()
    env["MLFLOW_AUTH_CONFIG_PATH"] = str(folder / "auth.ini")
    auth = (FOLDER / "auth.ini").read_text().replace("/srv/mlflow/accounts", str(folder))
    (folder / "auth.ini").write_text(auth)
    log = folder / "server.log"
    with process([str(BIN / "mlflow"), *words, "--workers", "1"], folder, log, env) as server:
        wait_for(f"http://127.0.0.1:{port}/health", server, log)
        yield Served(port)


@pytest.mark.slow
def test_the_server_asks_who_it_is(served: Served) -> None:
    query = f"{SEARCH}?max_results=1"
    assert served.ask(query)[0] == 401
    assert served.ask(query, headers=ADMIN)[0] == 200


@pytest.mark.slow
@pytest.mark.parametrize("host", [f"{NAME}:5000", "10.evil.com", "127.0.0.1:5000", f"x.{NAME}"])
def test_the_server_has_one_name_only(served: Served, host: str) -> None:
    status, answer = served.ask(f"{SEARCH}?max_results=1", headers={**ADMIN, "Host": host})
    assert status == 403
    assert b"Host" in answer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("origin", "status"), [(f"https://{NAME}", 200), (f"http://{NAME}", 403), ("https://evil.com", 403)]
)
def test_the_server_answers_its_own_pages_only(served: Served, origin: str, status: int) -> None:
    asked = {"method": "POST", "data": b'{"max_results": 1}', "headers": {**ADMIN, "Origin": origin}}
    assert served.ask(SEARCH, **asked)[0] == status


@pytest.mark.slow
def test_files_go_through_the_server(served: Served) -> None:
    path = "/api/2.0/mlflow-artifacts/artifacts/1/some/report.txt"
    assert served.ask(path, method="PUT", data=b"a report", headers=ADMIN)[0] == 200
    assert served.ask(path, headers=ADMIN) == (200, b"a report")
    assert served.ask(path)[0] == 401


@pytest.mark.slow
def test_its_own_health_check_tells(served: Served) -> None:
    _, program, *words = SERVICES["mlflow"]["healthcheck"]["test"]
    assert program == "python"
    for port, code in ((served.port, 0), (free_port(), 1)):
        here = [word.replace("5000", str(port)) for word in words]
        done = subprocess.run([sys.executable, *here], check=False, capture_output=True, timeout=100)
        assert done.returncode == code
