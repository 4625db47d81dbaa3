"""Every mistake gets one line that says what, why and what next, its exit code, and leaves nothing behind.

The numbers B1 to B80 are rows of the table of bad input that the project keeps.
"""

import gzip
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sweeps.cli.main import main
from tests.bad_places import (
    GOOD_SPACE,
    GOOD_TABLE,
    count_runs,
    make_files,
    make_store,
    silent_server,
    web_server,
    without_privilege,
)
from tests.stores import free_port

SECONDS = 8.0
ROOT = Path(__file__).parents[1]
RUN = "run space.py --trials 2 --engine serial"
SPACE = "run odd.py --table table.csv --target y --trials 2 --engine serial"
TABLE = f"{RUN} --target y --table"
SPLITS = f"{RUN} --target y --train table.csv --valid"
GOOD = f"{TABLE} table.csv"
STORE = f"{GOOD} --tracking-uri"
HP = "from hyperopt import hp\nfrom sklearn.linear_model import Ridge\nMODEL = Ridge\n"
OUR_VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "SWEEPS_DATA_DIR")
HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "pyarrow",
    "sklearn",
    "xgboost",
    "hyperopt",
    "mlflow",
    "matplotlib",
    "joblib",
)
NOBODY = 65534, 65534
SECRET = "SECRETPW"  # noqa: S105 - planted, to be looked for in what is printed


@dataclass(frozen=True)
class Case:
    """A mistake, what is said about it, and how the program ends."""

    words: str
    code: int
    said: str
    """A regular expression for the line, without ``error: ``."""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    """Further files in the folder."""
    store: bool = False
    """Whether there is a store in the folder."""
    env: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], object] | None = None
    powerless: bool = False
    """Run as nobody where the tests run as root."""


def odd(text: str | bytes) -> dict[str, str | bytes]:
    return {"odd.py": text}


def declares(expression: str) -> dict[str, str | bytes]:
    return odd(f"{HP}SPACE = {expression}\n")


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


def dated(folder: Path) -> None:
    """A results folder and a store nobody may write."""
    (folder / "closed").mkdir(mode=0o555)


def database(sql: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(folder / "odd.db")) as connection:
            connection.executescript(sql)

    return make


def read_only(folder: Path) -> None:
    (folder / "mlflow.db").chmod(0o444)
    folder.chmod(0o755)


