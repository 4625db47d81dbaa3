"""C12, C27, B62: a server that asks who we are is told, nobody else is; it keeps no password."""

import threading
from collections.abc import Iterator
from getpass import getuser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sklearn.datasets import load_diabetes

import sweeps
from sweeps.errors import StoreError
from sweeps.registry import predict_safely
from sweeps.tracking.store import check_store, open_store
from tests.security.planted import SECRET, found_in
from tests.stores import mlflow_server

PASSWORD = f"{SECRET}-admin"
SETTINGS = """
[mlflow]
default_permission = READ
database_uri = sqlite:///basic_auth.db
admin_username = admin
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 600
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A real server with MLflow's basic auth, and the folder of its files."""
    pytest.importorskip("flask_wtf", reason="MLflow's basic auth needs Flask-WTF")
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "auth.ini").write_text(SETTINGS)
    login = {
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "k" * 32,
    }
    with mlflow_server(folder, "--app-name", "basic-auth", **login) as uri:
        yield uri, folder


@pytest.mark.slow
def test_only_who_signs_in_may_look(guarded: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    uri, _ = guarded
    with pytest.raises(StoreError, match=r"not authorised \(401\) \(set MLFLOW_TRACKING_USERNAME"):
        check_store(uri)
    with pytest.raises(StoreError, match="not authorised") as caught:
        check_store(uri.replace("//", f"//admin:{SECRET}-wrong@"))
    assert SECRET not in str(caught.value)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    check_store(uri)


@pytest.mark.slow
def test_a_sweep_signs_in_and_leaves_no_password(
    guarded: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, folder = guarded
    signed = uri.replace("//", f"//admin:{PASSWORD}@")
    monkeypatch.chdir(tmp_path)
    record = sweeps.run_sweep(
        "ridge", "diabetes", trials=1, seed=1, engine="serial", tracking_uri=signed, cache=False
    )
    assert record.model is not None
    X = load_diabetes(as_frame=True, scaled=False).data.head(3)
    there = predict_safely(open_store(signed), record.model.uri, X)  # on a server: in a process of its own
    assert there.shape == (3,)
    version = open_store(signed).client.get_model_version("diabetes-regressor", "1")  # C27: who and why
    assert version.tags["sweeps.by"].partition("@")[0] == getuser()
    assert version.tags["sweeps.reason"]
    assert found_in(folder) == []
    assert found_in(tmp_path) == []


@pytest.fixture
def redirecting() -> Iterator[tuple[str, list[str]]]:
    """A server that sends whoever asks elsewhere, and all that arrives there."""
    arrived: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            arrived.append(str(self.headers))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"3.17.0")

        def log_message(self, *_: object) -> None: ...

    class Here(Elsewhere):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{there.server_port}/version")
            self.end_headers()

    there, here = HTTPServer(("127.0.0.1", 0), Elsewhere), HTTPServer(("127.0.0.1", 0), Here)
    threads = [
        threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        for s in (there, here)
    ]
    for thread in threads:
        thread.start()
    yield f"127.0.0.1:{here.server_port}", arrived
    for server, thread in zip((there, here), threads, strict=True):
        server.shutdown()
        thread.join(30)
        server.server_close()


def test_no_password_follows_a_redirect(redirecting: tuple[str, list[str]]) -> None:
    host, arrived = redirecting
    with pytest.raises(StoreError, match=r"sends us elsewhere \(302\).*\(name that address\)"):
        check_store(f"http://me:{SECRET}@{host}")
    assert arrived == []
