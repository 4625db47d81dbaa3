"""Folders for files that pass: private, gone afterwards, and no killed process leaves one for good."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sweeps.scratch import scratch_folder
from sweeps.tracking.files import locked

WAITS = """
import sys
from sweeps.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "rows").write_text("many")
    print(folder, flush=True)
    sys.stdin.read()
"""


@contextmanager
def another(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Give a process that works in a scratch folder of its own, and that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS],
        env={**os.environ, "TMPDIR": str(parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate(timeout=20)


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_scratch_folder_is_private_and_gone_afterwards(parent: Path) -> None:
    with scratch_folder() as one, scratch_folder() as other:
        assert one != other
        assert one.parent.parent == other.parent.parent == parent
        assert list(one.iterdir()) == []
        assert one.stat().st_mode & 0o777 == 0o700
        (one / "below").mkdir()
        (one / "below" / "rows").write_text("many")
    assert list(parent.iterdir()) == []


def test_whoever_uses_it_may_lock_it(parent: Path) -> None:
    """As those do of whom one builds and the others wait."""
    with scratch_folder() as folder, locked(folder):
        assert list(folder.iterdir()) == []


def test_it_is_gone_after_an_error_too(parent: Path) -> None:
    def fails() -> None:
        with scratch_folder() as folder:
            (folder / "rows").write_text("many")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert list(parent.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_used_is_not(parent: Path) -> None:
    with another(parent) as (alive, used), another(parent) as (dead, left):
        dead.kill()
        dead.wait(timeout=20)
        assert (left / "rows").exists(), "a kill leaves it"
        with scratch_folder() as mine:
            assert set(parent.iterdir()) == {used.parent, mine.parent}
            assert (used / "rows").read_text() == "many"
        assert alive.poll() is None
        alive.communicate("", timeout=20)
    assert list(parent.iterdir()) == []


def test_only_folders_are_removed_and_no_link_is_followed(parent: Path) -> None:
    kept = parent / "kept"
    kept.mkdir()
    (kept / "rows").write_text("many")
    (parent / "sweeps-scratch-link").symlink_to(kept)
    (parent / "sweeps-scratch-file").write_text("not ours")
    with scratch_folder():
        pass
    assert (kept / "rows").exists()
    assert sorted(path.name for path in parent.iterdir()) == [
        "kept",
        "sweeps-scratch-file",
        "sweeps-scratch-link",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a folder another user's")
def test_another_users_folder_stays(parent: Path) -> None:
    theirs = parent / "sweeps-scratch-theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    with scratch_folder():
        pass
    assert theirs.is_dir()
