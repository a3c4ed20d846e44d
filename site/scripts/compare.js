// Any two versions beside each other: those that the page holds, and others from the register.

import { differences } from "./differences.js";
import { made } from "./made.js";

const form = document.getElementById("choose");
const compared = document.getElementById("compared");
const said = document.getElementById("said");
const { api, words, versions } = form.dataset;
const title = document.title;
const first = Array.from(form.querySelectorAll("option[selected]"), ({ value }) => value);

let wordings = null;

async function read(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}

/** Which two are asked for: by the address, else the latest two. */
function asked() {
  const query = new URLSearchParams(location.search);
  const inHash = /^#v(\d+)-(\d+)$/.exec(location.hash)?.slice(1);
  const named = query.has("from") ? [query.get("from"), query.get("to")] : inHash ?? first;
  const isKnown = (version) => [...form.elements.to.options].some(({ value }) => value === version);
  return (named.every(isKnown) ? named : first).map(Number).sort((one, other) => one - other);
}

async function section(before, after) {
  const there = document.getElementById(`v${before}-${after}`);
  if (there) return there;
  const piece = made("comparison", { before: String(before), after: String(after) }).firstElementChild;
  piece.id = `v${before}-${after}`;
  try {
    wordings ??= await read(words);
    const [answer, one, other] = await Promise.all([
      read(`${api}/changes?from=${before}&to=${after}`),
      read(`${api}/versions/${before}`),
      read(`${api}/versions/${after}`),
    ]);
    piece.append(...differences(wordings, one.record, other.record, answer.items));
  } catch {
    piece.append(...steps(before, after));
    piece.removeAttribute("id"); // so that it is asked for again
  }
  compared.append(piece);
  return piece;
}

/** Where no register answers: what each version on the way changed stands on its own page. */
function steps(before, after) {
  const links = Array.from({ length: after - before }, (_, at) => {
    const piece = made("step", { version: String(before + at + 1) });
    piece.querySelector("a").href = `${versions}/${before + at + 1}`;
    return piece;
  });
  return [made("no-register", { steps: links })];
}

async function show() {
  const pair = asked();
  const [before, after] = pair;
  if (before !== after) {
    form.elements.from.value = before;
    form.elements.to.value = after;
    compared.setAttribute("aria-busy", "true");
    const shown = await section(before, after);
    if (String(asked()) !== String(pair)) return;
    compared.classList.remove("by-address");
    for (const one of compared.children) one.hidden = one !== shown;
    compared.removeAttribute("aria-busy");
    const heading = shown.querySelector("h2").textContent;
    document.title = `${heading} – ${title}`;
    said.replaceChildren(heading);
    said.className = "hidden"; // seen below; heard here
  } else {
    said.replaceChildren(made("two"));
    said.className = "";
  }
  for (const link of document.querySelectorAll("nav.languages a")) link.search = location.search;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { from, to } = form.elements;
  history.pushState(null, "", `?from=${from.value}&to=${to.value}`);
  show();
});
addEventListener("popstate", show);

form.hidden = false;
await show();
