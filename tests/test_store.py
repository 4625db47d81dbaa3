"""A store opens, or says in one line within seconds why not; a new SQLite store survives any kill."""

import http.server
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from sweeps.errors import StoreError, UsageError
from sweeps.tracking import deadline
from sweeps.tracking.deadline import Patience, within
from sweeps.tracking.reader import list_sweeps
from sweeps.tracking.store import ensure_experiment, open_store, resolve_uri
from tests.bad.places import without_privilege
from tests.ends import end
from tests.laws.make import write_space
from tests.shell import RIDGE, SOON, Shell
from tests.stores import Postgres, postgres_server

ROOT = Path(__file__).parents[1]
OPEN = """
import sys
from pathlib import Path
from sweeps.tracking.sqlite import ensure_sqlite
ensure_sqlite(Path(sys.argv[1]))
"""


def opened(path: Path, **env: str) -> subprocess.Popen[bytes]:
    """Make a store in a process of its own."""
    command = [sys.executable, "-c", OPEN, str(path)]
    return subprocess.Popen(
        command, env={**os.environ, **env}, cwd=Path(__file__).parents[1], start_new_session=True
    )


def refused(uri: str, within: float = 5.0) -> str:
    """Open a store in vain; give what is said."""
    started = time.monotonic()
    with pytest.raises(StoreError) as error:
        open_store(uri)
    assert time.monotonic() - started < within
    text = str(error.value)
    assert "SECRETPW" not in text
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://u:SECRETPW@127.0.0.1:9", r"MLflow http://\*\*\*@127.0.0.1:9: connection refused"),
        ("http://", "names no host"),
        ("ftp://x", "scheme must be sqlite, postgresql, http, https"),
        ("foo://x", "MLflow URI 'foo://x'"),
        ("databricks", "scheme must be"),
        ("sqlite://x.db", r"write sqlite:///x\.db"),
        ("sqlite:", "names no file"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("./mlruns", r"file store is not supported .*use sqlite:///mlflow\.db"),
        ("file:///x/mlruns", "file store is not supported"),
        ("x.db", r"write sqlite:///x\.db"),
        ("postgresql://u:SECRETPW@127.0.0.1:9/db", r"\*\*\*@127.0.0.1:9/db: connection refused"),
        ("postgresql+nosuchdriver://u:SECRETPW@h/db", "nosuchdriver"),
        ("sqlite:////no/such/folder/x.db", r"/no/such/folder does not exist \(mkdir -p"),
    ],
)
def test_what_cannot_be_a_store(uri: str, said: str) -> None:
    assert re.search(said, refused(uri))


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert re.search(
        r"driver 'psycopg' is not installed \(pip install", refused("postgresql://u:SECRETPW@h/db")
    )


Answer = tuple[int, str]


