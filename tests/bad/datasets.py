"""Data that cannot be used or fetched: exit code 4."""
# ruff: noqa: E501 - one mistake a line reads as the table it is

import gzip
import io
from collections.abc import Callable

from tests.bad.case import GOOD, RUN, SPLITS, TABLE, Case, odd, private
from tests.bad.places import GOOD_TABLE


def csv(text: str | bytes) -> dict[str, str | bytes]:
    return {"odd.csv": text}


def column(values: list[object]) -> dict[str, str | bytes]:
    """A table whose target has these values."""
    return csv("a,y\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values)))


def parquet(spoil: Callable[[bytes], bytes] = lambda whole: whole, **columns: list[object]) -> bytes:
    import pandas as pd

    out = io.BytesIO()
    pd.DataFrame(columns or {"a": [1.5] * 30, "y": [2.5] * 30}).to_parquet(out)
    return spoil(out.getvalue())


DATASETS = {
    "unknown data": Case("run ridge --data diabets", 4, r"--data: unknown data 'diabets', did you mean 'diabetes'\?.*\(a file"),
    "B37 missing": Case(f"{TABLE} nowhere.csv", 4, "--table nowhere.csv: no such file"),
    "B37 folder": Case(f"{TABLE} .", 4, r"--table \.: is a folder, not a file"),
    "B37 closed": Case(f"{TABLE} odd.csv", 4, "--table odd.csv: (no permission|cannot be read: Permission denied)", csv(GOOD_TABLE), prepare=lambda folder: (folder / "odd.csv").chmod(0), powerless=True),
    "B38 no byte": Case(f"{TABLE} odd.csv", 4, "--table odd.csv: file is empty", csv("")),
    "B39 header only": Case(f"{TABLE} odd.csv", 4, "--table odd.csv: no rows", csv("a,y\n")),
    "B40 one row": Case(f"{TABLE} odd.csv", 4, "--table odd.csv: 1 row; at least 10 needed", csv("a,y\n1,2\n")),
    "B41 no target column": Case(f"{RUN} --table table.csv --target z", 4, r"no column 'z' \(columns: a, b, y\) \(pass --target"),
    "B42 separator": Case(f"{TABLE} odd.csv", 4, r"one column named 'a;y' \(separate by commas", csv("a;y\n1;2\n")),
    "B43 target all NaN": Case(f"{TABLE} odd.csv", 4, "target 'y' has all values missing", column([""] * 30)),
    "B43 target some NaN": Case(f"{TABLE} odd.csv", 4, r"target 'y' has 1 of 30 values missing \(first in row 3\)", column([1, 2, "", *range(27)])),
    "B45 text target": Case(f"{TABLE} odd.csv", 4, r"target 'y' is text, e.g. 'lo' in row 1 \(use numbers\)", column(["lo", "hi"] * 15)),
    "B45 commas": Case(f"{TABLE} odd.csv", 4, "column 'b' is text with commas", csv("a,b,y\n" + '1,"1,5",2\n' * 30)),
    "B46 infinite": Case(f"{TABLE} odd.csv", 4, "column 'a' has an infinite value in row 1", csv("a,y\n" + "inf,2\n" * 30)),
    "B47 huge": Case(f"{TABLE} odd.csv", 4, "column 'a' has 9{23} in row 1, which no float", csv("a,y\n" + "9" * 23 + ",1\n" + "1,2\n" * 30)),
    "B48 column twice": Case(f"{TABLE} odd.csv", 4, r"column 'a' appears twice", csv("a,a,y\n" + "1,2,3\n" * 30)),
    "B49 long row": Case(f"{TABLE} odd.csv", 4, "line 2 has 3 fields, the header has 2", csv("a,y\n1,2,3\n")),
    "B50 short row": Case(f"{TABLE} odd.csv", 4, "line 2 has 1 fields, the header has 2", csv("a,y\n1\n")),
    "B51 other columns": Case(f"{SPLITS} odd.csv", 4, r"--valid odd.csv: columns differ from --train table.csv: missing 'b'; extra 'c'", csv(GOOD_TABLE.replace("b", "c", 1))),
    "B51 other kind": Case(f"{SPLITS} odd.csv", 4, "--valid odd.csv: column 'b' holds text.*, but numbers", csv(GOOD_TABLE.replace(",3,", ",x,").replace(",1,", ",x,").replace(",2,", ",x,").replace(",0,", ",x,").replace(",4,", ",x,").replace(",5,", ",x,").replace(",6,", ",x,"))),
    "B53 UTF-16": Case(f"{TABLE} odd.csv", 4, r"not UTF-8 at byte 0 \(convert it", csv(GOOD_TABLE.encode("utf-16"))),
    "B54 truncated gzip": Case(f"{TABLE} odd.csv.gz", 4, "odd.csv.gz: truncated gzip file", {"odd.csv.gz": gzip.compress(GOOD_TABLE.encode())[:60]}),
    "B54 no gzip": Case(f"{TABLE} odd.csv.gz", 4, r"not gzip data \(rename it", {"odd.csv.gz": GOOD_TABLE}),
    "B56 corrupt Parquet": Case(f"{TABLE} odd.parquet", 4, "odd.parquet: not a readable Parquet file", {"odd.parquet": parquet(lambda b: b[:4] + b"\0" * (len(b) - 8) + b[-4:])}),
    "B56 truncated Parquet": Case(f"{TABLE} odd.parquet", 4, "odd.parquet: truncated Parquet", {"odd.parquet": parquet(lambda b: b[:-20])}),
    "B56 CSV inside": Case(f"{TABLE} odd.parquet", 4, "magic bytes missing", {"odd.parquet": GOOD_TABLE}),
    "B57 lists": Case(f"{TABLE} odd.parquet", 4, "column 'a' has type list", {"odd.parquet": parquet(a=[[1]] * 30, y=[1.0] * 30)}),
    "B58 pickle": Case(f"{TABLE} odd.pkl", 4, r"only \.csv, .*pickle files can run code", {"odd.pkl": b"x"}),
    "B58 address": Case(f"{TABLE} https://example.org/a.csv", 4, r"is a web address.*\(download it first\)"),
    "B13 the same file": Case(f"{SPLITS} table.csv", 4, "--valid table.csv: is the same file as --train"),
    "B13 a copy": Case(f"{SPLITS} odd.csv", 4, "--valid odd.csv: has the same rows as --train table.csv", csv(GOOD_TABLE)),
    "B13 a copy to test on": Case(f"{SPLITS} space.csv --test odd.csv.gz", 4, "--test odd.csv.gz: has the same rows as --train table.csv", {"odd.csv.gz": gzip.compress(GOOD_TABLE.encode()), "space.csv": GOOD_TABLE.replace("1", "2")}),
    "B54 gzip named .csv": Case(f"{TABLE} odd.csv", 4, r"--table odd.csv: is gzip data \(rename it to .csv.gz", csv(gzip.compress(GOOD_TABLE.encode()))),
    "only the target": Case(f"{TABLE} odd.csv", 4, "no column but the target 'y'", csv("y\n" + "1\n" * 30)),
    "unknown category": Case(f"{GOOD} --categorical z", 4, r"no column 'z' to take as a category \(columns: a, b\)"),
    "split by nothing": Case(f"{GOOD} --split-by z", 4, r"--split-by z: .* no such column \(columns: a, b, y\)"),
    "function missing": Case(f"{RUN} --data odd.py:load", 4, r"unknown function 'load'.* known: lead", odd("def lead(): pass")),
    "long name": Case(f"{TABLE} {'x' * 300}.csv", 4, "x.csv: cannot be read: File name too long"),
    "long name of a function's file": Case(f"{RUN} --data {'x' * 300}.py:f", 4, "cannot be read: File name too long"),
    "months in a closed folder": Case("run ridge --data green-taxi:2023-01,2023-02 --data-dir private", 4, "Permission denied", prepare=private, powerless=True),
    "table in a closed folder": Case(f"{TABLE} private/a.csv", 4, "--table private/a.csv: cannot be read: Permission denied", prepare=private, powerless=True),
    "fetch into a closed folder": Case("fetch green-taxi:2023-01 --data-dir private/x", 4, r"folder private/x: cannot be made: Permission denied \(use", prepare=private, powerless=True),
    "function raises": Case(f"{RUN} --data odd.py:load", 4, "it raised KeyError: 'x'", odd("def load():\n    return {}['x']")),
    "function file missing": Case(f"{RUN} --data nowhere.py:load", 4, "no such file: nowhere.py"),
    "missing months": Case("run random_forest --data green-taxi:2023-01,2023-02", 4, r"no file green_tripdata_2023-01.parquet in folder data \(sweeps fetch green-taxi:2023-01,2023-02 --data-dir data"),
    "no month": Case("run random_forest --data green-taxi:2023-13,2023-01", 4, r"'2023-13' is no month \(write"),
    "one month": Case("run random_forest --data green-taxi:2023-01", 4, "no month to validate on"),
    "fetch something else": Case("fetch red-taxi:2023-01", 4, "unknown data 'red-taxi:2023-01'.*green-taxi"),
    "fetch no month": Case("fetch green-taxi:2023-1", 4, "'2023-1' is no month"),
    "fetch offline": Case("fetch green-taxi:2023-01 --data-dir .", 4, r"cannot be reached: .*refused.*\(download it elsewhere and put green_tripdata_2023-01.parquet into", env={"https_proxy": "http://127.0.0.1:{closed}"}),
    "fetch offline, new folder": Case("fetch green-taxi:2023-01 --data-dir months", 4, r"cannot be reached.*into the folder months\)", env={"https_proxy": "http://127.0.0.1:{closed}"}),
    "fetch into a file": Case("fetch green-taxi:2023-01 --data-dir table.csv", 4, r"folder table.csv: cannot be made: .*\(use --data-dir"),
}  # fmt: skip
