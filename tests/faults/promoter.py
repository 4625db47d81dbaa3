"""Promotes models in children that it forks after all imports: ``python -m tests.faults.promoter``.

Each line on stdin asks for children, one for each word ``RUN:RMSE:AT``, all at once, and gets their exit
codes: ``log URI …`` logs the trial's model, ``promote URI …`` logs and promotes it. A child kills itself at a
point: in ``log`` a word of ``POINTS``, in ``promote`` before its AT-th call that changes the registry; ``-``
lets it live.
"""

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from sweeps.registry.standing import read_standing
from tests.place import Place

NAME = "rides"
IMPORTED = (read_standing,)
CHANGING = ("create_", "set_", "delete_", "update_")


def die(*_: Any, **__: Any) -> None:
    """What kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def half_copied(client: MlflowClient, model_id: str, folder: str) -> None:
    """Copy the files of a model, the largest by half, and die."""
    place = Path(client.get_logged_model(model_id).artifact_location.removeprefix("file://"))
    place.mkdir(parents=True, exist_ok=True)
    for path in Path(folder).iterdir():
        if path.is_file():
            shutil.copy(path, place)
    largest = max(place.iterdir(), key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)
    die()


POINTS: dict[str, tuple[str, Callable[..., None]]] = {
    "before-upload": ("log_model_artifacts", die),
    "mid-copy": ("log_model_artifacts", half_copied),
    "before-ready": ("finalize_logged_model", die),
}


def logged(uri: str, run: str, _: str, at: str) -> None:
    """Log the model of a trial, and die at a point."""
    if at in POINTS:
        setattr(MlflowClient, *POINTS[at])
    Place(uri).log(run)


def promoted(uri: str, run: str, rmse: str, at: str) -> None:
    """Promote the model of a trial, and die before the ``at``-th call."""
    if at != "-":
        deadly(int(at))
    Place(uri).judged(NAME, run, float(rmse))


def deadly(at: int) -> None:
    calls = 0

    def counted(call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            die()
        return call(*args, **named)

    for name in dir(MlflowClient):
        if name.startswith(CHANGING) and ("version" in name or "registered" in name):
            call = getattr(MlflowClient, name)
            setattr(MlflowClient, name, lambda *a, call=call, **n: counted(call, *a, **n))


def child(work: Callable[[], None]) -> int:
    """Begin something in a child; give its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:  # noqa: BLE001  # it must not return to the parent's loop
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Serve until stdin ends."""
    for line in sys.stdin:
        what, uri, *jobs = line.split()
        work = logged if what == "log" else promoted
        pids = [child(partial(work, uri, *job.split(":"))) for job in jobs]
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        sys.stdout.write(f"{' '.join(map(str, codes))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
