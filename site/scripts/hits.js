// What the finder shows, made of the templates of its page; whatever came from a record is text.

import { said } from "./language.js";
import { inLanguage, made } from "./made.js";
import { pageOf } from "./named.js";

let labels = {};

/** Take the words for codes: by filter and code, `[text]` or `[text, language]`. */
export function takeLabels(taken) {
  labels = taken;
}

/** List the codes of a filter that have words, in their order. */
export function labelledCodes(facet) {
  return Object.keys(labels[facet] ?? {});
}

function labelled(facet, code) {
  const known = labels[facet];
  const [text, tag] = known?.[code] ?? (known ? [code.replaceAll("_", " "), "en"] : [code]);
  return { text, tag };
}

/** Name a code to the reader. */
export function word(facet, code) {
  const { text, tag } = labelled(facet, code);
  const element = inLanguage(document.createElement("bdi"), tag);
  element.textContent = text;
  return element;
}

/** Put a text into pieces, those that were asked for marked; marks count Unicode characters. */
function marked(text, marks) {
  const letters = Array.from(text);
  const pieces = [];
  let done = 0;
  for (const [from, to] of marks) {
    const mark = document.createElement("mark");
    mark.textContent = letters.slice(from, to).join("");
    pieces.push(letters.slice(done, from).join(""), mark);
    done = to;
  }
  return [...pieces, letters.slice(done).join("")];
}

/** Show one record as the lists do. */
export function hit(item) {
  const name = said(item.name);
  const summary = said(item.summary);
  const passages = item.highlights ?? [];
  const about = (field, text) =>
    passages.find((one) => one.field === field && one.lang === text?.lang && one.text === text.text)
      ?.marks ?? [];
  const piece = made("hit", {
    by: word("agency", item.agency),
    summary: summary && marked(summary.text, about("/summary", summary)),
    status: word("status", item.status),
    sector: word("sector", item.sector),
    risk: labelled("risk", item.risk).text,
    fictitious: item.fictitious ? [made("fictitious")] : null,
    origin: item.origin ? word("origin", item.origin) : null,
    passage: passages
      .filter((one) => !["/name", "/summary"].includes(one.field))
      .slice(0, 1)
      .map((one) => inPassage(one))[0],
  });
  const link = piece.querySelector("h3 a");
  link.href = pageOf("record", item.id);
  if (name) {
    inLanguage(link, name.lang).replaceChildren(...marked(name.text, about("/name", name)));
  }
  piece.querySelector(".by a").href = pageOf("agency", item.agency);
  piece.querySelector(".badge").classList.add(`risk-${item.risk}`);
  const risk = piece.querySelector(".badge [data-slot]");
  inLanguage(risk, labelled("risk", item.risk).tag);
  const summarised = piece.querySelector("[data-slot=summary]");
  if (summarised) inLanguage(summarised, summary.lang);
  return piece;
}

function inPassage(passage) {
  const element = inLanguage(document.createElement("span"), passage.lang || "en");
  element.append(...marked(passage.text, passage.marks));
  return element;
}
