"""A chart as a picture, drawn by Matplotlib: for slides, mails and readers without a browser."""

import io
import warnings
from typing import TYPE_CHECKING, Any

from sweeps.report.charts.model import Axis, Chart, Heat, Layer, Panel, Parallel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "main": "#0072B2",
    "best": "#222222",
    "test": "#B34700",
    "bad": "#A3195B",
    "quiet": "#767676",
    "paper": "#FFFFFF",
    "q1": "#08306B",
    "q2": "#2B7BBA",
    "q3": "#C06A00",
    "q4": "#8C2D04",
}
MARKS = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "cross": "x",
    "down": "v",
    "ring": "o",
}
MOST_COLUMNS = 3
LONGEST = 40
"""Letters of a category's name that are shown."""
CROWDED = 400


def png(chart: Chart, name: str) -> bytes:
    """Draw a chart; equal charts give equal bytes.

    Args:
        chart: what to draw.
        name: of the sweep, for the title.

    Returns:
        A PNG that describes itself in its metadata.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    out = io.BytesIO()
    with mpl.rc_context(mpl.rcParamsDefault), warnings.catch_warnings():  # nobody's matplotlibrc decides
        warnings.simplefilter("ignore", UserWarning)  # glyphs that the font lacks: names are foreign text
        columns, rows = _shape(chart)
        figure = Figure(figsize=(max(7.5, 4.4 * columns), _height(chart, rows)), dpi=100)
        FigureCanvasAgg(figure)
        _make_room(figure, chart)
        figure.suptitle(f"{chart.title} · {name[:60]}", fontsize=13, parse_math=False)
        _draw(figure, chart, rows, columns)
        words = {"Title": f"{chart.title} of sweep {name}", "Description": chart.sentence, "Software": None}
        figure.savefig(out, format="png", metadata=words)
    return out.getvalue()


def _shape(chart: Chart) -> tuple[int, int]:
    count = max(1, len(chart.panels))
    columns = min(MOST_COLUMNS, count)
    return columns, -(-count // columns)


def _height(chart: Chart, rows: int) -> float:
    lying = [len(p.y.categories) for p in chart.panels if p.y.kind == "category"]
    return min(12.0, max(4.5, 1.5 + 0.3 * max(lying))) if lying and rows == 1 else 1.0 + 3.7 * rows


def _make_room(figure: "Figure", chart: Chart) -> None:
    """Set the margins, in inches; Matplotlib's own layout would draw everything once more to find them."""
    width, height = figure.get_size_inches()
    names = [text for panel in chart.panels if panel.y.kind == "category" for text in panel.y.categories]
    left = 0.85 + (min(LONGEST, max(map(len, names))) * 0.075 if names else 0.0)
    margins = {
        "left": left / width,
        "right": 1 - 0.3 / width,
        "top": 1 - 0.7 / height,
        "bottom": 0.95 / height,
    }
    figure.subplots_adjust(**margins, wspace=0.3, hspace=0.55)


def _draw(figure: "Figure", chart: Chart, rows: int, columns: int) -> None:
    if chart.parallel is not None:
        _parallel(figure.add_subplot(), chart.parallel)
        return
    for position, panel in enumerate(chart.panels):
        _panel(figure.add_subplot(rows, columns, position + 1), panel)
    first = figure.axes[0]
    handles, labels = first.get_legend_handles_labels()
    if len(labels) > 1:
        legend = figure.legend(handles, labels, loc="lower center", ncols=5, fontsize=9, frameon=False)
        _plain(legend.get_texts())


def _panel(axes: "Axes", panel: Panel) -> None:
    if panel.heat:
        _heat(axes, panel.heat)
    for layer in panel.layers:
        if len(layer.y):
            DRAWN[layer.kind](axes, layer)
    _plain([axes.set_title(panel.title, fontsize=11)])
    _dress(axes, panel.x, "x")
    _dress(axes, panel.y, "y")
    axes.spines[["top", "right"]].set_visible(False)
    if not panel.heat:
        axes.grid(color="#E4E4E4", linewidth=0.7)
        axes.set_axisbelow(True)


def _points(axes: "Axes", layer: Layer) -> None:
    colour, crowded = COLOURS[layer.role], len(layer.x) > CROWDED
    style: dict[str, Any] = {"s": 9 if crowded else 26, "alpha": 0.5 if crowded else 0.85}
    if layer.mark == "ring":
        style |= {"facecolors": "none", "edgecolors": colour}
    elif layer.mark == "cross":
        style |= {"color": colour}
    else:
        edge = "#222222" if layer.role == "paper" else "none"
        style |= {"facecolors": colour, "edgecolors": edge, "linewidths": 0.6}
    axes.scatter(
        _floats(layer.x), _floats(layer.y), marker=MARKS[layer.mark], label=layer.name, zorder=4, **style
    )


def _line(axes: "Axes", layer: Layer) -> None:
    step: dict[str, Any] = {"drawstyle": "steps-post"} if layer.kind == "step" else {}
    style = "--" if layer.dashed else "-"
    width = 1.8 if layer.kind == "step" or not layer.trials else 1.1
    axes.plot(
        _floats(layer.x),
        _floats(layer.y),
        style,
        color=COLOURS[layer.role],
        linewidth=width,
        label=layer.name,
        zorder=3,
        **step,
    )


