// Spares time in the form: saves by itself, adds an entry to a list, counts characters.
// Everything works without it.

const locales = document.documentElement.dataset.locales.split(" ");
const form = document.querySelector("form[data-saves]");
const told = form?.querySelector("[data-told]");
const PAUSE = 5000;
const SHOWN_FROM = 0.8;

let dirty = false;
let waiting = 0;
let saving = null;

/** Save what stands in the form, as the button does, without leaving the page. */
async function save() {
  if (saving) return later();
  if (!dirty) return;
  dirty = false;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("then", "stay");
  saving = fetch(form.action, {
    method: "POST",
    body: fields,
    headers: { accept: "application/json" },
    redirect: "error",
  });
  try {
    const answer = await saving;
    if (!answer.ok) throw new Error(String(answer.status));
    const { seen } = await answer.json();
    form.elements.seen.value = seen;
    told.textContent = form.dataset.saved;
  } catch {
    // What is wrong is said when the person saves; until then she is warned before she leaves.
    dirty = true;
    told.textContent = form.dataset.unsaved;
  } finally {
    saving = null;
  }
}

/** Save once nothing has been typed for a while. */
function later() {
  clearTimeout(waiting);
  waiting = setTimeout(save, PAUSE);
}

/** Say how many characters are left, once a text comes near to its end. */
function count(field) {
  const most = Number(field.dataset.longest);
  const left = most - [...field.value].length;
  let line = document.getElementById(`${field.id}-left`);
  if (left > most * (1 - SHOWN_FROM)) {
    line?.remove();
    return;
  }
  if (!line) {
    line = document.createElement("p");
    line.id = `${field.id}-left`;
    line.className = "left";
    field.after(line);
  }
  const words = left < 0 ? form.dataset.over : form.dataset.left;
  line.textContent = words.replace("{n}", Math.abs(left).toLocaleString(locales));
}

/** Add an entry to a list: a copy of its last one, empty, under the next number. */
function addEntry(button) {
  const entries = button.parentElement.querySelectorAll(":scope > .entry");
  const last = entries[entries.length - 1];
  if (!last) return false;
  const place = button.value;
  const before = last.dataset.entry;
  const after = String(Number(before) + 1);
  const entry = last.cloneNode(true);
  const id = place.replaceAll("/", "-");
  for (const one of [entry, ...entry.querySelectorAll("*")]) {
    for (const name of ["id", "for", "name", "aria-describedby", "aria-labelledby"]) {
      const value = one.getAttribute(name);
      if (value === null) continue;
      one.setAttribute(
        name,
        value
          .replaceAll(`f${id}-${before}`, `f${id}-${after}`)
          .replace(`${place}/${before}`, `${place}/${after}`),
      );
    }
    if (one.matches("input[type=checkbox], input[type=radio]")) one.checked = false;
    else if (one.matches("input, textarea")) one.value = "";
    else if (one.matches("select")) one.selectedIndex = 0;
  }
  entry.dataset.entry = after;
  for (const gone of entry.querySelectorAll(".finding, .theirs, .left, .remove, .entry ~ .entry")) gone.remove();
  const heading = entry.querySelector("h2");
  heading.textContent = form.dataset.entry.replace("{n}", (Number(after) + 1).toLocaleString(locales));
  last.after(entry);
  entry.querySelector("input, textarea, select").focus();
  return true;
}

if (form) {
  form.addEventListener("input", (event) => {
    dirty = true;
    if (event.target.dataset.longest) count(event.target);
    later();
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=add]");
    if (button && addEntry(button)) event.preventDefault();
  });
  form.addEventListener("submit", () => {
    dirty = false;
    clearTimeout(waiting);
  });
  addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
}

document.querySelector(".error-summary")?.focus();
