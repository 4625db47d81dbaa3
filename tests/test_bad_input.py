"""Every mistake gets one line that says what, why and what next, its exit code, and leaves nothing behind.

The tables are in ``tests/bad``; B1 to B80 are rows of the table of bad input that the project keeps.
"""

import importlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from sweeps.cli.main import COMMANDS, main
from tests.bad.case import SECRET, Case
from tests.bad.command_line import COMMAND_LINE
from tests.bad.datasets import DATASETS
from tests.bad.elsewhere import ELSEWHERE, NOT_HERE
from tests.bad.places import (
    count_runs,
    full_disk,
    make_files,
    make_store,
    silent_server,
    web_server,
    without_privilege,
)
from tests.bad.spaces import SPACES
from tests.bad.stores import STORES, SWEEPS
from tests.shell import beside_others
from tests.stores import free_port

CASES = {**COMMAND_LINE, **SPACES, **DATASETS, **STORES, **SWEEPS}
SECONDS = 5.0
LONGEST = 300
"""Characters of a line (G8), but for what the user typed."""
ROOT = Path(__file__).parents[1]
OUR_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "SWEEPS_DATA_DIR")
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "pyarrow",
    "sklearn",
    "xgboost",
    "hyperopt",
    "mlflow",
    "matplotlib",
    "joblib",
)
NOBODY = 65534, 65534


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What stands in braces in the cases; and everything heavy is imported before a clock runs."""
    ours = ("sweeps.api.promote", "sweeps.api.session", *(home for home, _ in COMMANDS.values()))
    for module in (*ours, "skops.io"):
        importlib.import_module(module)  # nobody may not read our Python's files either
    made = tmp_path_factory.mktemp("made")
    make_files(made)
    prefix = make_store(made)
    with ExitStack() as stack:
        yield {
            "closed": str(free_port()),
            "silent": str(stack.enter_context(silent_server())),
            "old": str(stack.enter_context(web_server(200, "2.9.0"))),
            "web": str(stack.enter_context(web_server(200, "<html>hello</html>"))),
            "host": str(stack.enter_context(web_server(403, "Invalid Host header - DNS rebinding"))),
            "locked": str(stack.enter_context(web_server(401, "who are you?"))),
            "made": str(made),
            "prefix": prefix,
        }


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An open folder to stand in, with a good space and a good table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        monkeypatch.chdir(folder)
        make_files(folder)
        yield folder
        monkeypatch.undo()


def arrange(case: Case, here: Path, places: Mapping[str, str]) -> list[str]:
    """Put what a case needs into the folder; give its words."""
    for name, content in case.files.items():
        (here / name).write_bytes(content.encode() if isinstance(content, str) else content)
    if case.store:
        (here / "mlflow.db").write_bytes(Path(places["made"], "mlflow.db").read_bytes())
    if case.prepare is not None:
        case.prepare(here)
    return [word.format(**places) for word in shlex.split(case.words)]


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """All that lies in a folder, but for the store, which is looked into."""
    ours = ("mlflow.db", "mlflow.db-wal", "mlflow.db-shm")
    paths = [p for p in folder.rglob("*") if p.name not in ours]
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in paths}


def judge(case: Case, code: object, out: str, err: str) -> None:
    """Hold what a program said against what it should have said."""
    *earlier, line = err.splitlines() or [""]
    assert re.search(f"^error: (.*{case.said})", line), err
    assert code == case.code, line
    assert len(re.sub("x{50,}", "x", line)) <= LONGEST, line
    assert out == ""
    said = earlier[:-2] if case.announced else earlier
    assert all(other.startswith("warning: ") for other in said), err
    assert "Traceback" not in err
    assert SECRET not in err


@pytest.mark.parametrize("row", range(1, 81))
def test_every_row_of_the_table_is_held(row: int) -> None:
    """By a case, by a test elsewhere, or there is a reason why it cannot come up."""
    name = f"B{row}"
    if name in ELSEWHERE:
        file, test = ELSEWHERE[name]
        assert f"def {test}(" in (ROOT / file).read_text("utf-8")
    else:
        assert name in NOT_HERE or any(case.split()[0] == name for case in CASES)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_bad_input_gets_one_line(
    case: Case,
    here: Path,
    places: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = arrange(case, here, places)
    for name in OUR_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in case.env.items():
        monkeypatch.setenv(name, value.format(**places))
    monkeypatch.setattr(sys, "argv", ["sweeps", *words])
    before, runs = snapshot(here), count_runs(here / "mlflow.db")
    capfd.readouterr()
    began = time.monotonic()
    with ExitStack() as stack:
        if case.powerless:
            os.chown(here, *NOBODY) if os.geteuid() == 0 else None
            stack.enter_context(without_privilege())
        if case.full:
            stack.enter_context(full_disk())
        end = stack.enter_context(pytest.raises(SystemExit))
        main()
    seconds = time.monotonic() - began
    judge(case, end.value.code, *capfd.readouterr())
    assert (snapshot(here), count_runs(here / "mlflow.db")) == (before, runs)
    assert seconds < beside_others(SECONDS)


def in_a_process(code: str, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code as a program of its own, as a user's shell would."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    kept = {k: v for k, v in os.environ.items() if k not in OUR_VARIABLES}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder, env=kept | {"PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["B2 trials '0'", "B17 raises", "B39 header only", "B60 silent", "B74 deleted experiment"]
)
def test_a_real_process_says_the_same(name: str, here: Path, places: Mapping[str, str]) -> None:
    case = CASES[name]
    words = [word.replace("serial", "local") for word in arrange(case, here, places)]  # with real workers
    before, runs = snapshot(here), count_runs(here / "mlflow.db")
    done = in_a_process("from sweeps.cli.main import main; main()", words, here)
    judge(case, done.returncode, done.stdout, done.stderr)
    assert (snapshot(here), count_runs(here / "mlflow.db")) == (before, runs)


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "run --help",
        "spaces",
        "list",
        "rum",
        "run xgboost --data diabetes --trials 0",
        "run nowhere --data diabetes",
        "run xgboost --data nowhere",
        "run xgboost --table nowhere.csv --target y",
        "run xgboost --data diabetes --algo nowhere",
        "run xgboost --data diabetes --engine nowhere",
        "run xgboost --data diabetes --results-dir table.csv",
        "run xgboost --data diabetes --register-as a/b",
        "run xgboost --data diabetes --tracking-uri http://127.0.0.1:{closed}",
        "run xgboost --data diabetes --tracking-uri sqlite:///table.csv",
        "show last",
    ],
)
def test_what_needs_nothing_heavy_imports_nothing_heavy(words: str, here: Path) -> None:
    code = (
        "import sys\n"
        "from sweeps.cli.main import main\n"
        "try:\n    main()\n"
        f"finally:\n    print('heavy:', [m for m in {HEAVY} if m in sys.modules], file=sys.stderr)\n"
    )
    done = in_a_process(code, words.format(closed=free_port()).split(), here)
    assert done.stderr.splitlines()[-1] == "heavy: []"
    assert "this is a bug" not in done.stderr