@contextmanager
def web(answers: dict[str, Answer]) -> Iterator[str]:
    """Serve fixed answers by path; 404 else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, text = answers.get(self.path, (404, "<html>nothing here</html>"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815 - the base class looks for this name

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://u:SECRETPW@127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


SEARCH = "/api/2.0/mlflow/experiments/search"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, r"answered, but is not an MLflow server \(/version: 404\)"),
        ({"/version": (200, "<html>")}, r"is not an MLflow server \(/version: '<html>'\)"),
        ({"/version": (401, "")}, r"not authorised \(401\) \(set MLFLOW_TRACKING_USERNAME"),
        ({"/version": (200, "3.17.2"), SEARCH: (403, "")}, "not authorised"),
        (
            {"/version": (200, "3.17.2"), SEARCH: (403, "Invalid Host header")},
            "rejects this host name.*--allowed-hosts",
        ),
        ({"/version": (200, "2.9.1")}, r"MLflow server 2\.9\.1 at http.*too old, 3\.x required"),
        ({"/version": (200, "3.17.2"), SEARCH: (500, "")}, "answered 500"),
    ],
)
def test_what_is_no_mlflow_server_for_us(answers: dict[str, Answer], said: str) -> None:
    with web(answers) as uri:
        assert re.search(said, refused(uri))


def test_a_server_that_never_answers() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        assert "no answer within" in refused(f"http://127.0.0.1:{silent.getsockname()[1]}")


@pytest.mark.parametrize("is_unwanted", [False, True])
def test_a_busy_server_is_waited_for_by_whoever_has_patience(
    monkeypatch: pytest.MonkeyPatch, is_unwanted: bool
) -> None:
    monkeypatch.setattr(deadline, "DEADLINE", 0.2)
    told: list[str] = []
    patience = Patience(60.0, told.append, lambda: is_unwanted)

    given_up = threading.Event()

    def answer() -> str:
        given_up.wait(20.0 if is_unwanted else 1.0)
        return "here"

    if is_unwanted:
        with pytest.raises(StoreError, match="no answer within"):
            within(patience, "MLflow", answer)
        given_up.set()
    else:
        assert within(patience, "MLflow", answer) == "here"
    assert told == ["MLflow answers slowly; it is waited for up to 60 s"]


def test_a_server_that_speaks_something_else() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def greet() -> None:
            connection, _ = server.accept()
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")
            connection.close()

        threading.Thread(target=greet, daemon=True).start()
        assert "MLflow http://127.0.0.1" in refused(f"http://127.0.0.1:{server.getsockname()[1]}")


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def garbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:5000] = b"\xff" * 4900
    path.write_bytes(content)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "older": (
        lambda p: sql(p, "UPDATE alembic_version SET version_num = '451aebb31d03'"),
        "older than this MLflow.*upgrade",
    ),
    "newer": (
        lambda p: sql(p, "UPDATE alembic_version SET version_num = 'ffffffffffff'"),
        "newer .*upgrade mlflow",
    ),
    "half": (lambda p: sql(p, "DELETE FROM alembic_version"), "half-created"),
    "half, no version": (lambda p: sql(p, "DROP TABLE alembic_version"), "half-created"),
    "garbled": (garbled, "not a valid database"),
    "cut": (lambda p: os.truncate(p, 5000), "not a valid database"),
    "text": (lambda p: p.write_text("no database at all, " * 100), "not a valid database"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_store_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    damage, said = DAMAGE[kind]
    path = tmp_path / "mlflow.db"
    open_store(f"sqlite:///{path}").settle()
    path.with_name("mlflow.db-wal").unlink(missing_ok=True)
    damage(path)
    before = path.read_bytes()
    assert re.search(said, refused(f"sqlite:///{path}"))
    assert path.read_bytes() == before


def test_another_applications_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    sql(path, "CREATE TABLE customers (id INTEGER)")
    assert "none of MLflow's" in refused(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("customers",)]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "is a directory" in refused(f"sqlite:///{tmp_path}")
    (tmp_path / "file").touch()
    assert "not a directory" in refused(f"sqlite:///{tmp_path}/file/x.db")


def test_a_locked_store_does_not_hold_us_long(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    open_store(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked by another process" in refused(f"sqlite:///{path}")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder everybody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_read_only_store_is_refused_and_so_is_its_folder(open_folder: Path) -> None:
    path = open_folder / "mlflow.db"
    open_store(f"sqlite:///{path}").settle()
    path.chmod(0o444)
    open_folder.chmod(0o555)
    with without_privilege():
        assert re.search("read-only|cannot be opened", refused(f"sqlite:///{path}"))
        assert "permission denied" in refused(f"sqlite:///{open_folder}/new.db")
    assert not list(open_folder.glob(".new*"))


def test_an_unwritable_folder_is_refused() -> None:
    assert "sqlite /proc/sweeps.db:" in refused("sqlite:////proc/sweeps.db")


def is_good(path: Path) -> bool:
    store = open_store(f"sqlite:///{path}")
    ensure_experiment(store, "exp")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


def test_a_new_store_leaves_nothing_beside_it(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert {p.name for p in tmp_path.iterdir()} <= {"mlflow.db", "mlflow.db-wal", "mlflow.db-shm"}


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    assert is_good(tmp_path / "mlflow.db")


@pytest.mark.slow
def test_four_at_once_make_one_store(tmp_path: Path) -> None:
    path, cache = tmp_path / "mlflow.db", tmp_path / "cache"
    processes = [opened(path, XDG_CACHE_HOME=str(cache)) for _ in range(4)]
    assert [p.wait(timeout=100) for p in processes] == [0] * 4
    assert is_good(path)
    assert len(list((cache / "sweeps").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("moments", [2, pytest.param(50, marks=pytest.mark.nightly)])
def test_a_kill_at_any_moment_leaves_a_store_that_opens(tmp_path: Path, moments: int) -> None:
    """Without a template: the kills fall into the imports, the migrations, the cleaning and the copy."""
    path, cache = tmp_path / "mlflow.db", tmp_path / "cache"
    started = time.monotonic()
    assert opened(path, XDG_CACHE_HOME=str(cache)).wait(timeout=100) == 0
    whole = time.monotonic() - started
    for moment in range(moments):
        path, cache = tmp_path / f"{moment}.db", tmp_path / f"cache{moment}"
        victim = opened(path, XDG_CACHE_HOME=str(cache))
        with suppress(subprocess.TimeoutExpired):
            victim.wait(timeout=whole * (0.4 + 0.52 * moment / moments))
        if victim.poll() is None:
            os.killpg(victim.pid, signal.SIGKILL)
            victim.wait()
        assert opened(path, XDG_CACHE_HOME=str(cache)).wait(timeout=100) == 0
        assert is_good(path)
        assert not list(tmp_path.glob(".*.new"))
        assert [p.suffix for p in (cache / "sweeps").iterdir()] == [".db"]


OPEN_ANY = """
import os, sys
from mlflow.store.db import utils
from sweeps.tracking.store import open_store
if DIES:
    utils._upgrade_db = lambda _: os.kill(os.getpid(), 9)
