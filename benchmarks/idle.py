"""How much of a real sweep's time its workers train."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.command import sweeps
from benchmarks.data import DATA
from benchmarks.processes import run
from benchmarks.stores import URI, Logged, Stores, read_trials
from benchmarks.table import cores
from sweeps.spans import covered


@dataclass(frozen=True)
class Idle:
    """Shares of a sweep's wall time."""

    sweep: str
    workers: int
    trials: int
    seconds: float
    """Between the first trial's start and the last one's end; the two shares are of it."""
    none_trains: float
    """In which no worker trains."""
    slot_idle: float
    """In which a worker does not train, on average."""
    whole_seconds: float
    """From Enter to the exit: with imports, data, finalists and report."""

    @property
    def none_trains_of_all(self) -> float:
        """Share of the whole in which no worker trains."""
        return 1 - self.seconds * (1 - self.none_trains) / self.whole_seconds


def measure_idle(names: Sequence[str], trials: int) -> list[Idle]:
    """Run the shipped ``xgboost`` space on the named data, with one worker and with one per core."""
    found = []
    with TemporaryDirectory(prefix="idle-") as scratch:
        stores = Stores(Path(scratch) / "stores")
        for name in names:
            for workers in sorted({1, cores()}):
                print(f"xgboost on {name}, {workers} workers", file=sys.stderr)
                folder = Path(scratch) / f"{name}-{workers}"
                folder.mkdir()
                stores.put("ours", folder)
                found.append(_measure(name, trials, workers, folder))
    return found


def _measure(name: str, trials: int, workers: int, folder: Path) -> Idle:
    options = {
        "--data": DATA[name],
        "--trials": trials,
        "--workers": workers,
        "--seed": 1,
        "--tracking-uri": URI,
    }
    words = [str(word) for pair in options.items() for word in pair]
    ran = run(sweeps("run", "xgboost", *words, "--no-register", "--json"), folder)
    logged = [trial for trial in read_trials(folder) if trial.ended is not None]
    return idle(f"xgboost on {name}", workers, logged, ran.seconds)


def idle(sweep: str, workers: int, trials: Sequence[Logged], whole: float) -> Idle:
    """Work out the shares from the trials' times; all of them have ended."""
    first = min(trial.started for trial in trials)
    last = max(trial.ended or first for trial in trials)
    fits = [((t.ended or first) - (t.fit_seconds or 0.0), t.ended or first) for t in trials]
    seconds = last - first
    trained = sum(end - start for start, end in fits)
    none, slot = 1 - covered(fits) / seconds, 1 - trained / (workers * seconds)
    return Idle(sweep, workers, len(trials), seconds, none, slot, whole)
