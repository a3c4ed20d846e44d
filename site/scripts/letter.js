// A letter as it is typed: kept while the tab is open, and taken along as text.

const form = document.getElementById("letter-form");
const letter = form.querySelector(".letter");
const fields = [...form.elements].filter(({ name }) => name);
const key = `letter:${form.dataset.kept}`;

/** What was typed here before, in any language; nothing where the browser keeps nothing. */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

function keep() {
  const typed = Object.fromEntries(new FormData(form));
  try {
    sessionStorage.setItem(key, JSON.stringify(typed));
  } catch {
    // Nothing can be kept; the letter is written all the same.
  }
}

function restore() {
  const typed = kept();
  for (const field of fields) {
    if (!(field.name in typed)) continue;
    if (field.type === "radio") field.checked = field.value === typed[field.name];
    else field.value = typed[field.name];
  }
}

const isBegun = () =>
  fields.some(({ type, value, checked, defaultChecked }) =>
    type === "radio" ? checked !== defaultChecked : value,
  );

/** The letter as plain text, as the register makes it. */
function asText() {
  const isPartial = isBegun();
  let number = 0;
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data.replace(/[ \n]+/g, " ");
    if (node.nodeType !== Node.ELEMENT_NODE) return "";
    if (node.localName === "br") return "\n";
    if (node.matches(".ask")) return "";
    if (node.matches("input, textarea")) {
      const ask = node.parentElement.querySelector(".ask");
      return node.value.trim() || `[${ask?.textContent ?? "…"}]`;
    }
    if (getComputedStyle(node).display === "none") return "";
    if (isPartial && node.matches(".optional")) {
      if (!node.querySelector("input, textarea").value.trim()) return "";
    }
    const before = node.localName === "li" ? `${(number += 1)}. ` : "";
    const after = { p: "\n\n", li: "\n", ol: "\n" }[node.localName] ?? "";
    return before + [...node.childNodes].map(read).join("") + after;
  };
  return read(letter)
    .replace(/ *\n */g, "\n")
    .replace(/ +/g, " ")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** The first line of the letter's subject, without the word before it. */
function subject(text) {
  const first = letter.querySelector(".subject strong").firstChild.data.trim().split(/\s/)[0];
  const line = text.split("\n").find((one) => one.startsWith(first)) ?? "";
  return line.slice(line.indexOf(":") + 1).trim();
}

function address() {
  const text = asText();
  const asked = { subject: subject(text), body: text.replaceAll("\n", "\r\n") };
  const query = Object.entries(asked).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `mailto:${encodeURIComponent(form.dataset.mailbox).replace("%40", "@")}?${query.join("&")}`;
}

/** Fields are as high as what is typed, where the browser does not see to it. */
function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  for (const field of form.querySelectorAll("textarea")) {
    field.style.blockSize = "auto";
    field.style.blockSize = `${field.scrollHeight + 2}px`;
  }
}

function changed() {
  document.getElementById("mail").href = address();
  grow();
}

const acts = {
  share: navigator.share && (() => navigator.share({ title: document.title, text: asText() })),
  copy: navigator.clipboard && (() => navigator.clipboard.writeText(asText())),
};

for (const [name, act] of Object.entries(acts)) {
  const button = document.getElementById(name);
  button.hidden = !act;
  button.addEventListener("click", async () => {
    const told = document.getElementById("copied");
    told.textContent = "";
    try {
      await act();
      if (name === "copy") told.textContent = told.dataset.words;
    } catch (error) {
      // Whoever closes the list of programs shares nothing.
      if (error.name !== "AbortError") throw error;
    }
  });
}

form.addEventListener("input", () => {
  keep();
  changed();
});
form.addEventListener("reset", (event) => {
  // The browser's own goes back to what the page came with, which may be what was typed.
  event.preventDefault();
  for (const field of fields) {
    if (field.type === "radio") field.checked = field.value === "me";
    else field.value = "";
  }
  keep();
  changed();
});
restore();
document.getElementById("by-script").hidden = false;
changed();
