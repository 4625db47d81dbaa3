"""Trials that die, hang, swell, or leave a mess: each costs itself, and no other one notices.

One sweep has them all, a second one has none; what neither disturbs must be equal to the last digit.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from sweeps.api.run import run_sweep
from sweeps.engines.process import environment
from sweeps.record import SweepRecord
from sweeps.tracking.store import open_store
from sweeps.trial import State
from tests.laws.make import write_space
from tests.shell import SOON

SPACE = """
import ctypes, logging, mmap, os, pathlib, random, resource, signal, threading, time
import numpy as np
HERE = pathlib.Path(__file__).parent
SPACE = {"x": hp.uniform("x", 0, 1)}


def numbered(x):
    \"\"\"The how-manieth point this is, and the how-manieth try of it.\"\"\"
    with (HERE / "points").open("a+") as file:
        file.write(f"{x!r}\\n")
        file.seek(0)
        seen = file.read().split()
    return list(dict.fromkeys(seen)).index(repr(x)), seen.count(repr(x))


def memory():
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (0, before[1]))
    try:
        return len(bytes(2**31))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def mess():
    os.chdir("/")
    os.environ.update({"OMP_NUM_THREADS": "77", "LEFT_BEHIND": "1"})
    random.seed(0); np.random.seed(0); np.seterr(all="ignore")
    logging.disable(logging.CRITICAL)
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    return 1.0


def die(number):
    os.kill(os.getpid(), number)
    time.sleep(1000)


KINDS = {
    1: lambda tries: memory(),
    2: lambda tries: (lambda: 1.0),
    3: lambda tries: bytearray(200_000_000),
    4: lambda tries: mess(),
    6: lambda tries: die(signal.SIGKILL) if tries == 1 else 0.5,
    7: lambda tries: ctypes.string_at(0) if tries == 1 else 0.5,
    8: lambda tries: os._exit(0),
    9: lambda tries: die(signal.SIGSTOP),
    10: lambda tries: [None for _ in iter(int, 1)],
    11: lambda tries: "1.0",
    12: lambda tries: 1 + 2j,
    13: lambda tries: float("inf"),
}


def train(params, data, report):
    number, tries = numbered(params["x"])
    if (HERE / "calm").exists() or number not in KINDS:
        return params["x"] + random.random() + np.random.rand()
    return KINDS[number](tries)
"""
DISTURBED, TRIALS = (1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13), 16


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[SweepRecord, MlflowClient]]:
    """A sweep among faults, and one without."""
    made = {}
    for kind in ("calm", "faults"):
        folder = tmp_path_factory.mktemp(kind)
        (folder / kind).touch()
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        record = run_sweep(
            write_space(folder, SPACE), "diabetes", trials=TRIALS, seed=3, name=kind,
            **({"engine": "serial"} if kind == "calm" else {"workers": 1, "trial_timeout": 2}),
             register=False, tracking_uri=uri, results=folder / "results",
        )  # fmt: skip
        made[kind] = record, open_store(uri).client
    return made


def outcome(swept: Any, number: int) -> Any:
    return swept["faults"][0].trials[number].outcome


def test_f18_the_others_are_as_if_nothing_had_been(swept: Any) -> None:
    calm, faults = (swept[kind][0].trials for kind in ("calm", "faults"))
    undisturbed = [number for number in range(TRIALS) if number not in DISTURBED]
    assert [faults[n].outcome.rmse for n in undisturbed] == [calm[n].outcome.rmse for n in undisturbed]
    assert [t.trial.proposal.point for t in faults] == [t.trial.proposal.point for t in calm]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        pytest.param(1, "MemoryError", id="f10 memory limit"),
        pytest.param(2, "rmse is .*function", id="f17 not picklable"),
        pytest.param(3, "rmse is .*bytearray", id="f17 200 MB"),
        pytest.param(
            8, "lost 3 times, at last: .*ended with exit code 0", id="f16 f11 os._exit(0), each time"
        ),
        pytest.param(9, "--trial-timeout: .*longer than 2 s and was killed", id="f13 SIGSTOP"),
        pytest.param(10, "--trial-timeout: .*longer than 2 s and was killed", id="f12 endless loop"),
        pytest.param(11, "rmse is '1.0', a str", id="f41 text"),
        pytest.param(12, "rmse is .*complex", id="f41 complex"),
        pytest.param(13, "rmse is inf, which is not finite", id="f41 infinite"),
    ],
)
def test_a_fault_costs_its_own_trial(swept: Any, number: int, reason: str) -> None:
    assert outcome(swept, number).state is State.FAILED
    assert re.search(reason, outcome(swept, number).reason), outcome(swept, number).reason
    assert len(outcome(swept, number).reason) < 1000


@pytest.mark.parametrize("number", [6, 7], ids=["f9 SIGKILL", "f15 segmentation fault"])
def test_a_trial_whose_process_dies_once_is_tried_again(swept: Any, number: int) -> None:
    assert (outcome(swept, number).state, outcome(swept, number).rmse) == (State.COMPLETE, 0.5)


def test_f18_a_trial_that_logs_to_mlflow_itself_is_told_why_not(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import mlflow; mlflow.start_run()"], env=environment(1), cwd=tmp_path,
        capture_output=True, text=True, check=False, timeout=SOON,
    )  # fmt: skip
    assert done.returncode == 1
    assert "trials-do-not-log" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_f18_f41_nothing_else_is_in_the_store(swept: Any) -> None:
    record, client = swept["faults"]
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()])
    ours = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == record.run_id]
    assert len(runs) == len(ours) + 1
    assert len(ours) == TRIALS + 1 + 1 + 2, "a run for every try that was lost"
    failed = [run for run in ours if run.data.tags["sweeps.state"] == "FAILED"]
    assert not [run for run in failed if "rmse" in run.data.metrics]
    assert record.best is not None
    assert record.best.number not in (11, 12, 13)
