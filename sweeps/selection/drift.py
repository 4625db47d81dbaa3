"""Are held-out rows distributed like those that a model learned from? Column by column, with figures.

A difference is told only where chance does not explain it and it is no trifle. Every distance is a share of
rows: so many of them, at least, lie elsewhere. See docs/decisions/0028-drift-is-told-and-blocks-nothing.md.
"""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sweeps.data.column_roles import names_rows
from sweeps.data.columns import kind_of
from sweeps.selection.distances import Distance, between_shares, kolmogorov_smirnov, total_variation

LIMITS = {"values": 0.1, "missing": 0.05, "unseen": 0.05}
"""From where a distance is no trifle: gaps and new categories break models at smaller shares."""
CHANCE = 0.01
"""How often a comparison of alike rows, all columns together, may find a difference."""
APART = 0.95
"""Dates that are so far apart are those of a split by time."""
MOST_ROWS, MOST_CELLS = 50_000, 4_000_000
"""Numbers of so many rows of each split, and in all columns together, are looked at: a sample says enough."""
FEWEST_ROWS = 1000
SHOWN, LISTED, LONGEST = 3, 10, 40
"""Columns a warning describes, names it lists besides, and letters of a value."""
BY_TIME = "the rows are split by time, so they are later"
BY_ORDER = "the rows are split in the order of it"


@dataclass(frozen=True)
class Shift:
    """One column in one respect: how far the held-out rows are from the training rows."""

    column: str
    what: str
    """``values``, ``missing`` (the share of gaps) or ``unseen`` (values that no training row has)."""
    distance: Distance
    figure: str
    """Both sides in words."""
    expected: str = ""
    """Why it differs by construction; empty where it should not."""

    def drifted(self, comparisons: int) -> bool:
        """Whether it is neither chance, among so many comparisons, nor a trifle, nor to be expected."""
        found = not self.expected and self.distance.p * comparisons < CHANCE
        return found and self.distance.beyond_chance >= LIMITS[self.what]


