// The finder: the address says what is sought, and the page shows what the register answers.

import { Unanswerable, askCopy, openCopy } from "./copy.js";
import { hit, labelledCodes, order, takeLabels, word } from "./hits.js";
import { made } from "./made.js";
import { Refused, Unreachable, askRegister } from "./register.js";
import "./focus.js";

const FACETS = ["risk", "sector", "agency", "status", "role", "personal_data", "origin"];
const LACKING = ["overdue", "missing", "finding"]; // what only the register can tell
const UNSHOWN = ["function", "area"];
const FILTERS = [...FACETS, ...LACKING, ...UNSHOWN];
const PAGE = 20;
const SHOWN = 8; // choices of a facet before "show all"
const PAUSE = 300; // milliseconds after the last key

const form = document.getElementById("finder");
const { api, labels, copy: copyFolder } = form.dataset;
const { lang } = document.documentElement;
const title = document.title;
const plural = new Intl.PluralRules(order[0] === "zgh" ? order[1] : lang);
const numbers = new Intl.NumberFormat(lang === "ar" ? "ar-MA-u-nu-latn" : lang);
const at = (id) => document.getElementById(id);

let copy = null;
let asking = null;
let typing = 0;

function counted(name, number) {
  const id = `${name}-${plural.select(number)}`;
  return made(at(id) ? id : `${name}-other`, { n: numbers.format(number) });
}

/** What is sought, read from the address; whatever else stands there is left alone. */
function sought() {
  const given = new URLSearchParams(location.search);
  const kept = new URLSearchParams();
  const text = given.get("q")?.trim();
  if (text) kept.set("q", text);
  for (const name of FILTERS) {
    for (const code of new Set(given.getAll(name))) kept.append(name, asPointer(name, code));
  }
  const sort = given.get("sort");
  if (sort && !(sort === "relevance" && !text)) kept.set("sort", sort);
  if (given.get("cursor")) kept.set("cursor", given.get("cursor"));
  return kept;
}

/** A field is a pointer, whichever way it was named. */
function asPointer(name, code) {
  return name === "missing" && !code.startsWith("/") ? `/${code.replaceAll(".", "/")}` : code;
}

function without(query, ...names) {
  const rest = new URLSearchParams(query);
  for (const name of names) rest.delete(name);
  return rest;
}

/** Give the question without one of its filters. */
function less(query, name, code) {
  const rest = without(query, "cursor", name);
  for (const other of query.getAll(name)) if (other !== code) rest.append(name, other);
  return rest;
}

const address = (query) => (query.size ? `?${query}` : location.pathname);

function go(query, { replaces = false } = {}) {
  history[replaces ? "replaceState" : "pushState"](null, "", address(query));
  show();
}

async function ask(query, signal) {
  const question = new URLSearchParams(query);
  question.set("limit", PAGE);
  if (copy === null) {
    try {
      question.set("facets", [...FACETS, ...LACKING].join(","));
      return await askRegister(api, question, signal);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      copy = await openCopy(copyFolder);
    }
  }
  question.set("facets", FACETS.join(","));
  return askCopy(copy, question);
}

async function show() {
  const query = sought();
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  form.elements.q.value = query.get("q") ?? "";
  at("results").setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await ask(query, signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error instanceof Refused && query.has("cursor")) {
      go(without(query, "cursor"), { replaces: true });
      return;
    }
    showChips(query);
    showFault(error);
    return;
  }
  if (signal.aborted) return;
  showAnswer(query, answer);
}

function showFault(error) {
  const words = made(error instanceof Unanswerable ? "unanswered" : "fault");
  at("found").replaceChildren(words, error instanceof Refused ? ` ${error.message}` : "");
  for (const id of ["hits", "pages", "mended"]) at(id).replaceChildren();
  at("nothing").hidden = false;
  at("sorting").hidden = true;
  showResults();
}

function showResults() {
  at("results").removeAttribute("aria-busy");
  at("results").hidden = false;
}

function showAnswer(query, answer) {
  at("found").replaceChildren(counted("found", answer.total));
  at("mended").replaceChildren(...mended(query, answer.mended));
  at("hits").replaceChildren(...answer.items.map(hit));
  at("nothing").hidden = answer.total > 0;
  at("sorting").hidden = answer.total < 2;
  showChips(query);
  showFacets(query, answer.facets);
  showSort(query);
  showPages(query, answer.next);
  showAddresses(query);
  for (const link of document.querySelectorAll("nav.languages a")) link.search = query;
  document.title = query.has("q") ? `${query.get("q")} – ${title}` : title;
  at("from-copy").hidden = copy === null;
  showResults();
}

function mended(query, words) {
  if (!words) return [];
  const back = document.createElement("a");
  back.href = "#q";
  back.append(query.get("q"));
  const instead = document.createElement("a");
  const other = without(query, "cursor");
  other.set("q", words);
  instead.href = address(other);
  instead.append(words);
  return [made("instead", { asked: back, found: instead })];
}

