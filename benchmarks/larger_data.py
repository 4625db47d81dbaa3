"""Larger data: time and memory of one XGBoost trial on millions of rows, on all of them and on a sample.

``python -m benchmarks.larger_data`` writes rows of ten numbers and two categories as text to Parquet files
and runs ``sweeps run`` on them with one worker: from reading to the report, nothing kept of earlier runs.
With a sample the trial trains on a part of the training rows, and the finalist on all of them again. Eight of
ten rows are for training, one each for validation and test. Needs Linux.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.command import sweeps
from benchmarks.made_rows import write_rows
from benchmarks.peaks import Peaks, peaks_of
from benchmarks.stores import URI, Stores, read_trials
from benchmarks.table import ROOT, Table, cores, parser, publish

SPACE = ROOT / "benchmarks" / "spaces" / "thirty_rounds.py"
SHARES = {"train": 8, "valid": 1, "test": 1}
"""Tenths of the rows."""
COLUMNS = (
    "rows", "search on", "seconds", "until it trains", "the trial trains", "driver: RSS, GB",
    "worker: RSS, GB", "both: PSS, GB", "rmse on test",
)  # fmt: skip
GB = 1e9


@dataclass(frozen=True)
class Cost:
    """What a sweep of one trial took."""

    rows: int
    search_on: str
    peaks: Peaks
    begun: float
    """Seconds until the trial trained."""
    trial: float
    """Seconds of its training."""
    test_rmse: float


def main() -> None:
    """Measure, print and publish."""
    arguments = parser(__doc__)
    arguments.add_argument("--rows", default="1000000,5000000,20000000", help="of all files together")
    arguments.add_argument("--samples", default="all,10%", help="what to search on")
    chosen = arguments.parse_args()
    samples = chosen.samples.split(",")
    with TemporaryDirectory(prefix="larger-data-") as scratch:
        stores = Stores(Path(scratch) / "stores")
        sizes = [int(rows) for rows in chosen.rows.split(",")]
        found = [cost for rows in sizes for cost in costs(rows, samples, Path(scratch) / str(rows), stores)]
    about = str(__doc__).partition("\n\n")[2].strip()
    publish("larger_data", about, [table(found)], [asdict(one) for one in found], folder=chosen.out)


def costs(rows: int, samples: Sequence[str], folder: Path, stores: Stores) -> list[Cost]:
    """Write so many rows; run a sweep on them for each sample."""
    folder.mkdir()
    for seed, (name, tenths) in enumerate(SHARES.items()):
        write_rows(folder / f"{name}.parquet", rows * tenths // 10, seed)
    return [cost(rows, sample, folder, stores) for sample in samples]


def cost(rows: int, sample: str, folder: Path, stores: Stores) -> Cost:
    """Run one sweep of one trial."""
    print(f"{rows} rows, search on {sample}", file=sys.stderr)
    place = folder / sample.strip("%")
    place.mkdir()
    stores.put("ours", place)
    files = [word for name in SHARES for word in (f"--{name}", str(folder / f"{name}.parquet"))]
    words = ["run", str(SPACE), *files, "--target", "y", "--trials", "1", "--seed", "1", "--workers", "1"]
    words += ["--threads", str(cores()), "--no-cache", "--json", "--tracking-uri", URI]
    asked = [] if sample == "all" else ["--sample", sample]
    peaks = peaks_of(sweeps(*words, *asked), place, place / "answer.json")
    answer = json.loads((place / "answer.json").read_text())
    [trial] = read_trials(place)
    spent = trial.fit_seconds or 0.0
    begun = (trial.ended or trial.started) - spent - peaks.started
    return Cost(rows, sample, peaks, begun, spent, answer["test_rmse"])


def table(found: Sequence[Cost]) -> Table:
    """Show them."""
    rows = [
        [
            f"{one.rows:,}", one.search_on, one.peaks.seconds, one.begun, one.trial, one.peaks.driver / GB,
            one.peaks.workers / GB, one.peaks.together / GB, one.test_rmse,
        ]
        for one in found
    ]  # fmt: skip
    notes = [
        "seconds: from Enter to the end; with a sample a training on all rows is in them",
        "RSS counts mapped files, which both processes see; PSS counts them once",
    ]
    return Table("One trial of 30 rounds at depth 8, from files to the report", COLUMNS, rows, notes)


if __name__ == "__main__":
    main()
