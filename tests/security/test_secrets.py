"""C7, C8, C10, C32: what is secret stays out of everything others may read, and away from the workers."""

import json
import os
import subprocess
import traceback
from pathlib import Path

import psutil
import pytest

from sweeps.credentials import for_workers, is_secret, redact, without_secrets
from sweeps.engines import open_engine
from sweeps.engines.process import NO_STORE
from sweeps.errors import StoreError, UsageError
from sweeps.tracking.context import context_tags
from sweeps.tracking.exposure import exposures
from sweeps.tracking.store import Store, open_store, store_errors
from tests.inside import Inside
from tests.security.planted import ENVIRONMENT, HARMLESS, SECRET, found_in
from tests.shell import Shell, wait_until
from tests.stores import free_port

TELLS = """
SPACE = {"x": hp.uniform("x", 0, 1)}
def train(params, data, report):
    import os
    print(sorted(os.environ))
    if params["x"] < 0.5:
        raise RuntimeError(f"{dict(os.environ)} postgresql://me:{SECRET}@h/db and password={SECRET}")
    return 1.0
SECRET = "SECRETPW" + "-Zq7"
"""


def environment(_: object) -> dict[str, str]:
    """What a worker sees."""
    return dict(os.environ)


def listening(_: object) -> list[str]:
    """Where a worker could be reached."""
    connections = psutil.Process().net_connections("inet")
    return [str(c.laddr) for c in connections if c.status == psutil.CONN_LISTEN]


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ENVIRONMENT, **HARMLESS}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("planted")
def test_a_worker_sees_no_credentials_but_those_passed_on() -> None:
    with open_engine("local", 1, 1, keep=["HF_TOKEN"]) as engine:
        seen = engine.submit(environment, None).result(60)
        assert engine.submit(listening, None).result(60) == []
    assert {name for name in ENVIRONMENT if name in seen} == {"HF_TOKEN"}
    store = {name: value for name, value in seen.items() if name.startswith("MLFLOW_")}
    assert store == {"MLFLOW_TRACKING_URI": NO_STORE}
    assert {name: seen.get(name) for name in HARMLESS} == HARMLESS
    assert SECRET not in str({name: value for name, value in seen.items() if name != "HF_TOKEN"})


@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "GITHUB_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "WANDB_API_KEY", "DOCKER_AUTH_CONFIG", "AZURE_CLIENT_SECRET", "KUBECONFIG", "SENTRY_DSN", "api_key"])  # fmt: skip # noqa: E501
def test_the_well_known_names_are_credentials(name: str) -> None:
    assert is_secret(name, "x")
    assert for_workers({name: "x"}) == {}


@pytest.mark.parametrize("name", ["PATH", "PWD", "OLDPWD", "HOME", "AWS_REGION", "MONKEY", "AUTHOR", "XAUTHORITY", "LS_COLORS"])  # fmt: skip # noqa: E501
def test_other_names_are_not(name: str) -> None:
    assert for_workers({name: "http://host/x"}) == {name: "http://host/x"}


@pytest.mark.usefixtures("planted")
def test_texts_lose_what_is_secret_and_nothing_else() -> None:
    for value in ENVIRONMENT.values():
        assert value == "admin" or SECRET not in redact(f"it said {value}!")
    assert redact("http://me:a@b/c@host/x?token=abc&a=1") == "http://***@host/x?token=***&a=1"
    assert redact("rmse 0.5 in /here of admin") == "rmse 0.5 in /here of admin"


def test_short_values_and_paths_are_left_in_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "mlflow")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/etc/gcp.json")
    assert redact("mlflow reads /etc/gcp.json") == "mlflow reads /etc/gcp.json"


