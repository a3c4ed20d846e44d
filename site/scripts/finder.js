// The finder: the address says what is sought, and the page shows what the register answers.
//
// It begins with what was filed here; of other registers it tells how many records they have, and
// shows these where nothing was filed here. All that stands in the address is asked as it stands,
// and refused where the register does not know it, but for what others' trackers put there.

import { readCode } from "./code.js";
import { hit, labelledCodes, takeLabels, word } from "./hits.js";
import { counted, order, written } from "./language.js";
import { made } from "./made.js";
import { codeAddress, filed, nameOf, pageOf } from "./named.js";
import { Refused, Unanswerable, Unreachable, askRegister } from "./register.js";
import "./box.js";

const OWN = ["limit", "facets", "reader"]; // what the page asks for itself
const ORDER = ["q", "sort", "cursor"]; // what is no filter
const TRACKERS = /^(utm|mtm|pk)_|clid$|^mc_[ce]id$|^_gl$/;
const HERE = "local";
const BY_COUNT = ["agency", "sector", "origin", "territory", "affected", "supplier"];
const BY_FACTS = ["has", "lacks"]; // whose codes are facts
const KIND = "kind."; // what filters by the kind of an answer begin with, before the fact
const PAGE = 20;
const SHOWN = 8; // choices of a facet before "show all"
const PAUSE = 300; // milliseconds after the last key

const form = document.getElementById("finder");
const { api, labels, copy: copyFolder } = form.dataset;
const [lang] = order;
const { title } = form.dataset;
const at = (id) => document.getElementById(id);
const named = (facet) => facet.id.replace("facet-", "");
const FACETS = [...document.querySelectorAll(".facet")].map(named);
const NAMES = [...document.querySelectorAll("template[id^=name-]")].map(({ id }) => id.slice(5));
const LACKING = [...document.querySelectorAll("#lacking .facet")].map(named);

let words = null;
let copy = null;
let asking = null;
let typing = 0;

/** What is sought, read from the address. */
function sought() {
  const query = new URLSearchParams();
  for (const [name, given] of new URLSearchParams(location.search)) {
    if (OWN.includes(name) || TRACKERS.test(name)) continue;
    const value = given.trim();
    const isEmpty = !value && ORDER.includes(name);
    if (!isEmpty && !query.getAll(name).includes(value)) query.append(name, value);
  }
  if (query.get("sort") === usual(query)) query.delete("sort");
  if (query.get("sort") === "relevance" && !query.has("q")) query.delete("sort");
  return query;
}

/** Take over the answer of the server that stands in the page, and ask for no other. */
function takeOver() {
  const query = sought();
  showSort(query);
  for (const one of document.querySelectorAll("nav.languages a")) one.search = query;
}

/** Learn what codes are called in the page's language. */
async function learnWords() {
  if (words !== null) return;
  const response = await fetch(labels);
  words = await response.json();
  takeLabels(words);
}

/** The order of a question for which nobody chose one. */
const usual = (query) => (query.has("q") ? "relevance" : "newest");

/** The facts of which a question asks how records answer; what is none, the register refuses. */
function factsAsked(query) {
  const named = [...query].filter(([name]) => BY_FACTS.includes(name) || name.startsWith(KIND));
  const facts = named.map(([name, code]) => (BY_FACTS.includes(name) ? code : factOf(name)));
  return [...new Set(facts)].filter((fact) => Object.hasOwn(words.fact, fact));
}

const factOf = (name) => name.replace(/^kind\./, "").replace(/\.(from|until)$/, "");

const isOfFact = (name) => !NAMES.includes(name) && Object.hasOwn(words?.fact ?? {}, factOf(name));

/** Name the code of a filter to the reader. */
function codeWord(name, code) {
  if (name.startsWith(KIND)) return word(KIND, code);
  if (isOfFact(name)) return `${name.endsWith(".from") ? "≥ " : name.endsWith(".until") ? "≤ " : ""}${code}`;
  return word(BY_FACTS.includes(name) ? "fact" : name, code);
}