COMMAND_LINE = {
    "B1 unknown option": Case(
        f"{GOOD} --trails 5", 2, r"unknown option --trails \(did you mean --trials\?\)"
    ),
    "unknown option, no guess": Case(f"{GOOD} --zzz", 2, r"unknown option --zzz \(sweeps run --help\)"),
    "unknown command": Case("rum ridge", 2, r"unknown command 'rum', did you mean 'run'\? known: .*ui"),
    "no space": Case("run", 2, r"SPACE: missing \(sweeps run --help\)"),
    "too many words": Case("spaces extra", 2, r"unexpected extra argument .*\(sweeps spaces --help\)"),
    "option without value": Case("run space.py --trials", 2, r"--trials: needs a value \(sweeps"),
    **{
        f"B2 trials {value!r}": Case(
            f"run ridge --data diabetes --trials={value}",
            2,
            rf"--trials: must be a whole number >= 1, got '{value}'",
        )
        for value in ("0", "-3", "1.5", "abc", "1e3", "1_0", "0x10", "nan")
    },
    "B3 workers 0": Case(f"{GOOD} --workers 0", 2, "--workers: must be a whole number from 1 to .*'0'"),
    "B3 workers 10000": Case(f"{GOOD} --workers 10000", 2, "--workers: must be .* from 1 to .*'10000'"),
    "workers of the serial engine": Case(
        f"{GOOD} --workers 3", 2, r"--workers: .*serial.*\(use --engine local\)"
    ),
    "threads 0": Case(f"{GOOD} --threads 0", 2, "--threads: must be a whole number from 1"),
    "patience 0": Case(f"{GOOD} --patience 0", 2, "--patience: must be a whole number >= 1"),
    "max failures": Case(f"{GOOD} --max-failures=-1", 2, "--max-failures: must be a whole number >= 0"),
    "top 0": Case(f"{GOOD} --top 0", 2, "--top: must be a whole number from 1"),
    "one fold": Case(f"{GOOD} --cv 1", 2, "--cv: must be a whole number >= 2, got '1'"),
    "too many folds": Case(f"{GOOD} --cv 1000", 2, r"--cv 1000: .* from 2 to 100 \(try --cv 5\)"),
    **{
        f"B4 time {value!r}": Case(
            f"{GOOD} --time={value}", 2, rf"--time: must be a positive time such as 90s, .*, got '{value}'"
        )
        for value in ("0", "-1", "-5m", "nan", "inf", "10x", "m", "1.2.3", "''", "9" * 30 + "e9")[:8]
    },
    **{
        f"B5 seed {value!r}": Case(
            f"{GOOD} --seed={value}", 2, rf"--seed: must be .* 0 to 4294967295, got '{value}'"
        )
        for value in ("abc", "-1", "4294967296", "1.0")
    },
    "split seed": Case(f"{GOOD} --split-seed=-1", 2, "--split-seed: must be a whole number >= 0"),
    **{
        f"target rmse {value!r}": Case(
            f"{GOOD} --target-rmse={value}", 2, "--target-rmse: must be a number >= 0, got"
        )
        for value in ("nan", "-1", "inf", "abc")
    },
    "an rmse as --target": Case(
        "run ridge --data diabetes --target 5.3", 2, r"--target: .* own target .*--target-rmse 5\.3"
    ),
    "B7 unknown engine": Case(f"{GOOD} --engine dusk", 2, "--engine: unknown engine 'dusk'.*known: .*local"),
    "unknown algorithm": Case(
        f"{GOOD} --algo tpo", 2, r"--algo: unknown algorithm 'tpo', did you mean 'tpe'\?"
    ),
    "unknown algorithm option": Case(
        f"{GOOD} --algo-option startup=5",
        2,
        "--algo-option startup: unknown option of tpe 'startup'.*n_startup_jobs",
    ),
    "bad algorithm option": Case(
        f"{GOOD} --algo-option n_startup_jobs=x",
        2,
        r"--algo-option n_startup_jobs: must be a whole number.*'x' \(",
    ),
    "algorithm option without value": Case(
        f"{GOOD} --algo-option gamma", 2, "--algo-option: must be NAME=VALUE"
    ),
    "unknown features": Case(f"{GOOD} --features best", 2, "--features: must be auto or dataset, got 'best'"),
    "register and not": Case(
        f"{GOOD} --no-register --register-as m",
        2,
        r"--no-register: contradicts --register-as m \(leave one out\)",
    ),
    "B12 results in a file": Case(
        f"{GOOD} --results-dir table.csv", 2, r"results folder table.csv: .*--results-dir"
    ),
    "results folder closed": Case(
        f"{GOOD} --results-dir closed",
        2,
        "results folder closed: Permission denied",
        prepare=dated,
        powerless=True,
    ),
    "results in /proc": Case(
        f"{GOOD} --results-dir /proc/results", 2, "results folder /proc/results: .+--results-dir"
    ),
    **{
        f"B77 model name {name!r}": Case(
            f"{GOOD} --register-as {shlex.quote(name)}", 2, "--register-as: .* use letters, digits"
        )
        for name in ("a/b", "a:b", " ", "..", "<script>", "a\nb", "x" * 256)
    },
    **{
        f"B73 experiment {name!r}": Case(
            f"{GOOD} --experiment {shlex.quote(name)}", 2, "--experiment: must be 1 to 250 printable"
        )
        for name in ("", "  ", "a\nb", "\x1b[31m", "x" * 501)
    },
    "name of the sweep": Case(f"{GOOD} --name ''", 2, "--name: must be 1 to 250 printable"),
    "no data": Case(RUN, 2, r"data: none is named \(--data diabetes"),
    "data twice": Case(f"{GOOD} --data diabetes", 2, "--data and --table: name the data twice"),
    "no target named": Case(
        f"{RUN} --table table.csv", 2, r"--table: no target column named \(pass --target COL\)"
    ),
    "no validation rows": Case(
        f"{RUN} --train table.csv --target y", 2, r"--train: no rows to validate on \(pass"
    ),
    "test without train": Case(f"{GOOD} --test table.csv", 2, "--test: goes with --train"),
}

