// Words of a text, folded as `registry/text/folding.py` and `tokens.py` do for the index.

const ARABIC = "\\u0600-\\u06ff";
const PARTICLE = "[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu";
const LETTER = "[\\p{L}\\p{N}\\p{M}\\p{Cf}]";
const RUN = new RegExp(
  `(?<!${LETTER})(?:${PARTICLE})['’‘ʼ](?=[\\p{L}\\p{N}])|(?<=${LETTER})['’‘ʼ]s(?!${LETTER})|(${LETTER}+)`,
  "giu",
);
const FOLDED_WORD = new RegExp(`[${ARABIC}]+|(?:(?![${ARABIC}])[\\p{L}\\p{N}])+`, "gu");
const CONJOINED_ARTICLE = /^[وف]?(?:ال|بال|كال|لل)(?=...)/u;
const ARABIC_DIGITS = [0x0660, 0x06f0];

/** Fold text: lower case, no marks, one form a letter; `letters` is the index's own table. */
export function fold(text, letters) {
  const plain = text.normalize("NFKD").toLowerCase().replaceAll("ß", "ss").normalize("NFKD");
  return Array.from(plain.replace(/[\p{Mn}\p{Cf}]/gu, ""), (one) => letters[one] ?? digit(one))
    .join("");
}

function digit(one) {
  const code = one.codePointAt(0);
  const zero = ARABIC_DIGITS.find((start) => code >= start && code < start + 10);
  return zero === undefined ? one : String(code - zero);
}

/** List the folded words of a text in order. */
export function words(text, letters) {
  return places(text, letters).flatMap((place) => place.words);
}

/** Walk a text's runs of letters: `{from, to, words}`, counted in Unicode characters. */
export function places(text, letters) {
  const found = [];
  for (const match of text.replaceAll("_", " ").matchAll(RUN)) {
    if (match[1]) {
      const from = Array.from(text.slice(0, match.index)).length;
      const folded = fold(match[1], letters).match(FOLDED_WORD) ?? [];
      found.push({ from, to: from + Array.from(match[1]).length, words: folded });
    }
  }
  return found;
}

/** Give a word, and what it is without an Arabic article written with it. */
export function forms(word) {
  const bare = word.replace(CONJOINED_ARTICLE, "");
  return bare === word ? [word] : [word, bare];
}
