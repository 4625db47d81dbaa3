"""C13, C14, C24, C25: no name leaves its folder, no link is followed, what waits is for this user alone."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import sweeps
from sweeps.api.session import Session
from sweeps.data.spec import DataSpec
from sweeps.engines import open_engine
from sweeps.errors import SweepsError, UsageError
from sweeps.report.write import write_report
from sweeps.settings import Sweep
from sweeps.stopping import StopRules
from sweeps.tracking.reader import find_sweep
from sweeps.tracking.spool import Spool
from sweeps.tracking.store import Store, open_store
from sweeps.tracking.writer import Origin, SweepWriter
from tests.made_sweep import SETTINGS, record, write_store


@pytest.mark.parametrize("name", ["../../out", "..", "/etc/cron.d/.x", "é" * 150])
def test_no_name_of_a_sweep_leaves_the_results(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    monkeypatch.chdir(folder)
    sweep = Sweep(
        "ridge", DataSpec(name="diabetes"), StopRules(1), 1, engine="serial", name=name, register=False
    )
    with (
        open_engine("serial") as engine,
        Session(sweep, engine, f"sqlite:///{tmp_path / 'mlflow.db'}") as session,
    ):
        results = session.results
        assert len(list(session.trials())) == 1
        session.finish()
    assert results.parent == Path("results")
    assert not results.name.startswith(".")
    assert [p.name for p in folder.iterdir()] == ["results"]
    files = {p.name for p in results.iterdir()}
    assert files == {"history.png", "leaderboard.csv", "plots", "report.html", "summary.json"}


@pytest.mark.parametrize("name", ["a\u202eb", "a\x1b[2Jb", "a\nb", "", " "])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="printable"):
        Sweep("ridge", DataSpec(name="diabetes"), StopRules(1), 1, name=name)


@pytest.mark.parametrize("space", ["../../evil", "../place.py", "/etc/passwd", "http://h/x.py", "a\0b.py"])
def test_no_name_of_a_space_leads_to_what_is_no_space(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SweepsError) as caught:
        sweeps.run_sweep(space, "diabetes", trials=1)
    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("run_id", ["../../../out", "/tmp/out", "a/b", "..", "x" * 300])
def test_a_servers_id_does_not_lead_out_of_the_cache(run_id: str) -> None:
    folder = Spool("a").path.parent
    path = Spool(run_id).path
    assert path.parent == folder
    assert path.resolve().parent == folder.resolve()
    assert len(path.name) < 100


def test_a_report_follows_no_link_that_was_laid(tmp_path: Path) -> None:
    victim, results = tmp_path / "victim", tmp_path / "results"
    victim.write_text("mine")
    results.mkdir()
    for name in ("leaderboard.csv", f".leaderboard.csv.{os.getpid()}", f".summary.json.{os.getpid()}"):
        (results / name).symlink_to(victim)
    write_report(record(), results, plot=False)
    assert victim.read_text() == "mine"
    assert not (results / "leaderboard.csv").is_symlink()
    assert sorted(p.name for p in results.iterdir()) == ["leaderboard.csv", "summary.json"]


KEPT = """
import os, sys
os.umask(0)
from sweeps.data.cache import DataCache
from sweeps.data.cache_folder import cache_folder
from sweeps.data.spec import DataSpec
from sweeps.tracking.change import Change
from sweeps.tracking.spool import Spool
import tempfile
Spool("a").add(0, Change("run"))
with DataCache(cache_folder()) as cache, tempfile.TemporaryDirectory(prefix="sweeps-") as scratch:
    cache.load(DataSpec(name="diabetes"))
    cache.flush()
    print(oct(os.stat(scratch).st_mode & 0o777))
"""


def test_what_is_kept_is_for_this_user_alone(tmp_path: Path) -> None:
    """Even under the most open umask."""
    done = subprocess.run(
        [sys.executable, "-c", KEPT], env={**os.environ, "SWEEPS_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.split() == ["0o700"]
    folders = [p for p in (tmp_path / "cache").rglob("*") if p.is_dir()]
    assert {"waiting", "rows"} <= {p.name for p in folders}
    reachable = [p for p in (tmp_path / "cache").iterdir() if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert reachable == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(write_store(tmp_path_factory.mktemp("store"))[0])


@pytest.mark.parametrize(
    "ref", ["' OR '1'='1", "made' --", "`made`", "%", "\\", "a' OR tags.`sweeps.kind` = 'sweep"]
)
def test_a_reference_is_no_query(store: Store, ref: str) -> None:
    with pytest.raises(UsageError, match="no such sweep"):
        find_sweep(store, ref)


@pytest.mark.parametrize("name", ["it's", 'a"b', "`x`", "a%_b", "x'; DROP TABLE runs; --"])
def test_a_name_with_quotes_is_a_name(store: Store, name: str) -> None:
    origin = Origin("s", "SPACE = {}\n", "d" * 64, "diabetes", "e" * 36)
    writer = SweepWriter.open(store, "quoted", name, settings=SETTINGS, origin=origin)
    writer.close("COMPLETE")
    assert find_sweep(store, name) == writer.run_id
