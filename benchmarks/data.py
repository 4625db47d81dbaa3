"""The data of the benchmarks, as ``--data`` of ``sweeps run`` names it."""

from collections.abc import Iterable

from sweeps.data.months import PREFIX, data_folder, require_months
from sweeps.errors import DataError

DATA = {"diabetes": "diabetes", "green-taxi": "green-taxi:2023-01,2023-02"}


def require(names: Iterable[str]) -> None:
    """Make sure that the data is known and at hand.

    Raises:
        SystemExit: it is not; says what to type.
    """
    for name in names:
        if name not in DATA:
            raise SystemExit(f"error: --data: no data {name}; known: {', '.join(DATA)}")
        if DATA[name].startswith(PREFIX):
            try:
                require_months(DATA[name], data_folder(None))
            except DataError as error:
                raise SystemExit(f"error: {error}") from error
