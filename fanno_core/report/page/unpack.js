// What the page holds packed: gzipped JSON in base64, in script elements that no browser runs.
"use strict";

const unpackedBy = new WeakMap();

async function unpack(element) {
  const text = atob(element.textContent);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  element.textContent = "";
  return JSON.parse(await new Response(stream).text());
}

/** What is in an element, unpacked at the first question. */
function contentOf(element) {
  if (!unpackedBy.has(element)) unpackedBy.set(element, unpack(element));
  return unpackedBy.get(element);
}

// Explanations ---------------------------------------------------------------------------------------------------

const TEXTS = 64;
const blockOf = new Map();
const texts = document.querySelectorAll("script.texts");
for (const element of document.querySelectorAll("script.explained")) {
  for (const id of element.dataset.ids.split(" ")) blockOf.set(id, element);
}

/** What is known of a row or document, whole; null where the page holds no explanation of it. */
async function explanationOf(id) {
  if (!blockOf.has(id)) return null;
  const block = await contentOf(blockOf.get(id));
  return whole(block[id]);
}

/** A value with the documents put back into its strings. */
async function whole(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return Promise.all(value.map(whole));
  if (value.pieces) return (await Promise.all(value.pieces.map(textOf))).join("");
  const pairs = Object.entries(value).map(async ([name, each]) => [name, await whole(each)]);
  return Object.fromEntries(await Promise.all(pairs));
}

async function textOf(piece) {
  if (typeof piece === "string") return piece;
  return (await contentOf(texts[Math.floor(piece / TEXTS)]))[piece % TEXTS];
}