SPACES = {
    "unknown space": Case("run ridgee --data diabetes", 3, "unknown search space 'ridgee', did you mean 'ridge'.*lasso"),
    "unknown space, linted": Case("lint ridgee", 3, r"did you mean 'ridge'\?.*sweeps spaces"),
    "B14 missing": Case("run nowhere.py --data diabetes", 3, "space 'nowhere.py': no such file"),
    "B14 folder": Case("lint ./", 3, r"space '\.': is a folder \(give a \.py file in it\)"),
    "B14 other file": Case("lint ./table.csv", 3, "space 'table.csv': is not a .py file"),
    "B15 syntax error": Case(SPACE, 3, r"space odd\.py:1: SyntaxError: '\{' was never closed", odd("SPACE = {")),
    "B16 import fails": Case(SPACE, 3, r"space odd\.py: No module named 'foo' \(imported at line 2", odd("\nimport foo\n")),
    "B17 raises": Case(SPACE, 3, r"space odd\.py:1: ValueError: boom", odd("raise ValueError('boom')")),
    "B18 exits": Case(SPACE, 3, r"space odd\.py.*: called exit during import", odd("import sys\nsys.exit(0)\n")),
    "B18 exits at once": Case("lint odd.py", 3, "called exit during import", odd("import os\nos._exit(0)\n")),
    "B20 no UTF-8": Case(SPACE, 3, r"space odd\.py:1: not valid UTF-8 Python", odd(b"x = '\xff'")),
    "B20 NUL": Case("lint odd.py", 3, r"space odd\.py:1: .*null bytes", odd("x = '\0'")),
    "B21 no SPACE": Case(SPACE, 3, r"no attribute 'SPACE' \(found: PARAMS\)", odd("PARAMS = {}")),
    **{
        f"B22 SPACE is {value}": Case(SPACE, 3, r"SPACE must be a non-empty dict of hyperopt expressions, got", declares(value))
        for value in ("{}", "None", "5", "'abc'")
    },
    "B23 only constants": Case(SPACE, 3, "SPACE contains no hyperparameter", declares("{'alpha': 1}")),
    "B23 a lambda": Case(SPACE, 3, r"'alpha' is a lambda, not a hyperopt expression", declares("{'alpha': lambda: 1}")),
    "B24 duplicate label": Case(
        SPACE, 3, r"label 'a' is used by 'x' and 'y' \(give each", declares("{'x': hp.uniform('a', 0, 1), 'y': hp.uniform('a', 0, 1)}")
    ),
    "B25 label in two branches": Case(
        SPACE, 3, r"label 'a' appears in branches 0 and 1 of 'm' \(use 'm0_a'",
        declares("{'alpha': hp.choice('m', [hp.uniform('a', 0, 1), hp.uniform('a', 0, 2)])}"),
    ),
    **{
        f"B26 label {label!r}": Case(SPACE, 3, "label .* cannot be an MLflow name", declares(f"{{'alpha': hp.uniform({label!r}, 0, 1)}}"))
        for label in ("a%b", "lr (log)", "x[0]", "../x", "a//b", "a\nb")
    },
    "B27 reserved label": Case(SPACE, 3, "label 'mlflow.a' starts with mlflow", declares("{'alpha': hp.uniform('mlflow.a', 0, 1)}")),
    "B28 reversed": Case(SPACE, 3, r"'x': low 5 must be < high 1", declares("{'alpha': hp.uniform('x', 5, 1)}")),
    "B28 reversed, zero": Case(SPACE, 3, "'x': low 0 must be < high -5", declares("{'alpha': hp.uniform('x', 0, -5)}")),
    "B29 q is 0": Case(SPACE, 3, "'x': q must be > 0, got 0", declares("{'alpha': hp.quniform('x', 0, 5, 0)}")),
    "B29 infinite": Case(SPACE, 3, "'x': high must be finite", declares("{'alpha': hp.uniform('x', 0, float('inf'))}")),
    "B30 exponents": Case(SPACE, 3, r"'x': loguniform.* overflow.*log\(", declares("{'alpha': hp.loguniform('x', 1e-5, 1e5)}")),
    "B31 no options": Case(SPACE, 3, "'x': choice needs a non-empty list", declares("{'alpha': hp.choice('x', [])}")),
    "B32 weights": Case(SPACE, 3, "'x': probabilities sum to 0.4", declares("{'alpha': hp.pchoice('x', [(.2, 1), (.2, 2)])}")),
    "B33 no integer": Case(
        SPACE, 3, r"odd.py:3: max_depth draws \d\.0: RandomForestRegressor needs an int.*scope\.int",
        odd("from hyperopt import hp\nfrom sklearn.ensemble import RandomForestRegressor as MODEL\nSPACE = {'max_depth': hp.quniform('max_depth', 1, 9, 1)}"),
    ),
    "B34 unknown parameter": Case(SPACE, 3, "unknown parameter of Ridge 'bogus'; known: alpha", declares("{'bogus': hp.uniform('x', 0, 1)}")),
    "no model": Case(SPACE, 3, r"no MODEL, no train\(\).*\(MODEL = ", odd("from hyperopt import hp\nSPACE = {'a': hp.uniform('a', 0, 1)}")),
    "FIRST out of reach": Case(SPACE, 3, r"FIRST\[0\]: 'x'", declares("{'alpha': hp.uniform('x', 0, 1)}\nFIRST = [{'x': 7}]")),
    "FEATURES of a wrong kind": Case(SPACE, 3, "FEATURES must be 'auto', 'dataset' or", declares("{'alpha': hp.uniform('x', 0, 1)}\nFEATURES = 5")),
    "FEATURES that fail": Case(
        SPACE, 3, "FEATURES: .*nope",
        declares("{'alpha': hp.uniform('x', 0, 1)}\nfrom sklearn.compose import ColumnTransformer\nFEATURES = ColumnTransformer([('a', 'passthrough', ['nope'])])"),
    ),
    "FEATURES that give text": Case(
        SPACE, 3, "FEATURES: .*", {**declares("{'alpha': hp.uniform('x', 0, 1)}\nfrom sklearn.preprocessing import FunctionTransformer\nFEATURES = FunctionTransformer()"), "table.csv": GOOD_TABLE.replace("a,b,y", "a,b,y").replace(",0,", ",zero,").replace(",1,", ",one,").replace(",2,", ",two,").replace(",3,", ",three,").replace(",4,", ",four,").replace(",5,", ",five,").replace(",6,", ",six,")},
    ),
}  # fmt: skip

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
    "only the target": Case(f"{TABLE} odd.csv", 4, "no column but the target 'y'", csv("y\n" + "1\n" * 30)),
    "unknown category": Case(f"{GOOD} --categorical z", 4, r"no column 'z' to take as a category \(columns: a, b\)"),
    "split by nothing": Case(f"{GOOD} --split-by z", 4, r"--split-by z: .* no such column \(columns: a, b, y\)"),
    "function missing": Case(f"{RUN} --data odd.py:load", 4, r"unknown function 'load'.* known: lead", odd("def lead(): pass")),
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

