"""A chart as an option of Apache ECharts: plain JSON values.

Colours stand as ``role:NAME``, to be looked up where the page is shown (light, dark, print), and custom marks
as ``renderItem: NAME``: ``page/report.js`` knows both. No text is ever taken for markup there.
"""

from itertools import pairwise
from typing import Any

from sweeps.report.charts.model import Axis, Chart, Heat, Layer, Panel, Parallel

SYMBOLS = {
    "circle": "circle",
    "square": "rect",
    "triangle": "triangle",
    "diamond": "diamond",
    "ring": "circle",
    "down": "path://M0,0 L10,0 L5,9 Z",
    "cross": ("path://M1,0 L5,4 L9,0 L10,1 L6,5 L10,9 L9,10 L5,6 L1,10 L0,9 L4,5 L0,1 Z"),
}
LINE = "path://M0,4 L22,4 L22,7 L0,7 Z"
"""Stands for a line in a legend."""
CROWDED = 400
"""Points from where they are drawn smaller and paler."""
BANDS = 8
"""Of a heat map."""

Json = dict[str, Any]


def options_of(chart: Chart) -> list[Json]:
    """Give an option for each panel of a chart; one for parallel coordinates."""
    if chart.parallel is not None:
        return [_parallel(chart.parallel)]
    return [_panel(panel) for panel in chart.panels]


def height_of(chart: Chart, panel: int) -> int:
    """Give the height of a panel in pixels: one row for each category of lying marks."""
    if chart.parallel is not None or panel >= len(chart.panels):
        return 420
    found = chart.panels[panel]
    lies = found.y.kind == "category" and not found.heat
    rows = len(found.y.categories)
    if lies and all(layer.kind != "points" or rows > 2 for layer in found.layers):
        return min(760, max(200, 110 + 30 * rows))
    return 330 if len(chart.panels) > 1 else 400


def _panel(panel: Panel) -> Json:
    layers = [layer for layer in panel.layers if len(layer.y)]
    option: Json = {
        "xAxis": {**_axis(panel.x), "nameLocation": "middle", "nameGap": 26},
        "yAxis": {**_axis(panel.y), "nameLocation": "end", "nameGap": 12},
        "series": [_series(layer, panel) for layer in layers],
        "legend": {"show": len(layers) > 1, "data": [_legend(layer) for layer in layers]},
        "names": [panel.x.name, panel.y.name],
    }
    return option | _heat(option["series"], panel.heat, panel) if panel.heat else option


def _legend(layer: Layer) -> Json:
    icon = {"bars": "roundRect", "spans": "roundRect"}.get(layer.kind, LINE)
    return {"name": layer.name, **({} if layer.kind == "points" else {"icon": icon})}


def _axis(axis: Axis) -> Json:
    option: Json = {"name": axis.name, "type": axis.kind}
    if axis.kind == "category":
        return option | {"data": list(axis.categories)}
    option |= {"min": axis.low, "max": axis.high, "scale": axis.low is None, "loose": axis.loose}
    return option | ({"minInterval": 1} if axis.whole else {})


def _series(layer: Layer, panel: Panel) -> Json:
    if layer.kind == "line" and panel.y.kind == "category":
        return {"name": layer.name, "color": f"role:{layer.role}", **_upright(layer)}
    drawn = {
        "points": _points,
        "line": _line,
        "step": _line,
        "bars": _bars,
        "intervals": _lying,
        "spans": _lying,
    }
    return {"name": layer.name, "color": f"role:{layer.role}", **drawn[layer.kind](layer)}


def _points(layer: Layer) -> Json:
    crowded = len(layer.x) > CROWDED
    size = {"cross": 9, "down": 9, "diamond": 13 if layer.role == "test" else 9}.get(layer.mark, 8)
    size = max(4, size - 3) if crowded else size
    style: Json = {"opacity": 0.55 if crowded else 0.85}
    if layer.mark == "ring":
        style |= {"color": "rgba(0,0,0,0)", "borderColor": f"role:{layer.role}", "borderWidth": 1.4}
    elif layer.role == "paper":
        style |= {"borderColor": "role:edge"}
    return {
        "type": "scatter",
        "symbol": SYMBOLS[layer.mark],
        "symbolSize": size,
        "data": _data(layer),
        "itemStyle": style,
        **({"edge": True} if layer.edge else {}),
    }


