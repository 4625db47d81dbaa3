"""What the documents say is done for real: each command runs, each example works, each link leads somewhere.

The commands of a document run in order in one folder that stands for a clone. What differs from typing them:

- ``python3 -m venv``, ``pip install``, ``pytest`` and activating are left to ``test_packaging.py`` and to
  whoever runs these tests, ruff and the like to ``test_quality.py``; ``.venv/bin/`` is the folder of the
  running interpreter; ``mlflow run`` has a test of its own below;
- the green taxi months are small made ones: ``tests/golden`` has the real ones, and their figures;
- ``sweeps`` and ``python`` run in a child of a process that has imported everything, see ``forks``, but for
  servers and ``mlflow run``;
- servers go on while the rest of the document runs; ports and addresses of stores are those of the fixtures;
- a Python example that begins with ``# path.py`` is written there; the others are run.
"""

import json
import os
import re
import select
import shlex
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest

from sweeps.cli.main import COMMANDS, cli
from tests.ends import SECONDS
from tests.shell import SWEEPS
from tests.stores import BIN, free_port, process, wait_for

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "guide.md"]
FOLDERS = ("", "docs/**/", "benchmarks/", "results/", "results/benchmarks/", "tests/**/", "examples/")
PAGES = sorted(
    path for folder in FOLDERS for kind in ("md", "ipynb") for path in ROOT.glob(f"{folder}*.{kind}")
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = (
    "python3 -m venv",
    "pip install",
    "pytest",
    "source ",
    "ruff ",
    "mypy",
    "lint-imports",
    "mlflow run",
)
SERVERS = ("sweeps ui", "mlflow models serve")


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    """The fenced blocks of some languages, in order."""
    return [(kind, text) for kind, text in BLOCK.findall(page.read_text()) if kind in languages]


def commands(block: str) -> list[str]:
    """The commands of a block that are run here; a quoted text may span lines."""
    lines, open_quote = list[str](), False
    for line in block.splitlines():
        if open_quote:
            lines[-1] += f"\n{line}"
        else:
            lines.append(line)
        open_quote ^= line.count("'") % 2 == 1
    parts = [part.strip().replace(".venv/bin/", "") for line in lines for part in line.split(" && ")]
    return [part for part in parts if not part.startswith(LEFT_OUT)]


def text_of(page: Path) -> str:
    """The text of a page; of a notebook, what it says between its cells of code."""
    if page.suffix != ".ipynb":
        return page.read_text()
    cells = json.loads(page.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def own_commands() -> Iterator[tuple[str, list[str]]]:
    for page in (*DOCUMENTS, ROOT / "benchmarks" / "README.md"):
        for _, block in blocks(page, "bash"):
            for command in commands(block):
                if command.startswith("sweeps "):
                    yield page.name, shlex.split(command)[1:]


@dataclass
class Reader:
    """Does what a document says, in a folder of its own."""

    folder: Path
    env: dict[str, str]
    uris: Callable[[str], str]
    forked: list[str]
    servers: ExitStack
    ports: dict[str, str] = field(default_factory=dict)

    def bash(self, command: str) -> None:
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self.env[name] = value
        elif command.startswith(SERVERS):
            self.serve(command)
        else:
            self.run(["bash", "-euo", "pipefail", "-c", self.adapted(command)], command)

    def python(self, code: str) -> None:
        named = re.match(r"# (\S+\.py)\n", code)
        if named is None:
            self.run([*self.forked, "python", code], code)
        else:
            (self.folder / named[1]).write_text(code)

    def run(self, words: list[str], shown: str) -> str:
        done = subprocess.run(
            words, check=False, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{shown}\n\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def adapted(self, command: str) -> str:
        for address in ("http://localhost:5000", "postgresql://user:password@host/mlflow"):
            if address in command:
                command = command.replace(address, self.uris(address))
        return re.sub(r"(?<=localhost:)\d+", lambda found: self.ports.get(found[0], found[0]), command)

    def serve(self, command: str) -> None:
        """Start a server and wait until it answers."""
        port = str(free_port())
        told = re.search(r"--port (\d+)", command)
        self.ports[told[1] if told else "5000"] = port
        command = re.sub(r"--port \d+", "", command) + f" --port {port}"
        log = self.folder / f"server-{port}.log"
        program, *words = command.split()
        real = [*SWEEPS, *words] if program == "sweeps" else [program, *words]
        server = self.servers.enter_context(process(real, self.folder, log, self.env))
        self.servers.callback(ask_to_end, server)
        path = "health" if command.startswith("sweeps") else "ping"
        wait_for(f"http://127.0.0.1:{port}/{path}", server, log)


def ask_to_end(server: "subprocess.Popen[bytes]") -> None:
    """What a killed ``sweeps ui`` started would live on, so it is asked first; whoever made it reaps it."""
    server.terminate()
    deadline, ended = time.monotonic() + SECONDS, os.WEXITED | os.WNOWAIT | os.WNOHANG
    while os.waitid(os.P_PID, server.pid, ended) is None and time.monotonic() < deadline:
        select.select([], [], [], 0.02)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what commands find in a clone, and the file of the examples."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "search_spaces", folder / "search_spaces")
    shutil.copy(ROOT / "MLproject", folder)
    rng = np.random.default_rng(0)
    houses = pd.DataFrame(
        {
            "rooms": rng.integers(1, 8, 200),
            "district_code": rng.integers(1, 5, 200),
            "street": rng.choice(["north", "south", "west"], 200),
            "built": pd.Timestamp("2000-01-01") + pd.to_timedelta(np.arange(200) * 31, "D"),
        }
    )
    houses.assign(price=100 * houses.rooms + rng.normal(0, 20, 200)).to_csv(
        folder / "houses.csv", index=False
    )
    return folder


@pytest.fixture
def months(tmp_path: Path) -> Path:
    """A folder with three small months of made trips."""
    folder = tmp_path / "months"
    folder.mkdir()
    for month in (1, 2, 3):
        made_month(month).to_parquet(folder / f"green_tripdata_2023-{month:02}.parquet")
    return folder


def made_month(month: int, rows: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(month)
    distance = rng.gamma(2, 1.5, rows)
    pickup = pd.Timestamp(2023, month, 1) + pd.to_timedelta(rng.integers(0, 27 * 86400, rows), "s")
    whole = {name: rng.integers(1, 6, rows) for name in ("PULocationID", "DOLocationID", "VendorID")}
    return pd.DataFrame(
        {
            "lpep_pickup_datetime": pickup,
            "lpep_dropoff_datetime": pickup + pd.to_timedelta(60 * (4 + 3 * distance), "s"),
            "trip_distance": distance,
            **whole,
            **{
                name: rng.integers(1, 3, rows) * 1.0
                for name in ("RatecodeID", "trip_type", "passenger_count")
            },
        }
    )


@pytest.fixture
def shims(tmp_path: Path, forked: list[str]) -> Path:
    """A folder with a command ``sweeps`` that has its imports behind it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "sweeps"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(forked)} sweeps "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.fixture
def reader(
    clone: Path, months: Path, shims: Path, forked: list[str], request: pytest.FixtureRequest
) -> Iterator[Reader]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "SWEEPS_"))}
    path = os.pathsep.join([str(shims), str(BIN), os.environ["PATH"]])
    env = {**kept, "PATH": path, "SWEEPS_DATA_DIR": str(months), "PYTHONPATH": str(ROOT), "BROWSER": "true"}
    fixtures = {"http": "server_uri", "postgresql": "postgres_uri"}

    def uri(address: str) -> str:
        return str(request.getfixturevalue(fixtures[address.partition(":")[0]]))

    with ExitStack() as servers:
        yield Reader(clone, env, uri, forked, servers)


@pytest.mark.slow
@pytest.mark.timeout(850)  # the guide's commands take seven minutes on a slow machine
@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_what_a_document_says_works(page: Path, reader: Reader) -> None:
    for kind, block in blocks(page, "bash", "python"):
        if kind == "python":
            reader.python(block)
        else:
            for command in commands(block):
                reader.bash(command)


@pytest.mark.parametrize(("page", "words"), list(own_commands()), ids=lambda value: " ".join(value)[:60])
def test_commands_and_options_exist(page: str, words: list[str]) -> None:
    name, *arguments = words
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, page
    command.make_context(name, arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_guide_names_every_command(name: str) -> None:
    assert f"sweeps {name}" in (ROOT / "docs" / "guide.md").read_text()


def test_the_guide_names_every_option_of_run() -> None:
    command = cli.get_command(click.Context(cli), "run")
    assert command is not None
    guide = (ROOT / "docs" / "guide.md").read_text().partition("## Options of a run")[2].partition("\n## ")[0]
    options = [max(p.opts, key=len) for p in command.params if isinstance(p, click.Option)]
    assert [option for option in options if f"`{option}" not in guide] == []


def test_the_guide_names_every_exit_code() -> None:
    from sweeps import errors

    codes = {kind.exit_code for kind in vars(errors).values() if hasattr(kind, "exit_code")}
    guide = (ROOT / "docs" / "guide.md").read_text().partition("## Exit codes")[2].partition("\n## ")[0]
    listed = {int(code) for code in re.findall(r"\d+", guide)}
    assert codes <= listed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        found = page.parent / name if name else page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


def anchors(page: Path) -> set[str]:
    """The anchors that headings get on a page."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_decisions_are_numbered_and_whole() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, page in enumerate(pages, 1):
        text = page.read_text()
        assert page.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number}. ")
        for part in ("Context", "Decision", "Consequences", "Alternatives"):
            assert f"**{part}.**" in text, page.name


def test_the_code_names_no_decision_that_is_not_there() -> None:
    for path in (ROOT / "sweeps").rglob("*.py"):
        for name in re.findall(r"docs/[\w/-]+\.md", path.read_text()):
            assert (ROOT / name).exists(), f"{path.name}: {name}"


def test_every_image_is_shown_on_a_page() -> None:
    images = set((ROOT / "docs" / "images").iterdir())
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"!\[[^\]]+\]\(([^)\s]+)\)", text_of(page))
    }
    assert images - shown == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_pip_is_told_is_there(page: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for named in re.findall(r"(?:\.|\bsweeps)\[([a-z,]+)\]", text_of(page)):
        assert set(named.split(",")) <= extras.keys()
    for file in re.findall(r"pip install .*?-[cr] (\S+)", text_of(page)):
        assert (ROOT / file).is_file()


def test_the_pins_were_made_by_the_command_of_the_guide() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text()
    [command] = re.findall(r"^uv pip compile .*$", guide, re.MULTILINE)
    assert (ROOT / "constraints.txt").read_text().splitlines()[1] == f"#    {command}"
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert f"--python-version {oldest.removeprefix('>=')} " in command


def test_images_are_light() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").iterdir()}
    assert sizes
    assert max(sizes.values()) < 200_000


@pytest.mark.slow
def test_mlflow_run_does_the_main_job(reader: Reader) -> None:
    """MLflow tells its project the run it made for the call; the sweep leaves that run alone."""
    from mlflow import MlflowClient

    guide = (ROOT / "docs" / "guide.md").read_text()
    [command] = re.findall(r"^mlflow run .*$", guide, re.MULTILINE)
    reader.bash(command)
    listed: Any = json.loads(reader.run(["sweeps", "list", "--json"], "sweeps list"))
    [sweep] = listed["sweeps"]
    assert (sweep["experiment"], sweep["state"], sweep["trials"]["complete"]) == ("diabetes", "COMPLETE", 5)
    [call] = MlflowClient(f"sqlite:///{reader.folder / 'mlflow.db'}").search_runs(["0"])
    assert (call.info.status, call.data.params["trials"], call.data.metrics) == ("FINISHED", "5", {})


def test_the_structure_names_every_part() -> None:
    """Each package and module at the top of ``sweeps``, and the layers as they are checked."""
    page = (ROOT / "docs" / "structure.md").read_text()
    parts = [path.stem for path in (ROOT / "sweeps").iterdir() if re.fullmatch(r"[a-z]\w*(\.py)?", path.name)]
    assert [part for part in parts if not re.search(rf"\b{part}\b", page)] == []
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = [layer.replace("sweeps.", "") for layer in contract["layers"]]
    assert " > ".join(f"`{layer}`" for layer in layers) in " ".join(page.split())