STORES = {
    "B60 refused": Case(f"{STORE} http://127.0.0.1:{{closed}}", 5, r"MLflow http://127.0.0.1:\d+: connection refused"),
    "B60 refused, secret": Case(f"{STORE} http://me:{SECRET}@127.0.0.1:{{closed}}", 5, r"MLflow http://\*\*\*@127.0.0.1:\d+: connection refused"),
    "B60 refused, secret with @": Case(f"list --tracking-uri http://me:a@{SECRET}/@127.0.0.1:{{closed}}", 5, r"http://\*\*\*@"),
    "B60 silent": Case(f"{STORE} http://127.0.0.1:{{silent}}", 5, "no answer within"),
    "B60 unknown host": Case("list --tracking-uri http://nowhere.invalid", 5, "unknown host|no answer within"),
    "B61 no MLflow": Case(f"{STORE} http://127.0.0.1:{{web}}", 5, "answered, but is not an MLflow server"),
    "B62 not authorised": Case("show last --tracking-uri http://127.0.0.1:{locked}", 5, r"not authorised.*MLFLOW_TRACKING_USERNAME"),
    "B64 scheme": Case(f"{STORE} ftp://host", 5, "MLflow URI 'ftp://host': scheme must be sqlite, postgresql, http, https"),
    "B64 scheme, environment": Case("list", 5, "scheme must be", env={"MLFLOW_TRACKING_URI": "foo://x"}),
    "B65 two slashes": Case(f"{STORE} sqlite://x.db", 5, r"MLflow URI 'sqlite://x.db': .*\(write sqlite:///x.db\)"),
    "B66 file store": Case(f"{STORE} ./mlruns", 5, r"file store is not supported.*\(use sqlite:///mlflow.db\)"),
    "B66 file scheme": Case("best last --tracking-uri file:///tmp/mlruns", 5, "file store is not supported"),
    "B68 a folder": Case(f"{STORE} sqlite:///closed", 5, "sqlite .*closed: is a directory", prepare=dated),
    "B68 parent is a file": Case(f"{STORE} sqlite:///table.csv/x.db", 5, r"sqlite .*x.db: .*\("),
    "B68 parent missing": Case(f"{STORE} sqlite:///none/x.db", 5, r"folder .*none does not exist \(mkdir -p"),
    "B69 folder closed": Case(f"{STORE} sqlite:///closed/x.db", 5, r"sqlite .*x.db: permission denied \(", prepare=dated, powerless=True),
    "B69 read-only": Case(GOOD, 5, r"sqlite .*mlflow.db: (read-only|cannot be opened|its folder)", store=True, prepare=read_only, powerless=True),
    "B69 /proc": Case("run space.py --table table.csv --target y --tracking-uri sqlite:////proc/x.db", 5, r"sqlite /proc/x.db: .*\("),
    "B70 no database": Case(f"{STORE} sqlite:///table.csv", 5, r"not a valid database .*\(restore it"),
    "B70 no database, to read": Case("list --tracking-uri sqlite:///table.csv", 5, "not a valid database"),
    "B71 foreign": Case(f"{STORE} sqlite:///odd.db", 5, "holds tables but none of MLflow's; refusing", prepare=database("CREATE TABLE t (x);")),
    "B72 half-made": Case(f"{STORE} sqlite:///odd.db", 5, r"half-created.*\(", prepare=database("CREATE TABLE experiments (x);")),
    "B72 newer": Case(f"{STORE} sqlite:///odd.db", 5, r"schema zzz is newer than this MLflow.*\(upgrade mlflow\)", prepare=database("CREATE TABLE runs (x); CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('zzz');")),
    "B60 postgres, secret": Case(f"{STORE} postgresql://me:{SECRET}@127.0.0.1:{{closed}}/db", 5, r"postgresql://\*\*\*@127.0.0.1:\d+/db: connection refused|psycopg"),
    "postgres, secret in the query": Case(f"list --tracking-uri postgresql://127.0.0.1:{{closed}}/db?password={SECRET}", 5, "postgresql://"),
    "B74 deleted experiment": Case(f"{GOOD} --experiment gone", 5, r"experiment 'gone': is deleted \(restore: mlflow experiments restore", store=True),
    "B75 registry": Case(GOOD, 5, "MLFLOW_REGISTRY_URI: MLflow URI 'databricks-uc': scheme must be", env={"MLFLOW_REGISTRY_URI": "databricks-uc"}),
    "no store to show": Case("show last", 5, r"no such file.*\(`sweeps run` makes it"),
    "no store to promote": Case("promote last", 5, "no such file, so no sweep is in it"),
    "no store for best": Case("best last", 5, "no such file"),
    "no store for ui": Case("ui last", 5, "no such file"),
}  # fmt: skip