const filtersOf = (query) => [...query].filter(([name]) => !ORDER.includes(name));

/** Give the question with another value of a name, or without, from its first page. */
function changed(query, name, ...values) {
  const other = new URLSearchParams(query);
  other.delete("cursor");
  other.delete(name);
  for (const value of values) other.append(name, value);
  return other;
}

/** Give the question without one value of a name, or without any. */
const without = (query, name, code = null) =>
  changed(query, name, ...query.getAll(name).filter((other) => code !== null && other !== code));

const address = (query) => (query.size ? `?${query}` : location.pathname);

function go(query, { replaces = false, follows = false } = {}) {
  history[replaces ? "replaceState" : "pushState"](null, "", address(query));
  show({ follows });
}

/** Where the short code leads that a question is, whole; null for other questions. */
async function ledByCode(query) {
  const code = [...query.keys()].join() === "q" ? readCode(query.get("q")) : null;
  const isHere = code !== null && (copy === null || (await hasPicture(codeAddress(code, true, ".svg"))));
  return isHere ? codeAddress(code, copy !== null) : null;
}

/** Whether a copy has a picture, which a page that is a file may learn without reading it. */
const hasPicture = (address) =>
  new Promise((resolve) => {
    const picture = new Image();
    picture.addEventListener("load", () => resolve(true));
    picture.addEventListener("error", () => resolve(false));
    picture.src = address;
  });

/** What is asked of the register: what is sought, and of no other register unless it says so. */
function question(query) {
  return query.has("origin") ? query : changedOrigin(query, [HERE]);
}

function changedOrigin(query, origins) {
  const other = new URLSearchParams(query);
  other.delete("origin");
  for (const origin of origins) other.append("origin", origin);
  return other;
}

async function ask(query, signal) {
  const asked = new URLSearchParams(query);
  asked.set("limit", PAGE);
  asked.set("facets", [...FACETS, ...factsAsked(query)]);
  if (copy === null) {
    try {
      asked.set("reader", lang);
      return await askRegister(`${api}/records?${asked}`, signal);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      asked.delete("reader");
      const { askCopy, openCopy } = await import("./copy.js");
      const opened = await openCopy(copyFolder);
      copy = { leftOut: opened.leftOut, ask: (given) => askCopy(opened, given, NAMES, words) };
    }
  }
  return copy.ask(asked);
}

const elsewhere = ({ facets }) => (facets.origin ?? []).filter(({ code }) => code !== HERE);

/** Show the answer to what stands in the address; a code that was asked for is followed. */
async function show({ follows = false } = {}) {
  const query = sought();
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const { q: box } = form.elements;
  // While somebody types, the space before the next word stays.
  if (box.value.trim() !== (query.get("q") ?? "")) box.value = query.get("q") ?? "";
  at("results").setAttribute("aria-busy", "true");
  let asked = question(query);
  let answer;
  try {
    await learnWords();
    answer = await ask(asked, signal);
    const led = follows ? await ledByCode(query) : null;
    if (led !== null && !signal.aborted) return location.replace(led);
    const others = elsewhere(answer);
    if (!answer.total && others.length && !query.has("origin")) {
      asked = changedOrigin(query, others.map(({ code }) => code));
      answer = { ...(await ask(asked, signal)), standsIn: true };
    }
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error instanceof Refused && query.has("cursor")) {
      go(changed(query, "cursor"), { replaces: true });
      return;
    }
    showFault(query, error);
    return;
  }
  if (!signal.aborted) showAnswer(query, asked, answer);
}

function showFault(query, error) {
  for (const id of ["found", "reach", "mended", "suggestion", "kinds", "named", "hits", "parts", "pages", "elsewhere"]) {
    at(id).replaceChildren();
  }
  for (const id of ["sorting", "filters", "keep", "programs", "follow", "from-copy", "nothing", "partial"]) at(id).hidden = true;
  at("pages").parentElement.hidden = true;
  showChips(query);
  showResults();
  at("fault").hidden = false;
  at("fault").replaceChildren(...fault(query, error).map(paragraph));
}

