"""What a chart is made of. Two renderers draw it: for the page (``echarts``) and as a picture (``png``)."""

from collections.abc import Sequence
from typing import NamedTuple

Number = float | None
Cell = str | int | float | None


class Axis(NamedTuple):
    """One axis of a panel."""

    name: str
    kind: str = "value"
    """``value``, ``log`` or ``category``."""
    categories: tuple[str, ...] = ()
    """Positions 0, 1, … of a category axis."""
    low: Number = None
    high: Number = None
    whole: bool = False
    """Whether ticks are whole numbers."""
    loose: bool = False
    """Whether its ends are a margin, no figures worth a label."""


class Layer(NamedTuple):
    """Marks of one kind and meaning.

    ``points``, ``line`` (None breaks it) and ``step`` have x and y; ``bars`` lie: x is their length, y their
    category; ``intervals`` and ``spans`` lie too: from ``low`` to ``high`` at the category y, intervals with
    a mark at x.
    """

    kind: str
    name: str
    role: str
    """What it stands for, which decides its colour: ``main``, ``best``, ``test``, ``bad``, ``quiet`` …"""
    x: Sequence[Number]
    y: Sequence[Number]
    mark: str = "circle"
    """``circle``, ``square``, ``triangle``, ``diamond``, ``cross``, ``down`` (a triangle), ``ring``."""
    trials: Sequence[int] = ()
    """The trial each belongs to; empty where none does."""
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    dashed: bool = False
    edge: bool = False
    """Whether its points stand at an edge of the chart, so that their y is no figure."""


class Heat(NamedTuple):
    """Coloured cells over a panel; the lowest value is the best."""

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    """Middles of the cells, on the axes' scales; indices on a category axis."""
    values: Sequence[Sequence[float]]
    """A row for each of ``ys``."""


class Panel(NamedTuple):
    """One pair of axes."""

    title: str
    x: Axis
    y: Axis
    layers: Sequence[Layer]
    heat: Heat | None = None


class Lines(NamedTuple):
    """A group of lines over parallel axes."""

    name: str
    role: str
    rows: Sequence[Sequence[Number]]
    """A value for each axis; None where it was not active."""
    trials: Sequence[int]


class Parallel(NamedTuple):
    """Parallel coordinates: one axis each, a line for each trial."""

    axes: Sequence[Axis]
    groups: Sequence[Lines]


class Table(NamedTuple):
    """Figures as text."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


class Chart(NamedTuple):
    """A chart with its words."""

    id: str
    title: str
    sentence: str
    """What it shows, for readers who do not see it."""
    panels: Sequence[Panel]
    table: Table
    parallel: Parallel | None = None
    note: str = ""
    """How it was made, or what was left out."""


def figure(value: Number, digits: int = 5) -> str:
    """Write a figure; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def count(number: int, noun: str) -> str:
    """Write ``1 trial``, ``2 trials``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