@dataclass(frozen=True)
class Drift:
    """The held-out rows against the training rows."""

    split: str
    """``test`` or ``validation``."""
    rows: int
    training_rows: int
    target: str
    shifts: tuple[Shift, ...]
    """Every comparison, in the order of the columns, the target first."""
    left_out: tuple[str, ...] = ()
    """Columns that name rows: they differ by nature."""

    @cached_property
    def drifted(self) -> tuple[Shift, ...]:
        """The worst comparison of each column that drifted, the largest distance first."""
        found = [shift for shift in self.shifts if shift.drifted(len(self.shifts))]
        worst: dict[str, Shift] = {}
        for shift in sorted(found, key=lambda shift: -shift.distance.beyond_chance):
            worst.setdefault(shift.column, shift)
        return tuple(worst.values())

    @cached_property
    def expected(self) -> tuple[Shift, ...]:
        """The comparisons that differ by construction."""
        return tuple(shift for shift in self.shifts if shift.expected)

    @property
    def warnings(self) -> list[str]:
        """One sentence where something drifted, else none."""
        if not self.drifted:
            return []
        told = [f"{self._named(shift)} ({shift.figure})" for shift in self.drifted[:SHOWN]]
        if rest := [self._named(shift) for shift in self.drifted[SHOWN:]]:
            more = f" and {len(rest) - LISTED} more" if len(rest) > LISTED else ""
            told.append(f"also {', '.join(rest[:LISTED])}{more}")
        ordered = ", ".join(dict.fromkeys(shift.column for shift in self.expected))
        time = f"; a split in the order of {ordered} makes for some of it" if ordered else ""
        return [
            f"the {self.split} rows are not distributed like the training rows: {'; '.join(told)}{time}; "
            f"the rmse on them holds for rows like them"
        ]

    @property
    def summary(self) -> str:
        """What was found, in sentences."""
        head = (
            f"{self.warnings[0][0].upper()}{self.warnings[0][1:]}."
            if self.drifted
            else f"The {self.split} rows are distributed like the training rows: none of {len(self.shifts)} "
            f"comparisons of columns and target shows more than chance and trifles."
        )
        return " ".join([head, *(f"{s.column}: {s.figure}; {s.expected}." for s in self.expected)])

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON values: every comparison with its figures."""
        listed = [
            {
                "column": shift.column,
                "what": shift.what,
                **asdict(shift.distance),
                "figure": shift.figure,
                "expected": shift.expected,
                "drifted": shift.drifted(len(self.shifts)),
            }
            for shift in self.shifts
        ]
        return {
            "split": self.split,
            "rows": self.rows,
            "training_rows": self.training_rows,
            "drifted": [shift.column for shift in self.drifted],
            "left_out": list(self.left_out),
            "limits": {**LIMITS, "chance": CHANCE},
            "summary": self.summary,
            "comparisons": listed,
        }

    def _named(self, shift: Shift) -> str:
        return f"target {shift.column}" if shift.column == self.target else shift.column


def find_drift(
    train: pd.DataFrame,
    rows: pd.DataFrame,
    *,
    target: str,
    split: str = "test",
    categorical: Collection[str] = (),
    split_by: str | None = None,
    seed: int = 0,
) -> Drift:
    """Compare held-out rows with training rows, in every column.

    Args:
        train: normalised training rows, target included.
        rows: normalised held-out rows with the same columns.
        target: the column to predict.
        split: what the held-out rows are called.
        categorical: columns of numbers that are categories.
        split_by: the column in whose order the rows were split; None where they were not.
        seed: of the sample of large splits.
    """
    left_out = tuple(str(c) for c in train.columns if c != target and names_rows(train[c], c in categorical))
    columns = [c for c in (target, *(c for c in train.columns if c != target)) if c not in left_out]
    most = max(FEWEST_ROWS, min(MOST_ROWS, MOST_CELLS // len(columns)))
    draw = np.random.default_rng(seed)
    shifts = list[Shift]()
    for name in columns:
        pair = _Pair(str(name), train[name], rows[name], draw, most)
        shifts += pair.shifts(declared=name in categorical, ordered=name == split_by)
    return Drift(split, len(rows), len(train), target, tuple(shifts), left_out)


@dataclass(frozen=True)
class _Pair:
    """A column of both sides."""

    name: str
    train: "pd.Series[Any]"
    rows: "pd.Series[Any]"
    draw: np.random.Generator
    most: int

    def shifts(self, *, declared: bool, ordered: bool) -> Iterator[Shift]:
        """Compare the gaps, and the values where both sides have some."""
        here, there = self.rows.dropna(), self.train.dropna()
        gaps = len(self.rows) - len(here), len(self.train) - len(there)
        if any(gaps) and (len(here) or len(there)):
            yield self._missing(*gaps)
        if not (len(here) and len(there)):
            return
        kind = kind_of(there)
        if declared or kind == "text" or there.dtype == bool:
            yield from self._categories(here, there, ordered)
        else:
            yield self._numbers(here, there, kind, ordered)

    def _missing(self, here: int, there: int) -> Shift:
        found = between_shares(here, len(self.rows), there, len(self.train))
        figure = f"{here / len(self.rows):.0%} missing, in training {there / len(self.train):.0%}"
        return Shift(self.name, "missing", found, figure)

    def _numbers(self, here: Any, there: Any, kind: str, ordered: bool) -> Shift:
        own, known = (self._sample(column) for column in (here, there))
        distance, place, later = kolmogorov_smirnov(own, known)
        if kind == "dates":
            apart = ordered or (later and distance.distance >= APART)
            figure = f"{_span(here)}, in training {_span(there)}"
            return Shift(self.name, "values", distance, figure, BY_TIME if apart else "")
        shares = [float((values <= place).mean()) for values in (own, known)]
        figure = f"{shares[0]:.0%} of the rows are at or below {place:.4g}, in training {shares[1]:.0%}"
        return Shift(self.name, "values", distance, figure, BY_ORDER if ordered else "")

    def _sample(self, column: "pd.Series[Any]") -> NDArray[np.float64]:
        values = column.to_numpy()
        if len(values) > self.most:
            values = values[self.draw.choice(len(values), self.most, replace=False)]
        return np.asarray(values.astype("int64") if values.dtype.kind == "M" else values, dtype=np.float64)

    def _categories(self, here: Any, there: Any, ordered: bool) -> Iterator[Shift]:
        codes, labels = pd.factorize(pd.concat([here, there], ignore_index=True))
        counts = np.stack(
            [np.bincount(part, minlength=len(labels)) for part in (codes[: len(here)], codes[len(here) :])]
        )
        own, known = counts / counts.sum(axis=1, keepdims=True)
        most = int(np.argmax(np.abs(own - known).round(9)))  # the first of equals
        figure = f"{_label(labels[most])}: {own[most]:.0%} of the rows, in training {known[most]:.0%}"
        why = BY_ORDER if ordered else ""
        yield Shift(self.name, "values", total_variation(counts), figure, why)
        yield self._unseen(counts, labels, why)

    def _unseen(self, counts: NDArray[np.int64], labels: Any, why: str) -> Shift:
        """Rows with values that no training row has, against what is to be expected of more of the same.

        That is the share of training rows whose value no other has (Good, The population frequencies of
        species and the estimation of population parameters, Biometrika 40, 1953).
        """
        here, there = int(counts[0, counts[1] == 0].sum()), int((counts[1] == 1).sum())
        rows, known = (int(total) for total in counts.sum(axis=1))
        found = between_shares(here, rows, there, known, only_more=True)
        new = sorted(np.flatnonzero(counts[1] == 0), key=lambda place: -counts[0, place])[:SHOWN]
        such = f", such as {', '.join(_label(labels[place]) for place in new)}" if new else ""
        figure = f"{here / rows:.0%} of the rows have values that no training row has{such}"
        return Shift(self.name, "unseen", found, f"{figure}; {there / known:.0%} were to be expected", why)


def _span(dates: "pd.Series[Any]") -> str:
    """Give where most dates lie: a few strays make no span."""
    low, high = (dates.quantile(share, interpolation="nearest") for share in (0.01, 0.99))
    return f"{low:%Y-%m-%d} to {high:%Y-%m-%d}"


def _label(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