function paragraph(words) {
  const element = document.createElement("p");
  element.append(words);
  return element;
}

/** Say what is wrong in a question, and lead to what may be meant, and to what is left without. */
function fault(query, error) {
  if (error instanceof Unanswerable) return [made("unanswered")];
  if (!(error instanceof Refused)) return [made("unreachable")];
  const { parameter: name, value, nearest } = error;
  const given = query.getAll(name);
  if (!given.length) return [made("unreadable")];
  const rest = without(query, name, value ?? null);
  const leaveOut = link(rest, made("leave-out"));
  if (!NAMES.includes(name) && !ORDER.includes(name) && !isOfFact(name)) {
    const meant = changed(without(query, name), nearest, ...given);
    return [
      made("no-filter", { name }),
      ...(nearest ? [made("meant", { words: link(meant, heading(nearest)) })] : []),
      leaveOut,
    ];
  }
  if (value === undefined) {
    return [made("no-use", { name: heading(name), value: given.join(", ") }), leaveOut];
  }
  const meant = changed(rest, name, ...rest.getAll(name), nearest);
  return [
    made("no-value", { name: heading(name), value }),
    ...(nearest ? [made("meant", { words: link(meant, codeWord(name, nearest)) })] : []),
    leaveOut,
  ];
}

function link(query, ...words) {
  const element = document.createElement("a");
  element.href = address(query);
  element.append(...words);
  return element;
}

/** Name a filter to the reader. */
function heading(name) {
  if (isOfFact(name)) return word("fact", factOf(name));
  return NAMES.includes(name) ? made(`name-${name}`) : name;
}

/** Say of each fact that was asked for how many records answer on it in which way. */
function kindsOf([fact, counts]) {
  return made("kinds-of", {
    name: word("fact", fact),
    stated: written(counts.stated),
    asked: written(counts.asked_not_stated),
    unasked: written(counts.not_asked),
    withheld: written(counts.withheld),
    restricted: written(counts.restricted),
  });
}

function showResults() {
  at("results").removeAttribute("aria-busy");
  at("results").hidden = false;
}

/** Say how many records are of the region that was asked for, and how many of the whole country. */
function reach({ total, whole_country: whole }) {
  if (whole === null || whole === undefined) return [];
  return [counted("region", total - whole), " · ", counted("country", whole)];
}

function showAnswer(query, asked, answer) {
  showResults();
  at("fault").hidden = true;
  // What others have is counted apart from what was filed here.
  at("found").replaceChildren(
    ...(answer.standsIn
      ? [counted("filed-here", 0), " · ", counted("elsewhere", answer.total)]
      : [counted("found", answer.total)]),
  );
  at("reach").replaceChildren(...reach(answer));
  at("mended").replaceChildren(...mended(query, answer));
  at("suggestion").replaceChildren(...suggestion(query, answer.suggestion));
  const kinds = factsAsked(query).map((fact) => [fact, answer.kinds?.[fact]]);
  at("kinds").replaceChildren(...kinds.filter(([, counts]) => counts).map(kindsOf));
  at("named").replaceChildren(...(query.has("cursor") ? [] : answer.named.map(card)));
  at("hits").replaceChildren(...answer.items.map(hit));
  showPartial(query, answer.partial);
  at("elsewhere").replaceChildren(...others(query, answer));
  at("nothing").hidden = answer.total > 0 || Boolean(answer.partial);
  at("sorting").hidden = answer.total < 2;
  showChips(query);
  showFacets(asked, answer.facets);
  showSort(query);
  showPages(query, asked, answer.next);
  showAddresses(asked);
  for (const one of document.querySelectorAll("nav.languages a")) one.search = query;
  document.title = query.has("q") ? `${query.get("q")} – ${title}` : title;
  at("from-copy").hidden = copy === null;
  if (copy?.leftOut) at("left-out").replaceChildren(counted("left-out", copy.leftOut));
}

