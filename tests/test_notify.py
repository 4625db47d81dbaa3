"""Who is told of a sweep: real commands, a real server, and all that can go wrong with either."""

import json
import os
import queue
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from sweeps import resume_sweep, run_sweep
from sweeps.api.news import News
from sweeps.errors import NoUsableTrialError, UsageError
from sweeps.notify import notifier as parts
from sweeps.notify.delivery import AddressTeller, CommandTeller
from sweeps.notify.message import About, ended, new_best, verdict
from sweeps.notify.notifier import Notifier, Notifiers
from sweeps.notify.target import Address, Command, read_target
from sweeps.record import Blend, Member, ModelVersion, Refit
from sweeps.tracking.store import Store
from sweeps.trial import Finished
from tests.inside import Inside
from tests.laws.make import finished, write_space
from tests.made_sweep import record
from tests.shell import RIDGE, SOON, TRAIN
from tests.stores import free_port

KEYS = {
    "event", "text", "time", "sweep", "name", "experiment", "state", "trial", "run_id", "rmse", "test_rmse",
    "model", "ui",
}  # fmt: skip


@dataclass
class Hook:
    """A server that keeps what is posted to it."""

    port: int
    status: int
    got: "queue.Queue[tuple[str, dict[str, str], Any]]" = field(default_factory=queue.Queue)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/rooms/1?a=b"

    def next(self) -> tuple[str, dict[str, str], Any]:
        """The next path, headers and message that came."""
        return self.got.get(timeout=SOON)


