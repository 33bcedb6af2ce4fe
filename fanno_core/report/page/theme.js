// Light or dark: what the system prefers, until the reader says otherwise.
"use strict";

const root = document.documentElement;
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
let chosen = null;

function theme() {
  return chosen ?? (prefersDark.matches ? "dark" : "light");
}

function applyTheme() {
  root.dataset.theme = theme();
  const button = document.getElementById("theme");
  if (button) button.textContent = theme() === "dark" ? "Light" : "Dark";
  document.dispatchEvent(new Event("themechange"));
}

prefersDark.addEventListener("change", applyTheme);
// Paper is white.
addEventListener("beforeprint", () => { root.dataset.theme = "light"; document.dispatchEvent(new Event("themechange")); });
addEventListener("afterprint", applyTheme);
applyTheme();
document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("theme").addEventListener("click", () => {
    chosen = theme() === "dark" ? "light" : "dark";
    applyTheme();
  });
  applyTheme();
});
