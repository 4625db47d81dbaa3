"use strict";
// Draws the charts of a report. The data lies in the page as JSON; all text is drawn, none becomes markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const charts = [];
  const style = () => getComputedStyle(document.documentElement);

  // Colours are named by what they stand for; the style sheet knows them for light, dark and print.
  const coloured = (value, css) => {
    if (Array.isArray(value)) return value;
    if (value === null || typeof value !== "object") return value;
    const out = {};
    for (const [key, part] of Object.entries(value)) {
      const role = /color$/i.test(key) && typeof part === "string" && part.startsWith("role:");
      out[key] = role ? css.getPropertyValue("--role-" + part.slice(5)).trim()
        : key === "data" ? part
        : Array.isArray(part) ? part.map((one) => coloured(one, css)) : coloured(part, css);
    }
    return out;
  };

  const brief = (value) => (typeof value === "number" ? String(+value.toPrecision(5)) : String(value ?? "–"));

  const trial = (number) => {
    const row = data.trials[number];
    if (!row) return "";
    const [state, rmse, seconds, ...values] = row;
    const params = data.params.map((name, i) => [name, values[i]]).filter(([, v]) => v !== null && v !== undefined);
    const head = `trial ${number}: ${state}, rmse ${brief(rmse)}, ${brief(seconds)} s`;
    return [head, ...params.slice(0, 14).map(([name, v]) => `${name} = ${brief(v)}`)].join("\n");
  };

  const hover = (option) => (found) => {
    const row = found.value, kind = found.seriesType;
    const series = option.series[found.seriesIndex];
    if (kind === "parallel") return trial(row[row.length - 1]);
    if (series.renderItem === "cell") return `${found.seriesName}: ${brief(row[4])}`;
    if (series.renderItem) {
      const range = `${found.seriesName}: ${brief(row[0])} to ${brief(row[1])}`;
      return row[3] >= 0 ? `${range}\n${trial(row[3])}` : range;
    }
    if (series.edge) return `${found.seriesName}\n${trial(row[2])}`; // its place is no figure
    const [x, y] = option.names;
    const of = (axis, value) => (axis.type === "category" ? axis.data[value] : brief(value));
    const text = `${found.seriesName}\n${x || "x"}: ${of(option.xAxis, row[0])}\n${y || "y"}: ${of(option.yAxis, row[1])}`;
    return row.length > 2 ? `${text}\n${trial(row[2])}` : text;
  };

  // Marks that lie between two values; ECharts leaves these to us.
  const shapes = {
    spans: (series, colour) => (_, api) => {
      const from = api.coord([api.value(0), api.value(2)]), to = api.coord([api.value(1), api.value(2)]);
      const height = Math.min(26, Math.max(3, api.size([0, 1])[1] * 0.7));
      const shape = { x: from[0], y: from[1] - height / 2, width: Math.max(1, to[0] - from[0]), height };
      const dense = to[0] - from[0] < 4;
      return { type: "rect", shape, style: { fill: colour, stroke: dense ? null : paper(), lineWidth: dense ? 0 : 1,
        decal: series.dashed ? { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: 0.8, color: paper() } : null } };
    },
    intervals: (series, colour) => (_, api) => {
      const from = api.coord([api.value(0), api.value(2)]), to = api.coord([api.value(1), api.value(2)]), y = from[1];
      const bar = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colour, lineWidth: 2 } });
      return { type: "group", children: [bar(from[0], y, to[0], y), bar(from[0], y - 5, from[0], y + 5), bar(to[0], y - 5, to[0], y + 5)] };
    },
    cell: () => (_, api) => {
      const from = api.coord([api.value(0), api.value(2)]), to = api.coord([api.value(1), api.value(3)]);
      const shape = { x: Math.min(from[0], to[0]), y: Math.min(from[1], to[1]), width: Math.abs(to[0] - from[0]) + 0.6, height: Math.abs(to[1] - from[1]) + 0.6 };
      return { type: "rect", shape, style: { fill: api.visual("color") } };
    },
  };
  const paper = () => style().getPropertyValue("--paper").trim();

  const dressed = (raw, box) => {
    const css = style(), option = coloured(raw, css), ink = (name) => css.getPropertyValue(name).trim();
    const narrow = box.clientWidth < 520;
    const text = { color: ink("--ink"), fontSize: 12, fontFamily: "system-ui, sans-serif" };
    const soft = { color: ink("--soft"), fontSize: 11, hideOverlap: true };
    const axis = (given, cut) => ({
      ...given, nameTextStyle: { ...text, align: cut ? "left" : undefined }, axisLine: { show: true, lineStyle: { color: ink("--soft") } },
      splitLine: { show: given.type !== "category", lineStyle: { color: ink("--line") } },
      minorTick: { show: given.type === "log", splitNumber: 9 },
      axisLabel: { ...soft, ...(given.type === "category" ? names(given, cut) : { formatter: brief, ...ends(given) }) },
    });
    const names = (given, cut) => ({ width: cut ? (narrow ? 96 : 210) : Math.max(40, (box.clientWidth - 60) / given.data.length - 8),
      overflow: "truncate", interval: given.data.length <= 12 || cut ? 0 : "auto" });
    // The ends of a range with a margin are odd figures; parallel axes end at the range itself.
    const ends = (given) => (raw.parallelAxis ? { textBorderColor: ink("--paper"), textBorderWidth: 3 }
      : { showMinLabel: given.loose ? false : null, showMaxLabel: given.loose ? false : null });
    // Drawn at once: what is drawn bit by bit would go on after a chart was replaced, and be missing in print.
    option.series = option.series.map((one) => ({ ...one, progressive: 0 })).map((series) => (series.renderItem
      ? { ...series, renderItem: shapes[series.renderItem](series, series.color), itemStyle: { color: series.color } }
      : { ...series, large: false, emphasis: { scale: 1.6 } }));
    option.animation = false;
    option.textStyle = { fontFamily: text.fontFamily };
    // The legend wraps; on a narrow screen it stands under the tools. Its height is guessed from its letters.
    const width = box.clientWidth - (narrow ? 4 : 116), shown = option.legend.show === false ? [] : option.legend.data;
    const lines = shown.reduce(([row, used], { name }) => {
      const own = 44 + 6.8 * name.length;
      return used + own > width ? [row + 1, own] : [row, used + own];
    }, [shown.length ? 1 : 0, 0])[0];
    const top = (narrow ? 32 : 0) + Math.max(narrow ? 0 : 1, lines) * 22;
    option.legend = { ...option.legend, top: narrow ? 32 : 0, left: 0, width, itemGap: 10, itemWidth: 20, padding: 2, textStyle: text,
      itemStyle: { opacity: 1 }, inactiveColor: ink("--soft") };
    option.tooltip = { trigger: "item", renderMode: "richText", confine: true, formatter: hover(raw),
      backgroundColor: ink("--card"), borderColor: ink("--soft"), textStyle: { ...text, fontSize: 11 } };
    const icon = { iconStyle: { borderColor: ink("--soft") } };
    option.toolbox = { right: 0, top: 0, itemSize: 13, ...icon, feature: raw.parallelAxis ? { restore: {}, saveAsImage: { backgroundColor: paper() } }
      : { dataZoom: { brushStyle: { color: ink("--line") } }, restore: {}, saveAsImage: { backgroundColor: paper() } } };
    if (raw.parallelAxis) {
      option.parallel = { left: 24, right: narrow ? 34 : 54, top: top + 16, bottom: 64, ...(narrow ? { layout: "vertical", left: 20, bottom: 20, top: top + 24 } : {}) };
      option.parallelAxis = option.parallelAxis.map((one) => ({ ...axis(one), nameLocation: narrow ? "start" : "start",
        nameGap: 14, nameTextStyle: { ...text, fontSize: 11, width: 110, overflow: "truncate", align: narrow ? "left" : "center", verticalAlign: narrow ? "bottom" : undefined } }));
      return option;
    }
    option.grid = { left: 18, right: raw.visualMap && !narrow ? 165 : 24, top: top + 30, bottom: raw.visualMap && narrow ? 210 : 34, containLabel: true };
    option.xAxis = axis(option.xAxis);
    option.yAxis = axis(option.yAxis, true);
    if (raw.visualMap) {
      const ramp = ink("--ramp").split(" ");
      const place = narrow ? { left: 0, bottom: 0 } : { right: 0, top: 50 };
      option.visualMap = { ...option.visualMap, inRange: { color: ramp }, textStyle: { ...text, fontSize: 11 }, precision: 2,
        formatter: (low, high) => `${brief(low)} – ${brief(high)}`, ...place, itemHeight: 12 };
    }
    return option;
  };

  const draw = (one) => {
    if (one.chart) one.chart.dispose();
    const narrow = one.box.clientWidth < 520;
    one.box.style.height = +one.box.dataset.height + (narrow ? (one.option.visualMap ? 190 : 52) : 0) + "px";
    one.chart = echarts.init(one.box, null, { renderer: "canvas" });
    one.chart.setOption(dressed(one.option, one.box));
    one.width = one.box.clientWidth;
  };

  for (const box of document.querySelectorAll(".plot")) {
    const one = { box, option: data.charts[box.dataset.chart][+box.dataset.panel] };
    charts.push(one);
    draw(one);
  }
  const all = () => charts.forEach(draw);
  let waiting = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => charts.filter((one) => one.box.clientWidth !== one.width).forEach(draw));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  matchMedia("print").addEventListener("change", all);
  addEventListener("beforeprint", all);
  addEventListener("afterprint", all);
})();
