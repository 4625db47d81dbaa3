"""MLflow stores of the contenders: a fresh one for each run, read when its time is over.

No contender pays for the tables of a new SQLite file: it finds one ready. The peers' file is made by MLflow
with its defaults; ours is made by our package, as it would be, in WAL mode.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import environment, python

if TYPE_CHECKING:
    from mlflow.entities import Run

DATABASE = "mlflow.db"
URI = f"sqlite:///{DATABASE}"
"""As seen from the folder of a contender."""

_MAKE = {
    "peer": f"import mlflow; mlflow.MlflowClient({URI!r}).search_experiments()",
    "ours": f"from sweeps.tracking.store import open_store; open_store({URI!r})",
}


@dataclass(frozen=True)
class Logged:
    """A trial as its run in MLflow shows it. Times are Unix seconds."""

    started: float
    ended: float | None
    status: str
    """MLflow's: RUNNING, FINISHED, FAILED, KILLED."""
    rmse: float | None
    fit_seconds: float | None


class Stores:
    """Makes a store of each kind once and copies it for every run.

    Args:
        folder: for the originals.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, kind: str, folder: Path) -> None:
        """Put a fresh store of a kind, ``peer`` or ``ours``, into a folder."""
        made = self._folder / kind
        if not made.exists():
            made.mkdir(parents=True)
            subprocess.run(
                python("-c", _MAKE[kind]), cwd=made, env=environment(made), check=True, capture_output=True
            )
        for file in made.glob(f"{DATABASE}*"):
            shutil.copy(file, folder)


def read_trials(folder: Path) -> list[Logged]:
    """Give the trials in the store of a folder, in the order in which they began."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / DATABASE}")
    experiments = [one.experiment_id for one in client.search_experiments()]
    found: list[Logged] = []
    token = None
    while True:
        page = client.search_runs(experiments, max_results=10_000, page_token=token)
        found += [_logged(run) for run in page if run.data.tags.get("sweeps.kind") != "sweep"]
        token = page.token
        if not token:
            return sorted(found, key=lambda trial: trial.started)


def best_so_far(trials: Sequence[Logged], started: float) -> list[tuple[float, float]]:
    """Give each new best rmse with the seconds since ``started`` at which its trial ended.

    A trial counts when it has ended with an rmse; one that our pruner killed does not.
    """
    ended = [t for t in trials if t.ended is not None and t.rmse is not None and t.status == "FINISHED"]
    series: list[tuple[float, float]] = []
    for trial in sorted(ended, key=lambda t: t.ended or 0.0):
        if trial.rmse is not None and trial.ended is not None and (not series or trial.rmse < series[-1][1]):
            series.append((round(trial.ended - started, 3), trial.rmse))
    return series


def _logged(run: "Run") -> Logged:
    info, data = run.info, run.data
    return Logged(
        info.start_time / 1000,
        info.end_time / 1000 if info.end_time else None,
        info.status,
        data.metrics.get("rmse"),
        data.metrics.get("fit_seconds"),
    )
