"""Runs sweeps in children that it forks after all imports: ``python -m tests.faults.zygote PEN``.

Each line on stdin asks for one child and gets its exit code: ``kill AT SPACE URI`` runs a sweep and kills it
at its AT-th call to the store; ``tear PART AT SPACE URI`` kills it inside the writing of its AT-th outcome,
between the parts that MLflow writes one after the other; ``go-on SPACE URI`` does what a user does next. A
fork is safe here: nothing has run yet but imports.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import sklearn.linear_model
import skops.io
from mlflow import MlflowClient
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

import sweeps.api.session
from sweeps.api.resume import resume_sweep
from sweeps.api.run import run_sweep
from sweeps.tracking import by_sql, database
from sweeps.tracking.reader import list_sweeps
from sweeps.tracking.store import open_store

IMPORTED = (sklearn.linear_model, skops.io, sweeps.api.session)
TRIALS, SEED = 3, 3
READING = ("_", "get_", "search_", "list_", "download_", "load_")


def sweep(space: str, uri: str, name: str = "cut") -> Any:
    """The sweep that is killed."""
    return run_sweep(
        space, "diabetes", trials=TRIALS, seed=SEED, engine="serial", name=name, tracking_uri=uri,
        results=Path(space).parent / "results",
    )  # fmt: skip


Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


def deadly_at(at: int, counts: Callable[..., bool] = lambda *_, **__: True) -> Wrap:
    """Wrap calls so that the ``at``-th of those that count kills this process instead."""
    calls = 0

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **named: Any) -> Any:
            nonlocal calls
            calls += counts(*args, **named)
            if calls == at and counts(*args, **named):
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **named)

        return counted

    return deadly


def killed(at: int, space: str, uri: str) -> None:
    """Run the sweep, and die before the ``at``-th call that changes the store."""
    deadly = deadly_at(at)
    for name in dir(MlflowClient):
        if not name.startswith(READING) and callable(getattr(MlflowClient, name)):
            setattr(MlflowClient, name, deadly(getattr(MlflowClient, name)))
    by_sql.SqlPen.write = deadly(by_sql.SqlPen.write)  # type: ignore[method-assign]  # what a test does
    sweep(space, uri)


PARTS: dict[str, tuple[str, Callable[..., bool]]] = {
    "metrics": ("_log_metrics", lambda _, __, metrics: any(metric.key == "rmse" for metric in metrics)),
    "tags": ("_set_tags", lambda _, __, tags: any(tag.value == "COMPLETE" for tag in tags)),
}
"""What MLflow's store calls within ``log_batch``, after params; and how an outcome is told there."""


def torn(part: str, at: int, space: str, uri: str) -> None:
    """Run the sweep, and die within the writing of the ``at``-th outcome: before its metrics, or its tags."""
    name, counts = PARTS[part]
    setattr(SqlAlchemyStore, name, deadly_at(at, counts)(getattr(SqlAlchemyStore, name)))
    sweep(space, uri)


def gone_on(space: str, uri: str) -> None:
    """Resume the sweep; begin it again where there is none; leave a complete one alone."""
    if not list_sweeps(open_store(uri)):
        sweep(space, uri)
        return
    resume_sweep("cut", tracking_uri=uri, results=Path(space).parent / "results")


def in_child(work: Callable[[], None]) -> int:
    """Do something in a child; give its exit code."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        work()
    except BaseException:  # noqa: BLE001  # it must not return to the parent's loop
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    """Serve until stdin ends."""
    if sys.argv[1] == "client":
        database.VERIFIED = frozenset()
    for line in sys.stdin:
        what, *rest = line.split()
        if what == "kill":
            code = in_child(partial(killed, int(rest[0]), *rest[1:]))
        elif what == "tear":
            code = in_child(partial(torn, rest[0], int(rest[1]), *rest[2:]))
        else:
            code = in_child(partial(gone_on, *rest))
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
