"""``sweeps export``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweeps.cli.completion import sweep_names
from sweeps.cli.lookup import read_record
from sweeps.cli.options import store_options
from sweeps.cli.output import note, print_json
from sweeps.errors import UsageError, printable
from sweeps.report.tables import Cell
from sweeps.wording import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from sweeps.record import SweepRecord

FORMATS = ("csv", "parquet", "json")


@click.command("export")
@click.argument("sweep", shell_complete=sweep_names)
@click.option("--format", "kind", type=click.Choice(FORMATS), help="[as FILE ends, else csv].")
@click.option("--to", "file", metavar="FILE", help="Where to [stdout].")
@store_options
def export_command(
    sweep: str, kind: str | None, file: str | None, tracking_uri: str | None, as_json: bool
) -> None:
    """Write all trials of a sweep as a table, the best first: one row for each, a column for each param.

    SWEEP is a run id or its beginning, a name, or `last`. In CSV a text that a spreadsheet would run as a
    formula gets a leading apostrophe; numbers stay as they are.

    \b
    sweeps export last > trials.csv
    sweeps export last --to trials.parquet
    """
    kind = kind or ending(file) or ("json" if as_json and file is None else "csv")
    if as_json and file is None and kind != "json":
        raise UsageError("--json", f"contradicts --format {kind} on stdout", "name a file with --to")
    if file is None and kind == "parquet" and sys.stdout.isatty():
        raise UsageError("--format parquet", "is nothing for a terminal", "name a file with --to")
    _, record = read_record(sweep, tracking_uri)
    data = encoded(record, kind)
    if file is None:
        show(data)
        return
    write(Path(file), data)
    if as_json:
        print_json({"sweep": record.run_id, "file": file, "format": kind, "trials": len(record.trials)})
    else:
        note(f"wrote {counted(len(record.trials), 'trial')} of {record.name} to {file}")


def show(data: bytes) -> None:
    """Write the table to stdout, as it is; to a terminal without what could command it."""
    if sys.stdout.isatty():
        data = "\n".join(map(printable, data.decode().split("\n"))).encode()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def ending(file: str | None) -> str | None:
    """Give the format that a file's name asks for; None where it asks for none."""
    found = Path(file or "").suffix.lower().removeprefix(".")
    return found if found in FORMATS else None


def encoded(record: "SweepRecord", kind: str) -> bytes:
    """Give the trials in a format."""
    from sweeps.report.summary import history, summary
    from sweeps.report.tables import csv_text, leaderboard

    if kind == "json":
        answer = {**summary(record), "history": history(record)}
        return (json.dumps(answer, indent=2, allow_nan=False) + "\n").encode()
    header, rows = leaderboard(record)
    return csv_text(header, rows).encode() if kind == "csv" else parquet(header, rows)


def parquet(header: list[str], rows: list[list[Cell]]) -> bytes:
    """Give a table as Parquet: numbers as numbers; a column that also holds texts, as texts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = [column([row[index] for row in rows]) for index in range(len(header))]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, names=header), sink)
    return bytes(sink.getvalue())


def column(cells: list[Cell]) -> "pa.Array":
    """Give a column with the narrowest type that holds all of it."""
    import pyarrow as pa

    known = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, str) for cell in known):
        return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
    whole = bool(known) and all(isinstance(c, int) and abs(c) < 2**63 for c in known)
    return pa.array(cells, pa.int64() if whole else pa.float64())


def write(file: Path, data: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_bytes(data)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        wrong = f"cannot be written: {error.strerror or error}"
        raise UsageError(f"--to {file}", wrong, "choose another file") from error