def _line(layer: Layer) -> Json:
    step = {"step": "end"} if layer.kind == "step" else {}
    style = {"width": 2, "type": "dashed" if layer.dashed else "solid", "opacity": 0.9}
    return {
        "type": "line",
        "showAllSymbol": True,
        "itemStyle": {"opacity": 0},
        "data": _data(layer),
        "lineStyle": style,
        "symbolSize": 6,
        **step,
    }


def _upright(layer: Layer) -> Json:
    """Draw lines across all categories, which have no coordinates between them."""
    style = {"type": "dashed" if layer.dashed else "solid", "width": 2, "color": f"role:{layer.role}"}
    line = {"symbol": "none", "silent": True, "label": {"show": False}, "lineStyle": style}
    places = dict.fromkeys(x for x in layer.x if x is not None)
    return {"type": "line", "data": [], "markLine": {**line, "data": [{"xAxis": x} for x in places]}}


def _bars(layer: Layer) -> Json:
    return {
        "type": "bar",
        "data": [list(pair) for pair in zip(layer.x, layer.y, strict=True)],
        "barMaxWidth": 18,
    }


def _lying(layer: Layer) -> Json:
    """Marks from low to high: rows of low, high, category, trial and the figure between."""
    trials = layer.trials or [-1] * len(layer.y)
    middles = layer.x or [None] * len(layer.y)
    rows = [list(row) for row in zip(layer.low, layer.high, layer.y, trials, middles, strict=True)]
    encode = {"x": [0, 1], "y": 2}
    dashed = layer.role == "bad"
    return {
        "type": "custom",
        "renderItem": layer.kind,
        "dashed": dashed,
        "data": rows,
        "encode": encode,
        "z": 5,
    }


def _data(layer: Layer) -> list[list[Any]]:
    if not layer.trials:
        return [list(pair) for pair in zip(layer.x, layer.y, strict=True)]
    return [list(row) for row in zip(layer.x, layer.y, layer.trials, strict=True)]


def _heat(series: list[Json], heat: Heat, panel: Panel) -> Json:
    xs, ys = _edges(heat.xs, panel.x), _edges(heat.ys, panel.y)
    cells = [
        [xs[j], xs[j + 1], ys[i], ys[i + 1], value]
        for i, row in enumerate(heat.values)
        for j, value in enumerate(row)
    ]
    below = {
        "type": "custom",
        "renderItem": "cell",
        "name": heat.name,
        "data": cells,
        "z": 1,
        "silent": False,
        "encode": {"x": [0, 1], "y": [2, 3]},
    }
    scale = {
        "type": "piecewise",
        "splitNumber": BANDS,
        "dimension": 4,
        "seriesIndex": 0,
        "min": min(map(min, heat.values)),
        "max": max(map(max, heat.values)),
        "ramp": True,
    }
    return {"series": [below, *series], "visualMap": scale}


def _edges(middles: "list[float] | Any", axis: Axis) -> list[float]:
    """Give the edges of cells; on a logarithmic axis halfway by factor."""
    is_log = axis.kind == "log"
    inner = [(a * b) ** 0.5 if is_log else (a + b) / 2 for a, b in pairwise(middles)]
    low, high = axis.low, axis.high
    ends = (middles[0] if low is None else low, middles[-1] if high is None else high)
    return [float(f"{v:.6g}") for v in (ends[0], *inner, ends[1])]


def _parallel(parallel: Parallel) -> Json:
    axes = [
        {**_axis(axis), "dim": i, "nameLocation": "start", "z": 10} for i, axis in enumerate(parallel.axes)
    ]
    series = [
        {
            "type": "parallel",
            "name": group.name,
            "color": f"role:{group.role}",
            "smooth": False,
            "lineStyle": {
                "width": 2.2 if group.role == "best" else 1,
                "opacity": 0.75 if group.role == "best" else 0.35,
                "type": "solid" if group.role == "best" else "dashed",
            },
            "data": [
                ["-" if v is None else v for v in row] + [trial]
                for row, trial in zip(group.rows, group.trials, strict=True)
            ],
        }
        for group in parallel.groups
        if group.rows
    ]
    legend = {"data": [{"name": s["name"], "icon": LINE} for s in series]}
    return {"parallelAxis": axes, "series": series, "legend": legend}
