"""What a report costs, and the commands that look at a sweep: ``python -m benchmarks.report``.

Made sweeps of 3, 300 and 10 000 trials in SQLite stores, all with branches, failures and pruning; for each:
reading the sweep with its evidence, explaining it, writing all of the report, how large the page is and how
long Chromium takes until every chart is drawn (where Playwright and Chromium are installed), and the commands
that show, compare, export and explain it, as a user types them.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from benchmarks.scale import time_commands
from benchmarks.table import Table, parser, publish, spread

T = TypeVar("T")
SIZES = (3, 300, 10_000)
COMMANDS = {
    "list": ("list",),
    "show": ("show", "last"),
    "best": ("best", "last"),
    "compare": ("compare", "last", "earlier"),
    "diff": ("diff", "0", "last:best"),
    "export": ("export", "last"),
    "explain": ("explain", "last"),
    "next-space": ("next-space", "last"),
    "report": ("report", "last"),
}
"""Those that look at a sweep; ``earlier`` is another of as many trials in the same store."""


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
    """Make a sweep and an earlier one in a store; read it back, explain it, write its report, and show it."""
    from sweeps.analysis.explain import Explanation
    from sweeps.api.evidence import read_evidence
    from sweeps.report.write import write_report
    from tests.made_search import search, write_store

    print(f"{trials} trials", file=sys.stderr)
    folder.mkdir()
    write_store(folder, search(trials, seed=8, name="earlier"))
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


def command_table(found: Mapping[str, Mapping[int, list[float]]]) -> Table:
    """Show the seconds of the commands, a row for each, a column for each sweep."""
    sizes = list(next(iter(found.values())))
    rows = [[name, *(spread(seconds[size]) for size in sizes)] for name, seconds in found.items()]
    notes = [
        "From Enter to the end, start-up included. Compare reads a second sweep of as many trials. "
        "Median (range)."
    ]
    return Table("Seconds of the commands", ["command", *(f"{size} trials" for size in sizes)], rows, notes)


def options() -> argparse.Namespace:
    """Read the command line."""
    given = parser(__doc__)
    sizes = ",".join(map(str, SIZES))
    given.add_argument("--sizes", default=sizes, metavar="N,N", help="trials of the sweeps")
    given.add_argument("--repeats", type=int, default=3, help="of the commands")
    return given.parse_args()


def main() -> None:
    """Measure, print and publish."""
    given = options()
    with TemporaryDirectory(prefix="report-") as scratch:
        folders = {int(size): Path(scratch) / size for size in given.sizes.split(",")}
        costs = [measure(size, folder) for size, folder in folders.items()]
        commands = time_commands(folders, given.repeats, COMMANDS)
    publish(
        "report",
        str(__doc__).partition("\n\n")[2].strip(),
        [table(costs), command_table(commands)],
        {"costs": [asdict(one) for one in costs], "commands": commands},
        folder=given.out,
    )


if __name__ == "__main__":
    main()
