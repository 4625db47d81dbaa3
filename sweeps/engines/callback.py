"""Workers that call the driver back: for clusters that run tasks, and call no function in the midst of one.

A slot is one task there that lasts as long as the engine. It connects to the driver, shows that it knows the
key it was started with, and makes the calls that come by the connection, until that ends.
"""

import secrets
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from typing import Any, NamedTuple

from sweeps.engines import far
from sweeps.engines.base import LostTaskError, TaskError, told
from sweeps.engines.wire import relay, request, unpack

CALLING = 30.0
"""Seconds that a driver gets to take a call."""
_HEAD = struct.Struct("!cQ")
"""Before each message: of which kind it is, and to which call it belongs."""
_CALL, _ANSWER, _SAID = b"c", b"a", b"s"
_PROOF = struct.pack("ll", 20, 0)
"""Time that the other end gets to show who it is: seconds and microseconds."""
_NO_LIMIT = struct.pack("ll", 0, 0)
_SILENCE = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 60_000}
"""A machine that is cut off says nothing; after a minute without an answer it counts as gone."""


class Address(NamedTuple):
    """Where a worker calls back, and as whom."""

    host: str
    port: int
    key: bytes
    token: str


class Lines:
    """Where workers call back.

    Args:
        listen: the address to listen at.
        host: by which workers reach it.

    Raises:
        OSError: nobody can listen there.
    """

    def __init__(self, listen: str, host: str) -> None:
        self._server = socket.create_server((listen, 0))
        self._host, self._closed = host, False
        self._key, self._expected = secrets.token_bytes(32), dict[str, Line]()
        threading.Thread(target=self._accept, name="sweeps-lines", daemon=True).start()

    def line(self, name: str) -> "tuple[Line, Address]":
        """Make a link, and the address by which a worker takes its other end."""
        port = self._server.getsockname()[1]
        address = Address(self._host, port, self._key, secrets.token_hex(16))
        self._expected[address.token] = Line(name)
        return self._expected[address.token], address

    def close(self) -> None:
        """Listen no more."""
        self._closed = True
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                caller, where = self._server.accept()
            except OSError:  # it is closed, the caller has left, or no file is to be had for now
                time.sleep(0.1)
                continue
            threading.Thread(target=self._welcome, args=(caller, where[0]), daemon=True).start()

    def _welcome(self, caller: socket.socket, host: str) -> None:
        """Give a worker its link; who does not know the key, or is not expected, is shown out."""
        with (
            suppress(OSError, EOFError, ValueError, AssertionError, AuthenticationError),
            connected(caller) as connection,
        ):
            with impatient(connection):
                deliver_challenge(connection, self._key)
                answer_challenge(connection, self._key)
                line = self._expected.pop(connection.recv_bytes(64).decode(), None)
            if line is not None:
                line.serve(connection, host)


class Line:
    """The driver's end of a connection: a ``Link``.

    Args:
        name: of the worker, as people know it; where it is comes before that, once it is known.
    """

    def __init__(self, name: str) -> None:
        self.name, self.gone = name, ""
        self._lock, self._ids = threading.Lock(), count()
        self._sending = threading.Lock()  # another one: what is stuck in sending must be ended all the same
        self._connection: Future[Connection] = Future()
        self._answers: dict[int, Future[bytes]] = {}
        self._hearers: dict[int, Callable[[bytes], object]] = {}

    def call(self, fn: Callable[..., Any], *args: Any, seconds: float) -> Any:
        """Run ``fn(*args)`` in the worker itself."""
        number, answer = self._send(fn, args, seconds)
        return self._result(number, answer, seconds)

    def begin(self, call: far.Call, hear: Callable[[bytes], object] | None) -> "LineRunning":
        """Have the worker run a task."""
        number, answer = self._send(run_here, (call,), 0, hear)
        return LineRunning(self, call.token, lambda: self._result(number, answer))

    def part(self, why: str) -> None:
        """End the connection, and with it whatever waits for the worker."""
        with self._lock:
            self.gone = self.gone or why
            waiting, self._answers = list(self._answers.values()), {}
            self._fail(self._connection)
            if self._connection.exception() is None:
                shut(self._connection.result())
        for answer in waiting:
            self._fail(answer)

    def refuse(self, why: str) -> None:
        """Say that the worker cannot come, unless it has come."""
        with suppress(InvalidStateError):
            self._connection.set_exception(TaskError(why))

    def serve(self, connection: Connection, host: str) -> None:
        """Take answers from a worker until one end or the other is gone."""
        try:
            self.name = f"{host}/{self.name}"
            self._connection.set_result(connection)
            for kind, number, message in messages(connection):
                if kind == _ANSWER and (answer := self._answers.pop(number, None)):
                    answer.set_result(message)
                elif kind == _SAID and (hear := self._hearers.get(number)):
                    hear(message)
        except InvalidStateError:  # it came too late
            return
        finally:
            self.part(f"the worker {self.name} left")
            with self._sending, self._lock:  # nobody may use what may soon be another's file descriptor
                connection.close()

    def send(self, fn: Callable[..., Any], *args: Any) -> None:
        """Run ``fn(*args)`` in the worker, whatever comes of it."""
        with suppress(LostTaskError):
            self._send(fn, args, 0)

    def _send(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        seconds: float,
        hear: Callable[[bytes], object] | None = None,
    ) -> "tuple[int, Future[bytes]]":
        connection = self._reached(seconds)
        number, answer = self._expect(hear)
        try:
            with self._sending:
                send(connection, _CALL, number, request(fn, args))
        except OSError as error:
            self.part(f"the worker {self.name} left: {told(error)}")
            raise LostTaskError(self.gone) from error
        return number, answer

    def _reached(self, seconds: float) -> Connection:
        """Wait for the worker to call; one that does not call in time has no place here any more."""
        try:
            return self._connection.result(seconds)
        except TimeoutError:
            self.part(f"the worker {self.name} did not come within {seconds:g} s")
            raise LostTaskError(self.gone) from None

    def _expect(self, hear: Callable[[bytes], object] | None) -> "tuple[int, Future[bytes]]":
        """Get ready for an answer."""
        answer: Future[bytes] = Future()
        with self._lock:
            if self.gone:
                raise LostTaskError(self.gone)
            number = next(self._ids)
            self._answers[number] = answer
            if hear is not None:
                self._hearers[number] = hear
        return number, answer

    def _result(self, number: int, answer: "Future[bytes]", seconds: float | None = None) -> Any:
        try:
            return unpack(answer.result(seconds))
        except TimeoutError as error:
            raise LostTaskError(f"{self.name} did not answer within {seconds} s") from error
        finally:
            self._answers.pop(number, None)
            self._hearers.pop(number, None)

    def _fail(self, future: "Future[Any]") -> None:
        with suppress(InvalidStateError):
            future.set_exception(LostTaskError(self.gone))


