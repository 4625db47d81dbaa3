"""Can this PostgreSQL database be used?"""

from typing import TYPE_CHECKING

from sweeps.errors import StoreError
from sweeps.tracking.deadline import AT_ONCE, ELSEWHERE, within
from sweeps.tracking.schema_version import BOOKKEEPING, check_foreign, check_version, is_begun, is_empty

if TYPE_CHECKING:
    from sqlalchemy import Connection

Found = tuple[list[str], str | None]


def probe_postgresql(uri: str, shown: str) -> None:
    """Connect and look at the tables; an empty database is fine, MLflow fills it in two transactions.

    Raises:
        StoreError: driver missing, unreachable, foreign, or of another schema version.
    """
    what = f"MLflow {shown}"
    tables, current = within(AT_ONCE, what, lambda: _look(uri, what))
    if is_empty(tables) or is_begun(tables, current):
        return
    check_foreign(what, tables)
    check_version(what, current, shown)


def _look(uri: str, what: str) -> Found:
    import sqlalchemy
    from sqlalchemy import exc

    try:
        engine = sqlalchemy.create_engine(
            uri, poolclass=sqlalchemy.NullPool, connect_args={"connect_timeout": 4}
        )
        with engine.connect() as connection:
            tables = sqlalchemy.inspect(connection).get_table_names()
            return tables, _version(connection) if BOOKKEEPING in tables else None
    except ModuleNotFoundError as error:
        driver = f"driver {error.name!r} is not installed"
        raise StoreError(
            f"MLflow URI {what.removeprefix('MLflow ')}", driver, "pip install 'sweeps[postgres]'"
        ) from None
    except ValueError:  # its text may hold the password
        raise StoreError(what, "is no address", "write postgresql://HOST:PORT/NAME") from None
    except exc.SQLAlchemyError as error:
        raise StoreError(what, _reason(error), ELSEWHERE) from None


def _version(connection: "Connection") -> str | None:
    from sqlalchemy import text

    return connection.execute(text(f"SELECT version_num FROM {BOOKKEEPING}")).scalar()  # noqa: S608 - our own constant


def _reason(error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or error)
    if "refused" in cause.lower():
        return "connection refused"
    return cause.split("\n", 1)[0][:250]
