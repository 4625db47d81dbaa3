"""Is this a store we can use? Cheap questions with a deadline, before MLflow and its minutes of retries."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from sweeps.credentials import redact
from sweeps.errors import StoreError
from sweeps.tracking.deadline import AT_ONCE, Patience, within

SCHEMES = ("sqlite", "postgresql", "http", "https")


def scheme_of(uri: str) -> str:
    """Give the scheme of a URI without its driver: ``postgresql`` for ``postgresql+psycopg://…``."""
    return uri.split(":", 1)[0].split("+", 1)[0].lower() if ":" in uri else ""


def shown(uri: str) -> str:
    """Give a URI as it may be printed: without user, password and query."""
    return redact(uri).split("?", 1)[0]


def canonical(uri: str) -> str:
    """Check the form of a store's URI; make a SQLite path absolute.

    Raises:
        StoreError: it is of no kind we know, or written wrongly.
    """
    what, scheme = f"MLflow URI {shown(uri)!r}", scheme_of(uri)
    if scheme in ("", "file"):
        raise _no_scheme(what, uri)
    if scheme not in SCHEMES:
        raise _unknown_scheme(what)
    if scheme == "sqlite":
        return _canonical_sqlite(what, uri)
    if "://" not in uri or not uri.split("://", 1)[1].strip("/"):
        raise StoreError(what, "names no host", f"write {scheme}://HOST…")
    if scheme != "postgresql":  # whose passwords may hold what no web address can
        _check_address(what, uri)
    return uri.rstrip("/")


def probe(uri: str, make: bool = True, patience: Patience = AT_ONCE) -> None:
    """Ask the store behind a canonical URI whether it can be used.

    Args:
        uri: the store.
        make: whether a missing SQLite file is made, or only asked whether it could be.
        patience: with a server.

    Raises:
        StoreError: it cannot.
    """
    scheme = scheme_of(uri)
    if scheme == "sqlite":
        from sweeps.tracking.sqlite import check_sqlite, ensure_sqlite, path_of

        (ensure_sqlite if make else check_sqlite)(path_of(uri))
    elif scheme == "postgresql":
        from sweeps.tracking.probe_sql import probe_postgresql

        probe_postgresql(uri, shown(uri))
    else:
        from sweeps.tracking.probe_http import probe_http

        within(patience, f"MLflow {shown(uri)}", lambda: probe_http(uri, shown(uri), patience.seconds))


def _check_address(what: str, uri: str) -> None:
    try:
        parts = urlsplit(uri)
        sound = parts.hostname is not None and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or re.search(r"\s", uri):
        raise StoreError(what, "is no web address", "write http://HOST:PORT")


def _unknown_scheme(what: str) -> StoreError:
    return StoreError(what, f"scheme must be {', '.join(SCHEMES)}", "such as sqlite:///mlflow.db")


def _no_scheme(what: str, uri: str) -> StoreError:
    if uri.endswith((".db", ".sqlite", ".sqlite3")) and ":" not in uri:
        return StoreError(what, "names no scheme", f"write sqlite:///{uri}")
    if uri.startswith("databricks"):
        return _unknown_scheme(what)
    return StoreError(what, "the file store is not supported by MLflow 3.17", "use sqlite:///mlflow.db")


def _canonical_sqlite(what: str, uri: str) -> str:
    prefix, _, rest = uri.partition(":///")
    name, mark, query = rest.partition("?")
    if "+" in prefix and prefix != "sqlite+pysqlite":
        raise StoreError(what, f"no driver {prefix!r}", f"write sqlite:///{name}")
    if not name or name == ":memory:" or "/" in prefix:
        guess = uri.partition(":")[2].strip("/")
        hint = guess if guess and guess != ":memory:" else "mlflow.db"
        raise StoreError(what, "names no file", f"write sqlite:///{hint}")
    path = Path(os.path.abspath(name))  # noqa: PTH100 - keeps symbolic links
    if "%" in str(path):  # some versions of SQLAlchemy decode it, and would open another file than we do
        raise StoreError(what, f"MLflow cannot open a path with '%': {path}", "name another file")
    return f"{prefix}:///{path}{mark}{query}"
