"""A driver is killed before its n-th call to the store, for every n until it gets through unharmed.

Whatever was killed where, the sweep that is resumed afterwards holds what one that was never killed holds.
"""

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import mlflow
import pytest

from sweeps.record import SweepRecord
from sweeps.tracking.reader import find_header, find_sweep, read_sweep
from sweeps.tracking.store import open_store
from tests.ends import end
from tests.faults.zygote import PARTS, TRIALS, sweep
from tests.laws.make import write_space
from tests.shell import RIDGE, ROOT


class Zygote:
    """The process that forks drivers."""

    def __init__(self, pen: str, folder: Path) -> None:
        self._log = folder / "zygote.log"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote", pen], cwd=folder, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log.open("w"), start_new_session=True,
        )  # fmt: skip

    def __call__(self, *words: object) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(*words, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    @property
    def said(self) -> str:
        return self._log.read_text()[-3000:]

    def close(self) -> None:
        end(self._process)


STRIDE = {"sql": 14, "client": 15}
"""Some calls will do in every run; the nightly one leaves none out, in parts of a few minutes each."""
PARTED = 5
NIGHTLY = [
    pytest.param(pen, first, PARTED, marks=pytest.mark.nightly)
    for pen in STRIDE
    for first in range(1, PARTED + 1)
]
Start = Callable[[str], Zygote]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Gives the zygote whose drivers write with a pen; its imports take longer than most of its drivers."""
    with ExitStack() as stack:

        @functools.cache
        def zygote(pen: str) -> Zygote:
            made = Zygote(pen, tmp_path_factory.mktemp(pen))
            stack.callback(made.close)
            return made

        yield zygote


@pytest.fixture(scope="module")
def never(tmp_path_factory: pytest.TempPathFactory) -> SweepRecord:
    """The sweep as it is when nobody is killed."""
    folder = tmp_path_factory.mktemp("never")
    record: SweepRecord = sweep(str(write_space(folder, RIDGE)), f"sqlite:///{folder / 'mlflow.db'}", "never")
    return record


def figures(record: SweepRecord) -> list[Any]:
    return [(t.number, t.trial.proposal.point, t.outcome.state, t.outcome.rmse) for t in record.trials]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pen", "first", "stride"), [*((pen, 1, stride) for pen, stride in STRIDE.items()), *NIGHTLY]
)
def test_a_kill_at_any_call_loses_nothing(
    start: Start, tmp_path: Path, never: SweepRecord, pen: str, first: int, stride: int
) -> None:
    zygote, space, killed = start(pen), write_space(tmp_path, RIDGE), 0
    for at in range(first, 300, stride):
        (tmp_path / str(at)).mkdir()
        uri = f"sqlite:///{tmp_path / str(at) / 'mlflow.db'}"
        code = zygote("kill", at, space, uri)
        assert code in (0, -signal.SIGKILL), zygote.said
        assert zygote("go-on", space, uri) == 0, f"after a kill at call {at}:\n{zygote.said}"
        all_is_well(uri, never, at)
        if code == 0:
            break
        killed = at
    assert 10 < killed < 250


@pytest.mark.slow
@pytest.mark.parametrize("at", [2, *(pytest.param(n, marks=pytest.mark.nightly) for n in (1, 3))])
def test_a_kill_inside_the_writing_of_an_outcome(
    start: Start, tmp_path: Path, never: SweepRecord, at: int
) -> None:
    """F6: params, metrics and tags are written one after the other; what is there in part does not count."""
    zygote, space = start("client"), write_space(tmp_path, RIDGE)
    for part in PARTS:
        (tmp_path / part).mkdir()
        uri = f"sqlite:///{tmp_path / part / 'mlflow.db'}"
        assert zygote("tear", part, at, space, uri) == -signal.SIGKILL, zygote.said
        store = open_store(uri)
        header = find_header(store, "cut")
        trials = store.client.search_runs([header.experiment_id], "tags.`sweeps.kind` = 'trial'")
        [run] = [one for one in trials if one.data.params and one.data.tags["sweeps.state"] == "RUNNING"]
        assert ("rmse" in run.data.metrics) == (part == "tags")
        assert len(read_sweep(store, header.run_id).trials) == at - 1
        assert zygote("go-on", space, uri) == 0, zygote.said
        all_is_well(uri, never, at)


def all_is_well(uri: str, never: SweepRecord, at: int) -> None:
    store = open_store(uri)
    record = read_sweep(store, find_sweep(store, "cut"))
    assert figures(record) == figures(never), at
    assert record.state == "COMPLETE", at
    query = f"tags.`mlflow.parentRunId` = '{record.run_id}'"
    runs = store.client.search_runs([record.experiment_id], query)
    assert "RUNNING" not in {run.info.status for run in runs}, at
    assert len(runs) <= TRIALS + 1, at
    assert record.finalists == never.finalists, at
    assert len(store.client.search_model_versions()) == 1, at
    mlflow.set_tracking_uri(uri)
    try:
        assert mlflow.pyfunc.load_model("models:/diabetes-regressor@champion") is not None, at
    finally:  # it sets a variable, too, which other tests and their programs would find
        mlflow.set_tracking_uri(None)
