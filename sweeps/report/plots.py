"""The history of a sweep as a picture."""

import io
from collections.abc import Iterable, Sequence
from itertools import accumulate
from statistics import quantiles
from typing import TYPE_CHECKING, NamedTuple

from sweeps.record import SweepRecord
from sweeps.trial import Finished, State

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, BLACK, ORANGE, GREY = "#0072B2", "#222222", "#D55E00", "#6E6E6E"
"""Okabe and Ito's colours, told apart by colour-blind readers too; every mark has its own shape besides."""

WITHOUT_RMSE = {State.FAILED: "x", State.PRUNED: "v", State.LOST: "+"}
"""Marks of trials that have no figure; they stand on the floor of the plot."""


class Mark(NamedTuple):
    """Trials drawn with one mark: their numbers and figures."""

    x: list[int]
    y: list[float]


def history_png(record: SweepRecord) -> bytes:
    """Draw the rmse of every trial by number, the best so far, the finalists' test rmse and what failed.

    Returns:
        A PNG of 1500 x 900 pixels that describes itself in its metadata; equal records give equal bytes.
    """
    import warnings

    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    out = io.BytesIO()
    with mpl.rc_context(mpl.rcParamsDefault), warnings.catch_warnings():  # nobody's matplotlibrc decides
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # names are foreign text
        figure = Figure(figsize=(10, 6), dpi=150)
        FigureCanvasAgg(figure)
        figure.subplots_adjust(left=0.1, right=0.97, top=0.87, bottom=0.24)
        _draw(figure, record)
        words = {"Title": f"History of sweep {record.name}", "Description": describe(record)}
        figure.savefig(out, format="png", metadata={**words, "Software": None})
    return out.getvalue()


def describe(record: SweepRecord) -> str:
    """Say in words what the picture shows."""
    counts = [f"{record.count(state)} {str(state).lower()}" for state in State if record.count(state)]
    text = f"Validation rmse of the trials of sweep {record.name} by number: {', '.join(counts) or 'none'}."
    if record.best is not None:
        text += f" Lowest: {record.best.outcome.rmse:.6g} in trial {record.best.number}."
    tested = [f for f in record.finalists if f.test_rmse is not None]
    listed = ", ".join(f"trial {f.number} {f.test_rmse:.6g}" for f in tested)
    return text + (f" Rmse on the test split: {listed}." if tested else "")


def ceiling(values: Sequence[float], keep: float = 0.0) -> float:
    """Give the highest figure worth showing, so that a few wild ones do not flatten the rest.

    Args:
        values: the figures, at least one.
        keep: what must be shown in any case.
    """
    if len(values) < 5:
        return max(*values, keep)
    low, _, high = quantiles(values, n=4, method="inclusive")
    fence = high + 3 * (high - low)
    inside = [v for v in values if v <= fence]
    return max(*inside, keep)


def _draw(figure: "Figure", record: SweepRecord) -> None:
    axes = figure.add_subplot()
    complete = sorted((t for t in record.trials if t.outcome.rmse is not None), key=lambda t: t.number)
    complete = [t for t in complete if t.outcome.state is State.COMPLETE]
    _title(axes, record)
    if complete:
        _draw_figures(axes, complete, record)
    else:
        axes.set_yticks([])
        words = "no trial has an rmse"
        axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", color=GREY, fontsize=14)
    _draw_others(axes, record.trials)
    _dress(axes, max((t.number for t in record.trials), default=0), bool(complete))


def _title(axes: "Axes", record: SweepRecord) -> None:
    best = record.best
    rest = f"best rmse {best.outcome.rmse:.6g} in trial {best.number}" if best else "no usable trial"
    count = "1 trial" if len(record.trials) == 1 else f"{len(record.trials)} trials"
    where = f"{_short(record.experiment, 40)} · {count} · {rest}"
    lines = ((_short(record.name, 52), 28, 16, "bold", "black"), (where, 8, 12, "normal", GREY))
    for text, height, size, weight, color in lines:
        axes.annotate(text, (0, 1), (0, height), "axes fraction", textcoords="offset points", fontsize=size,
                      fontweight=weight, color=color, parse_math=False)  # fmt: skip


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _draw_figures(axes: "Axes", complete: Sequence[Finished], record: SweepRecord) -> None:
    figures = [float(t.outcome.rmse or 0.0) for t in complete]
    tested = [(f.number, f.rmse, f.test_rmse) for f in record.finalists if f.test_rmse is not None]
    low = min([*figures, *(test for _, _, test in tested)])
    top = ceiling(figures, max((test for _, _, test in tested), default=0.0))
    room = (top - low or abs(top) or 1.0) * 0.08
    axes.set_ylim(low - 2 * room, top + room)
    inside, above = _split(complete, top)
    size = 60 if len(complete) <= 60 else 22
    axes.scatter(*inside, s=size, color=BLUE, alpha=0.75, linewidths=0, label="rmse on validation", zorder=3)
    best = list(accumulate(figures, min))
    numbers = [t.number for t in complete]
    axes.step(numbers, best, where="post", color=BLACK, linewidth=2, label="best so far", zorder=2)
    if above.x:
        text = f"above {top:.6g} ({len(above.x)})"
        floor = [top + room * 0.6] * len(above.x)
        axes.scatter(above.x, floor, s=size, marker="^", facecolors="none", edgecolors=BLUE, label=text)
    _draw_finalists(axes, tested)


def _split(complete: Sequence[Finished], top: float) -> tuple[Mark, Mark]:
    inside, above = Mark([], []), Mark([], [])
    for trial in complete:
        mark = inside if (trial.outcome.rmse or 0.0) <= top else above
        mark.x.append(trial.number)
        mark.y.append(trial.outcome.rmse or 0.0)
    return inside, above


def _draw_finalists(axes: "Axes", tested: Sequence[tuple[int, float, float]]) -> None:
    if not tested:
        return
    numbers, valid, test = zip(*tested, strict=True)
    axes.vlines(numbers, valid, test, color=ORANGE, linewidth=1, linestyles="dotted", zorder=2)
    axes.scatter(numbers, test, s=110, marker="D", facecolors="white", edgecolors=ORANGE, linewidths=2,
                 label="finalists: rmse on test", zorder=4)  # fmt: skip


def _draw_others(axes: "Axes", trials: Iterable[Finished]) -> None:
    everyone = list(trials)
    for state, mark in WITHOUT_RMSE.items():
        numbers = [t.number for t in everyone if t.outcome.state is state]
        if numbers:
            label = f"{str(state).lower()} ({len(numbers)})"
            axes.plot(numbers, [0.025] * len(numbers), mark, color=GREY, markersize=8, markeredgewidth=1.8,
                      label=label, transform=axes.get_xaxis_transform(), zorder=5, clip_on=False)  # fmt: skip


def _dress(axes: "Axes", last: int, figures: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("trial", fontsize=13)
    axes.set_ylabel("rmse", fontsize=13)
    axes.set_xlim(-0.5 - 0.01 * last, last + 0.5 + 0.01 * last)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.6g}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.tick_params(labelsize=12)
    axes.spines[["top", "right"]].set_visible(False)
    if figures:
        axes.grid(axis="y", color="#DDDDDD", linewidth=0.8)
        axes.set_axisbelow(True)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3, frameon=False, fontsize=12)
