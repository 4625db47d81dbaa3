"""Does a database hold MLflow's tables, in the version this MLflow works with?"""

import ast
import importlib.util
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sweeps.errors import StoreError

CORE = frozenset({"experiments", "runs", "tags", "params", "metrics"})
BOOKKEEPING = "alembic_version"


@dataclass(frozen=True)
class Revisions:
    """MLflow's schema versions."""

    head: str
    known: frozenset[str]


_ASSIGNED = re.compile(r"^(revision|down_revision)\b[^=\n]*=\s*(.+?)\s*(?:#.*)?$", re.MULTILINE)


@cache
def revisions() -> Revisions:
    """Read them from the text of the installed MLflow's migration scripts.

    Alembic would run the scripts, and so import all of MLflow: a second before a worker may start.
    """
    spec = importlib.util.find_spec("mlflow")
    folder = Path(str(spec.origin)).parent / "store" / "db_migrations" / "versions" if spec else Path()
    scripts = [_assigned(path.read_text("utf-8")) for path in sorted(folder.glob("*.py"))]
    known = frozenset(script["revision"] for script in scripts if "revision" in script)
    [head] = known.difference(*(_parents(script.get("down_revision")) for script in scripts))
    return Revisions(head, known)


def _parents(down: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """A script follows one other, none, or several that it merges."""
    return (down,) if isinstance(down, str) else down or ()


def _assigned(source: str) -> dict[str, Any]:
    return {name: ast.literal_eval(value) for name, value in _ASSIGNED.findall(source)}


def is_empty(tables: Iterable[str]) -> bool:
    """Whether a database holds nothing yet."""
    return not set(tables) - {BOOKKEEPING}


def is_begun(tables: Iterable[str], current: str | None) -> bool:
    """Whether MLflow's first tables are there and nothing else, from which it goes on by itself.

    It makes them in a transaction of their own; whoever is killed after that one leaves them so.
    """
    return current is None and set(tables) - {BOOKKEEPING} == CORE


def check_foreign(what: str, tables: Iterable[str]) -> None:
    """Refuse the database of another application, to which MLflow would add its own tables.

    Raises:
        StoreError: no table of MLflow is in it.
    """
    if not CORE & set(tables):
        raise StoreError(
            what, "holds tables but none of MLflow's; refusing to add any", "name another database"
        )


def check_version(what: str, current: str | None, uri: str) -> None:
    """Refuse a schema that the installed MLflow does not work with.

    Args:
        what: the database, as named in messages.
        current: its schema version; None where none is recorded.
        uri: as it may be printed, for the command to upgrade.

    Raises:
        StoreError: it is older, newer or half-made.
    """
    if current is None:
        raise StoreError(what, "half-created by a killed process", "restore it from a backup, or delete it")
    if current == revisions().head:
        return
    if current in revisions().known:
        next_step = (
            f"back it up, then: mlflow db upgrade {uri}; if that fails it is half-created: restore a backup"
        )
        raise StoreError(
            what, f"schema {current} is older than this MLflow's ({version('mlflow')})", next_step
        )
    raise StoreError(
        what, f"schema {current} is newer than this MLflow ({version('mlflow')})", "upgrade mlflow"
    )
