"""C11: the UI's server is for this machine and this user's eyes, and does not outlive the command."""

import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from sweeps.cli import server
from tests.ends import end
from tests.made_sweep import write_store
from tests.shell import Shell
from tests.stores import free_port

SEARCH = "/api/2.0/mlflow/experiments/search"
SECRET = "SECRETPW-ui"  # noqa: S105 - planted, to be looked for


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[psutil.Process, int]]:
    """``sweeps ui`` in a folder whose files have the names of modules; and its port."""
    folder, port = tmp_path_factory.mktemp("ui"), free_port()
    write_store(folder)
    for name in ("random", "flask", "mlflow", "sitecustomize"):
        (folder / f"{name}.py").write_text(f"open({str(folder / 'imported')!r}, 'a').write({name!r})\n")
    shell = Shell(folder)
    shell.env["AWS_SECRET_ACCESS_KEY"] = SECRET
    process = shell.begin("ui", "--no-open", "--port", str(port))
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1")
        yield psutil.Process(process.pid), port
    finally:
        end(process)


def answer(port: int, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, Mapping[str, str]]:
    url = f"http://127.0.0.1:{port}{SEARCH}?max_results=1"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, reply.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


HOSTS = {
    "127.0.0.1:{port}": 200, "localhost:{port}": 200, "evil.com": 403, "10.evil.com": 403,
    "192.168.evil.com:{port}": 403, "localhost.evil.com:{port}": 403, "127.0.0.1.evil.com": 403,
}  # fmt: skip


@pytest.mark.slow
def test_only_its_own_names_and_pages_are_served(running: tuple[psutil.Process, int]) -> None:
    _, port = running
    said = {host: answer(port, {"Host": host.format(port=port)})[0] for host in HOSTS}
    assert said == HOSTS
    foreign = {"Origin": "http://evil.com", "Sec-Fetch-Site": "cross-site"}
    assert answer(port, foreign, b'{"max_results": 1}')[0] == 403
    _, headers = answer(port, {})
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.slow
def test_it_listens_on_this_machine_alone_and_its_words_tell_nothing(
    running: tuple[psutil.Process, int],
) -> None:
    process, port = running
    family = [process, *process.children(recursive=True)]
    listening = {
        c.laddr.ip for p in family for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    assert not any("mlflow.db" in word or SECRET in word for p in family[1:] for word in p.cmdline())
    assert not (Path(process.cwd()) / "imported").exists()
    assert not server.free(port)


@pytest.mark.slow
def test_killed_it_takes_its_server_along(running: tuple[psutil.Process, int]) -> None:
    process, port = running
    family = process.children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert server.free(port)