open_store(URI)
"""


@pytest.mark.slow
def test_a_kill_between_the_transactions_of_postgresql(forked: list[str], postgres: Postgres) -> None:
    """F3: MLflow makes its first tables, and is killed before it makes them what they are today."""
    uri = postgres()
    code = OPEN_ANY.replace("URI", repr(uri)).replace("DIES", "True")
    done = subprocess.run([*forked, "python", code], check=False, timeout=100)
    assert done.returncode == 255, "nobody told its exit code: it was killed"
    assert "runs" in tables(uri)
    ensure_experiment(open_store(uri), "exp")


@pytest.mark.nightly
def test_a_kill_at_any_moment_leaves_a_postgresql_that_opens(postgres: Postgres) -> None:
    whole = 0.0
    for moment in range(11):
        uri, started = postgres(), time.monotonic()
        code = OPEN_ANY.replace("URI", repr(uri)).replace("DIES", "False")
        victim = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, start_new_session=True)
        with suppress(subprocess.TimeoutExpired):
            victim.wait(timeout=whole * (0.3 + 0.07 * moment) or 100)
        whole = whole or time.monotonic() - started
        end(victim)
        ensure_experiment(open_store(uri), "exp")


def tables(uri: str) -> set[str]:
    import sqlalchemy

    with sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool).connect() as connection:
        return set(sqlalchemy.inspect(connection).get_table_names())


@pytest.mark.nightly
@pytest.mark.parametrize("cache", ["warm", "cold"])
def test_four_commands_at_once_make_one_store(shell: Shell, cache: str) -> None:
    """F4: four sweeps begin where there is no store yet; with a cold cache they make the template, too."""
    if cache == "cold":
        shell.env["XDG_CACHE_HOME"] = str(shell.folder / "cache")
    space = str(write_space(shell.folder, RIDGE))
    words = ["run", space, "--data", "diabetes", "--trials", "1", "--engine", "serial", "--no-register", "-q"]
    four = [shell.fork(*words, "--name", f"s{number}") for number in range(4)]
    said = [process.communicate(timeout=3 * SOON)[1] for process in four]
    assert [process.returncode for process in four] == [0] * 4, said
    assert {sweep.name for sweep in list_sweeps(open_store(shell.uri))} == {"s0", "s1", "s2", "s3"}
    assert is_good(shell.folder / "mlflow.db")


@pytest.mark.slow
@pytest.mark.parametrize("call", ["fsync", "link", "unlink"])
def test_a_kill_at_each_durable_step_leaves_a_store_that_opens(tmp_path: Path, call: str) -> None:
    """With a template: the process kills itself just before it syncs, names and cleans up the copy."""
    path = tmp_path / "mlflow.db"
    open_store(f"sqlite:///{tmp_path / 'first.db'}")  # the template is there from now on
    suicide = f"import os; os.{call} = lambda *a, **k: os.kill(os.getpid(), 9)\n{OPEN}"
    victim = subprocess.run(
        [sys.executable, "-c", suicide, str(path)], cwd=Path(__file__).parents[1], check=False, timeout=120
    )
    assert victim.returncode == -9
    assert is_good(path)
    assert not list(tmp_path.glob(".mlflow.db.*.new"))


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "mlflow.db"
    assert opened(path, XDG_CACHE_HOME=str(tmp_path / "file")).wait(timeout=100) == 0
    assert is_good(path)


@pytest.mark.slow
def test_a_damaged_template_is_built_anew(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert opened(tmp_path / "a.db", XDG_CACHE_HOME=str(cache)).wait(timeout=100) == 0
    (template,) = (cache / "sweeps").iterdir()
    os.truncate(template, 9000)
    assert opened(tmp_path / "b.db", XDG_CACHE_HOME=str(cache)).wait(timeout=100) == 0
    assert is_good(tmp_path / "b.db")


def test_opening_says_nothing(tmp_path: Path) -> None:
    code = "import sys; from sweeps.tracking.store import *; ensure_experiment(open_store(sys.argv[1]), 'e')"
    command = [
        sys.executable,
        "-W",
        "default::UserWarning",
        "-c",
        code,
        f"sqlite:///{tmp_path / 'mlflow.db'}",
    ]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True, timeout=120
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_which_store_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert resolve_uri(None) == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://h")
    assert resolve_uri(None) == "http://h"
    assert resolve_uri("sqlite:///y.db") == "sqlite:///y.db"


def test_a_relative_store_stays_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///x.db")
    monkeypatch.chdir("/")
    assert store.uri == f"sqlite:///{tmp_path}/x.db"
    experiment = store.client.get_experiment(ensure_experiment(store, "green taxi"))
    assert experiment.artifact_location == f"file://{tmp_path}/mlartifacts/green-taxi"


def test_experiments(any_uri: str, request: pytest.FixtureRequest) -> None:
    store, name = open_store(any_uri), f"x-{request.node.callspec.id}"
    made = ensure_experiment(store, name)
    assert ensure_experiment(store, name) == made
    store.client.delete_experiment(made)
    with pytest.raises(StoreError, match=f"is deleted .*mlflow experiments restore -x {made}"):
        ensure_experiment(store, name)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "x" * 501])
def test_names_no_experiment_should_have(sqlite_uri: str, name: str) -> None:
    with pytest.raises(UsageError, match="--experiment"):
        ensure_experiment(open_store(sqlite_uri), name)


def test_another_registry_is_asked_too(sqlite_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://127.0.0.1:9")
    assert "model registry not available: connection refused" in refused(sqlite_uri)


def test_postgres_of_others_and_of_other_versions() -> None:
    import psycopg

    with postgres_server() as new_database:
        uri = new_database()
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("CREATE TABLE customers (id INT)")
            assert "none of MLflow's" in refused(uri)
        uri = new_database()
        open_store(uri)
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        assert "newer" in refused(uri)
        assert "does not exist" in refused(uri.rsplit("/", 1)[0] + "/nosuch")


def test_links_open_the_page_meant() -> None:
    from sweeps.tracking.links import trials_link

    link = trials_link("http://h", "3", "ab")
    assert "searchFilter=tags.%60mlflow.parentRunId%60%20%3D%20%27ab%27&" in link
    assert json.dumps(link).endswith('orderByAsc=true"')


def test_schema_versions_are_read_as_alembic_reads_them() -> None:
    import mlflow
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from sweeps.tracking.schema_version import revisions

    config = Config()
    config.set_main_option("script_location", f"{mlflow.__path__[0]}/store/db_migrations")
    scripts = ScriptDirectory.from_config(config)
    assert revisions().head == scripts.get_current_head()
    assert revisions().known == {script.revision for script in scripts.walk_revisions()}


def test_checking_a_store_imports_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    assert opened(path).wait(timeout=100) == 0
    code = (
        "import sys; from sweeps.tracking.store import check_store; "
        f"check_store('sqlite:///{path}'); "
        "print([name for name in ('mlflow', 'alembic', 'sqlalchemy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "[]\n"


LOOKS = """
import sys
from sweeps.tracking.store import open_store
open_store(sys.argv[1]).client.set_experiment_tag("0", "seen", sys.argv[2])
"""


def test_opening_a_store_twice_keeps_its_locks(sqlite_uri: str) -> None:
    """Else another process that leaves takes the write-ahead log along, and what follows is lost."""
    first = open_store(sqlite_uri)
    first.client.set_experiment_tag("0", "before", "1")
    open_store(sqlite_uri)
    for number in ("1", "2"):
        command = [sys.executable, "-c", LOOKS, sqlite_uri, number]
        subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, timeout=100)
        assert first.client.get_experiment("0").tags["seen"] == number
    first.client.set_experiment_tag("0", "after", "1")
    subprocess.run([*command[:-1], "3"], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, timeout=100)
    assert {"before", "seen", "after"} <= open_store(sqlite_uri).client.get_experiment("0").tags.keys()
