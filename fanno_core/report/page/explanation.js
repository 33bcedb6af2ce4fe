// An explanation as elements, with the headings of `fanno explain` in their order.
"use strict";

/** An element with text in it. Whatever comes from a document goes through here, and so is never markup. */
function make(tag, text = "", className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function within(tag, ...content) {
  const element = document.createElement(tag);
  element.append(...content);
  return element;
}

const textPart = (text) => make("p", text, "text");
const aside = (parts) => make("p", parts.filter(Boolean).join(", "), "about");
const counted = (number) => number.toLocaleString("en");
const digits = (score) => String(Number(score.toPrecision(4)));

/** The parts that apply: of each its heading and its content. The first has none: the dialog's title is its heading. */
function partsOf(told) {
  const parts = [["", fateParts(told)]];
  const add = (heading, applies, content) => { if (applies) parts.push([heading, content(applies)]); };
  const some = (list) => (list.length ? list : null);
  add("instruction", told.instruction, instructionParts);
  add("response", told.response, responseParts);
  add("filters of instruction and response", some(told.filters), (checks) => [checksTable(checks, "Filters of instruction and response")]);
  add("counterexamples that the prompt showed", some(told.counterexamples), (rows) => rows.flatMap(shownRow));
  add("rows that it was made of", some(told.parents), (rows) => rows.flatMap(shownRow));
  add("documents retrieved for the response", some(told.retrieved), (rows) => rows.map(shownDocument));
  add("document", told.document, documentParts);
  add("filters of the document", some(told.screening), (checks) => [checksTable(checks, "Filters of the document")]);
  add("community", told.place, (place) => [placePart(place)]);
  add("written from it", some(told.children), (rows) => [within("ul", ...rows.map(childItem))]);
  told.questions.forEach((asked, number) => {
    parts.push([`question ${number + 1} of ${told.questions.length}: ${asked.prompt}`, questionParts(asked)]);
  });
  return parts;
}

function fateParts(told) {
  const { kept, phase, reason, detail } = told.fate;
  const inside = told.kind === "row" ? "in the data set" : `kept by every phase up to ${phase}`;
  const said = kept ? inside : `rejected by ${phase}, ${[reason, detail].filter(Boolean).join(": ")}`;
  return [make("p", said, kept ? "passed" : "failed"), ...told.notes.map((note) => make("p", note, "note"))];
}

function instructionParts(row) {
  const question = row.input ? `${row.instruction}\n${row.input}` : row.instruction;
  return [textPart(question), aside([row.task_type, row.form, row.characteristic, `iteration ${row.iteration}`])];
}

function responseParts(response) {
  const how = [`mode ${response.mode}`, `${counted(response.tokens)} tokens`, response.sampling, ...response.flags];
  return [textPart(response.text), aside(how)];
}

function checksTable(checks, name) {
  const head = within("tr", ...["phase", "filter", "score", "asked for", "outcome"].map((column) => make("th", column)));
  for (const cell of head.cells) cell.scope = "col";
  head.cells[0].className = "optional";
  head.cells[2].className = "n";
  const table = within("table", within("thead", head), within("tbody", ...checks.map(checkLine)));
  const place = within("div", table);
  place.className = "scroll";
  place.tabIndex = 0; // so that a keyboard can scroll it on a phone
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", name);
  return place;
}

function checkLine(check) {
  const outcome = within("td", make("span", check.passed ? "passed" : "failed", check.passed ? "passed" : "failed"));
  if (check.detail) outcome.append(` ${check.detail}`);
  const score = make("td", check.score === null ? "" : digits(check.score), "n");
  const name = within("td", ...breakable(check.name));
  return within("tr", make("td", check.phase, "optional"), name, score, make("td", check.limit), outcome);
}

/** A name in which a line may end after each underscore. */
function breakable(name) {
  return name.split(/(?<=_)/).flatMap((part) => [part, document.createElement("wbr")]);
}

function shownRow(row) {
  return [within("p", linkTo(row.id), `, ${row.source}`), textPart(row.text)];
}

function shownDocument(row) {
  return within("details", make("summary", `${row.id}, ${row.source}`), textPart(row.text));
}

function documentParts(source) {
  const where = [source.id, source.source, source.location, source.carried_id, source.licence];
  const words = source.words ? `${counted(source.words)} words` : "";
  return [aside(where), textPart(source.text), aside([source.language, words, ...source.personal_data])];
}

function placePart(place) {
  const rank = place.rank === null ? `of ${counted(place.members)}` : `rank ${place.rank} of ${counted(place.members)}`;
  const turn = place.order === null ? "" : `, place ${place.order} in the queue`;
  return make("p", `${place.community}, ${rank}, topic ${place.topic}${turn}`);
}

function childItem(row) {
  const fate = row.kept ? "kept" : `${row.phase}, ${row.reason}`;
  return within("li", linkTo(row.id), ` ${fate}: `, make("span", row.instruction, "text"));
}

function questionParts(asked) {
  const parts = [aside([`about ${asked.about}`, asked.sampling])];
  if (asked.text !== null) {
    const size = `prompt as sent, ${counted(asked.text.length)} characters`;
    parts.push(within("details", make("summary", size), make("pre", asked.text, "text")));
  }
  if (asked.answer !== null) {
    const probability = asked.probability === null ? "" : `probability of 1: ${digits(asked.probability)}`;
    const tokens = [`${counted(asked.prompt_tokens)} tokens of prompt`, `${counted(asked.completion_tokens)} of answer`];
    parts.push(make("h4", "answer"), make("pre", asked.answer, "text"), aside([probability, ...tokens, asked.finish]));
  }
  if (asked.note) parts.push(make("p", asked.note, "note"));
  return parts;
}

/** The id of a row or document, as a link where the page can open it. */
function linkTo(id) {
  if (!rowById.has(id) && !blockOf.has(id)) return make("code", id);
  const link = within("a", make("code", id));
  link.href = `#row-${id}`;
  return link;
}