SWEEPS = {
    **{
        f"{command}: unknown sweep": Case(f"{command} nobody", 2, r"sweep 'nobody': no such sweep; recent: .*\(searched sqlite", store=True)
        for command in ("show", "best", "promote", "ui")
    },
    "same name twice": Case("show twin", 2, r"sweep 'twin': means \d+ sweeps: twin \(.*\(use more of the id\)", store=True),
    "ambiguous beginning": Case("best {prefix}", 2, r"sweep '\w': means \d+ sweeps: .*\(use more of the id\)", store=True),
    "unknown trial": Case("show other-data 9", 2, "trial 9: sweep other-data has no such finished trial: .*0 to 0", store=True),
    "trial that is no number": Case("show other-data x", 2, "must be a whole number >= 0, got 'x'", store=True),
    "trials to show": Case("show other-data --trials 0", 2, "--trials: must be a whole number", store=True),
    "how many best": Case("best other-data --top 0", 2, "--top: must be a whole number", store=True),
    "port": Case("ui --port 0", 2, "--port: must be a whole number from 1 to 65535"),
    "unknown experiment": Case("list --experiment tablet", 2, r"unknown experiment 'tablet', did you mean 'table'\?", store=True),
    "best of nothing": Case("best hopeless", 6, r"sweep hopeless: no trial has an rmse \(sweeps show", store=True),
    "B80 promote nothing": Case("promote hopeless", 6, "sweep hopeless: no trial is COMPLETE", store=True),
    "promote: other data": Case("promote other-data", 4, r"data table.csv: was changed since the sweep .*\(bring the old data back", store=True),
    "promote: other space": Case("promote other-space", 3, r"space space: was changed since the sweep.*\(bring back", store=True),
    "promote: no data": Case("promote other-space", 4, "--table table.csv: no such file", store=True, prepare=lambda folder: (folder / "table.csv").unlink()),
    "promote: no settings": Case("promote no-settings", 5, r"sweep no-settings: .*settings", store=True),
    "promote: model name": Case("promote other-space --as a/b", 2, "--as: 'a/b': use letters", store=True),
}  # fmt: skip

