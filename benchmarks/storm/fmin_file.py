"""Hyperopt's ``fmin`` with ``trials_save_file``: goes on where that file can be read, else from nothing."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from hyperopt import STATUS_OK, fmin, tpe

from benchmarks.storm.work import SPACE, acknowledge, given, objective


def one(params: dict[str, Any]) -> dict[str, Any]:
    """One trial; that the file holds it shows when the next one begins."""
    return {"loss": objective(params), "status": STATUS_OK}


def saved(store: str) -> list[tuple[float, float, float]]:
    """Give the trials in the file; none where it cannot be read."""
    try:
        trials = pickle.loads(Path(store).read_bytes())
    except (OSError, EOFError, pickle.UnpicklingError):
        return []
    return [(t["misc"]["vals"]["x"][0], t["misc"]["vals"]["y"][0], t["result"]["loss"]) for t in trials]


def main() -> None:
    """Go on one trial at a time, so that what is saved can be acknowledged."""
    told = given()
    known = saved(told.store)
    if not known:
        Path(told.store).unlink(missing_ok=True)
    for count in range(len(known) + 1, told.trials + 1):
        fmin(
            fn=one,
            space=SPACE,
            algo=tpe.suggest,
            max_evals=count,
            trials_save_file=told.store,
            rstate=np.random.default_rng([told.seed, count]),
            show_progressbar=False,
        )
        acknowledge(*saved(told.store)[-1])


if __name__ == "__main__":
    main()
