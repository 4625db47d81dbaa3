"""A sweep in a real terminal: what stands on the screen while it runs, and what is left behind."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laws.make import write_space
from tests.shell import ROOT, SWEEPS
from tests.terminal import Terminal, colours, terminal

pytestmark = pytest.mark.slow

GATED = """
import os
LABELS = ["l2_regularization", "learning_rate", "min_samples_leaf", "validation_fraction"]
SPACE = {**{label: hp.uniform(label, 0, 1) for label in LABELS},
         "max_depth": hp.choice("max_depth", [3, 5]), "objective": "reg:squarederror"}
def train(params, data, report):
    number = len(os.listdir("begun"))
    open(f"begun/{number}", "w").close()
    print("a trial says", "hello")
    if number == 1:
        raise ValueError(f"learning_rate {params['learning_rate']} is no good")
    report(7, 58.25)
    if number == 3:
        open("gate").read()
    return 60.0 - number
"""
"""Trial 1 fails, trial 3 waits for the gate; each prints. Not all params have room on 80 columns."""


@pytest.fixture
def running(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """A terminal of 80 columns with a sweep whose fourth and last trial waits for the gate."""
    (tmp_path / "begun").mkdir()
    os.mkfifo(tmp_path / "gate")
    space = write_space(tmp_path, GATED)
    words = [
        *SWEEPS,
        "run",
        str(space),
        "--data",
        "diabetes",
        "--trials",
        "4",
        "--workers",
        "1",
        "--seed",
        "1",
    ]
    prefix = getattr(request, "param", "")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHONIO", "LANG", "LC_"))}
    env |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "PYTHONUTF8": ""}
    command = f"{prefix} {shlex.join([*words, '--no-register', '--name', 'gated'])}"
    with terminal(tmp_path, command, env, 80, 24) as shown:
        yield shown


def open_gate(folder: Path) -> None:
    with (folder / "gate").open("w") as gate:
        gate.write("go")


def lines_of(screen: str) -> list[str]:
    return [line for line in screen.splitlines() if line]


def waits(screen: str) -> bool:
    return "3/4 trials" in screen and "58.25" in screen


def bar(screen: str) -> int:
    """How long the bar of the trials is."""
    return sum(screen.count(sign) for sign in "━─")


def is_wide(screen: str) -> bool:
    """As on 200 columns: the bar in full, params of long names in one line."""
    return waits(screen) and bar(screen) == 40 and "l2_regularization" in screen


def is_low(screen: str) -> bool:
    """As on 12 lines: no room for the failures below who runs and the best."""
    return waits(screen) and bar(screen) == 40 and "failures" not in screen


def is_narrow(screen: str) -> bool:
    """As on 80 columns and 24 lines: all boards, the bar and the names of params cut."""
    return waits(screen) and bar(screen) < 40 and "failures" in screen and "l2_regularization" not in screen


def test_a_live_view_fits_each_size_and_leaves_the_answer(running: Terminal, tmp_path: Path) -> None:
    lines = lines_of(running.wait_for(is_narrow))
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("sweep gated · tpe, seed 1")
    assert lines.count("a trial says hello") == 4
    text = "\n".join(lines)
    for words in (
        "2 complete · 1 failed",
        "best      rmse 58  trial 2",
        "step 7",
        "1 failed: ValueError: learning",
    ):
        assert words in text
    assert colours(running.screen(styled=True))

    for columns, rows, is_painted in ((200, 50, is_wide), (100, 12, is_low), (80, 24, is_narrow)):
        running.resize(columns, rows)
        shown = lines_of(running.wait_for(is_painted))
        assert max(map(len, shown)) <= columns
        assert len([line for line in shown if "/4 trials" in line]) == 1
        assert len([line for line in shown if line.startswith("running")]) == 1

    open_gate(tmp_path)
    left = running.wait_for("code 0")
    assert "4 trials in" in left
    assert "running" not in left
    assert "winner   trial 3: validation rmse 57" in left


@pytest.mark.parametrize("running", ["LC_ALL=C NO_COLOR=1"], indirect=True)
def test_without_colour_and_unicode_the_same_stands_there(running: Terminal, tmp_path: Path) -> None:
    shown = running.wait_for(waits)
    assert shown.isascii()
    assert "2 complete - 1 failed" in shown
    assert not colours(running.screen(styled=True))
    open_gate(tmp_path)
    left = running.wait_for("code 0")
    assert left.isascii()
    assert "4 trials in" in left
    assert "/4 trials" not in left
