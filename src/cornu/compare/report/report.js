"use strict";
// The report's charts, choices, pictures and copy buttons.
(() => {
  const { LineChart, legend, html, data } = globalThis.cornu;
  const frameworks = data("frameworks") || [];

  for (const place of document.querySelectorAll("[data-charts]")) {
    const specs = (data(place.dataset.charts) || {})[place.dataset.part] || [];
    for (const spec of specs) new LineChart(place, spec);
  }
  for (const place of document.querySelectorAll("[data-legend]")) {
    const keys = new Set();
    for (const charts of Object.values(data(place.dataset.legend) || {})) {
      for (const chart of charts) for (const series of chart.series) keys.add(series.key);
    }
    legend(place, frameworks.filter((framework) => keys.has(framework.key)));
  }

  // which dtype of the same start
  const panels = [...document.querySelectorAll("[data-dtype]")];
  for (const radio of document.querySelectorAll('input[name="dtype"]')) {
    const update = () => {
      for (const panel of panels) if (radio.checked) panel.hidden = panel.dataset.dtype !== radio.value;
    };
    radio.addEventListener("change", update);
    update(); // a browser may have kept the choice over a reload
  }

  // the most-wrong pictures
  const images = data("images");
  if (images) {
    const [rows, columns, channels = 1] = images.shape;
    for (const canvas of document.querySelectorAll("canvas[data-picture]")) {
      const raw = atob(images.rows[canvas.dataset.picture] || "");
      canvas.width = columns;
      canvas.height = rows;
      const image = new ImageData(columns, rows);
      for (let i = 0; i < rows * columns; i += 1) {
        for (let c = 0; c < 3; c += 1) {
          image.data[4 * i + c] = raw.charCodeAt(i * channels + (channels >= 3 ? c : 0)) || 0;
        }
        image.data[4 * i + 3] = 255;
      }
      canvas.getContext("2d").putImageData(image, 0, 0);
    }
  }

  // which programs stand side by side
  const programs = document.querySelector(".programs");
  if (programs) {
    const boxes = [...document.querySelectorAll('.choices input[type="checkbox"]')];
    const update = () => {
      const chosen = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
      programs.style.setProperty("--shown", Math.max(1, chosen.size));
      for (const cell of programs.querySelectorAll("[data-program]")) {
        cell.hidden = !chosen.has(cell.dataset.program);
      }
      for (const step of programs.querySelectorAll(".step")) {
        step.hidden = !step.querySelector(".cell:not([hidden]):not([data-empty])");
      }
    };
    for (const box of boxes) box.addEventListener("change", update);
    update();
  }

  // copying
  const texts = data("programs") || [];
  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // a file opened from disk may have no clipboard of its own: the older way
      const area = html("textarea", { class: "out-of-sight", readonly: true });
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const which = button.dataset.copy;
      const text = which === "command" ? button.parentElement.querySelector("code").textContent : texts[Number(which)];
      button.textContent = (await copy(text)) ? "Copied" : "Not copied";
      button.focus();
      setTimeout(() => {
        button.textContent = "Copy";
      }, 1500);
    });
  }
})();
