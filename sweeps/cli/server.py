"""MLflow's own server, run on the user's store for as long as they look at it."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import IO, Any

from sweeps.errors import StoreError, UsageError

HOST = "127.0.0.1"
PORTS = range(5000, 5020)
"""Where a server may be; 5000 is MLflow's own choice."""
READY_WITHIN = 60.0
STOP_WITHIN = 5.0
"""Seconds."""

_ATTACHED = """
import os, signal, threading
def end_with_us():
    os.read({lifeline}, 1)
    os.killpg(0, signal.SIGKILL)
os.set_inheritable({lifeline}, False)
threading.Thread(target=end_with_us, daemon=True).start()
from mlflow.cli import cli
cli()
"""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Whatever proxy is set: these questions never leave this machine."""


def address(port: int) -> str:
    """Give the address of a server on that port of this machine."""
    return f"http://{HOST}:{port}"


def ask(base: str, path: str, timeout: float = 5.0) -> Any:
    """Ask a server on this machine for JSON; None where there is no server, or none that answers so."""
    try:
        with _DIRECT.open(f"{base}{path}", timeout=timeout) as answer:
            return json.load(answer)
    except (OSError, ValueError, HTTPException):
        return None


def healthy(base: str) -> bool:
    """Whether an MLflow server answers there."""
    try:
        with _DIRECT.open(f"{base}/health", timeout=2.0) as answer:
            return bool(answer.read(16) == b"OK")
    except (OSError, HTTPException):
        return False


def free(port: int) -> bool:
    """Whether a server could listen on that port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(given: int | None) -> int:
    """Give the port asked for, or the first free one from 5000 on.

    Raises:
        UsageError: the port asked for is busy, or none is free.
    """
    if given is not None:
        if not free(given):
            raise UsageError("--port", f"{given} is in use by another program", "leave --port out")
        return given
    for port in PORTS:
        if free(port):
            return port
    raise UsageError("--port", f"{PORTS[0]} to {PORTS[-1]} are all in use", "pass a free one")


@contextmanager
def serving(uri: str, port: int, artifacts: str | None) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a server on a store; it and all its processes are gone when the block is left.

    Args:
        uri: the store; travels in the environment, since anybody may read a command line.
        port: a free port.
        artifacts: folder for artifacts that are sent to the server; None: MLflow's default.

    Yields:
        The server's process, when it answers.

    Raises:
        StoreError: it ended, or did not answer within a minute; with its last words.
    """
    with tempfile.TemporaryFile() as log, _lifeline() as (its_end, words):
        process = subprocess.Popen(
            [*words, *command(port, artifacts)],
            env=environment(uri),
            cwd=os.sep,  # what lies in the user's folder is not taken for a module of the server
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[its_end],
        )
        try:
            _wait_until_ready(process, address(port), log)
            yield process
        finally:
            stop(process)


def command(port: int, artifacts: str | None) -> list[str]:
    """Give MLflow's words for a server that only this machine reaches, and only under its own name.

    MLflow's own default would let a foreign web page in under a host name such as 10.evil.com.
    """
    names = f"localhost:{port},{HOST}:{port}"
    words = ["server", "--host", HOST, "--port", str(port), "--workers", "1", "--allowed-hosts", names]
    words += ["--cors-allowed-origins", f"http://localhost:{port},http://{HOST}:{port}"]
    return [*words, "--artifacts-destination", artifacts] if artifacts else words


def environment(uri: str) -> dict[str, str]:
    """Give the server's environment: the store, no background jobs (12 more processes), no telemetry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_SERVER_")}
    own = {
        "MLFLOW_BACKEND_STORE_URI": uri,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PYTHONSAFEPATH": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    return kept | own


@contextmanager
def _lifeline() -> Iterator[tuple[int, list[str]]]:
    """Give a pipe's end for the server, and the words that begin a server which ends when our end is closed.

    The system closes it, whatever kills us.
    """
    its_end, ours = os.pipe()
    try:
        yield its_end, [sys.executable, "-P", "-c", _ATTACHED.format(lifeline=its_end)]
    finally:
        os.close(ours)
        os.close(its_end)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a server and every process it started; they share its process group."""
    for last_word in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, last_word)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", base: str, log: IO[bytes]) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        try:
            code = process.wait(0.2)
        except subprocess.TimeoutExpired:
            if healthy(base):
                return
            continue
        raise StoreError("mlflow server", f"ended with code {code}: {last_words(log)}")
    raise StoreError("mlflow server", f"did not answer within {READY_WITHIN:g} s: {last_words(log)}")


def last_words(log: IO[bytes], lines: int = 3) -> str:
    """Give the last lines a server wrote."""
    log.seek(max(0, log.seek(0, os.SEEK_END) - 4000))
    text = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    return " | ".join(text[-lines:])[:600] or "it wrote nothing"
