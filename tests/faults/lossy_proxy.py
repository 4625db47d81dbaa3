"""A proxy on loopback that passes a request on and then closes without the answer, once for each kind."""

import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

HOP = ("connection", "transfer-encoding", "content-length", "server", "date")


class Proxy:
    """What it lost so far."""

    def __init__(self, target: str, port: int, lose: Sequence[str]) -> None:
        self.target, self.uri, self.lose = target, f"http://127.0.0.1:{port}", lose
        self.losing = False
        self.lost: list[str] = []

    def loses(self, method: str, path: str) -> bool:
        """Whether this answer is to be lost; the same request gets through the second time."""
        kinds = [
            kind for kind in self.lose if path.partition("?")[0].endswith(kind) and kind not in self.lost
        ]
        if self.losing and method == "POST" and kinds:
            self.lost.append(kinds[0])
            return True
        return False


@contextmanager
def lossy(target: str, port: int, lose: Sequence[str]) -> Iterator[Proxy]:
    """Run the proxy while the context is open.

    Args:
        target: the server, as ``http://host:port``.
        port: to listen on.
        lose: ends of the paths whose first answer is lost, once ``losing`` is set.
    """
    proxy = Proxy(target, port, lose)

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", *HOP)}
            request = urllib.request.Request(target + self.path, body or None, headers, method=self.command)
            try:
                answer = urllib.request.urlopen(request, timeout=60)
            except urllib.error.HTTPError as error:
                answer = error
            content = answer.read()
            if proxy.loses(self.command, self.path):
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(answer.status)
            for key, value in answer.headers.items():
                if key.lower() not in HOP:
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = pass_on  # noqa: N815  # names of the library

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            server.shutdown()
