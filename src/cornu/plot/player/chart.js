"use strict";
// One line chart for every curve of the page: linear or logarithmic, with bands, reference lines and
// marks, read by pointer or by arrow keys, with its numbers in a table below.
(() => {
  const sample = document.createElement("template");
  sample.innerHTML = "<svg></svg>";
  const SVG = sample.content.firstElementChild.namespaceURI;

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "style") Object.assign(node.style, value);
      else if (name.startsWith("--")) node.style.setProperty(name, value);
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }
  const html = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
  const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

  const known = (value) => typeof value === "number" && Number.isFinite(value);

  function number(value, digits = 3) {
    if (!known(value)) return "–";
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size >= 1e6 || size < 1e-3) return value.toExponential(1).replace("e+", "e");
    if (size >= 1000) return Math.round(value).toLocaleString("en-US");
    return String(Number(value.toPrecision(digits)));
  }
  const percent = (value) => (known(value) ? `${(100 * value).toFixed(1)}\u00a0%` : "–");
  const whole = (value) => Math.round(value).toLocaleString("en-US");
  const formats = { number: (value) => number(value, 4), percent, whole };

  // ------------------------------------------------------------------ ticks
  function niceStep(span, count) {
    const rough = span / Math.max(1, count);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
    return step * power;
  }

  function linearTicks(low, high, count) {
    const step = niceStep(high - low || 1, count);
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i += 1) {
      ticks.push(Number((i * step).toPrecision(12)));
    }
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return { ticks, digits };
  }

  function logTicks(low, high, count) {
    const first = Math.round(Math.log10(low));
    const last = Math.round(Math.log10(high));
    const every = Math.max(1, Math.ceil((last - first) / Math.max(1, count)));
    const ticks = [];
    for (let i = last; i >= first; i -= every) ticks.unshift(10 ** i);
    return ticks;
  }

  // ------------------------------------------------------------------ shown and hidden series
  // One choice for the whole page: a framework put away in one legend is away in every chart.
  const hidden = new Set();
  const listeners = new Set();
  function toggle(key) {
    if (hidden.has(key)) hidden.delete(key);
    else hidden.add(key);
    for (const listener of listeners) listener();
  }

  function sign(series) {
    return svg(
      "svg",
      { class: "sign", viewBox: "0 0 27 11", "aria-hidden": "true" },
      svg("line", { x1: 1, y1: 6, x2: 26, y2: 6, style: { stroke: series.color }, "stroke-dasharray": series.dash }),
    );
  }

  function legend(place, all) {
    const list = html("ul", { class: "legend", "aria-label": "Shown in the charts" });
    for (const series of all) {
      const button = html("button", { type: "button", "data-key": series.key }, sign(series), series.label);
      const update = () => button.setAttribute("aria-pressed", String(!hidden.has(series.key)));
      update();
      button.addEventListener("click", () => toggle(series.key));
      listeners.add(update);
      list.append(html("li", {}, button));
    }
    place.append(list);
  }

  // ------------------------------------------------------------------ the chart
  let count = 0;
  // charts whose y axes are the same, by the name of their group
  const groups = new Map();

  function nearest(values, x) {
    let low = 0;
    let high = values.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (values[middle] < x) low = middle;
      else high = middle;
    }
    return Math.abs(values[low] - x) <= Math.abs(values[high] - x) ? low : high;
  }

  class LineChart {
    // spec: title, description, x {label}, y {label, format, log, group, atLeast, atMost}, height, quiet,
    // series [{key, label, color, dash, width, x, y, low, high}], lines [{y, label}],
    // marks [{x, label, key}]; y.group: charts of one group have the same y axis
    constructor(place, spec) {
      this.spec = spec;
      this.format = formats[spec.y.format] || formats.number;
      count += 1;
      if (spec.y.group) groups.set(spec.y.group, [...(groups.get(spec.y.group) || []), this]);
      this.id = `chart-${count}`;
      this.cursor = null;
      this.box = html("div", {
        class: "chart-box",
        tabindex: spec.quiet ? null : "0",
        role: spec.quiet ? null : "group",
        "aria-label": spec.quiet ? null : `${spec.title}. Arrow keys read the values.`,
      });
      this.svg = svg("svg", { role: "img", "aria-labelledby": `${this.id}-title ${this.id}-text` });
      this.tip = html("div", { class: "tip", hidden: true, role: "status" });
      this.box.append(this.svg, this.tip);
      this.figure = html("figure", { class: "chart" });
      if (spec.title && !spec.untitled) this.figure.append(html("figcaption", {}, spec.title));
      this.figure.append(this.box);
      place.append(this.figure);
      const xs = new Set();
      for (const series of spec.series) for (const x of series.x) xs.add(x);
      this.xs = [...xs].sort((a, b) => a - b);
      listeners.add(() => this.draw());
      if (!spec.quiet) {
        this.read();
        this.table();
      }
      new ResizeObserver(() => this.draw()).observe(this.box);
    }

    visible() {
      return this.spec.series.filter((series) => !hidden.has(series.key));
    }

    domain() {
      const { y, lines = [] } = this.spec;
      const all = (groups.get(y.group) || [this]).flatMap((chart) => chart.spec.series);
      const unhidden = all.filter((series) => !hidden.has(series.key));
      const shown = unhidden.length ? unhidden : all;
      const values = [];
      for (const series of shown) {
        for (const list of [series.y, series.low, series.high]) {
          for (const value of list || []) if (known(value) && (!y.log || value > 0)) values.push(value);
        }
      }
      for (const line of lines) values.push(line.y);
      let low = values.reduce((a, b) => Math.min(a, b), Infinity);
      let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
      if (!known(low)) [low, high] = y.log ? [1e-16, 1] : [0, 1];
      if (y.log) return [10 ** Math.floor(Math.log10(low) - 0.2), 10 ** Math.ceil(Math.log10(high) + 0.2)];
      if (known(y.atLeast)) low = Math.max(y.atLeast, low);
      if (known(y.atMost)) high = Math.min(y.atMost, high);
      if (low > 0 && low < 0.4 * high) low = 0;
      if (high - low < 1e-12) [low, high] = [low - 0.5, high + 0.5];
      const step = niceStep(high - low, 4);
      low = Math.floor(low / step + 1e-9) * step;
      high = known(y.atMost) && high >= y.atMost - 1e-9 ? y.atMost : Math.ceil(high / step - 1e-9) * step;
      return [low, high];
    }

    draw() {
      const width = Math.floor(this.box.clientWidth);
      if (width < 40) return;
      const { spec } = this;
      const small = width < 260;
      const height = spec.height || Math.round(Math.min(300, Math.max(190, width * 0.5)));
      const [low, high] = this.domain();
      const rows = Math.max(2, Math.floor(height / (spec.y.log ? 34 : 52)));
      let yTicks;
      let yText;
      if (spec.y.log) {
        yTicks = logTicks(low, high, rows);
        yText = (value) => (value === 1 ? "1" : `1e${Math.round(Math.log10(value))}`);
      } else {
        const { ticks, digits } = linearTicks(low, high, rows);
        yTicks = ticks;
        if (spec.y.format === "percent") {
          yText = (value) => `${(100 * value).toFixed(Math.max(0, digits - 2))}\u00a0%`;
        } else yText = (value) => (digits > 4 ? value.toExponential(0) : value.toFixed(digits));
      }
      const left = 10 + 6.9 * Math.max(...yTicks.map((tick) => yText(tick).length), 2);
      const right = 12;
      const top = spec.y.label && !spec.quiet ? 24 : 10;
      const bottom = spec.x.label ? 40 : 22;
      const inner = { width: width - left - right, height: height - top - bottom };
      const first = this.xs[0] ?? 0;
      const last = this.xs.length > 1 ? this.xs[this.xs.length - 1] : first + 1;
      const [a, b] = spec.y.log ? [Math.log10(low), Math.log10(high)] : [low, high];
      const toX = (x) => left + (inner.width * (x - first)) / (last - first);
      // what is not above zero lies on the lower edge of a logarithmic axis
      const scaled = (y) => (spec.y.log ? (y > low ? Math.log10(y) : a) : y);
      const toY = (y) => top + inner.height * (1 - (scaled(y) - a) / (b - a));
      this.toX = toX;
      this.fromX = (pixel) => first + ((pixel - left) / inner.width) * (last - first);
      this.toY = toY;
      this.frame = { left, right: width - right, top, bottom: top + inner.height };

      const clip = `${this.id}-clip`;
      const parts = [
        svg("title", { id: `${this.id}-title` }, spec.title),
        svg("desc", { id: `${this.id}-text` }, spec.description || this.describe()),
        svg("clipPath", { id: clip }, svg("rect", { x: left, y: top - 2, width: inner.width, height: inner.height + 4 })),
      ];
      for (const tick of yTicks) {
        const y = toY(tick);
        parts.push(svg("line", { class: "grid", x1: left, x2: width - right, y1: y, y2: y }));
        parts.push(svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, yText(tick)));
      }
      const columns = Math.max(2, Math.floor(inner.width / (small ? 55 : 80)));
      const xTicks = linearTicks(first, last, columns).ticks.filter((tick) => Number.isInteger(tick));
      if (xTicks[0] === 0 || !xTicks.length || toX(xTicks[0]) - left > 50) xTicks.unshift(first);
      for (const tick of xTicks.filter((tick, i) => tick >= first && xTicks.indexOf(tick) === i)) {
        const x = toX(tick);
        parts.push(svg("line", { class: "axis", x1: x, x2: x, y1: top + inner.height, y2: top + inner.height + 4 }));
        const anchor = x > width - 26 ? "end" : "middle";
        const shift = anchor === "end" ? right - 2 : 0;
        parts.push(svg("text", { x: x + shift, y: top + inner.height + 17, "text-anchor": anchor }, whole(tick)));
      }
      parts.push(svg("line", { class: "axis", x1: left, x2: width - right, y1: top + inner.height, y2: top + inner.height }));
      if (spec.x.label) {
        parts.push(svg("text", { x: left + inner.width / 2, y: height - 5, "text-anchor": "middle" }, spec.x.label));
      }
      if (top > 20) parts.push(svg("text", { x: 0, y: 11 }, spec.y.label));

      const shown = this.visible();
      const drawing = svg("g", { "clip-path": `url(#${clip})` });
      for (const series of shown) {
        if (series.low && series.high) {
          for (const run of this.runs(series, (i) => known(series.low[i]) && known(series.high[i]))) {
            const up = run.map((i) => `${toX(series.x[i]).toFixed(1)} ${toY(series.high[i]).toFixed(1)}`);
            const down = run.map((i) => `${toX(series.x[i]).toFixed(1)} ${toY(series.low[i]).toFixed(1)}`).reverse();
            drawing.append(svg("path", { class: "band", d: `M${up.join("L")}L${down.join("L")}Z`, style: { fill: series.color } }));
          }
        }
      }
      for (const series of shown) {
        let path = "";
        for (const run of this.runs(series, (i) => known(series.y[i]))) {
          path += `M${run.map((i) => `${toX(series.x[i]).toFixed(1)} ${toY(series.y[i]).toFixed(1)}`).join("L")}`;
          if (run.length === 1) path += "h.5";
        }
        const stroke = { stroke: series.color, strokeWidth: series.width || 2 };
        if (series.opacity) stroke.strokeOpacity = series.opacity;
        drawing.append(
          svg("path", { class: "curve", d: path, "data-key": series.key, style: stroke, "stroke-dasharray": series.dash }),
        );
      }
      parts.push(drawing);
      for (const line of spec.lines || []) {
        const y = toY(line.y);
        parts.push(svg("line", { class: "limit", x1: left, x2: width - right, y1: y, y2: y }));
        parts.push(svg("text", { class: "of-line", x: width - right - 2, y: y - 5, "text-anchor": "end" }, line.label));
      }
      const marks = (spec.marks || []).filter((mark) => !hidden.has(mark.key));
      marks.forEach((mark, place) => {
        const x = toX(mark.x);
        const beyond = x > left + inner.width / 2;
        parts.push(svg("line", { class: "mark", x1: x, x2: x, y1: top, y2: top + inner.height }));
        parts.push(
          svg("text", {
            class: "of-line", x: beyond ? x - 5 : x + 5, y: top + 12 + 15 * place, "text-anchor": beyond ? "end" : "start",
          }, mark.label),
        );
      });
      this.over = svg("g", {});
      parts.push(this.over);
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.svg.setAttribute("width", width);
      this.svg.setAttribute("height", height);
      this.svg.replaceChildren(...parts);
      if (this.cursor !== null) this.setCursor(this.cursor);
    }

    runs(series, good) {
      const all = [];
      let run = [];
      for (let i = 0; i < series.x.length; i += 1) {
        if (good(i)) run.push(i);
        else if (run.length) {
          all.push(run);
          run = [];
        }
      }
      if (run.length) all.push(run);
      return all;
    }

    describe() {
      const ends = this.spec.series.map((series) => {
        const values = series.y.filter(known);
        if (!values.length) return `${series.label}: no values`;
        return `${series.label} from ${this.format(values[0])} to ${this.format(values[values.length - 1])}`;
      });
      return `${this.spec.y.label} over ${this.spec.x.label || this.spec.x.name}. ${ends.join("; ")}.`;
    }

    setCursor(x) {
      this.cursor = x;
      if (!this.over) return;
      const parts = [];
      if (x !== null && this.toX) {
        const at = this.toX(x);
        parts.push(svg("line", { class: "cursor", x1: at, x2: at, y1: this.frame.top, y2: this.frame.bottom }));
        for (const series of this.visible()) {
          if (!series.x.length) continue;
          const y = series.y[nearest(series.x, x)];
          if (!known(y)) continue;
          const high = Math.min(this.frame.bottom, Math.max(this.frame.top, this.toY(y)));
          parts.push(svg("circle", { class: "dot", cx: at, cy: high, r: 4, style: { fill: series.color } }));
        }
      }
      this.over.replaceChildren(...parts);
    }

    // -------------------------------------------------------------- reading by pointer and keys
    read() {
      const show = (index) => {
        this.at = Math.min(this.xs.length - 1, Math.max(0, index));
        const x = this.xs[this.at];
        if (x === undefined) return;
        this.setCursor(x);
        const lines = this.visible().map((series) => {
          const i = nearest(series.x, x);
          const band =
            series.low && known(series.low[i]) && series.high[i] > series.low[i]
              ? ` (${this.format(series.low[i])} to ${this.format(series.high[i])})`
              : "";
          return html("div", {}, sign(series), html("span", {}, series.label), html("span", {}, this.format(series.y[i]) + band));
        });
        const name = this.spec.x.label || this.spec.x.name || "";
        this.tip.replaceChildren(html("b", {}, `${name} ${whole(x)}`), ...lines);
        this.tip.hidden = false;
        const { clientWidth } = this.box;
        const wide = this.tip.offsetWidth;
        const at = this.toX(x);
        const left = at + 14 + wide < clientWidth ? at + 14 : Math.max(0, at - 14 - wide);
        this.tip.style.transform = `translate(${left}px, ${this.frame.top}px)`;
      };
      const hide = () => {
        this.tip.hidden = true;
        this.setCursor(null);
      };
      const point = (event) => {
        if (!this.toX || !this.xs.length) return;
        const { left } = this.box.getBoundingClientRect();
        show(nearest(this.xs, this.fromX(event.clientX - left)));
      };
      this.box.addEventListener("pointermove", point);
      this.box.addEventListener("pointerdown", point);
      this.box.addEventListener("pointerleave", hide);
      this.box.addEventListener("blur", hide);
      this.box.addEventListener("keydown", (event) => {
        const far = Math.max(1, Math.round(this.xs.length / 10));
        const from = this.tip.hidden ? (event.key === "ArrowLeft" ? this.xs.length : -1) : this.at;
        const moves = {
          ArrowRight: from + 1, ArrowLeft: from - 1, PageUp: from + far, PageDown: from - far,
          Home: 0, End: this.xs.length - 1,
        };
        if (event.key === "Escape") hide();
        else if (event.key in moves) {
          show(moves[event.key]);
          event.preventDefault();
        }
      });
    }

    // The band at a point, as text: half of it, or its ends where it is cut on one side.
    interval(series, i) {
      if (!series.low || !known(series.low[i])) return "";
      const [low, high] = [series.low[i], series.high[i]];
      const uneven = Math.abs(low + high - 2 * series.y[i]) > 1e-9;
      return uneven ? ` (${this.format(low)} to ${this.format(high)})` : ` ± ${this.format((high - low) / 2)}`;
    }

    table() {
      const details = html("details", {}, html("summary", {}, "Numbers"));
      details.addEventListener("toggle", () => {
        if (!details.open || details.querySelector("table")) return;
        const rows = 40; // enough to read; all of them are in the results' own file
        const every = Math.max(1, Math.ceil(this.xs.length / rows));
        const picked = this.xs.filter((x, i) => i % every === 0 || i === this.xs.length - 1);
        const name = this.spec.x.label || this.spec.x.name || "";
        const head = html("tr", {}, html("th", { scope: "col" }, name), ...this.spec.series.map((series) => html("th", { scope: "col", class: "number" }, series.label)));
        const body = picked.map((x) =>
          html("tr", {}, html("th", { scope: "row" }, whole(x)), ...this.spec.series.map((series) => {
            const i = series.x.length ? nearest(series.x, x) : -1;
            return html("td", { class: "number" }, this.format(series.y[i]) + this.interval(series, i));
          })),
        );
        const caption = html("caption", {}, every > 1 ? `${this.spec.title} (${picked.length} of ${this.xs.length} points)` : this.spec.title);
        details.append(html("div", { class: "scroll", tabindex: "0" }, html("table", {}, caption, html("thead", {}, head), html("tbody", {}, ...body))));
      });
      this.figure.append(details);
    }
  }

  function data(id) {
    const element = document.getElementById(`data-${id}`);
    return element ? JSON.parse(element.textContent) : null;
  }

  globalThis.cornu = { LineChart, legend, html, svg, sign, data, formats, number, known, hidden, listeners };
})();
