"""Sweeps on clusters: what comes out is what comes out on one machine."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sweeps.space.beside import names_beside
from tests.engines.clusters import HERE_AS, Dask, marks
from tests.laws.make import write_space
from tests.shell import Shell, wait_until
from tests.stores import free_port

HELPED = """
from helper import model as MODEL
from helpers.deep.er import SPACE
"""
FILES = {
    "helper.py": "import other_helper\nfrom sklearn.linear_model import Ridge\nmodel = Ridge\n",
    "other_helper.py": "",
    "helpers/__init__.py": "",
    "helpers/deep/__init__.py": "",
    "helpers/deep/er.py": 'from hyperopt import hp\nSPACE = {"alpha": hp.loguniform("alpha", -3, 0)}\n',
    "unrelated.py": "raise RuntimeError('nobody imports this')\n",
}


def on_dask(test: Any) -> Any:
    """Mark a test that needs Dask."""
    for mark in marks("dask"):
        test = mark(test)
    return test


on_each = pytest.mark.parametrize(
    "engine", [pytest.param(url, marks=marks(name), id=name) for name, url in HERE_AS.items()]
)


@pytest.fixture
def helped(tmp_path: Path) -> Path:
    """A search space with modules beside it."""
    folder = tmp_path / "driver" / "spaces"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return write_space(folder, HELPED)


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    started = Dask(tmp_path / "dask", free_port())
    yield started
    started.kill_all()


@pytest.fixture
def swept(shell: Shell, helped: Path) -> Callable[..., dict[str, Any]]:
    scratch = helped.parents[1] / "scratch"
    scratch.mkdir()
    shell.env |= {"TMPDIR": str(scratch), "XDG_CACHE_HOME": str(scratch)}

    def run(*words: str, trials: int = 5) -> dict[str, Any]:
        fixed = "--data", "diabetes", "--seed", "7", "--json", "--trials", str(trials)
        done = shell("run", str(helped), *fixed, *words)
        assert done.returncode == 0, done.stderr
        shown = shell("show", "last", "--json")
        return {"answer": json.loads(done.stdout), "stderr": done.stderr, **json.loads(shown.stdout)}

    return run


def visited(sweep: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [(trial["params"], trial["rmse"]) for trial in sorted(sweep["history"], key=lambda t: t["trial"])]


def test_what_is_imported_beside_a_space_is_found(helped: Path) -> None:
    assert set(names_beside(helped)) == {helped.name, *FILES} - {"unrelated.py"}
    helped.write_text("import (")
    assert names_beside(helped) == (helped.name,)


@on_each
def test_an_engine_that_is_started_here_gives_what_serial_gives(
    swept: Callable[..., dict[str, Any]], engine: str
) -> None:
    serial = swept("--engine", "serial")
    there = swept("--engine", engine, "--workers", "1", "--prune", "none")
    assert visited(there) == visited(serial)
    assert there["answer"]["test_rmse"] == serial["answer"]["test_rmse"]
    assert there["answer"]["model"]["version"] == 2


@on_dask
def test_workers_elsewhere_give_what_serial_gives(
    swept: Callable[..., dict[str, Any]], dask: Dask, tmp_path: Path
) -> None:
    """Where the system lets us, the workers see neither the driver's space nor its data."""
    for number in range(2):
        dask.worker(**hidden(tmp_path, number), threads=1)
    serial = swept("--engine", "serial")
    there = swept("--engine", dask.url, "--trial-timeout", "60s")
    assert visited(there) == visited(serial)
    assert there["answer"]["test_rmse"] == serial["answer"]["test_rmse"]
    assert "2 workers × 1 thread each" in swept("--engine", dask.url, "-v", trials=2)["stderr"]


def hidden(tmp_path: Path, number: int) -> dict[str, Any]:
    """Words for a worker that does not see the driver's files; none where the system does not let us."""
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-rm", "true"], check=False, timeout=300).returncode
    ):
        return {}
    mine = tmp_path / f"machine-{number}"
    mine.mkdir()
    code = (
        "import subprocess; "
        f"subprocess.run(['mount', '-t', 'tmpfs', 'none', {str(tmp_path / 'driver')!r}], check=True); "
        "from distributed.cli.dask_worker import main; main()"
    )
    run = "import os, sys; os.execvp('unshare', ['unshare', '-rm', sys.executable, *sys.argv[1:]])"
    return {"start": ("-c", run, "-c", code), "TMPDIR": str(mine)}


