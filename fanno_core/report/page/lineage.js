// How a row or a rejected example came about, in a dialog. `#row-ID` in the address opens it: rows can be linked to.
"use strict";

const byId = (id) => document.getElementById(id);
const rowById = new Map();
const documents = new Map();
let opening = 0;

/** What the table knows of a row, as an explanation without its questions to the teacher. */
function partOf(row) {
  const source = documents.get(row.document);
  const shown = (id) => ({ id, text: rowById.get(id)?.instruction ?? "", source: rowById.get(id)?.source ?? "did not become a row" });
  return {
    id: row.id,
    kind: "row",
    fate: { kept: true, phase: "publish" },
    notes: ["This report does not hold this row's prompts as sent, raw answers and whole documents. This command tells them:"],
    instruction: row,
    response: { mode: row.response_mode, text: row.output, tokens: row.output_tokens, sampling: row.response_sampling, flags: row.flags },
    filters: checksOf(row.iteration ? "augment" : "seeds", {
      instruction_privacy: row.private,
      instruction_safety: row.unsafe,
      instruction_answerable: row.answerable,
      novelty: row.similarity,
    }),
    counterexamples: row.counterexamples.map(shown),
    parents: row.made_from.map(shown),
    retrieved: row.retrieved.map((id) => ({ ...documents.get(id), text: documents.get(id).excerpt })),
    document: source.words ? { ...source, text: source.excerpt, language: "", personal_data: [] } : null,
    screening: checksOf("verdicts", {
      document_quality: source.quality,
      document_advertisement: source.advertisement,
      document_privacy: source.privacy,
    }),
    place: source.community
      ? { community: source.community, members: source.community_size, rank: null, order: null, topic: source.topic }
      : null,
    children: [],
    questions: [],
  };
}

/** Filters that a row of the data set has passed, with the scores that were measured. */
function checksOf(phase, scores) {
  const measured = Object.entries(scores).filter(([, score]) => score >= 0);
  return measured.map(([name, score]) => ({ phase, name, passed: true, score, limit: "", detail: "" }));
}

/** Which prompts made a row; where they stand as sent, their headings say it. */
function makersOf(row) {
  return aside([row.teacher, row.instruction_prompt, row.response_prompt, row.phases]);
}

/** The output folder, quoted for a shell: the page lies in it, unless somebody has moved it. */
function outFolder() {
  const path = decodeURIComponent(location.pathname);
  if (location.protocol !== "file:" || !path.endsWith("/report/index.html")) return "OUT";
  return `'${path.replace(/\/report\/index\.html$/, "").replaceAll("'", "'\\''")}'`;
}

function commandFor(id) {
  const command = `fanno explain ${id} --out ${outFolder()}`;
  const box = make("div", "", "command");
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

async function openFromAddress() {
  const turn = ++opening;
  const dialog = byId("lineage");
  const id = location.hash.startsWith("#row-") ? location.hash.slice("#row-".length) : "";
  const row = rowById.get(id);
  const explained = await explanationOf(id);
  if (turn !== opening) return; // another one was asked for meanwhile
  if (!explained && !row) return dialog.close();
  const told = explained ?? partOf(row);
  const [fate, ...parts] = partsOf(told).map(([heading, content]) => [...(heading ? [make("h3", heading)] : []), ...content]);
  const command = commandFor(told.id);
  byId("lineage-title").textContent = `${told.kind} ${told.id}`;
  byId("lineage-body").replaceChildren(...fate, ...(explained ? [] : [command, makersOf(row)]), ...parts.flat());
  if (explained) byId("lineage-body").append(command);
  if (dialog.open) byId("close").focus(); // what had the focus is gone
  else dialog.showModal();
  dialog.scrollTop = 0;
}

function leaveAddress() {
  if (!location.hash.startsWith("#row-")) return;
  history.replaceState(null, "", rowById.has(location.hash.slice("#row-".length)) ? "#rows" : "#funnel");
}

byId("close").addEventListener("click", () => byId("lineage").close());
byId("lineage").addEventListener("close", leaveAddress);
addEventListener("hashchange", openFromAddress);
for (const place of document.querySelectorAll(".out")) place.textContent = outFolder();
