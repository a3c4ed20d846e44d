// Keeps what was typed into a form: a submit waits until the register answers, and whoever comes back to the page, by
// Back or by loading it again, finds her words. They stay in this tab. Everything works without it.

const form = document.querySelector("form[data-keeps]");
const WAIT = 8000;

let typed = false;
let asking = false;
let sure = false;

/** The state that the form was made from: words for another one are not put in. */
const state = () => (form.elements.seen ?? form.elements.tag)?.value ?? "";
const key = () => `kept:${location.pathname}`;
const isTyped = (field) => field.name && !["hidden", "file", "submit", "button"].includes(field.type);

function original(field) {
  if (["checkbox", "radio"].includes(field.type)) return field.defaultChecked;
  if (!field.options) return field.defaultValue;
  return ([...field.options].find((one) => one.defaultSelected) ?? field.options[0])?.value;
}

function keep() {
  const fields = [...form.elements]
    .filter(isTyped)
    .map((field) => [field.name, field.value, ["checkbox", "radio"].includes(field.type) ? field.checked : null]);
  sessionStorage.setItem(key(), JSON.stringify({ state: state(), fields }));
}

function giveBack() {
  const text = sessionStorage.getItem(key());
  sessionStorage.removeItem(key());
  const [visit] = performance.getEntriesByType("navigation");
  if (!text || !["back_forward", "reload"].includes(visit?.type)) return;
  const kept = JSON.parse(text);
  if (kept.state !== state()) return;
  let differs = false;
  for (const [name, value, checked] of kept.fields) {
    const named = [...form.elements].filter((field) => isTyped(field) && field.name === name);
    const field = checked === null ? named[0] : named.find((one) => one.value === value);
    if (!field) continue;
    // The browser may have put some back itself: what counts is what the page came with.
    if (original(field) === (checked ?? value)) continue;
    if (checked === null) field.value = value;
    else field.checked = checked;
    field.closest("details")?.setAttribute("open", "");
    differs = true;
  }
  if (!differs) return;
  tell(form.dataset.keptWords);
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Say something beside the buttons. */
function tell(words) {
  let line = form.querySelector("[data-told]");
  if (!line) {
    line = document.createElement("p");
    line.setAttribute("role", "status");
    line.dataset.told = "";
    form.append(line);
  }
  line.textContent = words;
}

async function answers() {
  try {
    const { href } = document.querySelector("link[rel=stylesheet]");
    await fetch(href, { cache: "no-store", signal: AbortSignal.timeout(WAIT) });
    return true;
  } catch {
    return false;
  }
}

if (form) {
  form.addEventListener("input", () => {
    typed = true;
  });
  // Before every other script: what is held has not been submitted.
  addEventListener(
    "submit",
    async (event) => {
      if (event.target !== form || sure) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (asking) return;
      asking = true;
      keep();
      sure = await answers();
      asking = false;
      if (sure) form.requestSubmit(event.submitter);
      else tell(form.dataset.offline);
    },
    { capture: true },
  );
  addEventListener("pagehide", () => {
    if (typed) keep();
  });
  addEventListener("pageshow", () => {
    sure = false;
  });
  giveBack();
}
