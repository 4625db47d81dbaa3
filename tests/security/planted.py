"""Secrets planted in addresses and in the environment, and the search for them in all that is left behind."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

SECRET = "SECRETPW-Zq7"  # noqa: S105 - planted, to be looked for
ENVIRONMENT = {
    "MLFLOW_TRACKING_PASSWORD": f"{SECRET}-mlflow",
    "MLFLOW_TRACKING_USERNAME": "admin",
    "AWS_SECRET_ACCESS_KEY": f"{SECRET}-aws",
    "AWS_ACCESS_KEY_ID": f"{SECRET}-id",
    "AZURE_STORAGE_CONNECTION_STRING": f"AccountKey={SECRET}-azure",
    "HF_TOKEN": f"{SECRET}-hf",
    "OPENAI_API_KEY": f"{SECRET}-openai",
    "PGPASSWORD": f"{SECRET}-pg",
    "MYSQL_PWD": f"{SECRET}-mysql",
    "DATABASE_URL": f"postgresql://me:{SECRET}-url@db.example/x",
    "HTTPS_PROXY": f"http://me:{SECRET}-proxy@proxy.example:3128",
}
HARMLESS = {
    "PWD": "/here",
    "COLUMNS": "120",
    "KEYBOARD": "de",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_THREADS": "1",
}


def found_in(folder: Path) -> list[str]:
    """Name every file below a folder whose content or name holds the secret; databases by every cell."""
    paths = list(folder.rglob("*"))
    named = [str(path) for path in paths if SECRET in path.name]
    holding = [str(path) for path in paths if path.is_file() and SECRET.encode() in path.read_bytes()]
    stored = [f"{db}: {cell}" for db in folder.rglob("*.db") for cell in cells(db) if SECRET in cell]
    return [*named, *holding, *stored]


def cells(database: Path) -> Iterator[str]:
    """Give every value in every table, as text."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - its own names
                yield from map(str, row)
