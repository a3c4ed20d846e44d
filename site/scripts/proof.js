// The check on a record's page: asks the register for the proof, and says in words what it shows.

import { examine, together } from "./evidence.js";
import { made } from "./made.js";

const section = document.getElementById("proof");
const at = (id) => document.getElementById(id);
const { proof: address, id, version, entry, hash } = section.dataset;
const page = { id, version: Number(version), entry: Number(entry), hash };

const OUTCOMES = new Map([
  [true, "holds"],
  [false, "fails"],
  [null, "open"],
]);

at("proof-start").hidden = false;
at("proof-start").querySelector("button").addEventListener("click", check);

async function check() {
  say("proof-busy");
  at("proof-shown").hidden = true;
  // Pages that come without https are given no cryptography.
  if (!globalThis.crypto?.subtle) return say("proof-insecure");
  const { proof, fault } = await ask();
  if (fault) return say(fault);
  let result;
  try {
    result = await examine(proof, page);
  } catch {
    return say("proof-unreadable");
  }
  show(result);
}

/** Fetch the proof; a fault is the name of what to say. */
async function ask() {
  try {
    const response = await fetch(address, { cache: "no-store" });
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    if (isJson && response.ok) return { proof: await response.json() };
    return { fault: isJson && response.status === 404 ? "proof-absent" : "proof-unreachable" };
  } catch {
    return { fault: "proof-unreachable" };
  }
}

function say(template) {
  at("proof-verdict").replaceChildren(made(template));
}

function show({ steps, found }) {
  for (const [name, answer] of Object.entries(steps)) {
    const outcome = OUTCOMES.get(answer);
    const step = at(`proof-${name}`);
    step.querySelector(".outcome").replaceWith(made(`proof-${outcome}`));
    for (const more of step.querySelectorAll("[data-when]")) {
      more.hidden = more.dataset.when !== outcome;
    }
  }
  at("proof-differing").replaceChildren(...found.differing.map(item));
  at("proof-none-erased").hidden = found.erased.length > 0 || !steps.contents;
  at("proof-erased-parts").replaceChildren(...found.erased.map(erasure));
  for (const name of ["index", "size", "leaf", "root", "key"]) {
    at("proof-shown").querySelector(`[data-found=${name}]`).textContent = found[name] ?? "–";
  }
  at("proof-shown").hidden = false;
  say(`proof-verdict-${OUTCOMES.get(together(Object.values(steps)))}`);
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
