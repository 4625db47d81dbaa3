"""Stores that cannot be used, exit code 5; sweeps that are not there or cannot be promoted."""
# ruff: noqa: E501 - one mistake a line reads as the table it is

import shlex
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.bad.case import GOOD, SECRET, STORE, Case, closed, private


def database(sql: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "odd.db")) as connection:
            connection.executescript(sql)

    return make


def read_only(folder: Path) -> None:
    (folder / "mlflow.db").chmod(0o444)
    folder.chmod(0o755)


STORES = {
    "B60 refused": Case(f"{STORE} http://127.0.0.1:{{closed}}", 5, r"MLflow http://127.0.0.1:\d+: connection refused"),
    "B60 refused, secret": Case(f"{STORE} http://me:{SECRET}@127.0.0.1:{{closed}}", 5, r"MLflow http://\*\*\*@127.0.0.1:\d+: connection refused"),
    "B60 refused, secret with @": Case(f"list --tracking-uri http://me:a@{SECRET}/@127.0.0.1:{{closed}}", 5, r"http://\*\*\*@"),
    "B60 silent": Case(f"{STORE} http://127.0.0.1:{{silent}}", 5, "no answer within"),
    "B60 unknown host": Case("list --tracking-uri http://nowhere.invalid", 5, "unknown host|no answer within"),
    **{
        f"no address {uri}": Case(f"{STORE} {shlex.quote(uri)}", 5, r"is no web address \(write http://HOST:PORT\)")
        for uri in ("http://[::1", "http://h h", "http://h:port", "http://:5000", f"http://me:{SECRET}@h:port")
    },
    "no host": Case(f"{STORE} http://", 5, r"names no host \(write http://HOST"),
    "no PostgreSQL address": Case(f"{STORE} postgresql://h:port/db", 5, r"is no address \(write postgresql://HOST:PORT/NAME\)|psycopg"),
    "no such driver": Case(f"{STORE} sqlite+foo:///a.db", 5, r"no driver 'sqlite\+foo' \(write sqlite:///a.db\)"),
    "in memory": Case(f"{STORE} sqlite:///:memory:", 5, r"names no file \(write sqlite:///mlflow.db\)"),
    "percent in a path": Case(f"{STORE} sqlite:///a%41b.db", 5, r"cannot open a path with '%'.*\(name another file\)"),
    "long name of a store": Case(f"{STORE} sqlite:///{'x' * 300}.db", 5, "file name too long"),
    "store in a closed folder": Case("show last --tracking-uri sqlite:///private/x.db", 5, "sqlite .*private/x.db: permission denied", prepare=private, powerless=True),
    "B76 old server": Case(f"{STORE} http://127.0.0.1:{{old}}", 5, "MLflow server 2.9.0 at http.*: too old, 3.x required"),
    "B61 no MLflow": Case(f"{STORE} http://127.0.0.1:{{web}}", 5, "answered, but is not an MLflow server"),
    "B62 not authorised": Case("show last --tracking-uri http://127.0.0.1:{locked}", 5, r"not authorised.*MLFLOW_TRACKING_USERNAME"),
    "B63 host": Case(f"{STORE} http://127.0.0.1:{{host}}", 5, r"the server rejects this host name \(see its --allowed-hosts\)"),
    "B67 no driver": Case(f"{STORE} postgresql+pg8000://me:{SECRET}@127.0.0.1:{{closed}}/db", 5, r"MLflow URI postgresql\+pg8000://\*\*\*@127.*: driver 'pg8000' is not installed \(pip install"),
    "B64 scheme": Case(f"{STORE} ftp://host", 5, "MLflow URI 'ftp://host': scheme must be sqlite, postgresql, http, https"),
    "B64 scheme, environment": Case("list", 5, "scheme must be", env={"MLFLOW_TRACKING_URI": "foo://x"}),
    "B65 two slashes": Case(f"{STORE} sqlite://x.db", 5, r"MLflow URI 'sqlite://x.db': .*\(write sqlite:///x.db\)"),
    "B66 file store": Case(f"{STORE} ./mlruns", 5, r"file store is not supported.*\(use sqlite:///mlflow.db\)"),
    "B66 file scheme": Case("best last --tracking-uri file:///tmp/mlruns", 5, "file store is not supported"),
    "B68 a folder": Case(f"{STORE} sqlite:///closed", 5, "sqlite .*closed: is a directory", prepare=closed),
    "B68 parent is a file": Case(f"{STORE} sqlite:///table.csv/x.db", 5, r"sqlite .*x.db: .*\("),
    "B68 parent missing": Case(f"{STORE} sqlite:///none/x.db", 5, r"folder .*none does not exist \(mkdir -p"),
    "B69 folder closed": Case(f"{STORE} sqlite:///closed/x.db", 5, r"sqlite .*x.db: permission denied \(", prepare=closed, powerless=True),
    "B69 read-only": Case(GOOD, 5, r"sqlite .*mlflow.db: (read-only|cannot be opened|its folder)", store=True, prepare=read_only, powerless=True),
    "B69 disk full": Case(GOOD, 5, r"sqlite .*mlflow.db: (the disk is full|the disk cannot be written|file too large)", store=True, full=True),
    "B69 disk full, no store": Case(GOOD, 5, r"sqlite .*mlflow.db: file too large \(", full=True, announced=True),
    "B69 /proc": Case("run space.py --table table.csv --target y --tracking-uri sqlite:////proc/x.db", 5, r"sqlite /proc/x.db: .*\("),
    "B70 no database": Case(f"{STORE} sqlite:///table.csv", 5, r"not a valid database .*\(restore it"),
    "B70 no database, to read": Case("list --tracking-uri sqlite:///table.csv", 5, "not a valid database"),
    "B71 foreign": Case(f"{STORE} sqlite:///odd.db", 5, "holds tables but none of MLflow's; refusing", prepare=database("CREATE TABLE t (x);")),
    "B72 half-made": Case(f"{STORE} sqlite:///odd.db", 5, r"half-created.*\(", prepare=database("CREATE TABLE experiments (x);")),
    "B72 older": Case(f"{STORE} sqlite:///odd.db", 5, r"schema 451aebb31d03 is older than this MLflow's .*\(back it up, then: mlflow db upgrade", prepare=database("CREATE TABLE runs (x); CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('451aebb31d03');")),
    "B72 newer": Case(f"{STORE} sqlite:///odd.db", 5, r"schema zzz is newer than this MLflow.*\(upgrade mlflow\)", prepare=database("CREATE TABLE runs (x); CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('zzz');")),
    "B60 postgres, secret": Case(f"{STORE} postgresql://me:{SECRET}@127.0.0.1:{{closed}}/db", 5, r"postgresql://\*\*\*@127.0.0.1:\d+/db: connection refused|psycopg"),
    "postgres, secret in the query": Case(f"list --tracking-uri postgresql://127.0.0.1:{{closed}}/db?password={SECRET}", 5, "postgresql://"),
    "B74 deleted experiment": Case(f"{GOOD} --experiment gone", 5, r"experiment 'gone': is deleted \(restore: mlflow experiments restore", store=True, announced=True),
    "B75 registry": Case(GOOD, 5, "MLFLOW_REGISTRY_URI: MLflow URI 'databricks-uc': scheme must be", env={"MLFLOW_REGISTRY_URI": "databricks-uc"}),
    "no store to show": Case("show last", 5, r"no such file.*\(`sweeps run` makes it"),
    "no store to promote": Case("promote last", 5, "no such file, so no sweep is in it"),
    "no store for best": Case("best last", 5, "no such file"),
    "no store for ui": Case("ui last", 5, "no such file"),
}  # fmt: skip

SWEEPS = {
    **{
        f"{command}: unknown sweep": Case(f"{command} nobody", 2, r"sweep 'nobody': no such sweep; recent: .*\(searched sqlite", store=True)
        for command in ("show", "best", "promote", "ui", "stop", "delete")
    },
    "B8 resume: other space": Case("resume other-space", 3, r"was changed since sweep other-space began: .*--accept-changes", store=True, announced=True),
    # 2 as everywhere, and not 5: it is the word that is wrong, see docs/decisions/0033-what-is-no-mistake.md
    "B9 resume: unknown": Case("resume nobody", 2, r"sweep 'nobody': no such sweep; recent: ", store=True),
    "B9 resume: malformed": Case("resume 'no body'", 2, r"sweep 'no body': no such sweep", store=True),
    "restore: not deleted": Case("restore other-data", 2, "no deleted sweep is in this store", store=True),
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