@contextmanager
def hooked(status: int = 204) -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.got.put((self.path, dict(self.headers), json.loads(body)))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{hook.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook = Hook(server.server_port, status)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield hook
        server.shutdown()
        thread.join(timeout=60)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as made:
        yield made


@pytest.fixture
def sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Inside:
    return Inside(tmp_path, monkeypatch, capsys)


@pytest.fixture
def run(tmp_path: Path, sqlite_uri: str) -> Callable[..., Any]:
    """Sweep a space in this test's folder; what it tells is appended to ``told``."""

    def sweep(body: str = RIDGE, **settings: Any) -> Any:
        given = {"trials": 3, "seed": 1, "engine": "serial", "tracking_uri": sqlite_uri, "name": "spoken-of"}
        space, results = write_space(tmp_path, body), tmp_path / "results"
        return run_sweep(space, "diabetes", results=results, notify=[teeing(tmp_path)], **given | settings)

    return sweep


def teeing(folder: Path) -> str:
    return f"tee -a {shlex.quote(str(folder / 'told'))}"


def told(folder: Path) -> list[dict[str, Any]]:
    file = folder / "told"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_sweep_tells_a_command_and_an_address(sweeps: Inside, tmp_path: Path, hook: Hook) -> None:
    write_space(tmp_path, RIDGE)
    words = "run made.py --data diabetes --trials 4 --seed 1 --engine serial --name spoken-of --json --notify"
    done = sweeps(*words.split(), teeing(tmp_path), "--notify", hook.url)
    assert (done.returncode, done.stderr.count("--notify")) == (0, 0), done.stderr
    answer, messages = json.loads(done.stdout), told(tmp_path)
    assert all(message.keys() == KEYS for message in messages)
    assert [message["event"] for message in messages][-2:] == ["verdict", "end"]
    assert {message["event"] for message in messages[:-2]} == {"new best"}
    *best, judged, end = messages
    assert best[-1]["rmse"] == answer["best"]["rmse"]
    assert (judged["state"], judged["test_rmse"]) == ("RUNNING", answer["test_rmse"])
    assert judged["model"] == answer["model"] | {"reason": "the first version of this model"}
    assert (end["state"], end["model"], end["test_rmse"]) == (
        "COMPLETE",
        judged["model"],
        answer["test_rmse"],
    )
    assert end["text"].startswith("sweep spoken-of: ended as COMPLETE; rmse ")
    same = {(m["sweep"], m["name"], m["experiment"], m["ui"]) for m in messages}
    assert same == {(answer["sweep"], "spoken-of", "diabetes", None)}
    posted = [hook.next() for _ in messages]
    assert [message for _, _, message in posted] == messages
    assert {path for path, _, _ in posted} == {"/rooms/1?a=b"}
    assert {headers["Content-Type"] for _, headers, _ in posted} == {"application/json"}

    again = sweeps("promote", "spoken-of", "--as", "another", "--notify", teeing(tmp_path))
    assert again.returncode == 0, again.stderr
    late = told(tmp_path)[len(messages) :]
    assert [(m["event"], m["state"], m["model"]["name"]) for m in late] == [
        ("verdict", "COMPLETE", "another")
    ]


def test_whoever_cannot_be_told_is_one_warning_and_no_harm(sweeps: Inside, tmp_path: Path) -> None:
    write_space(tmp_path, RIDGE)
    (tmp_path / "no-program").write_bytes(b"\x00\x01")
    (tmp_path / "no-program").chmod(0o755)
    nobody = f"http://127.0.0.1:{free_port()}/x"
    words = "run made.py --data diabetes --trials 3 --seed 1 --engine serial"
    with hooked(status=500) as hook, hooked(status=302) as elsewhere:
        targets = [nobody, hook.url, elsewhere.url, "false", "./no-program"]
        notify = [word for target in targets for word in ("--notify", target)]
        done = sweeps(*words.split(), *notify)
        assert {path for path, _, _ in list(elsewhere.got.queue)} == {"/rooms/1?a=b"}
    assert done.returncode == 0, done.stderr
    said = sorted(line for line in done.stderr.splitlines() if "--notify" in line)
    assert len(said) == len(targets), said
    for words in (
        "false: ended with exit code 1; the sweep does not depend on it",
        f":{hook.port}: answered 500;",
        f":{elsewhere.port}: answered 302;",
        "cannot be reached: Connection refused;",
        "no-program: cannot be started: Exec format error;",
    ):
        assert sum(words in line for line in said) == 1, (words, said)


def test_what_ends_a_sweep_is_told(run: Callable[..., Any], tmp_path: Path) -> None:
    def leave(error: type[BaseException]) -> Callable[[Finished], object]:
        def on_trial(_: Finished) -> None:
            raise error("enough")

        return on_trial

    for error, state in ((KeyboardInterrupt, "INTERRUPTED"), (RuntimeError, "FAILED")):
        with pytest.raises(error, match="enough"):
            run(name=state, on_trial=leave(error))
        first, end = told(tmp_path)
        assert (first["event"], end["event"], end["state"], end["name"]) == ("new best", "end", state, state)
        (tmp_path / "told").unlink()
    with pytest.raises(NoUsableTrialError):
        run(TRAIN.replace("BODY", 'raise RuntimeError("no such luck")'))
    [end] = told(tmp_path)
    assert (end["event"], end["state"], end["trial"], end["rmse"]) == ("end", "FAILED", None, None)


def test_a_sweep_that_does_not_come_about_is_no_news(run: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(on_trial=_interrupt)
    (tmp_path / "told").unlink()
    with pytest.raises(UsageError, match="which is INTERRUPTED"):
        run()
    assert told(tmp_path) == []


def _interrupt(_: Finished) -> None:
    raise KeyboardInterrupt


def test_a_resumed_sweep_tells_whom_it_is_told_to(
    run: Callable[..., Any], tmp_path: Path, sqlite_uri: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(TRAIN.replace("BODY", "return 1.0"), trials=2, on_trial=_interrupt)
    (tmp_path / "told").unlink()
    place = {"tracking_uri": sqlite_uri, "results": tmp_path / "results"}
    resume_sweep("spoken-of", **place)
    assert told(tmp_path) == []
    resume_sweep("spoken-of", trials=4, notify=[teeing(tmp_path)], **place)
    [end] = told(tmp_path)  # no trial was better than those of the first session
    assert (end["event"], end["state"], end["rmse"]) == ("end", "COMPLETE", 1.0)


class Slow:
    """A teller that keeps what it is told, once it is let."""

    def __init__(self) -> None:
        self.let, self.got = threading.Event(), list[Any]()

    def send(self, message: bytes) -> str:
        assert self.let.wait(SOON)
        self.got.append(json.loads(message)["n"])
        return ""

    def stop(self) -> None:
        self.let.set()


def test_a_best_that_is_bettered_is_told_once() -> None:
    slow, said = Slow(), list[str]()
    one = Notifier(slow, "slow", said.append, pause=3600)
    one.start()
    for number in range(100):
        one.post({"n": number}, replaces=True)
    one.post({"n": "verdict"})
    one.post({"n": "a best after all"}, replaces=True)
    slow.let.set()
    one.end()
    one.join(time.monotonic() + SOON)
    assert slow.got[-3:] == [99, "verdict", "a best after all"]
    assert len(slow.got) <= 4
    assert said == []


def test_a_pause_ends_without_further_news() -> None:
    slow = Slow()
    slow.let.set()
    one = Notifier(slow, "slow", print, pause=0.01)
    one.start()
    one.post({"n": 1}, replaces=True)
    one.post({"n": 2}, replaces=True)
    deadline = time.monotonic() + SOON
    while slow.got[-1:] != [2]:
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    one.end()
    one.join(deadline)


def test_a_queue_that_nobody_empties_is_bounded() -> None:
    slow = Slow()
    one = Notifier(slow, "slow", print)
    one.start()
    for number in range(1000):
        one.post({"n": number})
    slow.let.set()
    one.end()
    one.join(time.monotonic() + SOON)
    assert slow.got[-1] == 999
    assert len(slow.got) <= parts.MOST_WAITING + 1


def test_a_teller_that_raises_is_one_warning() -> None:
    class Broken(Slow):
        def send(self, message: bytes) -> str:
            raise ValueError("with SECRETPW in it")

    said = list[str]()
    one = Notifier(Broken(), "broken", said.append)
    one.start()
    one.post({"n": 1})
    one.post({"n": 2})
    one.end()
    one.join(time.monotonic() + SOON)
    assert said == ["--notify broken: failed with ValueError; the sweep does not depend on it"]


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Where a command says that it runs: reading it waits for that."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def hanging(pipe: Path) -> Command:
    """A shell and its child, of which neither ends by itself; the child's number comes through the pipe."""
    made = read_target(f"sh -c 'sleep 600 & echo $! > {shlex.quote(str(pipe))}; wait'")
    assert isinstance(made, Command)
    return made


def test_a_command_that_hangs_is_killed_with_what_it_started(pipe: Path) -> None:
    teller, answers = CommandTeller(hanging(pipe), limit=0.5), list[str]()
    thread = threading.Thread(target=lambda: answers.append(teller.send(b"{}")))
    thread.start()
    child = int(pipe.read_text())
    thread.join(SOON)
    assert answers == ["took longer than 0.5 s and was killed"]
    assert gone(child)


def gone(number: int) -> bool:
    """A killed process is gone once whoever inherits it has seen its end."""
    try:
        process = psutil.Process(number)
    except psutil.NoSuchProcess:
        return True
    return process.status() == psutil.STATUS_ZOMBIE or not psutil.wait_procs([process], timeout=10)[1]


def test_the_end_of_a_sweep_does_not_wait_for_what_hangs(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PATIENCE", 0.2)
    said = list[str]()
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:  # takes a connection, and says nothing
        silent = read_target(f"http://127.0.0.1:{deaf.getsockname()[1]}/x")
        with Notifiers([hanging(pipe), silent], said.append) as both:
            both.post({"n": 1})
            both.post({"n": 2})
            child = int(pipe.read_text())
            began = time.monotonic()
        assert time.monotonic() - began < 5
    assert gone(child)
    assert len(said) == 2
    assert all("had not taken all of it by the end of the sweep" in one for one in said)


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        target = read_target(f"http://127.0.0.1:{deaf.getsockname()[1]}/x")
        assert isinstance(target, Address)
        assert AddressTeller(target, limit=0.2).send(b"{}") == "did not answer within 0.2 s"


def test_a_command_need_not_read_what_it_is_told(tmp_path: Path) -> None:
    target = read_target("true --whatever")
    assert isinstance(target, Command)
    teller = CommandTeller(target)
    assert teller.send(b"x" * 1_000_000) == ""
    teller.stop()
    assert teller.send(b"x") == ""


def test_user_and_password_are_a_header(hook: Hook) -> None:
    target = read_target(f"http://me:p%40ss@127.0.0.1:{hook.port}/x#here")
    assert isinstance(target, Address)
    assert target.url == f"http://127.0.0.1:{hook.port}/x"
    assert AddressTeller(target).send(b"{}") == ""
    assert hook.next()[1]["Authorization"] == "Basic bWU6cEBzcw=="
    assert "p@ss" not in repr(target)
    assert "bWU6" not in repr(target)


def test_a_command_is_words_and_no_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = read_target("cat 'two words' $HOME")
    assert isinstance(found, Command)
    assert found.words[1:] == ("two words", "$HOME")
    assert Path(found.words[0]).is_absolute()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tell").write_text("#!/bin/sh\n")
    (tmp_path / "tell").chmod(0o755)
    assert read_target("./tell me") == Command((str(tmp_path / "tell"), "me"))
    monkeypatch.setenv("WHOM", "https://example.org/SECRETPW")
    named = read_target("env:WHOM")
    assert isinstance(named, Address)
    assert (named.shown, "SECRETPW" in repr(named)) == ("https://example.org", False)


ABOUT = About("a3f8" * 8, "made", "diabetes", "http://h/#/x")


def test_the_end_names_the_winner_and_its_model() -> None:
    end = ended(ABOUT, "COMPLETE", record())
    assert (end["trial"], end["rmse"], end["test_rmse"], end["ui"]) == (4, 5.75, 5.8, "http://h/#/x")
    assert end["text"] == (
        "sweep made: ended as COMPLETE; rmse 5.75 in trial 4, 5.8 on the test rows; "
        "model diabetes-regressor version 3 is champion"
    )
    blend = Blend([Member(4, 0.6), Member(1, 0.4)], 5.4, 5.7, taken=True, reason="better")
    more = ended(ABOUT, "COMPLETE", replace(record(), blend=blend, refit=Refit("train+valid", 5.6)))
    assert more["test_rmse"] == 5.8
    assert (
        "; a blend in its place, 5.7 on the test rows; trained again on train+valid, 5.6 on" in more["text"]
    )
    without = ended(ABOUT, "INTERRUPTED", replace(record(), finalists=(), model=None))
    assert (without["trial"], without["test_rmse"], without["model"]) == (1, None, None)
    assert ended(ABOUT, "FAILED").keys() == KEYS


def test_texts_of_others_lose_secrets_and_what_commands_a_terminal() -> None:
    model = ModelVersion("m", 1, "challenger", "postgresql://me:SECRETPW@h refused\x1b[2J")
    message = verdict(ABOUT, "RUNNING", finished(1, 2.0), 3.0, model)
    assert "SECRETPW" not in json.dumps(message)
    assert "\\u001b" not in json.dumps(message)
    assert new_best(ABOUT, finished(7, 2.5))["text"] == "sweep made: rmse 2.5 in trial 7, the best so far"


def test_where_the_store_is_a_server_its_page_is_named(hook: Hook) -> None:
    target = read_target(hook.url)
    store: Any = Store(None, "http://me:SECRETPW@h:5000/", "http://***@h:5000", None)  # type: ignore[arg-type]
    with News([target]) as news:
        news.trial(finished(0, 3.0))  # before there is a sweep in the store
        news.begin(store, "r1", "7", "made", "diabetes")
        news.trial(finished(1, 4.0))
        news.trial(finished(2, 2.0))
    message = hook.next()[2]
    assert (message["trial"], message["event"]) == (2, "new best")
    assert message["ui"].startswith("http://h:5000/#/experiments/7/runs/r1?")
