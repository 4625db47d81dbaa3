"""The wheel: what is in it, and that it works away from the checkout."""

import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPACES = {path.name for path in (ROOT / "search_spaces").glob("*.py")}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without the network by the build tool that pip would fetch."""
    folder = tmp_path_factory.mktemp("wheel")
    code = f"from hatchling.build import build_wheel; build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, timeout=120)
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the wheel; what it depends on is borrowed from ours."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True, with_pip=True)
    install = [str(folder / "bin" / "pip"), "install", "--no-deps", "--no-index", "--quiet", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    # After its own folder, so that an installed checkout among ours cannot come first.
    (site / "zz_borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return folder / "bin"


def test_what_the_wheel_holds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        about = Parser().parsestr(archive.read(metadata).decode())
    assert {f"sweeps/search_spaces/{name}" for name in SPACES} <= names
    assert "sweeps/py.typed" in names
    assert not [name for name in names if not name.startswith(("sweeps/", "sweeps-"))]
    assert about["License-Expression"] == "Apache-2.0"
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert about.get_payload().startswith("# sweeps\n")


def test_it_works_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = run(installed, tmp_path, "python", "-c", "import sweeps; print(sweeps.__file__)")
    assert Path(where.strip()).is_relative_to(installed.parent)
    listed = run(installed, tmp_path, "sweeps", "spaces")
    assert all(Path(name).stem in listed for name in SPACES)
    run(installed, tmp_path, "sweeps", "lint", "random_forest")
    assert run(installed, tmp_path, "sweeps", "--version").strip()


def test_an_installed_copy_does_the_main_job(installed: Path, tmp_path: Path) -> None:
    answer = run(installed, tmp_path, "sweeps", "run", "ridge", "--data", "diabetes", "--trials", "3")
    assert "diabetes-regressor version 1 is champion" in answer
    assert {path.name for path in tmp_path.iterdir()} >= {"mlflow.db", "mlartifacts", "results"}


def run(programs: Path, folder: Path, program: str, *arguments: str) -> str:
    done = subprocess.run(
        [str(programs / program), *arguments],
        check=False, cwd=folder, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
