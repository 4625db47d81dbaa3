"""One of the drivers of ``benchmarks.team_store``, as one of a team would run it.

``python -m benchmarks.team_driver NAME TRIALS SLOTS SEED`` writes its figures to a file in this folder.
Store, user and password are in the environment.
"""

import json
import sys
import time
from pathlib import Path

from benchmarks.scale_steps import ANSWER
from benchmarks.table import ROOT

SPACE = ROOT / "benchmarks" / "spaces" / "napping_ridge.py"


def main() -> None:
    """Run the sweep of the command line; note when each trial was in the store, and what was told."""
    from sweeps.api.workers import start_workers
    from sweeps.data.spec import DataSpec
    from sweeps.settings import Sweep
    from sweeps.stopping import StopRules

    name, trials, slots, seed = sys.argv[1:]
    sweep = Sweep(
        space=str(SPACE),
        data=DataSpec("diabetes"),
        stop=StopRules(int(trials)),
        seed=int(seed),
        workers=int(slots),
        threads=1,
        name=name,
        register_as=f"{name}-model",
    )
    written: list[tuple[float, float]] = []
    told: list[str] = []
    with start_workers(sweep) as engine:
        from sweeps.api.session import Session
        from sweeps.api.shown import run_session

        with Session(sweep, engine, tell=told.append) as session:
            started = time.process_time()
            run_session(session, lambda one: written.append((time.time(), one.ended)), progress=False)
            cpu = time.process_time() - started
    figures = {"written": written, "told": told, "cpu_seconds": cpu}
    Path(ANSWER).write_text(json.dumps(figures), "utf-8")


if __name__ == "__main__":
    main()
