// The lineage of a row in a dialog. `#row-ID` in the address opens it, so that rows can be linked to.
"use strict";

const byId = (id) => document.getElementById(id);
const rowById = new Map();
const documents = new Map();

/** An element with text in it. Whatever comes from a document goes through here, and so is never markup. */
function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function terms(pairs) {
  const list = document.createElement("dl");
  for (const [name, value] of pairs) {
    if (value === "" || value === null) continue;
    const description = document.createElement("dd");
    description.append(value instanceof Node ? value : String(value));
    list.append(make("dt", name), description);
  }
  return list;
}

function section(name, ...content) {
  return [make("h3", name), ...content];
}

const probability = (value) => (value < 0 ? "" : value.toFixed(2));

function placeOf(source) {
  return terms([
    ["source", source.source],
    ["place in it", source.location],
    ["corpus’ own id", source.carried_id],
    ["licence", source.licence || "not stated"],
    ["document", make("code", source.id)],
  ]);
}

function excerptOf(source) {
  const quote = document.createElement("blockquote");
  quote.append(make("p", source.excerpt, "text"));
  return quote;
}

function documentParts(source) {
  const community = source.community ? make("code", source.community) : "";
  return section("Document", placeOf(source), excerptOf(source)).concat(
    section("Why it was chosen", terms([
      ["community", community],
      ["members", source.community_size || ""],
      ["topic", source.topic < 0 ? "" : source.topic],
      ["worth learning", probability(source.quality)],
      ["advert", probability(source.advertisement)],
      ["private person", probability(source.privacy)],
    ])),
  );
}

function linkTo(id) {
  if (!rowById.has(id)) return make("code", `${id} (did not become a row)`);
  const link = make("a", rowById.get(id).instruction.slice(0, 120) || id);
  link.href = `#row-${id}`;
  return link;
}

function listOf(nodes) {
  const list = document.createElement("ul");
  for (const node of nodes) {
    const item = document.createElement("li");
    item.append(node);
    list.append(item);
  }
  return list;
}

function retrievedParts(row) {
  return row.retrieved.map((id) => {
    const source = documents.get(id);
    const details = document.createElement("details");
    details.append(make("summary", `${source.source}, ${source.location}`), placeOf(source), excerptOf(source));
    return details;
  });
}

function madeParts(row) {
  return section("Tags", terms([
    ["task type", row.task_type],
    ["difficulty", row.characteristic],
    ["form", row.form],
    ["iteration", row.iteration === 0 ? "0 (seed)" : row.iteration],
    ["flags", row.flags.join(", ")],
  ])).concat(section("Verdicts", terms([
    ["answerable", probability(row.answerable)],
    ["private", probability(row.private)],
    ["unsafe", probability(row.unsafe)],
    ["nearest before", row.similarity < 0 ? "" : `cosine ${row.similarity.toFixed(2)}`],
  ])));
}

function writtenParts(row) {
  return section("How it was written", terms([
    ["teacher", row.teacher],
    ["instruction", make("code", row.instruction_prompt)],
    ["drawn with", row.instruction_sampling],
    ["response", make("code", row.response_prompt)],
    ["drawn with", row.response_sampling],
    ["mode", row.response_mode],
    ["tokens", `${row.output_tokens} in the response, ${row.cut_tokens} of documents left out`],
    ["phases", row.phases],
  ]));
}

/** The output folder, quoted for a shell: the page lies in it, unless somebody has moved it. */
function outFolder() {
  const path = decodeURIComponent(location.pathname);
  if (location.protocol !== "file:" || !path.endsWith("/report/index.html")) return "OUT";
  return `'${path.replace(/\/report\/index\.html$/, "").replaceAll("'", "'\\''")}'`;
}

function commandFor(id) {
  const box = make("div", "", "command");
  const command = `fanno explain ${id} --out ${outFolder()}`;
  box.append(make("code", command));
  if (!navigator.clipboard) return box;
  const copy = make("button", "Copy");
  copy.type = "button";
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command);
    copy.textContent = "Copied";
  });
  box.append(copy);
  return box;
}

function lineageOf(row) {
  const none = (list) => (list.length ? list : [make("p", "none", "none")]);
  return [
    ...section("Instruction", make("p", row.instruction, "text")),
    ...(row.input ? section("Input", make("p", row.input, "text")) : []),
    ...section("Response", make("p", row.output, "text")),
    ...documentParts(documents.get(row.document)),
    ...madeParts(row),
    ...section("Counterexamples shown", ...none(row.counterexamples.length ? [listOf(row.counterexamples.map(linkTo))] : [])),
    ...section("Documents retrieved", ...none(retrievedParts(row))),
    ...writtenParts(row),
    ...section("Prompts as sent, answers, filters", commandFor(row.id)),
  ];
}

function openFromAddress() {
  const row = rowById.get(location.hash.replace("#row-", ""));
  const dialog = byId("lineage");
  if (!row) return dialog.close();
  byId("lineage-title").textContent = `Row ${row.id}`;
  byId("lineage-body").replaceChildren(...lineageOf(row));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

function leaveAddress() {
  if (location.hash.startsWith("#row-")) history.replaceState(null, "", "#rows");
}

byId("close").addEventListener("click", () => byId("lineage").close());
byId("lineage").addEventListener("close", leaveAddress);
addEventListener("hashchange", openFromAddress);
for (const place of document.querySelectorAll(".out")) place.textContent = outFolder();
