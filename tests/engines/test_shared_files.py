"""Files of the driver: found on workers where they lie, or brought there once."""

import shutil
import subprocess
import sys
from pathlib import Path

import engine_jobs as jobs
import pytest
from clusters import marks

from sweeps.engines import bundles, far_files, open_engine
from sweeps.engines.bundles import bundle, chunks
from sweeps.engines.far_process import new_session
from sweeps.shared import here, lie_at

SOON = 60
FILES = {"a.txt": b"first", "deep/er/b.txt": b"", "c.txt": b"x" * 100_000}


@pytest.fixture
def folder(tmp_path):
    """A folder of the driver."""
    for name, content in FILES.items():
        path = tmp_path / "driver" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "driver"


@pytest.fixture
def session():
    """A session that this process takes part in."""
    name = new_session(1, {}).name
    far_files.hold(name)
    yield name
    far_files.leave(name)


@pytest.fixture
def elsewhere(dask, tmp_path):
    """Starts workers that see nothing of the driver's folders."""
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-rm", "true"], check=False, timeout=300).returncode
    ):
        pytest.skip("this system makes no mount namespaces for us")

    def start(hidden, temporary):
        temporary.mkdir(exist_ok=True)
        code = (
            "import os, subprocess, sys; "
            f"subprocess.run(['mount', '-t', 'tmpfs', 'none', {str(hidden)!r}], check=True); "
            "from distributed.cli.dask_worker import main; main()"
        )
        run = "import os, sys; os.execvp('unshare', ['unshare', '-rm', sys.executable, *sys.argv[1:]])"
        return dask.worker(start=("-c", run, "-c", code), TMPDIR=str(temporary))

    return start


def test_a_path_is_what_it_says_unless_it_lies_elsewhere():
    try:
        lie_at({"/data": "/tmp/x", "/data/deep": "/tmp/y"})
        assert here("/data/a.npy") == "/tmp/x/a.npy"
        assert here("/data/deep/a.npy") == "/tmp/y/a.npy"
        assert here("/data") == "/tmp/x"
        assert here("/database/a.npy") == "/database/a.npy"
    finally:
        lie_at({})
    assert here("/data/a.npy") == "/data/a.npy"


def test_a_bundle_is_known_by_what_is_in_it(folder, tmp_path):
    whole = bundle(folder)
    assert whole.names == tuple(sorted(FILES))
    shutil.copytree(folder, tmp_path / "copy")
    assert bundle(tmp_path / "copy").digest == whole.digest
    (tmp_path / "copy" / "a.txt").write_bytes(b"other")
    assert bundle(tmp_path / "copy").digest != whole.digest
    assert bundle(folder, ["a.txt"]).names == ("a.txt",)


def test_what_is_brought_is_whole(folder, session, monkeypatch):
    monkeypatch.setattr(bundles, "CHUNK", 1000)
    sent = bundle(folder)
    (folder / "a.txt").rename(folder / "away.txt")
    assert far_files.find(session, sent) is None
    (folder / "away.txt").rename(folder / "a.txt")
    pieces = list(chunks(sent))
    assert len(pieces) == 102
    for piece in pieces:
        far_files.put(session, "part", piece)
    came = Path(far_files.seal(session, "part", sent))
    assert {name: (came / name).read_bytes() for name in sent.names} == FILES
    assert far_files.find(session, sent) == str(came)
    assert came.parent.stat().st_mode & 0o777 == 0o700


def test_what_comes_twice_is_kept_once_and_what_comes_torn_not_at_all(folder, session):
    sent = bundle(folder)
    for part in ("one", "two"):
        for piece in chunks(sent):
            far_files.put(session, part, piece)
    assert far_files.seal(session, "one", sent) == far_files.seal(session, "two", sent)
    torn = bundle(folder, ["a.txt"])._replace(digest="0" * 64)
    far_files.put(session, "three", bundles.Chunk(torn.digest, "a.txt", b"fir"))
    with pytest.raises(OSError, match="did not come whole"):
        far_files.seal(session, "three", torn)
    assert {path.name for path in far_files.folder_of(session).iterdir()} == {"lock", sent.digest}


def test_files_that_are_seen_are_not_brought(session, folder):
    assert far_files.find(session, bundle(folder)) == str(folder)


HOLDS = """
import sys
from sweeps.engines import far_files
far_files.hold(sys.argv[1])
print("holds", flush=True)
input()
far_files.leave(sys.argv[1])
"""


@pytest.fixture
def holder():
    """Starts a process that takes part in a session until it is written to."""
    started = []

    def start(session):
        words = [sys.executable, "-c", HOLDS, session]
        started.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "holds\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=60)


@pytest.mark.parametrize("first", ["this", "other"])
def test_the_folder_goes_with_the_last_process_that_uses_it(session, holder, first):
    other = holder(session)
    for who in ("this", "other") if first == "this" else ("other", "this"):
        assert far_files.folder_of(session).exists()
        if who == "this":
            far_files.leave(session)
        else:
            other.communicate("\n")
    assert not far_files.folder_of(session).exists()


def test_what_a_killed_process_left_is_removed_by_the_next(session, holder):
    name = new_session(1, {}).name
    other = holder(name)
    for killed in (False, True):
        if killed:
            other.kill()
            other.wait()
        far_files.leave(session)
        far_files.hold(session)
        assert far_files.folder_of(name).exists() != killed


@pytest.mark.parametrize("name", ["../../etc", "0" * 31, ""])
def test_a_session_leads_nowhere_else(name):
    with pytest.raises(ValueError, match="no name of a session"):
        far_files.folder_of(name)


@marks("dask")[0]
@marks("dask")[1]
def test_workers_that_see_nothing_of_the_driver_get_its_files_once(dask, elsewhere, folder, tmp_path):
    elsewhere(folder, tmp_path / "other-machine")
    with open_engine(dask.url, 2, 1) as engine:
        engine.share(folder)
        found = [engine.submit(jobs.contents, folder).result(SOON) for _ in range(4)]
        assert all(files == FILES for _, files in found)
        [place] = {there for there, _ in found}
        assert place.is_relative_to(tmp_path / "other-machine")
        later = tmp_path / "driver" / "later"
        later.mkdir()
        (later / "d.txt").write_bytes(b"later")
        engine.share(later)
        assert engine.submit(jobs.contents, later).result(SOON)[1] == {"d.txt": b"later"}
    assert list((tmp_path / "other-machine").glob("sweeps-shared-*")) == []
