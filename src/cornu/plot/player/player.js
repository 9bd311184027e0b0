"use strict";
// The player of a movie: pictures of every series side by side, one slider and one play button for
// all of them, and each one's loss and accuracy below with a cursor at the frame that is shown.
(() => {
  const { html, svg, LineChart, sign, data, formats, number, known } = globalThis.cornu;
  const SECONDS = 10; // of the whole movie at normal speed, within the frame rates below
  const SLOWEST = 3; // frames a second
  const FASTEST = 15;
  const BOUNDARY = 127.5; // probability one half, in the frames' unit

  function decode(text) {
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
    return bytes;
  }

  // Canvas knows no CSS variables: what they are in the present theme is asked of the browser.
  function colorReader() {
    const probe = html("span", { hidden: true });
    document.body.append(probe);
    return {
      read(value) {
        probe.style.color = value;
        const found = getComputedStyle(probe).color.match(/[\d.]+/g) || ["0", "0", "0"];
        return found.slice(0, 3).map(Number);
      },
      done: () => probe.remove(),
    };
  }

  const mix = (one, two, share) => one.map((value, i) => value + (two[i] - value) * share);
  const css = (color) => `rgb(${color.map(Math.round).join(" ")})`;

  // One sign for each class, so that colour is not all that tells them apart.
  function mark(context, kind, x, y, size) {
    context.beginPath();
    if (kind % 4 === 0) context.arc(x, y, size, 0, 2 * Math.PI);
    else if (kind % 4 === 1) {
      const d = size * 1.3;
      context.moveTo(x, y - d);
      context.lineTo(x + d, y);
      context.lineTo(x, y + d);
      context.lineTo(x - d, y);
    } else if (kind % 4 === 2) {
      const d = size * 0.9;
      context.rect(x - d, y - d, 2 * d, 2 * d);
    } else {
      const d = size * 1.25;
      context.moveTo(x, y - d);
      context.lineTo(x + d, y + d * 0.8);
      context.lineTo(x - d, y + d * 0.8);
    }
    context.closePath();
    context.fill();
    context.stroke();
  }

  function keySign(place) {
    const fill = { style: { fill: `var(--class-${place % 10})`, stroke: "var(--ink)", strokeWidth: 0.8 } };
    const shapes = [
      () => svg("circle", { cx: 7, cy: 7, r: 4.8, ...fill }),
      () => svg("path", { d: "M7 1L13 7L7 13L1 7Z", ...fill }),
      () => svg("rect", { x: 2.5, y: 2.5, width: 9, height: 9, ...fill }),
      () => svg("path", { d: "M7 1.5L13 12H1Z", ...fill }),
    ];
    return svg("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" }, shapes[place % 4]());
  }

  // Where the probability crosses one half between the grid's points (row 0 is the bottom):
  // marching squares, as pieces of line in units of grid cells.
  function crossing(values, rows, columns, level) {
    const pieces = [];
    for (let r = 0; r + 1 < rows; r += 1) {
      for (let c = 0; c + 1 < columns; c += 1) {
        const v = [
          values[r * columns + c], values[r * columns + c + 1],
          values[(r + 1) * columns + c + 1], values[(r + 1) * columns + c],
        ];
        const above = (v[0] > level) + (v[1] > level) + (v[2] > level) + (v[3] > level);
        if (above === 0 || above === 4) continue;
        const corners = [[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]];
        const cuts = [];
        for (let k = 0; k < 4; k += 1) {
          const next = (k + 1) % 4;
          if (v[k] > level === v[next] > level) continue;
          const share = (level - v[k]) / (v[next] - v[k]);
          cuts.push([
            corners[k][0] + share * (corners[next][0] - corners[k][0]),
            corners[k][1] + share * (corners[next][1] - corners[k][1]),
          ]);
        }
        for (let k = 0; k + 1 < cuts.length; k += 2) pieces.push([cuts[k], cuts[k + 1]]);
      }
    }
    return pieces;
  }

  // Between several classes: the sides of cells whose neighbour belongs to another class.
  function borders(values, rows, columns) {
    const pieces = [];
    for (let r = 0; r < rows; r += 1) {
      for (let c = 0; c < columns; c += 1) {
        const here = values[r * columns + c];
        if (c + 1 < columns && values[r * columns + c + 1] !== here) pieces.push([[c + 0.5, r - 0.5], [c + 0.5, r + 0.5]]);
        if (r + 1 < rows && values[(r + 1) * columns + c] !== here) pieces.push([[c - 0.5, r + 0.5], [c + 0.5, r + 0.5]]);
      }
    }
    return pieces;
  }

  class Picture {
    constructor(place, movie, series) {
      this.movie = movie;
      this.series = series;
      this.decoded = new Map();
      [this.rows, this.columns] = movie.shape;
      this.canvas = html("canvas", { role: "img" });
      this.small = document.createElement("canvas");
      this.small.width = this.columns;
      this.small.height = this.rows;
      this.frame = -1;
      this.tip = html("div", { class: "tip", hidden: true });
      const holder = html("div", { class: "picture" }, this.canvas, this.tip);
      place.append(holder);
      if (movie.kind !== "images") this.read();
      new ResizeObserver(() => this.draw()).observe(holder);
    }

    bytes(list, index) {
      const all = this.series[list] || [];
      const text = all[Math.min(index, all.length - 1)];
      if (text === undefined || text === null) return null;
      const key = `${list}${index}`;
      if (!this.decoded.has(key)) this.decoded.set(key, decode(text));
      return this.decoded.get(key);
    }

    get count() {
      return (this.series.frames || []).length;
    }

    colors() {
      const theme = getComputedStyle(document.documentElement).colorScheme + matchMedia("(prefers-color-scheme: dark)").matches;
      if (this.theme === theme) return this.asked;
      this.theme = theme;
      const reader = colorReader();
      const page = reader.read("var(--card)");
      const ink = reader.read("var(--ink)");
      const classes = [];
      const wanted = Math.max(2, (this.movie.classes || []).length);
      for (let i = 0; i < wanted; i += 1) classes.push(reader.read(`var(--class-${i % 10})`));
      reader.done();
      this.asked = { page, ink, classes };
      return this.asked;
    }

    paint(values, confidence, { page, classes }) {
      const { rows, columns } = this;
      const image = new ImageData(columns, rows);
      const flip = this.movie.kind !== "images";
      const table = [];
      for (let i = 0; i < 256; i += 1) {
        if (this.movie.kind === "images") table.push([i, i, i]);
        else {
          // away from one half towards the class; never so strong that a point drowns in it
          const side = (i - BOUNDARY) / BOUNDARY;
          table.push(mix(page, classes[side > 0 ? 1 : 0], 0.06 + 0.44 * Math.abs(side)));
        }
      }
      for (let r = 0; r < rows; r += 1) {
        for (let c = 0; c < columns; c += 1) {
          const from = r * columns + c;
          const to = 4 * ((flip ? rows - 1 - r : r) * columns + c);
          let color = table[values[from]];
          if (this.movie.kind === "classes") {
            const share = confidence ? 0.1 + 0.5 * (confidence[from] / 255) : 0.4;
            color = mix(page, classes[values[from] % classes.length], share);
          }
          image.data[to] = color[0];
          image.data[to + 1] = color[1];
          image.data[to + 2] = color[2];
          image.data[to + 3] = 255;
        }
      }
      this.small.getContext("2d").putImageData(image, 0, 0);
    }

    draw(index = this.frame) {
      if (index < 0) return;
      this.frame = index;
      const { canvas, movie, rows, columns } = this;
      const width = Math.floor(canvas.parentElement.clientWidth);
      const values = this.bytes("frames", index);
      if (width < 20 || !values) return;
      const [left, right, bottom, top] = movie.extent || [0, columns, 0, rows];
      const shape = movie.kind === "images" ? rows / columns : (top - bottom) / (right - left);
      const height = Math.round(width * Math.min(1.25, Math.max(0.4, shape)));
      const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
        canvas.style.height = `${height}px`;
      }
      const colors = this.colors();
      const context = canvas.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      const smooth = movie.kind === "boundary";
      this.paint(values, this.bytes("confidence", index), colors);
      context.imageSmoothingEnabled = smooth;
      context.imageSmoothingQuality = "high";
      context.drawImage(this.small, 0, 0, width, height);
      if (movie.kind === "images") return;

      // the grid's points are the middles of the picture's cells
      const toX = (c) => ((c + 0.5) / columns) * width;
      const toY = (r) => height - ((r + 0.5) / rows) * height;
      const pieces = smooth ? crossing(values, rows, columns, BOUNDARY) : borders(values, rows, columns);
      context.strokeStyle = css(colors.ink);
      context.lineWidth = smooth ? 2 : 1.2;
      context.lineCap = "round";
      context.beginPath();
      for (const [one, two] of pieces) {
        context.moveTo(toX(one[0]), toY(one[1]));
        context.lineTo(toX(two[0]), toY(two[1]));
      }
      context.stroke();
      const size = width < 220 ? 2 : 2.8;
      context.strokeStyle = css(colors.page);
      context.lineWidth = 0.8;
      for (const [x, y, kind] of movie.points || []) {
        context.fillStyle = css(colors.classes[kind % colors.classes.length]);
        mark(context, kind, ((x - left) / (right - left)) * width, height - ((y - bottom) / (top - bottom)) * height, size);
      }
    }

    read() {
      const { canvas, tip, movie } = this;
      const [left, right, bottom, top] = movie.extent;
      const names = movie.axes || ["x1", "x2"];
      const hide = () => {
        tip.hidden = true;
      };
      canvas.addEventListener("pointermove", (event) => {
        const values = this.bytes("frames", this.frame);
        const box = canvas.getBoundingClientRect();
        if (!values || !box.width) return;
        const across = Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width));
        const up = Math.min(0.9999, Math.max(0, 1 - (event.clientY - box.top) / box.height));
        const at = Math.floor(up * this.rows) * this.columns + Math.floor(across * this.columns);
        const spots = `${names[0]} ${number(left + across * (right - left))}, ${names[1]} ${number(bottom + up * (top - bottom))}`;
        const classes = movie.classes || ["0", "1"];
        let what = `class ${classes[values[at]] ?? values[at]}`;
        if (movie.kind === "boundary") what = `probability of ${classes[1] ?? "1"}: ${formats.percent(values[at] / 255)}`;
        tip.replaceChildren(html("b", {}, what), html("div", {}, spots));
        tip.hidden = false;
        const x = Math.min(event.clientX - box.left + 12, Math.max(0, box.width - tip.offsetWidth));
        const y = event.clientY - box.top + (up > 0.3 ? 18 : -tip.offsetHeight - 10);
        tip.style.transform = `translate(${x}px, ${y}px)`;
      });
      canvas.addEventListener("pointerleave", hide);
    }
  }

  function curves(place, movie, series) {
    const charts = [];
    for (const [name, values] of Object.entries(series.curves || {})) {
      if (!Array.isArray(values) || !values.some(known)) continue;
      const share = /acc/.test(name) && values.every((value) => !known(value) || (value >= 0 && value <= 1));
      place.append(html("div", { class: "small-title" }, name));
      charts.push({
        name, values, share,
        chart: new LineChart(place, {
          title: `${series.title}: ${name}`, untitled: true, quiet: true, height: 104,
          x: { name: "epoch" },
          y: {
            label: name, format: share ? "percent" : "number", atMost: share ? 1 : null,
            // the same axis under every picture, or the eye compares what is not the same
            group: `player ${name}`,
          },
          series: [{ key: series.name, label: series.title, color: series.color || "var(--accent)", x: movie.epochs, y: values }],
        }),
      });
    }
    return charts;
  }

  function player(place, movie) {
    const { epochs } = movie;
    const last = epochs.length - 1;
    const list = movie.series.filter((series) => (series.frames || []).length);
    const unit = movie.unit || "Epoch";

    const play = html("button", { type: "button", class: "play" }, "Play");
    const slider = html("input", { type: "range", min: 0, max: Math.max(0, last), step: 1, "aria-label": unit });
    const now = html("output", { class: "now" });
    const speed = html("select", { "aria-label": "Speed" });
    for (const factor of [0.25, 0.5, 1, 2, 4]) {
      speed.append(html("option", { value: factor, selected: factor === 1 }, `${factor}\u00d7`));
    }
    const bar = html("div", { class: "player-bar" }, play, slider, now, html("label", {}, html("span", {}, "Speed"), speed));
    place.append(bar);

    if (movie.kind !== "images") {
      const key = html("ul", { class: "class-key", "aria-label": "Classes" });
      (movie.classes || []).forEach((name, i) => key.append(html("li", {}, keySign(i), `class ${name}`)));
      if (movie.axes) key.append(html("li", { class: "soft" }, `across: ${movie.axes[0]}, up: ${movie.axes[1]}`));
      place.append(key);
    }

    const frames = html("div", { class: `player-frames${list.length === 1 ? " alone" : ""}` });
    place.append(frames);
    const parts = list.map((series) => {
      const color = series.color || "var(--accent)";
      const figure = html("figure", { "data-key": series.name }, html("figcaption", {}, sign({ ...series, color }), series.title));
      frames.append(figure);
      const picture = new Picture(figure, movie, series);
      const values = html("div", { class: "values" });
      figure.append(values);
      return { series, figure, picture, values, charts: curves(figure, movie, series) };
    });
    const follow = () => {
      for (const part of parts) part.figure.hidden = globalThis.cornu.hidden.has(part.series.name);
    };
    globalThis.cornu.listeners.add(follow);
    follow();

    let frame = 0;
    function show(index) {
      frame = Math.min(last, Math.max(0, index));
      const label = `${unit} ${epochs[frame]} of ${epochs[last]}`;
      slider.value = frame;
      slider.setAttribute("aria-valuetext", label);
      now.textContent = label;
      for (const { series, picture, values, charts } of parts) {
        picture.draw(frame);
        const texts = charts.map(({ name, share, values: all }) => `${name} ${share ? formats.percent(all[frame]) : number(all[frame])}`);
        values.textContent = texts.join(" · ");
        picture.canvas.setAttribute("aria-label", [`${series.title}, ${label}`, ...texts].join(", "));
        for (const { chart } of charts) chart.setCursor(epochs[frame]);
      }
    }

    let playing = null;
    function stop() {
      if (playing !== null) cancelAnimationFrame(playing);
      playing = null;
      play.textContent = "Play";
    }
    function start() {
      if (last < 1) return;
      if (frame >= last) show(0);
      play.textContent = "Pause";
      let before = null;
      let owed = 0;
      const tick = (time) => {
        const rate = Math.min(FASTEST, Math.max(SLOWEST, (last + 1) / SECONDS)) * Number(speed.value);
        // a page that was away does not leap when it comes back
        if (before !== null) owed += Math.min(0.5, (time - before) / 1000) * rate;
        before = time;
        if (owed >= 1) {
          show(frame + Math.floor(owed));
          owed %= 1;
        }
        if (frame >= last) stop();
        else playing = requestAnimationFrame(tick);
      };
      playing = requestAnimationFrame(tick);
    }
    const turn = () => (playing === null ? start() : stop());

    play.addEventListener("click", turn);
    slider.addEventListener("input", () => {
      stop();
      show(Number(slider.value));
    });
    // on a page of its own the whole page listens; in a report, what is inside the player
    const listener = place.hasAttribute("data-alone") ? document : place;
    listener.addEventListener("keydown", (event) => {
      const at = event.target;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const moves = { ArrowRight: frame + 1, ArrowLeft: frame - 1, Home: 0, End: last };
      if (event.key === " " && !(at instanceof HTMLButtonElement || at instanceof HTMLSelectElement)) {
        turn();
        event.preventDefault();
      } else if (event.key in moves && !(at instanceof HTMLInputElement || at instanceof HTMLSelectElement)) {
        stop();
        show(moves[event.key]);
        event.preventDefault();
      }
    });
    document.addEventListener("cornu-theme", () => show(frame));
    show(last);
    return { show, start, stop };
  }

  globalThis.cornu.player = player;
  for (const place of document.querySelectorAll("[data-movie]")) {
    const movie = data(place.dataset.movie);
    if (movie && movie.epochs.length) player(place, movie);
  }
})();
