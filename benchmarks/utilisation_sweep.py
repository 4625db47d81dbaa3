"""The sweep of ``benchmarks.utilisation``, in a process of its own so that its CPU time is the driver's.

``python -m benchmarks.utilisation_sweep TRIALS SLOTS ENGINE`` writes its figures to a file in this folder.
"""

import json
import sys
import time
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks.scale_steps import ANSWER, SEED, peak_mb
from benchmarks.stores import URI
from benchmarks.table import ROOT

SPACE = ROOT / "benchmarks" / "spaces" / "sleeper.py"


def main() -> None:
    """Run the sweep of the command line; note commits, and written trials with the CPU time so far."""
    from sweeps.api.run import run_sweep

    trials, slots, engine = sys.argv[1:]
    commits: list[float] = []
    written: list[tuple[float, float]] = []
    event.listen(Engine, "commit", lambda _: commits.append(time.time()))
    run_sweep(
        SPACE,
        "diabetes",
        trials=int(trials),
        workers=int(slots),
        threads=1,
        engine=engine,
        seed=SEED,
        name="utilisation",
        register=False,
        top=1,
        tracking_uri=URI,
        on_trial=lambda _: written.append((time.time(), time.process_time())),
    )
    figures = {"commits": commits, "written": written, "peak_mb": peak_mb()}
    Path(ANSWER).write_text(json.dumps(figures), "utf-8")


if __name__ == "__main__":
    main()