HANGS = """
import os, pathlib
SPACE = {"x": hp.uniform("x", 0, 1)}
HERE = pathlib.Path(PLACE)
def train(params, data, report):
    with (HERE / "starts").open("a") as file:
        file.write(f"{params['x']!r} {os.getppid()}\\n")
    while (HERE / "hang").exists():
        pass
    return params["x"]
"""
KILLS = """
import os, pathlib, signal
SPACE = {"x": hp.uniform("x", 0, 1)}
STARTS = pathlib.Path(PLACE) / "starts"
def train(params, data, report):
    with STARTS.open("a") as file:
        file.write(f"{params['x']!r}\\n")
    if len(STARTS.read_text().splitlines()) == 2:
        os.kill(os.VICTIM(), signal.SIGKILL)
    return params["x"]
"""


def starts(shell: Shell) -> list[str]:
    """Give a line for each time that a trial began."""
    file = shell.folder / "starts"
    return file.read_text().splitlines() if file.exists() else []


@on_dask
def test_a_worker_killed_in_a_trial_costs_that_trial_one_more_try(shell: Shell, dask: Dask) -> None:
    workers = [dask.worker(threads=1) for _ in range(2)]
    (shell.folder / "hang").touch()
    body = HANGS.replace("PLACE", repr(str(shell.folder)))
    sweep = shell.start(body, "--engine", dask.url, "--trials", "4", "--seed", "1", "--json")
    wait_until(lambda: len(starts(shell)) == 2, sweep)
    victim = int(starts(shell)[1].split()[1])
    dask.kill(next(worker for worker in workers if worker.pid == victim))
    (shell.folder / "hang").unlink()
    out, err = sweep.communicate(timeout=120)
    assert sweep.returncode == 0, err
    assert json.loads(out)["trials"]["complete"] == 4
    begun = [line.split()[0] for line in starts(shell)]
    assert len(begun) == 5
    assert len(set(begun)) == 4


@on_dask
@pytest.mark.nightly
def test_a_scheduler_that_dies_ends_the_sweep_and_another_one_goes_on(
    shell: Shell, dask: Dask, tmp_path: Path
) -> None:
    dask.worker(threads=1)
    body = HANGS.replace("PLACE", repr(str(shell.folder)))
    sweep = shell.start(body, "--engine", dask.url, "--trials", "400", "--seed", "1")
    wait_until(lambda: len(starts(shell)) >= 3, sweep)
    (shell.folder / "hang").touch()
    dask.kill(dask.scheduler)
    _, err = sweep.communicate(timeout=180)
    (shell.folder / "hang").unlink()
    assert sweep.returncode == 5, err
    command = re.search(r"then sweeps (resume \w{8})", err)
    assert command, err
    left = json.loads(shell("show", "last", "--json").stdout)
    assert (left["state"], left["trials"]["failed"]) == ("INTERRUPTED", 0)
    finished = left["trials"]["complete"]
    other = Dask(tmp_path / "other", free_port())
    try:
        other.worker(threads=1)
        words = "--engine", other.url, "--trials", str(finished + 3), "--json"
        done = shell(*command[1].split(), *words)
    finally:
        other.kill_all()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"]["complete"] == finished + 3


@pytest.mark.parametrize("victim", ["getpid", "getppid"])
@on_each
def test_no_engine_runs_a_killed_trial_again_by_itself(shell: Shell, engine: str, victim: str) -> None:
    """The process that trains is killed, or the one of the cluster that it belongs to."""
    body = KILLS.replace("PLACE", repr(str(shell.folder))).replace("VICTIM", victim)
    done = shell.run(body, "--engine", engine, "--workers", "2", "--trials", "4", "--seed", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"]["complete"] == 4
    assert len(set(starts(shell))) == 4
    assert len(starts(shell)) - 4 in ((1,) if victim == "getpid" else (1, 2))  # a neighbour may die with it
