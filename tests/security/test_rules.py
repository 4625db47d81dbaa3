"""C18, C19, C28, C29, C30, C31, C33: what the code may not do, whoever writes the next line of it."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.missing import missing

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "sweeps").rglob("*.py"))
FORBIDDEN = {
    "eval", "exec", "os.system", "os.popen", "tempfile.mktemp", "marshal.loads", "shelve.open",
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "ssl._create_unverified_context",
    "cloudpickle.loads", "cloudpickle.load", "joblib.load", "dill.loads", "dill.load", "pickle.load",
    "pd.read_pickle", "pandas.read_pickle",
    "mlflow.pyfunc.load_model", "mlflow.sklearn.load_model", "mlflow.xgboost.load_model",
}  # fmt: skip
UNPICKLERS = {"sweeps/engines/child.py", "sweeps/engines/wire.py", "sweeps/registry/apart.py"}
"""Private pipes and folders between a driver and its own processes; links to the workers of a cluster."""
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8")
LEAST = {"mlflow": "3.17", "skops": "0.12", "pyarrow": "14.0.1"}
"""Below: readers that trust too much (CVE-2024-37065 and CVE-2025-54412; CVE-2023-47248)."""


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Give every call in a file, and the name it is called by."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield ast.unparse(node.func), node


def test_no_call_that_runs_texts_or_reads_objects() -> None:
    found = [(path.name, name) for path in SOURCES for name, _ in calls(path) if name in FORBIDDEN]
    assert found == []
    unpickling = {
        path.relative_to(ROOT).as_posix() for path in SOURCES for n, _ in calls(path) if n == "pickle.loads"
    }
    assert unpickling == UNPICKLERS


def test_no_process_is_started_through_a_shell() -> None:
    with_shell = [
        (path.name, node.lineno)
        for path in SOURCES
        for _, node in calls(path)
        for word in node.keywords
        if word.arg == "shell"
    ]
    assert with_shell == []


def test_ruff_looks_for_what_is_unsafe() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert {rule for rule in lint["ignore"] if rule.startswith("S")} <= {"S603", "S607"}
    assert not any("sweeps" in where and "S" in rules for where, rules in lint["per-file-ignores"].items())


def pins(constraints: str) -> dict[str, Version]:
    """Give the versions that a file of constraints names, by package."""
    lines = [line.partition("#")[0].strip() for line in constraints.splitlines()]
    named = [Requirement(line) for line in lines if line]
    return {pin.name: Version(next(iter(pin.specifier)).version) for pin in named}


def holes(constraints: str) -> list[str]:
    """Name the packages of a file of constraints that are older than the holes we know of."""
    found = pins(constraints)
    return [name for name, least in LEAST.items() if name not in found or found[name] < Version(least)]


@pytest.mark.parametrize("name", LEAST)
def test_no_version_with_a_known_hole_is_allowed(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = next(r for r in map(Requirement, project["dependencies"]) if r.name == name)
    floors = [Version(s.version) for s in wanted.specifier if s.operator in (">=", "==", "~=")]
    assert max(floors) >= Version(LEAST[name])
    assert wanted.specifier.contains(pins(CONSTRAINTS)[name])


def test_no_version_with_a_known_hole_is_pinned() -> None:
    assert holes(CONSTRAINTS) == []
    planted = re.sub(r"(?m)^skops==.*$", "skops==0.11.0", CONSTRAINTS)
    assert holes(planted) == ["skops"]
    assert holes("pyarrow==14.0.0\n") == ["mlflow", "skops", "pyarrow"]


OFFLINE = """
import sys
sys.path[:0] = [{root!r}]
from sweeps.cli.main import main
sys.argv = ["sweeps", "run", "ridge", "--data", "diabetes", "--trials", "2", "--quiet", "--register-as", "m"]
main()
"""


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep with promotion where there is no network at all, not even loopback."""
    if shutil.which("unshare") is None:
        missing("unshare is not installed")
    if subprocess.run(["unshare", "-rn", "true"], check=False, timeout=60).returncode:
        pytest.skip("this system makes no network namespaces for us")
    folder = tmp_path_factory.mktemp("offline")
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-c", OFFLINE.format(root=str(ROOT))],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_a_sweep_needs_no_network(offline: Path) -> None:
    assert (offline / "mlflow.db").exists()


@pytest.mark.slow
def test_no_names_of_variables_are_kept_with_a_model(offline: Path) -> None:
    names = [path.name for path in (offline / "mlartifacts").rglob("*")]
    assert "MLmodel" in names
    assert "environment_variables.txt" not in names
    [described] = (offline / "mlartifacts").rglob("MLmodel")
    assert "env_vars: null" in described.read_text() or "env_vars" not in described.read_text()
