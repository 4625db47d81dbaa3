"""What a report costs: ``python -m benchmarks.report``.

Made sweeps of 3, 300 (branches, failures, pruning) and 10 000 trials in SQLite stores; for each: reading the
sweep with its evidence, explaining it, writing all of the report, and how large the page is and how long
Chromium takes until every chart is drawn (where Playwright and Chromium are installed).
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from benchmarks.table import Table, parser, publish

T = TypeVar("T")
SIZES = (3, 300, 10_000)


@dataclass(frozen=True)
class Cost:
    """Seconds of wall time, and the page's size."""

    trials: int
    read: float
    explain: float
    write: float
    page_mb: float
    shown: float | None
    """Until Chromium has drawn it; None without one."""


def measure(trials: int, folder: Path) -> Cost:
    """Make a sweep in a store, read it back, explain it, write its report, and show it."""
    from sweeps.analysis.explain import Explanation
    from sweeps.api.evidence import read_evidence
    from sweeps.report.write import write_report
    from tests.made_search import search, write_store

    print(f"{trials} trials", file=sys.stderr)
    folder.mkdir()
    uri, _ = write_store(folder, search(trials))
    (_, record), read = _timed(lambda: read_evidence("last", uri, curves=True))
    _, explain = _timed(lambda: Explanation(record).findings)
    _, write = _timed(lambda: write_report(record, folder / "report"))
    page = folder / "report" / "report.html"
    return Cost(trials, read, explain, write, page.stat().st_size / 1e6, _shown(page))


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    done = work()
    return done, time.perf_counter() - started


def _shown(page: Path) -> float | None:
    """Give the seconds until Chromium has run the page's scripts, which draw all of it."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if program is None:
        return None
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page()
        _, seconds = _timed(lambda: tab.goto(page.as_uri(), wait_until="load"))
        browser.close()
    return seconds


def table(costs: Sequence[Cost]) -> Table:
    """Show the figures, a row for each sweep."""
    rows = [[c.trials, c.read, c.explain, c.write, c.page_mb, c.shown] for c in costs]
    columns = ["trials", "read, s", "explain, s", "write, s", "page, MB", "shown, s"]
    notes = [
        "Explain holds the import of scikit-learn where it is the first to need it; write explains again."
    ]
    return Table("Reports", columns, rows, notes)


def main() -> None:
    """Measure, print and publish."""
    given = parser(__doc__)
    given.add_argument(
        "--sizes", default=",".join(map(str, SIZES)), metavar="N,N", help="trials of the sweeps"
    )
    options: argparse.Namespace = given.parse_args()
    with TemporaryDirectory(prefix="report-") as scratch:
        sizes = [int(size) for size in options.sizes.split(",")]
        costs = [measure(size, Path(scratch) / str(size)) for size in sizes]
    about = str(__doc__).partition("\n\n")[2].strip()
    publish("report", about, [table(costs)], [asdict(one) for one in costs], folder=options.out)


if __name__ == "__main__":
    main()