CASES = {**COMMAND_LINE, **SPACES, **DATASETS, **STORES, **SWEEPS}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What stands in braces in the cases; and everything heavy is imported before a clock runs."""
    import sweeps.api.promote
    import sweeps.api.session  # noqa: F401

    made = tmp_path_factory.mktemp("made")
    make_files(made)
    prefix = make_store(made)
    with ExitStack() as stack:
        yield {
            "closed": str(free_port()),
            "silent": str(stack.enter_context(silent_server())),
            "web": str(stack.enter_context(web_server(200, "<html>hello</html>"))),
            "locked": str(stack.enter_context(web_server(401, "who are you?"))),
            "made": str(made),
            "prefix": prefix,
        }


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An open folder to stand in, with a good space and a good table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        monkeypatch.chdir(folder)
        make_files(folder)
        yield folder
        monkeypatch.undo()


def arrange(case: Case, here: Path, places: Mapping[str, str]) -> list[str]:
    """Put what a case needs into the folder; give its words."""
    for name, content in case.files.items():
        (here / name).write_bytes(content.encode() if isinstance(content, str) else content)
    if case.store:
        (here / "mlflow.db").write_bytes(Path(places["made"], "mlflow.db").read_bytes())
    if case.prepare is not None:
        case.prepare(here)
    return [word.format(**places) for word in shlex.split(case.words)]


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """All that lies in a folder, but for the store, which is looked into."""
    ours = ("mlflow.db", "mlflow.db-wal", "mlflow.db-shm")
    paths = [p for p in folder.rglob("*") if p.name not in ours]
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in paths}


def judge(case: Case, code: object, out: str, err: str) -> None:
    """Hold what a program said against what it should have said."""
    *earlier, line = err.splitlines() or [""]
    assert re.search(f"^error: (.*{case.said})", line), err
    assert code == case.code, line
    assert out == ""
    assert all(other.startswith("warning: ") for other in earlier), err
    assert "Traceback" not in err
    assert SECRET not in err


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_bad_input_gets_one_line(
    case: Case,
    here: Path,
    places: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = arrange(case, here, places)
    for name in OUR_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in case.env.items():
        monkeypatch.setenv(name, value.format(**places))
    monkeypatch.setattr(sys, "argv", ["sweeps", *words])
    before, runs = snapshot(here), count_runs(here / "mlflow.db")
    capfd.readouterr()
    began = time.monotonic()
    with ExitStack() as stack:
        if case.powerless:
            os.chown(here, *NOBODY) if os.geteuid() == 0 else None
            stack.enter_context(without_privilege())
        end = stack.enter_context(pytest.raises(SystemExit))
        main()
    seconds = time.monotonic() - began
    judge(case, end.value.code, *capfd.readouterr())
    assert (snapshot(here), count_runs(here / "mlflow.db")) == (before, runs)
    assert seconds < SECONDS


def in_a_process(code: str, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python code as a program of its own, as a user's shell would."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    kept = {k: v for k, v in os.environ.items() if k not in OUR_VARIABLES}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder, env=kept | {"PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["B2 trials '0'", "B17 raises", "B39 header only", "B60 silent", "B74 deleted experiment"]
)
def test_a_real_process_says_the_same(name: str, here: Path, places: Mapping[str, str]) -> None:
    case = CASES[name]
    words = [word.replace("serial", "local") for word in arrange(case, here, places)]  # with real workers
    before, runs = snapshot(here), count_runs(here / "mlflow.db")
    done = in_a_process("from sweeps.cli.main import main; main()", words, here)
    judge(case, done.returncode, done.stdout, done.stderr)
    assert (snapshot(here), count_runs(here / "mlflow.db")) == (before, runs)


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "run --help",
        "spaces",
        "list",
        "rum",
        "run xgboost --data diabetes --trials 0",
        "run nowhere --data diabetes",
        "run xgboost --data nowhere",
        "run xgboost --table nowhere.csv --target y",
        "run xgboost --data diabetes --algo nowhere",
        "run xgboost --data diabetes --engine nowhere",
        "run xgboost --data diabetes --results-dir table.csv",
        "run xgboost --data diabetes --register-as a/b",
        "run xgboost --data diabetes --tracking-uri http://127.0.0.1:{closed}",
        "run xgboost --data diabetes --tracking-uri sqlite:///table.csv",
        "show last",
    ],
)
def test_what_needs_nothing_heavy_imports_nothing_heavy(words: str, here: Path) -> None:
    code = (
        "import sys\n"
        "from sweeps.cli.main import main\n"
        "try:\n    main()\n"
        f"finally:\n    print('heavy:', [m for m in {HEAVY} if m in sys.modules], file=sys.stderr)\n"
    )
    done = in_a_process(code, words.format(closed=free_port()).split(), here)
    assert done.stderr.splitlines()[-1] == "heavy: []"
    assert "this is a bug" not in done.stderr
