"""Hand one message to one target, within a time limit; what goes wrong is told in words, never raised."""

import os
import signal
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from typing import Any, Protocol

from sweeps.notify.target import Address, Command, Target

COMMAND_SECONDS, ANSWER_SECONDS = 10.0, 5.0
"""Limits of a command, and of a server that does not go on answering."""


class Teller(Protocol):
    """Takes messages for a target; used by one thread."""

    def send(self, message: bytes) -> str:
        """Hand it over; give what went wrong, in words that hold no secret, empty where nothing did."""

    def stop(self) -> None:
        """End at once what is under way, and send nothing more; any thread may call this."""


def teller_of(target: Target) -> Teller:
    """Give the teller of a target."""
    return CommandTeller(target) if isinstance(target, Command) else AddressTeller(target)


class CommandTeller:
    """Runs a command for each message, in this process's environment and folder; its output goes nowhere.

    It is in a session of its own: a Ctrl-C in the terminal does not reach it.

    Args:
        command: what to run.
        limit: in seconds; one that takes longer is killed, with what it started.
    """

    def __init__(self, command: Command, limit: float = COMMAND_SECONDS) -> None:
        self._words, self._limit = command.words, limit
        self._lock, self._stopped = threading.Lock(), False
        self._process: subprocess.Popen[bytes] | None = None

    def send(self, message: bytes) -> str:
        """Run the command to its end."""
        with tempfile.TemporaryFile() as given:  # no pipe: a command need not read all of it, nor any
            given.write(message)
            given.seek(0)
            try:
                process = self._start(given)
            except OSError as error:
                return f"cannot be started: {error.strerror or type(error).__name__}"
        return "" if process is None else self._ended(process)

    def _start(self, given: Any) -> "subprocess.Popen[bytes] | None":
        with self._lock:
            if self._stopped:
                return None
            self._process = subprocess.Popen(
                self._words,
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            return self._process

    def _ended(self, process: "subprocess.Popen[bytes]") -> str:
        try:
            code = process.wait(self._limit)
        except subprocess.TimeoutExpired:
            self._kill(process)
            process.wait()
            return f"took longer than {self._limit:g} s and was killed"
        return "" if code == 0 else f"ended with {f'exit code {code}' if code > 0 else f'signal {-code}'}"

    def stop(self) -> None:
        """Kill the command, with what it started, if it runs."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._kill(self._process)

    @staticmethod
    def _kill(process: "subprocess.Popen[bytes]") -> None:
        if process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A message goes where the user said, or nowhere."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none: it is an error like any other answer that is not 2xx."""


class AddressTeller:
    """Posts each message to a web address, through the proxy that the environment names, if any.

    Args:
        address: where to.
        limit: seconds between two signs of life.
    """

    def __init__(self, address: Address, limit: float = ANSWER_SECONDS) -> None:
        self._url, self._limit = address.url, limit
        self._headers = {"Content-Type": "application/json", "User-Agent": "sweeps"}
        if address.authorization:
            self._headers["Authorization"] = address.authorization
        self._opener = urllib.request.build_opener(_NoRedirects)

    def send(self, message: bytes) -> str:
        """Post the message; whatever is answered with 2xx is well."""
        request = urllib.request.Request(self._url, message, self._headers)  # noqa: S310 - http or https, checked
        try:
            self._opener.open(request, timeout=self._limit).close()
        except urllib.error.HTTPError as error:
            error.close()
            return f"answered {error.code}"
        except (OSError, HTTPException, ValueError) as error:
            return self._trouble(error)
        return ""

    def _trouble(self, error: Exception) -> str:
        """Word an error without the address, which others would repeat."""
        cause = getattr(error, "reason", None)
        cause = cause if isinstance(cause, Exception) else error
        if isinstance(cause, TimeoutError):
            return f"did not answer within {self._limit:g} s"
        words = cause.strerror if isinstance(cause, OSError) else None
        return f"cannot be reached: {words or type(cause).__name__}"

    def stop(self) -> None:
        """Nothing to end: what waits for an answer ends with the program."""
