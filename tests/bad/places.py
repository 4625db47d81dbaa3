"""Where bad input meets the command line: good files, a store with awkward sweeps, bad servers."""

import os
import resource
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from sweeps.trial import Outcome, Proposal, State
from tests.made_sweep import SETTINGS

GOOD_SPACE = """
from hyperopt import hp
from sklearn.linear_model import Ridge
SPACE = {"alpha": hp.uniform("alpha", 0.1, 1.0)}
MODEL = Ridge
"""
GOOD_TABLE = "a,b,y\n" + "".join(f"{i},{i % 7},{3 * i + i % 5}\n" for i in range(40))
DATA = {"table": "table.csv", "target": "y"}


def make_files(folder: Path) -> None:
    """Write a good space and a good table, for cases that are wrong elsewhere."""
    (folder / "space.py").write_text(GOOD_SPACE)
    (folder / "table.csv").write_text(GOOD_TABLE)


def make_store(folder: Path) -> str:
    """Write a store in which every sweep has something that keeps it from being shown or promoted.

    Returns:
        The beginning of a run id that two sweeps share.
    """
    from sweeps.data.datasets import load_dataset
    from sweeps.data.spec import DataSpec
    from sweeps.tracking.store import ensure_experiment, open_store

    store = open_store(f"sqlite:///{folder / 'mlflow.db'}")
    store.client.delete_experiment(ensure_experiment(store, "gone"))
    digest = load_dataset(DataSpec(table=str(folder / "table.csv"), target="y")).digest
    settings = {**SETTINGS, "space": "space.py", "data": DATA, "engine": "serial"}
    good, bad = Outcome(State.COMPLETE, 1.0, {}), Outcome(State.FAILED, error="ValueError: no")
    _write(store, "hopeless", settings, digest, [bad])
    _write(store, "other-data", settings, "e" * 16, [good])
    _write(store, "other-space", settings, digest, [good])
    _write(store, "no-settings", {}, digest, [good])
    begun: set[str] = set()
    while True:  # ids begin with one of 16 letters
        first = _write(store, "twin", settings, digest, [])[0]
        if first in begun:
            break
        begun.add(first)
    store.settle()
    return first


def _write(store: Any, name: str, settings: Any, data_digest: str, outcomes: list[Outcome]) -> str:
    from sweeps.tracking.change import Entry
    from sweeps.tracking.writer import Origin, SweepWriter

    origin = Origin("space", GOOD_SPACE, "d" * 64, "table.csv", data_digest)
    writer = SweepWriter.open(store, "table", name, settings=settings, origin=origin)
    for number, outcome in enumerate(outcomes):
        made = Proposal(number, {"alpha": 0.5}, {"alpha": 0.5}, seed=number)
        writer.write([Entry(made, began=1.0, outcome=outcome, ended=2.0)])
    writer.close("COMPLETE")
    return writer.run_id


def count_runs(path: Path) -> int:
    """Count the runs of a SQLite store; -1 where there is none."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT COUNT(*) FROM runs").fetchone()[0])
    except sqlite3.Error:
        return -1


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as listening:
        yield int(listening.getsockname()[1])


@contextmanager
def web_server(status: int, text: str) -> Iterator[int]:
    """A web server that answers every question the same way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond a page: what wants more is refused, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def without_privilege() -> Iterator[None]:
    """Root may write anywhere: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
