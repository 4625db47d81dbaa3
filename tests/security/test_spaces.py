"""C5, C6, B18, B19: only the code the user names is run, and a warning tells where others could change it."""

import grp
import os
from pathlib import Path

import pytest

import sweeps
from sweeps.data.cache import DataCache
from sweeps.data.datasets import load_dataset
from sweeps.data.spec import DataSpec
from sweeps.errors import SpaceError
from sweeps.exposed import exposed
from sweeps.lint import check_space
from sweeps.space.module import import_space, read_space
from sweeps.space.search_space import load_space
from tests.laws.make import write_space
from tests.shell import RIDGE, Shell

MAKES = "import pandas as pd\ndef load():\n    return pd.DataFrame({'a': range(40), 'y': range(40)})\n"


def others() -> int:
    """A group of ours with members."""
    return next(g.gr_gid for g in grp.getgrall() if g.gr_name in ("users", "daemon", "nogroup"))


@pytest.mark.parametrize(("file", "folder", "who"), [
    (0o644, 0o755, ""), (0o600, 0o700, ""), (0o646, 0o755, "everybody"), (0o644, 0o757, "everybody"),
    (0o644, 0o1777, ""), (0o664, 0o775, "the group"),
])  # fmt: skip
def test_code_that_others_may_write_is_warned_of(tmp_path: Path, file: int, folder: int, who: str) -> None:
    (tmp_path / "in").mkdir()
    path = write_space(tmp_path / "in", RIDGE)
    if os.geteuid() == 0:
        os.chown(path, -1, others())
    path.chmod(file)
    path.parent.chmod(folder)
    told = [text for text in check_space(load_space(str(path))) if "may be written by" in text]
    if who == "the group" and os.geteuid() != 0:
        pytest.skip("only root may give a file to another group")
    assert len(told) == bool(who)
    assert who in " ".join(told)
    assert "chmod" in " ".join(told) or not who


def test_a_group_of_ones_own_is_nobody_else(tmp_path: Path) -> None:
    path = write_space(tmp_path, RIDGE)
    path.chmod(0o664)
    group = grp.getgrgid(path.stat().st_gid)
    assert bool(exposed(path)) == bool(set(group.gr_mem) - {"root"})


def test_code_that_makes_data_is_warned_of_too(tmp_path: Path) -> None:
    path = tmp_path / "rows.py"
    path.write_text(MAKES)
    path.chmod(0o646)
    spec = DataSpec(name=f"{path}:load", target="y")
    assert "rows.py may be written by everybody" in load_dataset(spec).warnings[0]
    path.chmod(0o644)
    assert not [text for text in load_dataset(spec).warnings if "written" in text]


def test_a_cache_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    rows.mkdir()
    rows.chmod(0o777)
    with DataCache(tmp_path) as cache:
        cache.load(DataSpec(name="diabetes"))
        cache.flush()
    assert list(rows.iterdir()) == []
    assert cache.warnings == [f"cache {rows}: may be written by everybody, and is not used"]


def test_what_lies_in_the_current_folder_is_not_imported(shell: Shell) -> None:
    """Names that a sweep imports, as modules of this folder; and a module that nobody named."""
    for name in ("random", "mlflow", "hyperopt", "sklearn", "sitecustomize", "readline"):
        (shell.folder / f"{name}.py").write_text("raise SystemExit('imported from the current folder')\n")
    done = shell.run(RIDGE, "--trials", "2", "--no-register", "--quiet")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("body", ["import os\nos._exit(0)", "import sys\nsys.exit(0)", "raise SystemExit"])
def test_a_space_that_exits_ends_in_a_line(tmp_path: Path, body: str) -> None:
    path = tmp_path / "leaves.py"
    path.write_text(body)
    with pytest.raises(SpaceError, match=r"leaves.py:\d: called exit during import"):
        load_space(str(path))


def test_a_space_that_never_ends_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "hangs.py"
    path.write_text("while True:\n    pass\n")
    with pytest.raises(SpaceError, match=r"hangs.py:\d: import took longer than 0.2 s"):
        import_space(read_space(path), seconds=0.2)


def test_a_changed_space_is_refused_before_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resuming names no file: the store does, so its digest is compared before anything of it runs."""
    monkeypatch.chdir(tmp_path)
    path, sentinel = write_space(tmp_path, RIDGE), tmp_path / "ran"
    where = {"tracking_uri": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    sweeps.run_sweep(path, "diabetes", trials=1, name="first", register=False, engine="serial", **where)
    write_space(tmp_path, RIDGE + f"\nopen({str(sentinel)!r}, 'w')\n")
    with pytest.raises(SpaceError, match="was changed since sweep first began"):
        sweeps.resume_sweep("first", trials=4, **where)
    assert not sentinel.exists()