/** Show what has most of the words, where none or few records have all, and say which it lacks. */
function showPartial(query, partial) {
  at("partial").hidden = !partial;
  at("parts").replaceChildren(...(partial?.items ?? []).map(hit));
  const { words, missing } = partial ?? {};
  if (!partial) return at("partly").replaceChildren();
  const list = missing.flatMap((word, place) => {
    const element = document.createElement("bdi");
    element.append(word);
    return place ? [at("partly").dataset.comma, element] : [element];
  });
  const found = link(changed(query, "q", words), words);
  const piece = made("partly-found", { found, missing: list });
  // The words are in the order of the sentence, each in its own direction.
  piece.querySelector("[data-slot=missing]").dir = document.documentElement.dir;
  at("partly").replaceChildren(piece);
}

function mended(query, { mended: words, total }) {
  if (!words) return [];
  const back = document.createElement("a");
  back.href = "#q";
  back.append(query.get("q"));
  if (!total) return [made("named-instead", { asked: back, found: words })];
  const instead = link(changed(query, "q", words), words);
  return [made("instead", { asked: back, found: instead })];
}

function suggestion(query, words) {
  return words ? [made("meant", { words: link(changed(query, "q", words), words) })] : [];
}

function card(one) {
  const piece = made(`named-${one.kind}`, { name: nameOf(one.name), records: filed(one) });
  piece.querySelector("a").href = pageOf(one.kind, one.id);
  return piece;
}

/** Lead from what was filed here to what other registers have, and back. */
function others(query, answer) {
  const there = elsewhere(answer);
  const chosen = query.getAll("origin");
  if (chosen.length) {
    const here = answer.facets.origin?.find(({ code }) => code === HERE)?.count;
    if (!here || chosen.includes(HERE)) return [];
    return [link(changed(query, "origin"), counted("here", here))];
  }
  if (!there.length) return [];
  const origins = there.map(({ code }) => code);
  const all = there.reduce((sum, { count }) => sum + count, 0);
  const registers = there.map(({ code, count }) =>
    made("one-register", {
      name: there.length > 1 ? link(changed(query, "origin", code), word("origin", code)) : word("origin", code),
      n: there.length > 1 ? written(count) : null,
    }),
  );
  return [
    answer.standsIn ? made("foreign") : link(changed(query, "origin", ...origins), counted("elsewhere", all)),
    ...registers,
  ];
}

function showChips(query) {
  const chosen = filtersOf(query);
  const chips = chosen.map(([name, code]) => {
    const piece = made("chip", { name: heading(name), what: codeWord(name, code) });
    piece.querySelector("a").href = address(without(query, name, code));
    return piece;
  });
  const rest = new URLSearchParams([...query].filter(([name]) => ["q", "sort"].includes(name)));
  at("clear").firstElementChild.href = address(rest);
  at("chips").replaceChildren(...chips);
  at("chosen").hidden = !chips.length;
  at("fewer").hidden = !chips.length;
}

function showFacets(asked, facets) {
  const focused = document.activeElement?.id;
  if (LACKING.some((name) => asked.has(name))) at("lacking").open = true;
  for (const name of FACETS) {
    const box = at(`facet-${name}`);
    const chosen = new Set(asked.getAll(name));
    const counts = new Map((facets[name] ?? []).map(({ code, count }) => [code, count]));
    for (const code of chosen) if (!counts.has(code)) counts.set(code, 0);
    const inTheirOrder = labelledCodes(name).filter((code) => counts.has(code));
    // By count, or in the order of their list; of what is lacking only what tells most.
    const rest = LACKING.includes(name) ? chosen : counts.keys();
    const all = BY_COUNT.includes(name)
      ? [...counts.keys()]
      : [...new Set([...inTheirOrder, ...rest])];
    const isLong = all.length > SHOWN + 2;
    const seen = all.filter((code, place) => !isLong || place < SHOWN || chosen.has(code));
    const more = all.filter((code) => !seen.includes(code));
    const choices = (codes) => codes.map((code) => choice(name, code, counts.get(code), chosen));
    box.querySelector("ul").replaceChildren(...choices(seen));
    const folded = box.querySelector("details");
    folded.hidden = !more.length;
    folded.querySelector("ul").replaceChildren(...choices(more));
    const isTold = copy === null || name in facets;
    box.hidden = !isTold || (!chosen.size && all.length < (LACKING.includes(name) ? 1 : 2));
  }
  at("facet-origin").hidden ||= (facets.origin ?? []).every(({ code }) => code === HERE);
  at("lacking").hidden = LACKING.every((name) => at(`facet-${name}`).hidden);
  at("filters").hidden = FACETS.every((name) => at(`facet-${name}`).hidden);
  if (focused) at(focused)?.focus();
}