def _bars(axes: "Axes", layer: Layer) -> None:
    axes.barh(
        _floats(layer.y),
        _floats(layer.x),
        height=0.6,
        color=COLOURS[layer.role],
        label=layer.name,
        alpha=0.85,
    )


def _intervals(axes: "Axes", layer: Layer) -> None:
    colour = COLOURS[layer.role]
    axes.hlines(
        _floats(layer.y),
        list(layer.low),
        list(layer.high),
        color=colour,
        linewidth=1.8,
        label=layer.name,
        zorder=5,
    )
    if layer.mark != "none":
        axes.scatter(
            _floats(layer.x), _floats(layer.y), marker=MARKS[layer.mark], s=22, color=colour, zorder=6
        )


def _spans(axes: "Axes", layer: Layer) -> None:
    lanes: dict[float, list[tuple[float, float]]] = {}
    for lane, low, high in zip(_floats(layer.y), layer.low, layer.high, strict=True):
        lanes.setdefault(lane, []).append((low, high - low))
    style: dict[str, Any] = {"facecolors": COLOURS[layer.role], "edgecolors": "white"}
    style |= {
        "linewidth": 0.3 if len(layer.y) > 50 else 0.8,
        "hatch": "////" if layer.role == "bad" else None,
    }
    for position, (lane, spans) in enumerate(lanes.items()):
        label = "_" if position else layer.name
        axes.broken_barh(spans, (lane - 0.35, 0.7), label=label, rasterized=False, **style)


DRAWN = {
    "points": _points,
    "line": _line,
    "step": _line,
    "bars": _bars,
    "intervals": _intervals,
    "spans": _spans,
}


def _heat(axes: "Axes", heat: Heat) -> None:
    import numpy as np

    drawn = axes.contourf if min(len(heat.xs), len(heat.ys)) > 1 else axes.pcolormesh
    shown = drawn(np.array(heat.xs), np.array(heat.ys), np.array(heat.values), cmap="viridis")
    _plain([axes.figure.colorbar(shown, ax=axes, shrink=0.9).ax.set_ylabel(heat.name)])


def _dress(axes: "Axes", axis: Axis, which: str) -> None:
    from matplotlib.ticker import MaxNLocator

    own = getattr(axes, f"{which}axis")
    _plain([own.get_label()])
    getattr(axes, f"set_{which}label")(axis.name)
    if axis.kind == "category":
        shown = [text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in axis.categories]
        if which == "y":
            spare = max(0.0, (3 - len(axis.categories)) / 2)
            axes.set_ylim(-0.6 - spare, len(axis.categories) - 0.4 + spare)
        own.set_ticks(range(len(shown)), labels=shown, rotation=20 if which == "x" and len(shown) > 3 else 0)
        _plain(own.get_ticklabels())
        return
    if axis.kind == "log":
        getattr(axes, f"set_{which}scale")("log")
    elif axis.whole:
        own.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if axis.low is not None or axis.high is not None:
        ends = {"x": ("left", "right"), "y": ("bottom", "top")}[which]
        getattr(axes, f"set_{which}lim")(**dict(zip(ends, (axis.low, axis.high), strict=True)))


def _parallel(axes: "Axes", parallel: Parallel) -> None:
    from matplotlib.collections import LineCollection

    for group in parallel.groups:
        lines = [_line_of(row, parallel.axes) for row in group.rows]
        best = group.role == "best"
        style: dict[str, Any] = {"linewidths": 1.4 if best else 0.7, "alpha": 0.8 if best else 0.3}
        lines_ = LineCollection(
            lines, colors=COLOURS[group.role], linestyles="-" if best else "--", label=group.name, **style
        )
        axes.add_collection(lines_)
    names = [f"{axis.name}\n{_ends(axis)}" for axis in parallel.axes]
    axes.set_xticks(range(len(names)), labels=names, fontsize=8, rotation=12 if len(names) > 5 else 0)
    _plain(axes.get_xticklabels())
    axes.set_yticks([])
    axes.set_ylim(-0.03, 1.03)
    axes.grid(axis="x", color="#888888")
    axes.legend(loc="upper left", bbox_to_anchor=(0, 1.1), ncols=2, frameon=False)


def _line_of(row: Any, axes: Any) -> list[tuple[int, float]]:
    return [
        (i, _place(value, axis))
        for i, (value, axis) in enumerate(zip(row, axes, strict=True))
        if value is not None
    ]


def _place(value: float, axis: Axis) -> float:
    from math import log

    if axis.kind == "category":
        return value / max(1, len(axis.categories) - 1)
    low, high = axis.low or 0.0, axis.high or 0.0
    if axis.kind == "log":
        low, high, value = log(low), log(high), log(value)
    return (value - low) / ((high - low) or 1.0)


def _ends(axis: Axis) -> str:
    if axis.kind == "category":
        return f"{axis.categories[0][:12]} … {axis.categories[-1][:12]}"
    return f"{axis.low:.4g} … {axis.high:.4g}"


def _floats(values: Any) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]


def _plain(texts: Any) -> None:
    """Take texts as they are: a dollar sign in a name is no formula."""
    for text in texts:
        text.set_parse_math(False)
