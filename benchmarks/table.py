"""Tables of a benchmark: printed, and published as Markdown and JSON with what they were measured on."""

import argparse
import importlib.metadata
import json
import math
import os
import platform
import shlex
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "results" / "benchmarks"
PACKAGES = ("sweeps", "hyperopt", "mlflow", "numpy", "scikit-learn", "xgboost")


@dataclass(frozen=True)
class Table:
    """One table of a report.

    Args:
        title: what it shows, in one line.
        columns: names, with units.
        rows: cells; a float is shown with three significant digits, None as a dash, the rest as text.
        notes: how to read it, one line each.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()

    def print(self) -> None:
        """Print it as plain aligned text."""
        from rich.console import Console
        from rich.table import Table as Grid
        from rich.text import Text

        grid = Grid(box=None, pad_edge=False)
        for column, right in zip(self.columns, self._numeric(), strict=True):
            grid.add_column(Text(column), justify="right" if right else "left")
        for row in self.rows:
            grid.add_row(*(Text(cell(value)) for value in row))
        console = Console(width=10_000, highlight=False)
        console.print(Text(self.title, style="bold"))
        console.print(grid)
        for line in self.notes:
            console.print(Text(f"  {line}"))
        console.print()

    def markdown(self) -> str:
        """Write it as Markdown."""
        rules = ["---:" if right else "---" for right in self._numeric()]
        rows = [self.columns, rules, *([cell(value) for value in row] for row in self.rows)]
        lines = ["| " + " | ".join(str(one).replace("|", "\\|") for one in row) + " |" for row in rows]
        notes = ["", *(f"- {line}" for line in self.notes)] if self.notes else []
        return "\n".join([f"## {self.title}", "", *lines, *notes])

    def _numeric(self) -> list[bool]:
        """Tell which columns are figures throughout: those stand to the right."""
        return [
            bool(self.rows) and all(cell(row[i])[:1] in "0123456789-–><" for row in self.rows)
            for i in range(len(self.columns))
        ]


def publish(
    name: str,
    about: str,
    tables: Sequence[Table],
    raw: Any = None,
    *,
    packages: Iterable[str] = (),
    folder: Path = PUBLISHED,
    arguments: Sequence[str] | None = None,
    images: Sequence[str] = (),
    quiet: bool = False,
) -> Path:
    """Print the tables and write them to ``folder/name.md``, with all figures in ``folder/name.json``.

    Args:
        name: of the benchmark: ``overhead`` for ``python -m benchmarks.overhead``.
        about: what was measured, in a sentence or two.
        tables: to print.
        raw: figures behind the tables, anything JSON holds.
        packages: distributions whose versions matter, beside ``PACKAGES``.
        folder: where to write.
        arguments: of the command; those of this process by default. ``--out`` is not shown.
        images: file names beside the page, to show on it.
        quiet: write only.

    Returns:
        The Markdown file.
    """
    shown = _without_out(sys.argv[1:] if arguments is None else arguments)
    command = shlex.join(["python", "-m", f"benchmarks.{name}", *shown])
    measured = environment((*PACKAGES, *packages))
    if not quiet:
        for table in tables:
            table.print()
        print("\n".join(f"{key:9} {value}" for key, value in measured.items()))
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{name}.md"
    page.write_text(_page(name, about, tables, command, measured, images), "utf-8")
    document = {"command": command, **measured, "tables": [asdict(t) for t in tables], "raw": raw}
    (folder / f"{name}.json").write_text(json.dumps(document, indent=1, default=str) + "\n", "utf-8")
    return page


def parser(about: str | None) -> argparse.ArgumentParser:
    """Give a parser with what every benchmark understands: ``--out``, the folder for its tables."""
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    made.add_argument("--out", type=Path, default=PUBLISHED, metavar="DIR", help="where the tables go")
    return made


def environment(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Describe this machine and what is installed: ``date``, ``cores``, ``system``, ``versions``."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": f"{cores()} of {cpu_model()}",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in dict.fromkeys(packages)),
    }


def cores() -> int:
    """Count the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_model() -> str:
    """Name the processor, where the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8", "replace").splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "an unknown processor")


def version(package: str) -> str:
    """Give the version of an installed distribution, else say that there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Write the median of repeats and, for more than one, their range in brackets."""
    if not values:
        return "–"
    middle = figure(statistics.median(values), digits)
    if len(values) == 1:
        return middle
    return f"{middle} ({figure(min(values), digits)} – {figure(max(values), digits)})"


def figure(value: float, digits: int = 3) -> str:
    """Write a figure with so many significant digits, never in powers of ten."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


def cell(value: Any) -> str:
    """Write a cell."""
    if value is None:
        return "–"
    return figure(value) if isinstance(value, float) else str(value)


def _without_out(arguments: Sequence[str]) -> list[str]:
    """Leave out where the tables go: a path of one machine."""
    pairs = zip(("", *arguments), arguments, strict=False)
    return [word for before, word in pairs if before != "--out" and not word.startswith("--out")]


def _page(
    name: str,
    about: str,
    tables: Sequence[Table],
    command: str,
    measured: Mapping[str, str],
    images: Sequence[str],
) -> str:
    parts = [
        f"# {name}",
        about,
        "```text\n" + command + "\n```",
        *(table.markdown() for table in tables),
        *(f"![{name}]({image})" for image in images),
        "## Measured on\n\n" + "\n".join(f"- {key}: {value}" for key, value in measured.items()),
    ]
    return "\n\n".join(parts) + "\n"
