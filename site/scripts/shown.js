// What a record's page says, read from the page itself, as `registry/record/page_words.py` does.
//
// White space does not count: browsers that save a page, and editors, write it otherwise.

const SPACE = /[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+/g;
// What stands in a text of the subset of Markdown, and not on the page: a link's address, the number
// of a list's item.
const UNSHOWN = /\]\([^)]*\)|^\s*\d+[.)]\s/gm;
const OTHERS = "#changes, #versions, #similar, #cite";

const LANGUAGE = /^[a-z]{2,3}(-[A-Za-z0-9]+)*$/;
const NO_LANGUAGES = new Set(["aia", "id", "url", "who"]); // members of the format
const NOT_ON_PAGES = ["/languages", "/publication/change_note"];
const OF_HEAD = ["/name", "/summary"]; // all that pages without the record's sections show

export const unspaced = (text) => text.replaceAll(SPACE, "");
const letters = (text) => text.replaceAll(/[^\p{L}\p{N}\p{M}]/gu, "");

/** Read what the element `main` says, but for the section of the proof. */
export function readShown(main, lang) {
  const copy = main.cloneNode(true);
  copy.querySelector("#proof").remove();
  const words = unspaced(copy.textContent);
  for (const other of copy.querySelectorAll(OTHERS)) other.remove();
  const text = (selector) => Array.from(copy.querySelectorAll(selector), (one) => one.textContent);
  return {
    lang,
    words,
    hasSections: copy.querySelector("#purpose") !== null,
    letters: letters(copy.textContent),
    names: text("h1"),
    risks: text(".badge"),
    statuses: text(".head .meta a"),
  };
}

/** List the JSON Pointers of the texts in a value that the page does not show. */
export function unshown(value, pointer, shown) {
  if (value === null || typeof value !== "object") return [];
  if (NOT_ON_PAGES.some((one) => pointer.startsWith(one))) return [];
  if (Array.isArray(value)) {
    return value.flatMap((part, place) => unshown(part, `${pointer}/${place}`, shown));
  }
  const names = Object.keys(value);
  if (!names.length || !names.every((name) => isText(name, value[name]))) {
    return names.flatMap((name) => unshown(value[name], `${pointer}/${name}`, shown));
  }
  if (!shown.hasSections && !OF_HEAD.includes(pointer)) return [];
  const wanted = shown.lang in value ? [value[shown.lang]] : Object.values(value);
  const isThere = (text) =>
    text.split(UNSHOWN).every((part) => shown.letters.includes(letters(part)));
  return wanted.some(isThere) ? [] : [pointer];
}

function isText(name, value) {
  return typeof value === "string" && LANGUAGE.test(name) && !NO_LANGUAGES.has(name);
}
