"""The parts of ``benchmarks.scale``, each run in a process of its own so that its memory is its own.

``python -m benchmarks.scale_steps sweep|resume|further TRIALS ALGO`` writes figures to a file in this folder.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.marks import mark, read_marks
from benchmarks.processes import MARKS
from benchmarks.stores import URI
from benchmarks.table import ROOT

ANSWER = "answer.json"
SPACE = ROOT / "benchmarks" / "spaces" / "nothing.py"
SEED = 1
ASKS = 20
READINGS = 3
WARM = 20
"""Trials that a process which goes on with a sweep has run before it is timed."""
FURTHER = 100
"""Trials that are timed after these."""


def sweep(trials: int, algo: str) -> dict[str, Any]:
    """Run a sweep; note when each trial was written."""
    from sweeps.api.run import run_sweep

    written: list[float] = []
    run_sweep(
        SPACE,
        "diabetes",
        trials=trials,
        engine="serial",
        algo=algo,
        seed=SEED,
        name="scale",
        register=False,
        tracking_uri=URI,
        on_trial=lambda _: written.append(time.time()),
    )
    mark("end")
    return {"started": read_marks(Path(MARKS))["start"], "written": written}


def resume(trials: int, algo: str) -> dict[str, Any]:
    """Read the sweep and tell it to a new searcher, as a resumed sweep does; then ask on. Several times."""
    from sweeps.search.searcher import Searcher
    from sweeps.space.search_space import load_space
    from sweeps.tracking.reader import find_sweep, read_sweep
    from sweeps.tracking.store import open_store

    space, store = load_space(str(SPACE)), open_store(URI)
    seconds, asks = [], []
    for _ in range(READINGS):
        started = time.perf_counter()
        record = read_sweep(store, find_sweep(store, "last"))
        searcher = Searcher(space, algo, SEED)
        for finished in record.trials:
            searcher.remember(finished.trial.proposal)
            searcher.tell(finished.number, finished.outcome)
        searcher.ask(trials)
        seconds.append(time.perf_counter() - started)
        asks += [_timed_ask(searcher, trials + 1 + further) for further in range(ASKS)]
    return {"seconds": seconds, "asks": asks, "read": len(record.trials)}


def further(trials: int, algo: str) -> dict[str, Any]:
    """Go on with the sweep; note when each trial but the first ones was written."""
    from sweeps.api.resume import resume_sweep

    written: list[float] = []
    resume_sweep(
        "last",
        trials=trials + WARM + FURTHER,
        tracking_uri=URI,
        on_trial=lambda _: written.append(time.time()),
    )
    return {"written": written[WARM - 1 :]}


def peak_mb() -> float:
    """Give the peak memory of this process in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _timed_ask(searcher: Any, number: int) -> float:
    started = time.perf_counter()
    searcher.ask(number)
    return time.perf_counter() - started


def main() -> None:
    """Run the step of the command line."""
    _, step, trials, algo = sys.argv
    figures = {"sweep": sweep, "resume": resume, "further": further}[step](int(trials), algo)
    Path(ANSWER).write_text(json.dumps({**figures, "peak_mb": peak_mb()}), "utf-8")


if __name__ == "__main__":
    main()
