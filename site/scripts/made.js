// Pieces of a page, made of the templates that stand in it in the reader's language.

const { lang } = document.documentElement;

// As in `registry/text/locales.py`.
const RIGHT_TO_LEFT = new Set(["Adlm", "Arab", "Armi", "Hebr", "Nkoo", "Syrc", "Thaa"]);

function scriptOf(tag) {
  try {
    return new Intl.Locale(tag).maximize().script;
  } catch {
    return undefined;
  }
}

/** Clone a template and fill its slots: with text, or with nodes. */
export function made(id, slots = {}) {
  const piece = document.getElementById(id).content.cloneNode(true);
  for (const slot of piece.querySelectorAll("[data-slot]")) {
    const value = slots[slot.dataset.slot];
    if (value === undefined || value === null) slot.remove();
    else slot.replaceChildren(...[value].flat());
  }
  return piece;
}

/** Mark an element with the language of its text, where that is not the page's. */
export function inLanguage(element, tag) {
  if (tag && tag !== lang) {
    element.lang = tag;
    element.dir = RIGHT_TO_LEFT.has(scriptOf(tag)) ? "rtl" : "ltr";
  }
  return element;
}
