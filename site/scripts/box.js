// The search box of any page: `/` leads to it, and while somebody types it suggests what may be
// meant, in a list that keys, touch and screen readers find as in every combobox.

import { counted, order } from "./language.js";
import { made } from "./made.js";
import { filed, nameOf, pageOf } from "./named.js";
import { Unreachable, askRegister } from "./register.js";

const LEAST = 2; // letters
const PAUSE = 200; // milliseconds after the last key
const MOST_NAMED = 3; // agencies, and sectors
const MOST_RECORDS = 5;

const box = document.getElementById("q");
const list = document.getElementById("suggestions");
const count = document.getElementById("suggested"); // not where results are counted aloud
const { api, copy: copyFolder, labels } = box.form.dataset;

let options = [];
let active = -1;
let typing = 0;
let asking = null;
let copy = null;

async function suggest(q, signal) {
  if (copy === null) {
    try {
      return await askRegister(
        `${api}/suggestions?${new URLSearchParams({ q, limit: MOST_RECORDS, reader: order[0] })}`,
        signal,
      );
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      const { suggestFrom, openCopy } = await import("./copy.js");
      const [opened, words] = [await openCopy(copyFolder), await (await fetch(labels)).json()];
      copy = (text) => suggestFrom(opened, words, text, MOST_RECORDS);
    }
  }
  return copy(q);
}

async function suggestNow() {
  asking = new AbortController();
  const { signal } = asking;
  try {
    const answer = await suggest(box.value.trim(), signal);
    if (!signal.aborted) fill(answer);
  } catch {
    // A help that fails is silent: the question can be sent all the same.
    if (!signal.aborted) empty();
  }
}

function fill({ named, records }) {
  const ofKind = (kind) =>
    named
      .filter((one) => one.kind === kind)
      .slice(0, MOST_NAMED)
      .map((one) => option(kind, one, filed(one)));
  const ofRecords = records.map((one) => option("record", one, one.origin && made("copied-record")));
  const groups = [
    ["agency", ofKind("agency")],
    ["sector", ofKind("sector")],
    ["record", ofRecords],
  ].filter(([, found]) => found.length);
  options = groups.flatMap(([, found]) => found);
  options.forEach((one, place) => {
    one.id = `suggestion-${place}`;
  });
  list.replaceChildren(
    ...groups.map(([kind, found]) => {
      const piece = made(`suggested-${kind}`);
      piece.querySelector("[role=group]").append(...found);
      return piece;
    }),
  );
  open(document.activeElement === box);
}

function option(kind, { id, name }, note) {
  const link = made("one-suggestion", { name: nameOf(name), note }).firstElementChild;
  link.href = pageOf(kind, id);
  return link;
}

function open(isOpen) {
  const isShown = isOpen && options.length > 0;
  activate(-1);
  list.hidden = !isShown;
  box.setAttribute("aria-expanded", isShown);
  count?.replaceChildren(...(isShown ? [counted("suggestions", options.length)] : []));
}

function empty() {
  options = [];
  list.replaceChildren();
  open(false);
}

function stop() {
  clearTimeout(typing);
  asking?.abort();
}

function activate(place) {
  options[active]?.setAttribute("aria-selected", false);
  active = place;
  const chosen = options[active];
  chosen?.setAttribute("aria-selected", true);
  chosen?.scrollIntoView({ block: "nearest" });
  if (chosen) box.setAttribute("aria-activedescendant", chosen.id);
  else box.removeAttribute("aria-activedescendant");
}

/** Go through the options, and between the last and the first back to what was typed. */
function move(step) {
  if (list.hidden) open(true);
  const places = options.length + 1;
  activate(((active + 1 + step + places) % places) - 1);
}

const KEYS = {
  ArrowDown: (event) => (event.altKey ? open(true) : move(1)),
  ArrowUp: (event) => (event.altKey ? open(false) : move(-1)),
  Escape: () => open(false),
  Enter: () => options[active].click(),
};

box.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const isMeant =
    { Escape: !list.hidden, Enter: active >= 0 }[event.key] ?? (event.key in KEYS && options.length);
  if (isMeant) {
    event.preventDefault();
    KEYS[event.key](event);
  } else if (!["Shift", "Control", "Alt", "Meta"].includes(event.key)) {
    activate(-1); // the cursor moves in the text: Home, End, a letter
  }
});
box.addEventListener("input", () => {
  stop();
  if ((box.value.match(/[\p{L}\p{N}]/gu) ?? []).length < LEAST) empty();
  else typing = setTimeout(suggestNow, PAUSE);
});
box.addEventListener("blur", () => open(false));
box.form.addEventListener("submit", () => {
  stop();
  empty();
});
// A press on the list does not take the cursor out of the box, which would close it.
list.addEventListener("mousedown", (event) => event.preventDefault());

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  event.preventDefault();
  box.focus();
  box.select();
});

for (const [name, value] of Object.entries({
  role: "combobox",
  "aria-autocomplete": "list",
  "aria-controls": list.id,
  "aria-expanded": false,
})) {
  box.setAttribute(name, value);
}
