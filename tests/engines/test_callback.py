"""Workers that call back: what crosses, who is let in, and that nobody waits for one who is gone."""

import socket
import threading
import time
from contextlib import closing, suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import answer_challenge, deliver_challenge

import engine_jobs as jobs
import pytest

from sweeps.engines import LostTaskError, TaskError
from sweeps.engines.callback import Lines, call_back, connected
from sweeps.engines.far_process import FarProcess, new_session

SOON = 30
GATE, HERE = threading.Event(), threading.Event()


def wait_at_gate():
    HERE.set()
    GATE.wait(SOON)
    return "through"


@pytest.fixture(autouse=True)
def _gate():
    GATE.clear()
    HERE.clear()
    yield
    GATE.set()


@pytest.fixture
def lines():
    """Where workers call back."""
    with closing(Lines("127.0.0.1", "127.0.0.1")) as made:
        yield made


@pytest.fixture
def line(lines):
    """A link to a worker, which is a thread here."""
    line, address = lines.line("slot 1")
    worker = threading.Thread(target=call_back, args=(address,))
    worker.start()
    yield line
    GATE.set()
    line.part("the test is over")
    worker.join(SOON)
    assert not worker.is_alive()


def test_calls_are_made_there(line):
    assert line.call(divmod, 7, 2, seconds=SOON) == (3, 1)
    assert line.name == "127.0.0.1/slot 1"
    with pytest.raises(TaskError, match="ZeroDivisionError"):
        line.call(divmod, 7, 0, seconds=SOON)
    assert len(line.call(bytes, 20_000_000, seconds=SOON)) == 20_000_000


def test_short_calls_pass_long_ones_and_a_late_answer_harms_nobody(line):
    with pytest.raises(LostTaskError, match=r"did not answer within 0\.1 s"):
        line.call(wait_at_gate, seconds=0.1)
    assert HERE.wait(SOON)
    assert line.call(divmod, 7, 2, seconds=SOON) == (3, 1)
    GATE.set()
    assert line.call(wait_at_gate, seconds=SOON) == "through"


def test_a_process_there_runs_tasks_and_says_things_in_passing(line, fifo):
    process, heard, gate = FarProcess(line, new_session(1, {})), [], fifo()
    came = threading.Event()

    def hear(words):
        heard.append(words)
        came.set()
        gate.write_text("go")

    assert process.run(jobs.double, 2) == 4
    assert process.run(jobs.remark, gate, hear=hear) == "done"
    assert heard == [("round 1", 2.5)]
    process.close()


def test_a_process_can_be_killed_there(line, fifo):
    process, told, lost = FarProcess(line, new_session(1, {})), fifo(), []

    def run():
        with pytest.raises(LostTaskError) as caught:
            process.run(jobs.hang, told)
        lost.append(str(caught.value))

    running = threading.Thread(target=run)
    running.start()
    assert int(told.read_text())
    process.kill()
    running.join(SOON)
    assert "SIGKILL (9)" in lost[0]
    assert "127.0.0.1/slot 1" in lost[0]
    assert line.call(divmod, 7, 2, seconds=SOON) == (3, 1)


def test_whoever_waits_for_a_worker_that_leaves_is_told(line):
    told = []

    def wait():
        with pytest.raises(LostTaskError) as caught:
            line.call(wait_at_gate, seconds=SOON)
        told.append(str(caught.value))

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert HERE.wait(SOON)
    line.part("the worker left")
    waiting.join(SOON)
    assert told == ["the worker left"]
    with pytest.raises(LostTaskError, match="the worker left"):
        line.call(divmod, 7, 2, seconds=SOON)


def test_a_worker_that_never_comes_is_given_up_and_one_that_comes_late_turned_away(lines):
    line, address = lines.line("slot 1")
    with pytest.raises(LostTaskError, match=r"slot 1 did not come within 0\.1 s"):
        line.call(divmod, 7, 2, seconds=0.1)
    assert line.gone
    call_back(address)


def test_a_worker_that_cannot_come_says_why(lines):
    line, _ = lines.line("slot 1")
    line.refuse("ModuleNotFoundError: No module named 'sweeps'")
    line.part("the worker slot 1 left")
    with pytest.raises(TaskError, match="No module named 'sweeps'"):
        line.call(divmod, 7, 2, seconds=SOON)


def test_strangers_are_shown_out_and_whoever_is_expected_comes_in(lines):
    line, address = lines.line("slot 1")
    with socket.create_connection((address.host, address.port), SOON) as stranger:
        stranger.sendall(b"GET / HTTP/1.0\r\n\r\n" * 100)
        with suppress(ConnectionError):
            while stranger.recv(1000):
                pass
    with pytest.raises(AuthenticationError):
        call_back(address._replace(key=bytes(32)))
    call_back(address._replace(token="0" * 32))
    worker = threading.Thread(target=call_back, args=(address,))
    worker.start()
    assert line.call(divmod, 7, 2, seconds=SOON) == (3, 1)
    call_back(address)
    assert line.call(divmod, 7, 2, seconds=SOON) == (3, 1)
    line.part("the test is over")
    worker.join(SOON)
    assert not worker.is_alive()


def test_nobody_comes_once_the_lines_are_closed(lines):
    _, address = lines.line("slot 1")
    lines.close()
    with pytest.raises(OSError, match="refused"):
        call_back(address)


def test_one_who_does_not_listen_can_be_parted_from(lines):
    """Such as on a machine that was cut off: what is sent to it gets stuck."""
    line, address = lines.line("slot 1")
    deaf = connected(socket.create_connection((address.host, address.port)))
    answer_challenge(deaf, address.key)
    deliver_challenge(deaf, address.key)
    deaf.send_bytes(address.token.encode())
    told = []

    def talk():
        with pytest.raises(LostTaskError) as caught:
            line.call(len, bytes(50_000_000), seconds=SOON)
        told.append(str(caught.value))

    talking = threading.Thread(target=talk)
    talking.start()
    while not line._sending.locked():
        time.sleep(0.01)
    begin = time.monotonic()
    line.part("the machine was cut off")
    talking.join(SOON)
    assert told == ["the machine was cut off"]
    assert time.monotonic() - begin < 5
    deaf.close()
