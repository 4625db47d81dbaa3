"""The state of the code itself: lint, types, layers, size, and what must be nowhere in the repository."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.space.search_space import list_spaces

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SOURCES = sorted((ROOT / "sweeps").rglob("*.py"))
PARTS = [ROOT / name for name in ("sweeps", "tests", "search_spaces", "docs", "benchmarks", "results", ".ci")]
TEXTS = (".py", ".md", ".toml", ".txt", ".svg", ".yaml", ".json", ".ipynb", "")
ALL_FILES = sorted(
    path
    for start in (*PARTS, *ROOT.glob("*"))
    for path in ([start] if start.is_file() else start.rglob("*") if start in PARTS else [])
    if path.suffix in TEXTS and path.is_file()
)


def check(*words: str) -> None:
    done = subprocess.run(words, check=False, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "ruff check --output-format concise .",
        "ruff format --check .",
        "lint-imports",
        pytest.param("mypy", marks=pytest.mark.slow),
    ],
)
def test_it_is_clean(command: str) -> None:
    program, *arguments = command.split()
    check(str(BIN / program), *arguments)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Names of a file's functions, with the lines of their bodies; the docstring does not count."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            yield f"{path.relative_to(ROOT)}: {node.name}", lines


def test_functions_read_at_a_glance() -> None:
    lengths = dict(found for path in SOURCES for found in functions(path))
    assert {name: lines for name, lines in lengths.items() if lines > 40} == {}
    assert statistics.median(lengths.values()) <= 8


def test_files_hold_one_idea() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in SOURCES}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


def test_what_must_be_nowhere() -> None:
    """Paths of a machine, package indexes, unfinished business."""
    index = r"\b(index-url|extra-index|trusted-host|find-links)\b|\bhttps?://[\w.]*(py" + r"pi|pythonho)"
    machine = r"(?<![\w.~])/(work|root|home/\w+|Users/\w+)/"
    unfinished = r"\b(TODO|FIXME|XXX)\b"
    forbidden = re.compile("|".join((index, machine, unfinished)))
    found = {
        f"{path.relative_to(ROOT)}: {hit[0]}"
        for path in ALL_FILES
        if path != Path(__file__)
        for hit in forbidden.finditer(path.read_text(errors="replace"))
    }
    assert found == set()


@pytest.mark.parametrize("listing", list_spaces(ROOT), ids=lambda listing: listing.name)
def test_every_listed_space_says_what_it_searches(listing: object) -> None:
    summary = getattr(listing, "summary", "")
    assert 20 < len(summary) <= 100
    assert not summary.startswith("(")


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{PROJECT['project']['version']}] - " in (ROOT / "CHANGELOG.md").read_text()


def wanted() -> dict[str, str]:
    """Every package the project names, by normalised name, with its requirement."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    named = [*PROJECT["project"]["dependencies"], *(one for extra in extras for one in extra)]
    return {re.split(r"[\[<>=!~ ]", one)[0].lower().replace("_", "-"): one for one in named}


def pinned() -> dict[str, str]:
    """Every line of the constraints file, by normalised name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {line.split("==")[0].lower().replace("_", "-"): line for line in lines if not line.startswith("#")}


def test_constraints_pin_whatever_is_installed() -> None:
    assert wanted().keys() <= pinned().keys()
    odd = [line for line in pinned().values() if not re.fullmatch(r"[\w.-]+==[\w.!+-]+( ; .+)?", line)]
    assert odd == []


def test_pins_keep_to_what_the_project_allows() -> None:
    from packaging.requirements import Requirement

    pins = pinned()
    for name, requirement in wanted().items():
        version = pins[name].split("==")[1].split(" ")[0]
        assert Requirement(requirement).specifier.contains(version), (requirement, pins[name])