def test_an_uncaught_error_in_a_script_tells_no_password() -> None:
    from mlflow.exceptions import MlflowException

    def fail() -> None:
        below = OSError(f"no route to http://me:{SECRET}@h")
        with store_errors("http://***@h"):
            raise MlflowException(f"API request to http://me:{SECRET}@h/api failed") from below

    with pytest.raises(StoreError) as caught:
        fail()
    assert "API request to" in "".join(traceback.format_exception(caught.value))
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    looped = OSError(SECRET)
    looped.__context__ = looped
    assert without_secrets(looped) is looped


@pytest.mark.parametrize("remote", ["https://me:{}@git.example/x/y.git", "https://{}@git.example/x/y.git"])
def test_the_address_of_a_git_remote_is_kept_without_its_password(tmp_path: Path, remote: str) -> None:
    """C10: with commit, branch and address, as MLflow tells them."""
    for words in (
        ["init", "-q"],
        ["remote", "add", "origin", remote.format(SECRET)],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, timeout=60)
    tags = context_tags(tmp_path)
    assert tags["mlflow.source.git.repoURL"].endswith("git.example/x/y.git")
    assert SECRET not in str(tags)


def test_a_store_shows_no_password(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert SECRET not in repr(Store(opened.client, f"http://me:{SECRET}@h", "http://***@h", None))


WARNED = {
    ("http://me:PW@tracking.example", True): ["can read its password", "unencrypted"],
    ("http://me:PW@tracking.example", False): ["unencrypted"],
    ("http://me:PW@127.0.0.1:5000", False): [],
    ("http://me:PW@localhost:5000", True): ["can read its password"],
    ("http://me:PW@127.evil.com", False): ["unencrypted"],
    ("https://me:PW@tracking.example", False): [],
    ("postgresql://me:PW@h/db", True): ["can read its password"],
    ("http://tracking.example", True): [],
    ("sqlite:///mlflow.db", True): [],
    ("http://[", True): [],
}


@pytest.mark.parametrize(("uri", "typed"), WARNED)
def test_an_address_that_gives_its_password_away_is_warned_of(uri: str, typed: bool) -> None:
    said = exposures(uri.replace("PW", SECRET), typed)
    assert SECRET not in str(said)
    assert len(said) == len(WARNED[uri, typed])
    assert all(words in text for words, text in zip(WARNED[uri, typed], said, strict=True))


def test_a_token_over_plain_http_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    assert "unencrypted" in exposures("http://tracking.example", typed=False)[0]


def test_a_variable_that_is_not_set_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sweeps

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    with pytest.raises(UsageError, match=r"--worker-env NO_SUCH_TOKEN: is not set here \(export"):
        sweeps.run_sweep("ridge", "diabetes", trials=1, worker_env=["NO_SUCH_TOKEN"])
    with pytest.raises(UsageError, match="--worker-env: must be the name of a variable, got 'A=B'"):
        sweeps.run_sweep("ridge", "diabetes", trials=1, worker_env=["A=B"])


def said(
    words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> tuple[object, str, str]:
    """Run a command here; give its exit code and what it printed."""
    from sweeps.cli.main import main

    monkeypatch.setattr("sys.argv", ["sweeps", *words.split()])
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, *capfd.readouterr()


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, list[str]]:
    """A sweep whose trials tell all they know, and the command lines of its processes."""
    shell = Shell(tmp_path_factory.mktemp("planted"))
    shell.env |= ENVIRONMENT | {"XDG_CACHE_HOME": str(shell.folder / "cache")}
    process = shell.start(
        TELLS, "--trials", "6", "--seed", "1", "--name", "told", "--workers", "1", "--debug"
    )
    family = psutil.Process(process.pid)
    wait_until(family.children, process)
    lines = [" ".join(child.cmdline()) for child in family.children(recursive=True)]
    out, err = process.communicate(timeout=120)
    (shell.folder / "said").write_text(out + err)
    assert process.returncode == 0, err
    return shell, lines


def test_a_sweep_leaves_no_secret_anywhere(swept: tuple[Shell, list[str]]) -> None:
    shell, lines = swept
    assert found_in(shell.folder) == []
    assert lines
    assert SECRET not in str(lines)
    said = (shell.folder / "said").read_text()
    assert "RuntimeError" in said
    assert "***" in said


@pytest.mark.usefixtures("planted")
def test_what_others_read_of_it_has_none_either(
    swept: tuple[Shell, list[str]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(swept[0].folder)
    shown = json.loads(said("show told --json", monkeypatch, capfd)[1])
    failed = next(trial["trial"] for trial in shown["history"] if trial["state"] == "FAILED")
    for words in (
        "list",
        "show last",
        f"show last {failed}",
        f"show last {failed} --json",
        "best last --json",
    ):
        code, out, err = said(words, monkeypatch, capfd)
        assert code == 0, err
        assert SECRET not in out + err
        assert out


FAILING = {
    "http": "list --tracking-uri http://me:{secret}@127.0.0.1:{port}",
    "http, run": "run ridge --data diabetes --trials 1 --tracking-uri http://me:{secret}@127.0.0.1:{port}",
    "postgres": "show last --tracking-uri postgresql://me:{secret}@127.0.0.1:{port}/db",
    "postgres, run": "run ridge --data diabetes --trials 1 --tracking-uri postgresql://me:{secret}@127.0.0.1:{port}/db",
    "promote": "promote last --tracking-uri http://me:{secret}@127.0.0.1:{port}",
    "resume": "resume last --tracking-uri postgresql://me:{secret}@127.0.0.1:{port}/db",
    "ui": "ui --tracking-uri postgresql://me:{secret}@127.0.0.1:{port}/db",
    "doctor": "doctor --tracking-uri http://me:{secret}@127.0.0.1:{port}",
    "odd scheme": "list --tracking-uri ftp://me:{secret}@h",
    "odd scheme, notify": "run ridge --data diabetes --notify ftp://me:{secret}@h/{secret}?x={secret}",
    "no scheme, notify": "run ridge --data diabetes --notify hooks.example.org/services/{secret}",
    "no host, notify": "promote last --notify https://me:{secret}@:{port}/{secret}",
    "in another option": "ui --port http://me:{secret}@h",
    "as a sweep": "show http://me:{secret}@h",
    "as data": "run ridge --data http://me:{secret}@h/x.csv",
    "as a file": "run ridge --table https://me:{secret}@h/x.csv --target y",
    "as a command": "http://me:{secret}@h",
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
@pytest.mark.usefixtures("planted")
def test_a_failing_command_tells_no_secret(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = FAILING[name].format(secret=SECRET, port=free_port())
    code, out, err = said(words + " --debug" * (" " in words), monkeypatch, capfd)
    assert code in (2, 4, 5)
    assert err.splitlines()[-1].startswith("error: ")
    assert SECRET not in out + err
    assert found_in(tmp_path) == []


@pytest.mark.usefixtures("planted")
def test_whom_a_sweep_tells_is_told_to_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Addresses of chat rooms are secrets as a whole; none of these can be told, so all are spoken of."""
    sweeps, closed = Inside(tmp_path, monkeypatch, capsys), f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("SWEEPS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOOK", f"http://{closed}/by-name/{SECRET}")
    told = [f"http://me:{SECRET}@{closed}/{SECRET}?x={SECRET}", f"false --header {SECRET}", "env:HOOK"]
    notify = [word for one in told for word in ("--notify", one)]
    done = sweeps(
        *["run", "ridge", "--data", "diabetes", "--trials", "2", "--engine", "serial", "--debug"], *notify
    )
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert done.stderr.count("others on this machine can read its password") == 1
    assert done.stderr.count(f"warning: --notify http://{closed}: cannot be reached: Connection refused") == 2
    assert done.stderr.count("warning: --notify false: ended with exit code 1") == 1
    assert found_in(tmp_path) == []
    [settings] = (tmp_path / "mlartifacts").rglob("sweep.json")
    assert "notify" not in settings.read_text()
