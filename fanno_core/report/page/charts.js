// Draws each chart when there is time, one after the other, and again when the theme changes.
"use strict";

const charts = JSON.parse(document.getElementById("charts").textContent);
const views = new Map();
let drawing = 0;

const breath = () => new Promise((resolve) => setTimeout(resolve));

async function draw(name) {
  const place = document.getElementById(`chart-${name}`);
  views.get(name)?.finalize();
  const result = await vegaEmbed(place, charts.specs[name], {
    actions: false,
    ast: true, // expressions are interpreted: the page allows no eval
    config: charts.themes[root.dataset.theme],
    defaultStyle: false,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true, theme: "custom" },
  });
  views.set(name, result);
  // The place is one image, told by its caption; the roles that Vega gives to its groups would be images without names.
  place.querySelector("svg").setAttribute("aria-hidden", "true");
  place.style.minHeight = "";
  place.dataset.drawn = root.dataset.theme;
}

async function drawAll() {
  const turn = ++drawing;
  for (const name of Object.keys(charts.specs)) {
    await breath();
    if (turn !== drawing) return;
    try {
      await draw(name);
    } catch (error) {
      console.error(`chart ${name}`, error); // the others are drawn all the same
    }
  }
  root.dataset.charts = "drawn";
}

document.addEventListener("themechange", drawAll);
drawAll();