function showChips(query) {
  const chips = FILTERS.flatMap((name) =>
    query.getAll(name).map((code) => {
      const field = word(name, code);
      const what = name === "missing" ? made("lacks", { field }) : field;
      const piece = made("chip", { what });
      piece.querySelector("a").href = address(less(query, name, code));
      return piece;
    }),
  );
  const all = at("clear");
  all.hidden = !chips.length;
  all.firstElementChild.href = address(without(query, "cursor", ...FILTERS));
  at("chips").replaceChildren(...chips);
  at("chosen").hidden = !chips.length;
}

function showFacets(query, facets) {
  const focused = document.activeElement?.id;
  at("lacking").hidden = copy !== null;
  if (LACKING.some((name) => query.has(name))) at("lacking").open = true;
  for (const name of copy === null ? [...FACETS, ...LACKING] : FACETS) {
    const box = at(`facet-${name}`);
    const chosen = new Set(query.getAll(name));
    const counts = new Map((facets[name] ?? []).map(({ code, count }) => [code, count]));
    for (const code of chosen) if (!counts.has(code)) counts.set(code, 0);
    const inTheirOrder = labelledCodes(name).filter((code) => counts.has(code));
    // By count, or in the order of their list; of what is lacking only what tells most.
    const others = LACKING.includes(name) ? chosen : counts.keys();
    const all = ["agency", "sector", "origin"].includes(name)
      ? [...counts.keys()]
      : [...new Set([...inTheirOrder, ...others])];
    const isLong = all.length > SHOWN + 2;
    const seen = all.filter((code, place) => !isLong || place < SHOWN || chosen.has(code));
    const rest = all.filter((code) => !seen.includes(code));
    const list = box.querySelector("ul");
    list.replaceChildren(...seen.map((code) => choice(name, code, counts.get(code), chosen)));
    const more = box.querySelector("details");
    more.hidden = !rest.length;
    more.querySelector("ul").replaceChildren(
      ...rest.map((code) => choice(name, code, counts.get(code), chosen)),
    );
    box.hidden = !chosen.size && all.length < (FACETS.includes(name) ? 2 : 1);
  }
  if (focused) at(focused)?.focus();
}

function choice(name, code, count, chosen) {
  const piece = made("choice", { what: word(name, code), n: numbers.format(count) });
  const box = piece.querySelector("input");
  Object.assign(box, { id: `${name}-${code}`, name, value: code, checked: chosen.has(code) });
  return piece;
}

function showSort(query) {
  const select = at("sort");
  const isSought = query.has("q");
  select.querySelector("[value=relevance]").disabled = !isSought;
  select.value = query.get("sort") ?? (isSought ? "relevance" : "newest");
}

function showPages(query, next) {
  const pages = [];
  if (query.has("cursor")) pages.push(turn("first-page", without(query, "cursor")));
  if (next) {
    const on = new URLSearchParams(query);
    on.set("cursor", next);
    pages.push(turn("next-page", on));
  }
  at("pages").replaceChildren(...pages);
}

function turn(id, query) {
  const piece = made(id);
  piece.querySelector("a").href = address(query);
  return piece;
}

function showAddresses(query) {
  const call = without(query, "cursor");
  const absolute = new URL(`${api}/records${call.size ? `?${call}` : ""}`, location.href).href;
  at("call").value = absolute;
  for (const link of document.querySelectorAll("#downloads a")) {
    const taken = without(call, "sort");
    if (link.dataset.form !== "jsonl" && lang !== "en") taken.set("labels", lang);
    link.href = `${api}/exports/records.${link.dataset.form}${taken.size ? `?${taken}` : ""}`;
  }
  at("programs").hidden = copy !== null;
}

function typed() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value.trim()) query.append(name, value.trim());
  // An order that nobody chose follows the question.
  const before = sought();
  const usual = (one) => (one.has("q") ? "relevance" : "newest");
  const isUnchosen = !before.has("sort") && query.get("sort") === usual(before);
  if (isUnchosen || query.get("sort") === usual(query)) query.delete("sort");
  for (const name of copy === null ? UNSHOWN : [...LACKING, ...UNSHOWN]) {
    for (const code of before.getAll(name)) query.append(name, code);
  }
  return query;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  go(typed());
  form.elements.q.blur();
});
form.elements.q.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => go(typed(), { replaces: true }), PAUSE);
});
at("results").addEventListener("change", (event) => {
  if (event.target.form === form) go(typed());
});
at("results").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (link.getAttribute("href") === "#q") {
    event.preventDefault();
    form.elements.q.focus();
    form.elements.q.select();
  } else if (link.closest("#pages, #chosen, #mended")) {
    event.preventDefault();
    go(new URL(link.href).searchParams);
    if (link.closest("#pages")) at("results").scrollIntoView();
  }
});
at("copy-call").addEventListener("click", async () => {
  at("call").select();
  try {
    await navigator.clipboard.writeText(at("call").value);
    at("copied").hidden = false;
  } catch {
    at("call").focus(); // selected, so that one key copies it
  }
});
addEventListener("popstate", show);

const wide = matchMedia("(width >= 56rem)");
const unfold = () => {
  at("filters").open = wide.matches;
};
wide.addEventListener("change", unfold);
unfold();

takeLabels(await (await fetch(labels)).json());
await show();
