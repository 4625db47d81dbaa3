"""Tables of trials that fit the width they are given."""

from collections.abc import Sequence

from sweeps.errors import one_line
from sweeps.report.tables import Cell, flat
from sweeps.trial import Finished
from sweeps.wording import figure, figures

Column = tuple[str, list[str]]
"""A header and its cells."""

GAP = 2
"""Blanks between two columns, as rich sets them."""

EMPTY = figure(None)

LONGEST = 28
"""Letters of a param's value that a table shows."""


def params_of(finished: Finished) -> dict[str, Cell]:
    """Give a trial's params by dotted name."""
    return flat(finished.trial.proposal.params)


def shared_params(trials: Sequence[Finished]) -> dict[str, Cell]:
    """Give the params that have one value in all of several trials."""
    return shared_among([params_of(t) for t in trials])


def shared_among(rows: Sequence[dict[str, Cell]]) -> dict[str, Cell]:
    """Give the params that have one value in all of several rows."""
    if len(rows) < 2:
        return {}
    first, *others = rows
    return {n: v for n, v in first.items() if all(n in other and other[n] == v for other in others)}


def fitted(
    fixed: Sequence[Column], trials: Sequence[Finished], width: int | None
) -> tuple[list[Column], list[str]]:
    """Add the params that differ between the trials to the fixed columns, as far as there is room.

    Trials of one family get a column for each param; where most cells would stay empty, one column holds all.

    Args:
        fixed: the columns before the params.
        trials: one for each row.
        width: columns of the terminal; None: there is no limit.

    Returns:
        The columns, and the names of the params that found no room.
    """
    return fitted_params(fixed, [params_of(t) for t in trials], width)


def fitted_params(
    fixed: Sequence[Column],
    rows: Sequence[dict[str, Cell]],
    width: int | None,
    among: Sequence[dict[str, Cell]] | None = None,
) -> tuple[list[Column], list[str]]:
    """Do the same for params by dotted name, one dict for each row.

    Args:
        fixed: see above.
        rows: likewise.
        width: likewise.
        among: what differs between these has a column; the rows themselves by default.
    """
    shared = shared_among(rows if among is None else among)
    names = [
        n
        for n in dict.fromkeys(n for row in rows for n in sorted(row, key=lambda n: (n != "model", n)))
        if n not in shared
    ]
    used = sum(_breadth(column) + GAP for column in fixed)
    if sum(n in row for row in rows for n in names) < 0.7 * len(rows) * len(names):
        return [*fixed, _in_one([{n: row[n] for n in names if n in row} for row in rows], width, used)], []
    columns = [(one_line(n), value_texts([row.get(n, EMPTY) for row in rows])) for n in names]
    if width is not None and used + sum(_breadth(c) + GAP for c in columns) - GAP > width:
        columns = [(broken(header), cells) for header, cells in columns]
    return _take(fixed, columns, names, width)


def assignments(params: dict[str, Cell]) -> str:
    """Write params as ``name=value name=value``."""
    return " ".join(f"{one_line(name)}={value_text(value)}" for name, value in params.items())


def value_texts(values: Sequence[Cell]) -> list[str]:
    """Write a column of values of one param."""
    numbers = [None if v == EMPTY else v for v in values if v == EMPTY or isinstance(v, float)]
    if len(numbers) == len(values):
        return figures([v for v in numbers if not isinstance(v, str)], 4)
    return [value_text(v) for v in values]


def value_text(value: Cell) -> str:
    """Write a param's value; a long one is cut."""
    if isinstance(value, float):
        return figure(value + 0.0, 4)  # -0.0 reads as a fault
    text = one_line(str(value))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def broken(header: str) -> str:
    """Break a header after its underscores and dots, so that a column of numbers stays narrow."""
    lines = [""]
    for word in header.replace("_", "_\n").replace(".", ".\n").split("\n"):
        if len(lines[-1]) + len(word) <= 8:
            lines[-1] += word
        else:
            lines.append(word)
    return "\n".join(line for line in lines if line)


def _take(
    fixed: Sequence[Column], columns: Sequence[Column], names: Sequence[str], width: int | None
) -> tuple[list[Column], list[str]]:
    taken, used = list(fixed), sum(_breadth(c) + GAP for c in fixed)
    for position, column in enumerate(columns):
        used += _breadth(column) + GAP
        if width is not None and used - GAP > width:
            return taken, list(names[position:])
        taken.append(column)
    return taken, []


def _in_one(rows: Sequence[dict[str, Cell]], width: int | None, used: int) -> Column:
    room = None if width is None else max(width - used, 20)
    texts = [assignments(row) for row in rows]
    return "params", [t if room is None or len(t) <= room else f"{t[: room - 1].rstrip('…')}…" for t in texts]


def _breadth(column: Column) -> int:
    header, cells = column
    return max(map(len, [*header.split("\n"), *cells]))
