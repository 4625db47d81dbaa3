"""Who drives a sweep: told apart from every other process, here and elsewhere."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from sweeps.tracking.owner import Owner


def test_it_travels_as_text() -> None:
    this = Owner.this()
    assert Owner.read(str(this)) == this
    assert this.shown.startswith(f"process {this.pid} on ")


@pytest.mark.parametrize("text", ["", "{}", "nonsense", "[]", '{"machine": "a", "pid": "x", "born": 1}'])
def test_what_is_no_owner_is_none(text: str) -> None:
    assert Owner.read(text) is None


def test_a_living_process_lives_until_it_ends() -> None:
    code = "from sweeps.tracking.owner import Owner; print(Owner.this(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        owner = Owner.read(process.stdout.readline())
        assert owner is not None
        assert owner.pid == process.pid
        assert owner.lives is True
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, though nobody has reaped it
        assert owner.lives is False, "a zombie drives nothing"
    assert owner.lives is False


def test_a_process_id_that_was_given_again_is_another_process() -> None:
    this = Owner.this()
    assert this.lives is True
    assert replace(this, born=this.born - 60).lives is False


def test_another_machine_cannot_be_seen() -> None:
    assert replace(Owner.this(), machine="elsewhere pid:[1]").lives is None
