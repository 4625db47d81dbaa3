"""Nothing in the tests may wait for ever: not what is tested, not its end."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.ends import SECONDS, end
from tests.missing import missing
from tests.shell import ROOT

HANGS = """
import signal
import pytest

@pytest.fixture
def hanging():
    yield
    signal.pause()

def test_that_fails(hanging):
    raise AssertionError("as it should")
"""
WATCHED = """
import pytest, sys
from tests import hangs
hangs.TEARDOWN_SECONDS = 1
sys.exit(pytest.main(["-q", "-p", "tests.hangs", "-p", "no:cacheprovider", "test_it.py"]))
"""


def test_a_failed_test_that_hangs_in_its_cleanup_ends_its_process(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(HANGS)
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Timeout (0:00:01)!" in done.stderr
    assert "in hanging" in done.stderr, "the stack where it hung"
    assert "1 failed" not in done.stdout, "it did not come to its end"


HOLDS = """
import os, subprocess, sys
held = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
print(held.pid, flush=True)
os._exit(0)
"""


def test_what_a_process_left_behind_does_not_hold_us() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    held = psutil.Process(int(process.stdout.readline()))
    end(process)
    assert psutil.wait_procs([held], timeout=SECONDS)[1] == []


def test_a_forked_command_ends_with_the_one_who_waits_for_it(forked: list[str]) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(1000)"
    caller = subprocess.Popen([*forked, "python", code], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    command = psutil.Process(int(caller.stdout.readline()))
    end(caller)
    assert psutil.wait_procs([command], timeout=SECONDS)[1] == []


def waits(path: Path) -> Iterator[str]:
    """Name every wait without a limit in a file of tests."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            limited = any(word.arg == "timeout" for word in node.keywords)
            called, bare = node.func.attr, not node.args and not node.keywords
            runs = ast.unparse(node.func) in ("subprocess.run", "subprocess.check_output")
            if (called in ("communicate", "join") and bare) or (runs and not limited):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {called}"


def test_no_test_waits_without_a_limit() -> None:
    assert [wait for path in sorted((ROOT / "tests").rglob("*.py")) for wait in waits(path)] == []


@pytest.mark.parametrize(("ci", "kind"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_what_is_not_installed_is_skipped_but_where_it_must_be(
    monkeypatch: pytest.MonkeyPatch, ci: str, kind: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(kind, match="strace is not installed"):
        missing("strace is not installed")
