"""Names and places of green taxi months. Standard library only: the command line asks at start."""

import os
import re
from pathlib import Path

from sweeps.errors import DataError, absent

PREFIX = "green-taxi:"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def parse_months(name: str) -> tuple[str, ...]:
    """Months named by ``green-taxi:2023-01,2023-02``.

    Raises:
        DataError: no month, a text that is no month, or a month named twice.
    """
    months = tuple(m.strip() for m in name.removeprefix(PREFIX).split(","))
    for month in months:
        if not _MONTH.fullmatch(month):
            raise DataError(
                f"--data {name}", f"{month!r} is no month", "write green-taxi:2023-01,2023-02,2023-03"
            )
    if len(set(months)) < len(months):
        raise DataError(
            f"--data {name}", "a month is named twice", "train, validation and test months must differ"
        )
    return months


def data_folder(data_dir: str | None) -> Path:
    """Where months lie: the argument, else ``SWEEPS_DATA_DIR``, else ``./data``."""
    return Path(data_dir or os.environ.get("SWEEPS_DATA_DIR") or "data")


def month_file(folder: Path, month: str) -> Path:
    """The file of one month, named as the public site names it."""
    return folder / f"green_tripdata_{month}.parquet"


def require_months(name: str, folder: Path) -> list[Path]:
    """Paths of the months that ``name`` lists.

    Raises:
        DataError: a file is missing; names it, the folder, and the command that fetches it.
    """
    paths = [month_file(folder, month) for month in parse_months(name)]
    for path in paths:
        if reason := absent(path):
            if reason != "no such file":
                raise DataError(f"--data {name}", f"{path} {reason}", "--data-dir FOLDER")
            hint = f"sweeps fetch {name} --data-dir {folder}, or --data-dir FOLDER if it lies elsewhere"
            raise DataError(f"--data {name}", f"no file {path.name} in folder {folder}", hint)
    return paths
