"use strict";
// Light or dark: the system's choice until the reader makes another, which then holds. This runs in
// the head, before anything is painted; the button is made when the page is there.
(() => {
  const root = document.documentElement;
  const key = "cornu-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage may be switched off, for files especially
    }
  }

  function current() {
    return root.dataset.theme || (system.matches ? "dark" : "light");
  }

  function announce() {
    document.dispatchEvent(new CustomEvent("cornu-theme", { detail: current() }));
  }

  const before = chosen();
  if (before === "dark" || before === "light") root.dataset.theme = before;

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("button.theme")) {
      const name = () => {
        button.textContent = current() === "dark" ? "Light theme" : "Dark theme";
      };
      button.hidden = false;
      name();
      button.addEventListener("click", () => {
        root.dataset.theme = current() === "dark" ? "light" : "dark";
        try {
          localStorage.setItem(key, root.dataset.theme);
        } catch {
          // the choice holds for this page at least
        }
        announce();
      });
      document.addEventListener("cornu-theme", name);
    }
  });
  system.addEventListener("change", announce);
})();
