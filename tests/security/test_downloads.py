"""C20: a download asks public addresses over https, or this machine if told so; never a private one."""

import http.server
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.data.fetch import fetch
from sweeps.errors import DataError
from tests.missing import missing

NAME = "green-taxi:2023-01"


@pytest.fixture
def private_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """A site of this machine with a certificate we trust: its address, and what it was asked."""
    if shutil.which("openssl") is None:
        missing("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run(
        [*words, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=120
    )
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"https://localhost:{server.server_port}/", asked
    server.shutdown()
    thread.join(30)
    server.server_close()


def test_a_private_address_is_not_asked(private_site: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = private_site
    with pytest.raises(DataError, match=r"https://localhost: leads to 127.0.0.1, which is no public address"):
        fetch(NAME, str(tmp_path / "data"), base_url=url)
    assert asked == []
    assert not (tmp_path / "data").exists()


def test_nor_is_it_where_a_redirect_leads(private_site: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = private_site

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", url)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.handle_request, daemon=True)
    thread.start()
    with pytest.raises(DataError, match="no public address"):
        fetch(NAME, str(tmp_path / "data"), base_url=f"http://127.0.0.1:{server.server_port}/")
    thread.join(30)
    server.server_close()
    assert asked == []
