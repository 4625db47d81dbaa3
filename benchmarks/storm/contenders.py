"""Who is killed, and how what each has kept is read."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

Kept = tuple[float, float, float]
"""``x``, ``y`` and what they came to."""


class End(NamedTuple):
    """What a store holds when a sweep is through."""

    trials: Sequence[Kept]
    """By number."""
    zombies: int


class Contender(NamedTuple):
    """Who is killed."""

    label: str
    module: str
    slots: int
    store: str
    """In the folder of the sweep; ``server``: an MLflow server that nobody kills."""
    read: Callable[[str, int], End]
    """Takes the store and the number of the sweep; called in the sweep's folder."""
    replays: bool = True
    """Whether a sweep that goes on should visit what one that was never killed visits."""
    processes: bool = False
    """Whether trials run in processes of their own."""


def read_ours(store: str, number: int) -> End:
    """Read our sweep, and whatever else stands in the store."""
    from sweeps.tracking.reader import find_sweep, read_sweep
    from sweeps.tracking.store import open_store

    opened = open_store(store)
    record = read_sweep(opened, find_sweep(opened, f"storm-{number}"))
    running = opened.client.search_runs([record.experiment_id], "attributes.status = 'RUNNING'")
    trials = [(*_coordinates(t.trial.proposal.point), t.outcome.rmse or 0.0) for t in record.trials]
    return End(trials, len(running))


def read_optuna(store: str, number: int) -> End:
    """Read Optuna's study."""
    from optuna.trial import TrialState

    from benchmarks.storm.optuna_study import open_study

    trials = open_study(store, number).trials
    complete = [t for t in trials if t.state is TrialState.COMPLETE]
    return End(
        [(*_coordinates(t.params), t.value or 0.0) for t in complete],
        sum(t.state is TrialState.RUNNING for t in trials),
    )


def read_fmin(store: str, _: int) -> End:
    """Read the file of ``fmin``."""
    from benchmarks.storm.fmin_file import saved

    return End(saved(store), 0)


def _coordinates(point: "dict[str, float] | object") -> tuple[float, float]:
    return point["x"], point["y"]  # type: ignore[index]  # any mapping


CONTENDERS = {
    "ours": Contender("ours, SQLite, 1 slot", "ours", 1, "sqlite:///mlflow.db", read_ours),
    "ours-1": Contender(
        "ours, SQLite, 1 worker process", "ours", 1, "sqlite:///mlflow.db", read_ours, processes=True
    ),
    "ours-2": Contender(
        "ours, SQLite, 2 worker processes", "ours", 2, "sqlite:///mlflow.db", read_ours, processes=True
    ),
    "ours-server": Contender("ours, MLflow server, 1 slot", "ours", 1, "server", read_ours),
    "optuna": Contender("Optuna, SQLite", "optuna_study", 1, "sqlite:///study.db", read_optuna),
    "optuna-journal": Contender("Optuna, journal", "optuna_study", 1, "journal.log", read_optuna),
    "fmin": Contender("fmin, trials_save_file", "fmin_file", 1, "trials.pkl", read_fmin, replays=False),
}
