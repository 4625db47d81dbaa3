"""Memory of W workers after one trial each: is the data shared, or does each worker have a copy?

``python -m benchmarks.memory`` trains on green taxi trips, once with automatic features (nine dense columns)
and once with the course's (thousands of sparse ones), with 1, 2 and 4 workers. PSS counts a page that several
processes share in equal parts to each, so the PSS of all workers is what they really take. Needs Linux.
"""

import re
import tempfile
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table import ROOT, Table, parser, publish
from sweeps.data.datasets import Dataset, load_dataset
from sweeps.data.prepared import prepare
from sweeps.data.spec import DataSpec
from sweeps.engines import open_engine
from sweeps.search.searcher import Searcher
from sweeps.space.search_space import load_space
from sweeps.trial import Encoding, Outcome, Setup, State, Task
from sweeps.warm_up import warm_up
from sweeps.worker import run_trial

SPACE = ROOT / "benchmarks" / "spaces" / "thirty_rounds.py"
FEATURES = {"auto": "automatic, native categories", "dataset": "the course's one-hot pairs"}
COLUMNS = (
    "features", "arrays, MB", "workers", "imports: PSS of all, MB", "after a trial: PSS of all, MB",
    "per worker, MB", "each further worker, MB", "mapped arrays: PSS of all, MB",
)  # fmt: skip
MB = 1e6


@dataclass(frozen=True)
class Used:
    """Bytes of all workers together."""

    imports: float
    trial: float
    mapped: float


def main() -> None:
    """Measure, print and publish."""
    arguments = parser(__doc__)
    arguments.add_argument("--data", default="green-taxi:2023-01,2023-02", help="what to train on")
    arguments.add_argument("--data-dir", help="folder of the months; SWEEPS_DATA_DIR, else ./data by default")
    arguments.add_argument("--workers", default="1,2,4", help="how many at once")
    chosen = arguments.parse_args()
    dataset = load_dataset(DataSpec(name=chosen.data, data_dir=chosen.data_dir))
    counts = [int(count) for count in chosen.workers.split(",")]
    rows = [row for features in FEATURES for row in measured(dataset, features, counts)]
    notes = ["imports: after the libraries of the search space are imported, before the first trial"]
    about = f"Memory of the workers on {chosen.data}, one thread and one XGBoost trial of 30 rounds each."
    publish("memory", about, [Table("Memory of W workers", COLUMNS, rows, notes)], folder=chosen.out)


def measured(dataset: Dataset, features: str, counts: list[int]) -> list[list[object]]:
    """Give the rows of one encoding."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(dataset, Encoding(native_categories=True, keeps_missing=True), features, folder)
        arrays = sum(path.stat().st_size for path in folder.glob("*.npy"))
        used = {count: train(folder, count) for count in counts}
    first = min(used)
    return [
        [
            FEATURES[features], arrays / MB, count, one.imports / MB, one.trial / MB, one.trial / count / MB,
            None if count == first else (one.trial - used[first].trial) / (count - first) / MB,
            one.mapped / MB,
        ]
        for count, one in used.items()
    ]  # fmt: skip


def train(folder: Path, workers: int) -> Used:
    """Have each of the workers run one trial on the arrays in a folder."""
    space = load_space(str(SPACE))
    proposal = Searcher(space).preview(0)
    setup = Setup(str(SPACE), space.digest, str(folder), threads=1)
    with open_engine("local", workers, 1) as engine:
        wait([engine.submit(warm_up, str(SPACE)) for _ in range(workers)])
        pids = children()
        imports = sum(pss(pid) for pid in pids)
        while not all(pss(pid, str(folder)) for pid in pids):  # a quick worker may have taken two
            tasks = [Task(i, proposal.point, proposal.seed, setup) for i in range(workers)]
            check([engine.submit(run_trial, task).result for task in tasks])
        return Used(imports, sum(pss(pid) for pid in pids), sum(pss(pid, str(folder)) for pid in pids))


def check(results: list[Callable[[], Outcome]]) -> None:
    """Wait for trials.

    Raises:
        RuntimeError: one of them went wrong.
    """
    for outcome in [result() for result in results]:
        if outcome.state is not State.COMPLETE:
            raise RuntimeError(outcome.error)


def children() -> list[int]:
    """Give the processes this one started."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def pss(pid: int, folder: str | None = None) -> int:
    """Give the proportional set size of a process in bytes, or of its mappings of files in a folder.

    Source: proc_pid_smaps(5).
    """
    if folder is None:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return sum(kilobytes(text))
    mappings = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", Path(f"/proc/{pid}/smaps").read_text())
    return sum(sum(kilobytes(one)) for one in mappings if folder in one.partition("\n")[0])


def kilobytes(text: str) -> list[int]:
    """Give the PSS lines, in bytes."""
    return [1024 * int(size) for size in re.findall(r"(?m)^Pss: +(\d+) kB", text)]


if __name__ == "__main__":
    main()