class LineRunning:
    """A task on its way.

    Args:
        line: to its worker.
        token: of the process that runs it.
        wait: waits for what becomes of it.
    """

    def __init__(self, line: Line, token: str, wait: Callable[[], far.Answer]) -> None:
        self._line, self._token, self._wait = line, token, wait

    def result(self) -> far.Answer:
        """Wait for what becomes of it."""
        try:
            return self._wait()
        except TaskError as error:
            raise LostTaskError(str(error)) from error

    def cancel(self) -> None:
        """Kill the process that runs it."""
        self._line.send(far.kill, self._token)


def call_back(address: Address) -> None:
    """On a worker: make the calls of the driver until it is gone, then end all processes.

    Raises:
        OSError: the driver cannot be reached.
        AuthenticationError: it does not know us, or does not know the key itself.
    """
    caller = socket.create_connection((address.host, address.port), timeout=CALLING)
    caller.settimeout(None)
    with connected(caller) as connection:
        with impatient(connection):
            answer_challenge(connection, address.key)
            deliver_challenge(connection, address.key)
        connection.send_bytes(address.token.encode())
        worker = _Worker(connection)
        try:
            for _, number, message in messages(connection):
                threading.Thread(target=worker.answer, args=(number, message), daemon=True).start()
        finally:
            worker.wanted = False
            far.close_all()


_SERVING = threading.local()


class _Worker:
    """The worker's end of a connection."""

    def __init__(self, connection: Connection) -> None:
        self.wanted = True
        self._connection, self._lock = connection, threading.Lock()
        self._relay = relay()

    def answer(self, number: int, message: bytes) -> None:
        """Make a call, and send back what it returned."""
        _SERVING.say = lambda said: self._send(_SAID, number, said)
        _SERVING.wanted = lambda: self.wanted
        self._send(_ANSWER, number, self._relay(message))

    def _send(self, kind: bytes, number: int, message: bytes) -> None:
        with self._lock, suppress(OSError):  # the driver is gone
            send(self._connection, kind, number, message)


def run_here(call: far.Call) -> far.Answer:
    """Run a task: on the worker, in the thread of its call."""
    return far.run(call, _SERVING.say, _SERVING.wanted)


def send(connection: Connection, kind: bytes, number: int, message: bytes) -> None:
    """Send a message."""
    connection.send_bytes(_HEAD.pack(kind, number) + message)


def messages(connection: Connection) -> Iterator[tuple[bytes, int, bytes]]:
    """Give the messages that come, until the other end is gone."""
    with suppress(EOFError, OSError):
        while True:
            raw = connection.recv_bytes()
            kind, number = _HEAD.unpack_from(raw)
            yield kind, number, raw[_HEAD.size :]


def connected(caller: socket.socket) -> Connection:
    """Give a connection of messages, made of a socket, which is closed with it."""
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SILENCE.items():
        if (option := getattr(socket, name, None)) is not None:  # not every system has all of them
            caller.setsockopt(socket.IPPROTO_TCP, option, value)
    return Connection(caller.detach())


@contextmanager
def impatient(connection: Connection) -> Iterator[None]:
    """Have the other end show soon who it is."""
    with borrowed(connection) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _PROOF)
    yield
    with borrowed(connection) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _NO_LIMIT)


def shut(connection: Connection) -> None:
    """End a connection that other threads may be reading and writing."""
    with suppress(OSError), borrowed(connection) as caller:
        caller.shutdown(socket.SHUT_RDWR)


@contextmanager
def borrowed(connection: Connection) -> Iterator[socket.socket]:
    """Give the socket of a connection, for a moment."""
    caller = socket.socket(fileno=connection.fileno())
    try:
        yield caller
    finally:
        caller.detach()
