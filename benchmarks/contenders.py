"""Who takes part in a benchmark, and who cannot for want of a package."""

import argparse
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import DATA
from benchmarks.processes import python


@dataclass(frozen=True)
class Contender:
    """One way to run the same search.

    Args:
        label: its row in a table.
        module: in ``benchmarks/peers``.
        options: for that module.
        needs: packages it imports beside those of this project.
    """

    label: str
    module: str
    options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def store(self) -> str:
        """What kind of store it finds, see ``benchmarks.stores``."""
        return "ours" if self.module == "ours" else "peer"

    def missing(self) -> list[str]:
        """Packages that are not installed."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]

    def command(self, *options: str) -> list[str]:
        """Give the command that runs it."""
        return python("-m", f"benchmarks.peers.{self.module}", *options, *self.options)


def able(contenders: Mapping[str, Contender], only: str | None) -> dict[str, Contender]:
    """Give those of the names in ``only`` (all for None) that can run here; say on stderr who cannot.

    Raises:
        SystemExit: an unknown name, or none can run.
    """
    names = list(contenders) if only is None else [name.strip() for name in only.split(",")]
    if unknown := [name for name in names if name not in contenders]:
        raise SystemExit(f"error: --only: no contender {', '.join(unknown)}; known: {', '.join(contenders)}")
    missing = {name: contenders[name].missing() for name in names}
    for name, packages in missing.items():
        if packages:
            print(skipped(name, packages), file=sys.stderr)
    if all(missing.values()):
        raise SystemExit("error: none of these contenders can run here")
    return {name: contenders[name] for name in names if not missing[name]}


def turned(names: list[str], by: int) -> list[str]:
    """Begin a list elsewhere, so that nobody is always first."""
    start = by % len(names)
    return names[start:] + names[:start]


def skipped(name: str, packages: Sequence[str]) -> str:
    """Say why a contender does not take part, and what to install."""
    return f"skipped {name}: {', '.join(packages)} not installed (pip install -e '.[peers]')"


@dataclass(frozen=True)
class Settings:
    """What a contender's process is told on its command line."""

    task: str
    trials: int
    seed: int
    data: str
    cores: int
    option: str
    store: str
    folder: Path


def settings() -> Settings:
    """Read the command line of a contender's process."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("task", choices=["nothing", "xgboost"])
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", choices=DATA, default="green-taxi")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--option", default="")
    given = parser.parse_args()
    folder = Path.cwd()
    return Settings(**vars(given), store=f"sqlite:///{folder / 'mlflow.db'}", folder=folder)
