// The table of rows: unpacked, searched, filtered and shown in slices, so that the page never stalls.
"use strict";

const PAGE_ROWS = 50;
const SLICE_MS = 12;
const FILTERS = ["task_type", "form", "iteration", "topic", "flags"];

const rows = [];
let found = [];
let page = 0;
let search = 0;

const pause = () => new Promise((resolve) => setTimeout(resolve));

// Reading --------------------------------------------------------------------------------------------------------

/** Columns to objects, one a row. */
function* objectsOf(columns) {
  const names = Object.keys(columns);
  const count = columns[names[0]].length;
  for (let i = 0; i < count; i += 1) {
    yield Object.fromEntries(names.map((name) => [name, columns[name][i]]));
  }
}

async function load() {
  for (const element of document.querySelectorAll("script.documents")) {
    for (const each of objectsOf(await unpack(element))) documents.set(each.id, each);
    await pause();
  }
  for (const element of document.querySelectorAll("script.rows")) {
    for (const row of objectsOf(await unpack(element))) {
      row.source = documents.get(row.document).source;
      row.topic = documents.get(row.document).topic;
      rows.push(row);
      rowById.set(row.id, row);
    }
    byId("found").textContent = `Reading rows: ${rows.length.toLocaleString("en")}`;
    await pause();
  }
}

// Searching ------------------------------------------------------------------------------------------------------

function wanted() {
  const form = new FormData(byId("filters"));
  const words = form.get("search").toLowerCase().split(/\s+/).filter(Boolean);
  const source = form.get("source").toLowerCase();
  const chosen = FILTERS.map((name) => [name, form.get(name)]).filter(([, value]) => value !== "any");
  return (row) =>
    chosen.every(([name, value]) => (name === "flags" ? row.flags.includes(value) : String(row[name]) === value)) &&
    (!source || row.source.toLowerCase().includes(source)) &&
    (!words.length || holds(row, words));
}

function holds(row, words) {
  const text = `${row.id}\n${row.instruction}\n${row.input}\n${row.output}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

async function filter() {
  const turn = ++search;
  const isWanted = wanted();
  const matches = [];
  byId("table").setAttribute("aria-busy", "true");
  let until = performance.now() + SLICE_MS;
  for (const row of rows) {
    if (isWanted(row)) matches.push(row);
    if (performance.now() > until) {
      await pause();
      if (turn !== search) return; // the reader has typed on
      until = performance.now() + SLICE_MS;
    }
  }
  found = matches;
  page = 0;
  show();
  byId("table").setAttribute("aria-busy", "false");
}

// Showing --------------------------------------------------------------------------------------------------------

function show() {
  const first = page * PAGE_ROWS;
  const shown = found.slice(first, first + PAGE_ROWS);
  byId("table").querySelector("tbody").replaceChildren(...shown.map(lineOf));
  const count = (number) => number.toLocaleString("en");
  byId("found").textContent = found.length
    ? `Rows ${count(first + 1)} to ${count(first + shown.length)} of ${count(found.length)}`
    : "No row fits; widen the search or choose “any”.";
  byId("before").disabled = page === 0;
  byId("after").disabled = first + PAGE_ROWS >= found.length;
}

function lineOf(row) {
  const line = document.createElement("tr");
  const opener = make("button");
  opener.append(make("span", row.instruction || "(empty)", "clamp"));
  opener.type = "button";
  opener.setAttribute("aria-haspopup", "dialog");
  opener.addEventListener("click", () => { location.hash = `row-${row.id}`; });
  const cell = document.createElement("td");
  cell.append(opener);
  const output = document.createElement("td");
  output.append(make("div", row.output, "clamp"));
  line.append(cell, output);
  const rest = [row.task_type || "–", row.form || "–", row.iteration, row.topic < 0 ? "–" : row.topic, row.source];
  line.append(...rest.map((value) => make("td", String(value), "optional")));
  return line;
}

// Start ----------------------------------------------------------------------------------------------------------

let timer = 0;
byId("filters").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(filter, 150);
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("reset", () => setTimeout(filter));
byId("before").addEventListener("click", () => { page -= 1; show(); });
byId("after").addEventListener("click", () => { page += 1; show(); });
load().then(filter).then(() => {
  root.dataset.rows = "ready";
  if (location.hash.startsWith("#row-")) openFromAddress();
});
