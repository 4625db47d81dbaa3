"""Fetching months from a real server on this machine: whole or not at all, and never twice."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from sweeps.data.fetch import Limits, fetch
from sweeps.errors import DataError

NAME = "green-taxi:2023-01"
FILE = "green_tripdata_2023-01.parquet"
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Site:
    """A server whose answer a test chooses."""

    url: str
    answer: Answer
    requests: list[str] = field(default_factory=list)
    waiting: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def month(tmp_path: Path) -> bytes:
    path = tmp_path / "source" / FILE
    path.parent.mkdir()
    pd.DataFrame({"a": range(50_000)}).to_parquet(path)
    return path.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def site(month: bytes) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.requests.append(self.path)
            found.answer(self)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Site(f"http://127.0.0.1:{server.server_port}/trip-data/", sends(month))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    found.release.set()
    server.shutdown()
    thread.join(30)
    server.server_close()


def sends(body: bytes, length: int | None = None, status: int = 200) -> Answer:
    """Answer with a body; ``length`` is what is announced, -1 announces nothing."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if length != -1:
            handler.send_header("Content-Length", str(length or len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def redirects(target: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.end_headers()

    return answer


def hangs(site: Site, body: bytes) -> Answer:
    """Send half of the body, then nothing until the test is over."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
        site.waiting.set()
        site.release.wait(30)

    return answer


@pytest.mark.parametrize("length", [None, -1])
def test_a_month_is_fetched_whole_with_its_checksum(
    site: Site, folder: Path, month: bytes, length: int | None
) -> None:
    site.answer = sends(month, length)
    seen: list[tuple[str, int, int | None]] = []
    paths = fetch(NAME, str(folder), lambda *step: seen.append(step), site.url)
    assert paths == [folder / FILE]
    assert paths[0].read_bytes() == month
    assert (folder / f"{FILE}.sha256").read_text() == f"{hashlib.sha256(month).hexdigest()}  {FILE}\n"
    total = None if length else len(month)
    assert seen[0] == (FILE, 0, total)
    assert seen[-1] == (FILE, len(month), total)
    assert len(list(folder.iterdir())) == 2


def test_nothing_is_fetched_twice(site: Site, folder: Path) -> None:
    fetch(NAME, str(folder), base_url=site.url)
    fetch(NAME, str(folder), base_url=site.url)
    assert site.requests == [f"/trip-data/{FILE}"]


def test_a_file_the_user_put_there_is_kept(site: Site, folder: Path, month: bytes) -> None:
    folder.mkdir()
    (folder / FILE).write_bytes(month)
    fetch(NAME, str(folder), base_url=site.url)
    assert site.requests == []
    assert (folder / f"{FILE}.sha256").exists()


def test_a_file_that_changed_since_is_fetched_again(site: Site, folder: Path, month: bytes) -> None:
    fetch(NAME, str(folder), base_url=site.url)
    (folder / FILE).write_bytes(month[:-1])
    fetch(NAME, str(folder), base_url=site.url)
    assert len(site.requests) == 2
    assert (folder / FILE).read_bytes() == month


def test_only_the_missing_month_is_fetched(site: Site, folder: Path) -> None:
    fetch(NAME, str(folder), base_url=site.url)
    fetch(f"{NAME},2023-02", str(folder), base_url=site.url)
    assert [path[-10:-8] for path in site.requests] == ["01", "02"]


BAD_ANSWERS: dict[str, tuple[Callable[[bytes], Answer], str]] = {
    "truncated": (lambda body: sends(body[:-100], len(body)), "of"),
    "truncated, no length": (lambda body: sends(body[:-100], -1), "no readable Parquet file"),
    "a web page": (lambda _: sends(b"<html>please log in</html>"), "no readable Parquet file"),
    "nothing": (lambda _: sends(b"", -1), "no readable Parquet file"),
    "not there": (lambda _: sends(b"", -1, 404), "is not published"),
    "trouble": (lambda _: sends(b"", -1, 503), "answered 503"),
    "elsewhere": (lambda _: redirects("ftp://127.0.0.1/x"), "only https"),
    "a local address": (lambda _: redirects("http://169.254.169.254/x"), "only https"),
    "in circles": (lambda _: redirects("/trip-data/" + FILE), "answered 302"),
    "too large": (lambda _: sends(b"x" * 10, 10**7), "more than the limit"),
    "too large, no length": (lambda _: sends(b"x" * 2 * 10**6, -1), "is given up after"),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_a_bad_answer_leaves_nothing(name: str, site: Site, folder: Path, month: bytes) -> None:
    make, expected = BAD_ANSWERS[name]
    site.answer = make(month)
    with pytest.raises(DataError, match=expected) as caught:
        fetch(NAME, str(folder), base_url=site.url, limits=Limits(max_bytes=10**6))
    assert "\n" not in str(caught.value)
    assert not folder.exists()


def test_a_server_that_falls_silent_is_given_up(site: Site, folder: Path, month: bytes) -> None:
    site.answer = hangs(site, month)
    with pytest.raises(DataError, match="cannot be reached: timed out"):
        fetch(NAME, str(folder), base_url=site.url, limits=Limits(idle_seconds=0.3))
    assert not folder.exists()


def test_offline_the_message_names_the_address_and_the_folder(folder: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(DataError) as caught:
            fetch(NAME, str(folder), base_url=url)
    for part in (url + FILE, "cannot be reached", "refused", f"put {FILE} into the folder {folder}"):
        assert part in str(caught.value)


@pytest.mark.parametrize("url", ["http://example.org/", "file:///etc/", "ftp://127.0.0.1/"])
def test_only_https_is_fetched(url: str, folder: Path) -> None:
    with pytest.raises(DataError, match="only https"):
        fetch(NAME, str(folder), base_url=url)


@pytest.mark.parametrize("name", ["diabetes", "green-taxi:", "green-taxi:2023-1", "green-taxi:../2023-01"])
def test_what_cannot_be_fetched_is_refused(name: str, folder: Path) -> None:
    with pytest.raises(DataError):
        fetch(name, str(folder))
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be made"):
        fetch(NAME, str(tmp_path / "file" / "data"))


def test_what_a_killed_fetch_left_is_removed_by_the_next(site: Site, folder: Path, month: bytes) -> None:
    site.answer = hangs(site, month)
    code = f"from sweeps.data.fetch import fetch; fetch({NAME!r}, {str(folder)!r}, base_url={site.url!r})"
    process = subprocess.Popen([sys.executable, "-c", code])
    assert site.waiting.wait(20)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / FILE).exists()
    site.answer = sends(month)
    fetch(NAME, str(folder), base_url=site.url)
    assert sorted(path.name for path in folder.iterdir()) == [FILE, f"{FILE}.sha256"]
