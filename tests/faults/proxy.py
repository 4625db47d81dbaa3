"""A web server on this machine that stands before MLflow's and loses, refuses or delays answers."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

PASS, DROP, SILENT = "pass", "drop", "silent"
"""Hand on; hand on, but lose the answer; hand on, and never answer."""

Rule = Callable[[str, int], str]
"""Takes a path and how often it was asked for, from 1; gives what to do: one of the above, or a status."""


class Proxy:
    """What the tests see of it."""

    def __init__(self, uri: str, target: str) -> None:
        self.uri, self.target = uri, target
        self.rule: Rule = lambda *_: PASS
        self.asked: Counter[str] = Counter()
        self.times: dict[str, list[float]] = {}
        """By path, when it was asked for; by the monotonic clock."""
        self.retry_after = "0"
        """Seconds, in the answers that refuse."""
        self.closing = threading.Event()
        self._turn = threading.Lock()

    def decide(self, path: str) -> str:
        with self._turn:
            self.asked[path] += 1
            self.times.setdefault(path, []).append(time.monotonic())
            return self.rule(path, self.asked[path])


@contextmanager
def proxy_before(upstream: str) -> Iterator[Proxy]:
    """Run a proxy before a server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = server.proxy = Proxy(f"http://127.0.0.1:{server.server_port}", urlsplit(upstream).netloc)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.closing.set()
        server.shutdown()
        server.server_close()
        thread.join(30)


class Handler(BaseHTTPRequestHandler):
    server: Any

    def _serve(self) -> None:
        what = self.server.proxy.decide(self.path.partition("?")[0].removeprefix("/api/2.0/mlflow/"))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if what.isdigit():
            self._answer(int(what), b"not now", {"Retry-After": self.server.proxy.retry_after})
            return
        status, content, headers = self._upstream(body)
        if what == SILENT:
            self.server.proxy.closing.wait(60)
        if what == PASS:
            self._answer(status, content, headers)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the base class's names

    def _upstream(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(self.server.proxy.target, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content, {"Content-Type": answer.headers.get("Content-Type", "")}

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
