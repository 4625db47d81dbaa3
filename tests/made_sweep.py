"""A sweep made by hand, as a record and as MLflow keeps it: what views and reports are tested on."""

from dataclasses import replace
from pathlib import Path

from sweeps.record import Finalist, ModelVersion, SweepRecord
from sweeps.trial import Finished, Outcome, Proposal, State, Trial

TRACEBACK = (
    'Traceback (most recent call last):\n  File "s.py", line 3\nValueError: depth \x1b[31m5\x1b[0m is no good'
)

SETTINGS = {
    "space": "xgboost",
    "data": {"name": "diabetes", "target": None},
    "stop": {"trials": 6, "seconds": None},
    "seed": 42,
    "algo": "tpe",
    "workers": 1,
}


def outcomes() -> list[Outcome]:
    """Six trials: three good ones, and one of every other kind."""
    figures = {"mae": 1.0, "r2": 0.5, "fit_seconds": 0.25}
    return [
        Outcome(State.COMPLETE, 6.0, figures),
        Outcome(State.COMPLETE, 5.5, {**figures, "r2": -0.5}),
        Outcome(State.FAILED, error=TRACEBACK),
        Outcome(State.PRUNED, error="stopped at round 20"),
        Outcome(State.COMPLETE, 5.75, figures),
        Outcome(State.LOST, error="worker died: signal 9"),
    ]


def proposal(number: int) -> Proposal:
    """A point of a small space."""
    params = {"max_depth": number, "alpha": -0.5 * number, "objective": "reg:squarederror", "note": "=1+1"}
    return Proposal(number, {"max_depth": number}, params, seed=100 + number)


def record() -> SweepRecord:
    """The sweep as its reader gives it."""
    trials = [
        Finished(Trial(proposal(n), f"{n:032x}", 1000.0 + n), outcome, 1001.5 + n)
        for n, outcome in enumerate(outcomes())
    ]
    return SweepRecord(
        run_id="a3f8c2d1" + "0" * 24,
        name="made",
        experiment="diabetes",
        experiment_id="1",
        state="COMPLETE",
        started=1000.0,
        ended=1020.25,
        settings=SETTINGS,
        trials=trials,
        finalists=[Finalist(1, 5.5, 5.9), Finalist(4, 5.75, 5.8)],
        model=ModelVersion("diabetes-regressor", 3, "champion", "the first version of this model"),
        extra={"overhead": 0.009},
    )


def without_figures() -> SweepRecord:
    """The same sweep, had nothing worked."""
    failed = [t for t in record().trials if t.outcome.state is not State.COMPLETE]
    return replace(record(), trials=failed, finalists=(), model=None)


def write_store(folder: Path) -> tuple[str, str]:
    """Write the sweep to a new SQLite store in a folder; give the store's URI and the sweep's run id."""
    from sweeps.tracking.change import Entry
    from sweeps.tracking.store import open_store
    from sweeps.tracking.writer import Origin, SweepWriter

    uri = f"sqlite:///{folder / 'mlflow.db'}"
    made = record()
    origin = Origin("xgboost", "SPACE = {}\n", "d" * 64, "diabetes", "e" * 36)
    writer = SweepWriter.open(open_store(uri), made.experiment, made.name, settings=SETTINGS, origin=origin)
    writer.write([Entry(t.trial.proposal, t.trial.started, t.outcome, t.ended) for t in made.trials])
    writer.log_finalists(made.finalists)
    if made.model is not None:
        writer.log_promotion(made.model)
    writer.close("COMPLETE", metrics={"overhead": 0.009})
    return uri, writer.run_id
