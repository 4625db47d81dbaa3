"""This project: ``run_sweep``, or ``resume_sweep`` where the sweep is there."""

from pathlib import Path

import mlflow.tracking
import sklearn.linear_model

import sweeps.api.session
from benchmarks.storm.work import acknowledge, given
from sweeps.api.resume import resume_sweep
from sweeps.api.run import run_sweep
from sweeps.tracking.reader import list_sweeps
from sweeps.tracking.store import open_store
from sweeps.trial import Finished, State

IMPORTED = (mlflow.tracking, sklearn.linear_model, sweeps.api.session)
"""Before drivers are forked."""
SPACE = Path(__file__).with_name("space.py")


def note(finished: Finished) -> None:
    """It is in the store."""
    if finished.outcome.state is State.COMPLETE and finished.outcome.rmse is not None:
        point = finished.trial.proposal.point
        acknowledge(point["x"], point["y"], finished.outcome.rmse)


def main() -> None:
    """Begin the sweep, or go on with it."""
    told = given()
    name = f"storm-{told.number}"
    for header in [one for one in list_sweeps(open_store(told.store), limit=None) if one.name == name]:
        if header.state != "COMPLETE":  # else it was killed on its way out
            resume_sweep(name, tracking_uri=told.store, on_trial=note)
        return
    run_sweep(
        SPACE,
        "diabetes",
        name=name,
        trials=told.trials,
        seed=told.seed,
        engine="local" if told.processes else "serial",
        workers=told.slots,
        threads=1,
        register=False,
        top=1,  # finalists are trained again where a kill took their models: that is no trial
        tracking_uri=told.store,
        on_trial=note,
    )


if __name__ == "__main__":
    main()