function choice(name, code, count, chosen) {
  const piece = made("choice", { what: codeWord(name, code), n: written(count) });
  const box = piece.querySelector("input");
  Object.assign(box, { id: `${name}-${code}`, name, value: code, checked: chosen.has(code) });
  return piece;
}

function showSort(query) {
  const select = at("sort");
  // The form of the server's page leaves out the order that nobody chose.
  select.querySelector("[value='']")?.setAttribute("value", "newest");
  select.querySelector("[value=relevance]").disabled = !query.has("q");
  select.value = query.get("sort") ?? usual(query);
}

function showPages(query, asked, next) {
  const pages = [];
  const turn = (id, to) => {
    const piece = made(id);
    piece.querySelector("a").href = address(to);
    pages.push(piece);
  };
  if (query.has("cursor")) turn("first-page", changed(query, "cursor"));
  if (next) {
    // What stood in for an empty first group goes on as what it is.
    const stands = asked.get("origin") === HERE ? query : asked;
    turn("next-page", changed(stands, "cursor", next));
  }
  at("pages").replaceChildren(...pages);
  at("pages").parentElement.hidden = !pages.length;
}

function showAddresses(asked) {
  const call = new URLSearchParams(asked);
  call.delete("cursor");
  const taken = new URLSearchParams(call);
  taken.delete("sort");
  call.set("reader", lang);
  at("call").value = new URL(`${api}/records?${call}`, location.href).href;
  const keep = at("keep").querySelector("a");
  keep.href = `${keep.href.split("?")[0]}?${new URLSearchParams({ question: `/api/v1/records?${call}` })}`;
  for (const one of document.querySelectorAll("#downloads a")) {
    const file = new URLSearchParams(taken);
    if (one.dataset.form !== "jsonl" && lang !== "en") file.set("labels", lang);
    one.href = `${api}/exports/records.${one.dataset.form}?${file}`;
  }
  for (const one of document.querySelectorAll("#follow a[href*='/feeds/']")) {
    one.href = `${one.href.split("?")[0]}?${taken}`;
  }
  for (const id of ["keep", "programs", "follow"]) at(id).hidden = copy !== null;
}

function typed() {
  const text = form.elements.q.value.trim();
  return changed(sought(), "q", ...(text ? [text] : []));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  go(typed(), { follows: true });
  form.elements.q.blur();
});
form.elements.q.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => go(typed(), { replaces: true }), PAUSE);
});
at("results").addEventListener("change", ({ target }) => {
  if (target.form !== form) return;
  const query = typed();
  if (target.id === "sort") {
    go(changed(query, "sort", ...(target.value === usual(query) ? [] : [target.value])));
    return;
  }
  const { name, value, checked } = target;
  const before = question(query).getAll(name).filter((code) => code !== value);
  const chosen = checked ? [...before, value] : before;
  const isUsual = name === "origin" && chosen.join() === HERE;
  go(changed(query, name, ...(isUsual ? [] : chosen)));
});
at("results").addEventListener("click", (event) => {
  const pressed = event.target.closest("a");
  if (!pressed || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (pressed.getAttribute("href") === "#q") {
    event.preventDefault();
    form.elements.q.focus();
    form.elements.q.select();
  } else if (pressed.closest("#pages, #chosen, #told, #elsewhere")) {
    event.preventDefault();
    go(new URL(pressed.href).searchParams);
    if (pressed.closest("#pages, #elsewhere")) at("answers").scrollIntoView();
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

if (at("results").hidden) await show({ follows: true });
else takeOver();
