// The check on a record's page: asks the register for the proof, or takes the one that is kept in the
// page or beside it, and says in words what it shows. `labels.js` is made when the site is built. The
// script of the page also marks where one is in its contents.

import { followContents } from "./contents.js";
import { examine, together } from "./evidence.js";
import { LABELS } from "./labels.js";
import { inLanguage, made } from "./made.js";
import { readShown } from "./shown.js";

const KEPT = "log-proof"; // as in `registry/verify/consistency.py`
const section = document.getElementById("proof");
const main = document.getElementById("main");
const at = (id) => document.getElementById(id);
const { proof: address, copy: copied, id, version, entry, hash, words: digest } = section.dataset;
const { dataset } = document.documentElement;
const page = { id, version: Number(version), entry: Number(entry), hash, digest };
const order = section.dataset.order.split(" ");
const times = new Intl.DateTimeFormat(dataset.locales.split(" "), {
  dateStyle: "long",
  timeStyle: "short",
});

// A browser names no months in a language that CLDR lacks: they stand in the page.
const months = dataset.months?.split("|") ?? [];

followContents();

const OUTCOMES = new Map([
  [true, "holds"],
  [false, "fails"],
  [null, "open"],
]);

// What was said when the page was saved counts no longer.
at("proof-shown").hidden = true;
at("proof-verdict").replaceChildren();
at("proof-start").hidden = false;
at("proof-start").querySelector("button").addEventListener("click", check);

// What is about the record is closed: it opens for who comes to a place in it.
reveal();
addEventListener("hashchange", reveal);

function reveal() {
  const place = document.getElementById(location.hash.slice(1));
  const closed = place?.closest("details:not([open])");
  if (!closed) return;
  closed.open = true;
  place.scrollIntoView();
}

/** Write a time as the pages do. */
function timed(date) {
  const named = ({ type, value }) => (type === "month" && months[date.getMonth()]) || value;
  return times.formatToParts(date).map(named).join("");
}

async function check() {
  say("proof-busy");
  at("proof-shown").hidden = true;
  // Pages that come without https are given no cryptography.
  if (!globalThis.crypto?.subtle) return say("proof-insecure");
  const { text, fault, isKept } = await ask();
  if (fault) return say(fault);
  let result;
  try {
    const shown = { ...readShown(main, order[0]), isLabel };
    result = await examine(JSON.parse(text), { ...page, shown });
  } catch {
    return say("proof-unreadable");
  }
  show(result, isKept);
  keep(text);
}

/** Fetch the proof, else take the one that is kept; a fault is the name of what to say. */
async function ask() {
  const answer = await fetched(address);
  if (answer.text !== undefined) return answer;
  const kept = at(KEPT)?.textContent;
  if (kept !== undefined) return { text: kept, isKept: true };
  if (answer.fault === "proof-absent") return answer;
  const beside = await fetched(copied);
  return beside.text === undefined ? answer : { ...beside, isKept: true };
}

async function fetched(url) {
  try {
    const response = await fetch(url, { cache: "no-store" });
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    if (isJson && response.ok) return { text: await response.text() };
    return { fault: isJson && response.status === 404 ? "proof-absent" : "proof-unreachable" };
  } catch {
    return { fault: "proof-unreachable" };
  }
}

/** Keep the proof in the page, so that who saves the page keeps both. */
function keep(text) {
  const element = at(KEPT) ?? document.createElement("script");
  element.type = "application/json";
  element.id = KEPT;
  element.textContent = text.replaceAll("<", "\\u003c");
  section.append(element);
}

function say(template, slots) {
  at("proof-verdict").replaceChildren(made(template, slots));
}

function show({ steps, found }, isKept) {
  for (const [name, answer] of Object.entries(steps)) {
    const outcome = OUTCOMES.get(answer);
    const step = at(`proof-${name}`);
    step.querySelector(".outcome").replaceWith(made(`proof-${outcome}`));
    for (const more of step.querySelectorAll("[data-when]")) {
      more.hidden = more.dataset.when !== outcome;
    }
  }
  at("proof-unlike").replaceChildren(...found.unlike.map((one) => item(one || "–")));
  at("proof-differing").replaceChildren(...found.differing.map(item));
  at("proof-none-erased").hidden = found.erased.length > 0 || !steps.contents;
  at("proof-erased-parts").replaceChildren(...found.erased.map(erasure));
  for (const name of ["index", "size", "leaf", "root", "key"]) {
    at("proof-shown").querySelector(`[data-found=${name}]`).textContent = found[name] ?? "–";
  }
  tell(found.said);
  at("proof-alone").hidden = found.others.length > 0;
  at("proof-others").hidden = !found.others.length;
  at("proof-others").querySelector("ul").replaceChildren(...found.others.map(other));
  at("proof-shown").hidden = false;
  const outcome = OUTCOMES.get(together(Object.values(steps)));
  const when = timed(new Date());
  say(outcome === "holds" && isKept ? "proof-verdict-kept" : `proof-verdict-${outcome}`, { when });
}

/** Show what the log has of this version beside what the page says. */
function tell({ name, risk, status, version: number, at: time }) {
  const said = {
    name: inReadersLanguage(name),
    risk: labelOf("risk_level", risk),
    status: labelOf("status", status),
    version: String(number ?? "–"),
    at: time ? timed(new Date(time)) : "–",
  };
  for (const [place, value] of Object.entries(said)) {
    at("proof-said").querySelector(`[data-said=${place}]`).replaceChildren(value);
  }
}

/** Whether a text is a label of a code, in any language; of one without a label, of no other. */
function isLabel(list, known, text) {
  const labels = LABELS[list];
  if (labels[known]) return Object.values(labels[known]).includes(text);
  return !Object.values(labels).some((others) => Object.values(others).includes(text));
}

function labelOf(list, known) {
  const labels = LABELS[list][known];
  if (labels) return inReadersLanguage(labels);
  return known === "not_stated" ? made(`proof-${list}-${known}`) : code(known);
}

/** Show a text in the first of the reader's languages that it has. */
function inReadersLanguage(texts) {
  const known = order.find((one) => texts?.[one]) ?? Object.keys(texts ?? {})[0];
  const element = document.createElement("bdi");
  element.textContent = known ? texts[known] : "–";
  return inLanguage(element, known);
}

function other({ name, time }) {
  return made("proof-other", { name: code(name), when: timed(new Date(1000 * time)) });
}

function code(text) {
  const element = document.createElement("code");
  element.textContent = text;
  return element;
}

function item(text) {
  const element = document.createElement("li");
  element.append(code(text));
  return element;
}

function erasure({ pointer, redaction, basis }) {
  const words = at(`proof-basis-${basis}`) ? made(`proof-basis-${basis}`) : code(basis ?? "–");
  return made("proof-erasure", { what: code(pointer), entry: String(redaction), basis: words });
}
