// The same answers from the index that lies beside the pages, for a copy that no register serves.

import { forms, places, words } from "./fold.js";

const RELEVANCE = 3; // tiers: name, summary, the rest
const LEAST = 4; // letters to which a word may be cut where nothing has it

/** The copy has nothing to answer a filter with, and to leave it out would widen the answer. */
export class Unanswerable extends Error {}

/** Open the index that lies in a folder of the site. */
export async function openCopy(folder) {
  const index = await read(`${folder}/index.json`);
  const shards = new Map();
  const cards = new Map();
  const once = (kept, name) => {
    if (!kept.has(name)) kept.set(name, read(`${folder}/${name}.json`));
    return kept.get(name);
  };
  return {
    asOf: index.as_of,
    leftOut: index.left_out,
    shard: (word) => once(shards, `words-${shardOf(word, index)}`),
    card: async (number) => {
      const part = await once(cards, `cards-${Math.floor(number / index.chunk)}`);
      return part[number % index.chunk];
    },
    index,
  };
}

/** Ask the copy a question; the answer has the shape of the register's. */
export async function askCopy(copy, query) {
  const { index } = copy;
  const known = ["q", "sort", "limit", "cursor", "facets", ...Object.keys(index.codes)];
  if ([...query.keys()].some((name) => !known.includes(name))) throw new Unanswerable();
  const text = query.get("q")?.trim() ?? "";
  const asked = wanted(words(text, index.letters), index.common);
  const found = asked.length ? await lookUp(copy, asked) : null;
  const isThere = (number) => !text || (found?.tiers.has(number) ?? false);
  const stands = (number) => index.entry[number] !== null; // not withdrawn
  const all = Array.from(index.entry.keys()).filter((number) => stands(number) && isThere(number));
  const hits = all.filter((number) => passes(index, query, number, null));
  const order = inOrder(index, query.get("sort"), found?.tiers, hits);
  const start = Math.max(0, Number.parseInt(query.get("cursor") ?? "0", 10) || 0);
  const end = start + Number(query.get("limit"));
  const items = await Promise.all(
    order.slice(start, end).map(async (number) => {
      const card = await copy.card(number);
      return { ...card, highlights: found ? highlights(card, found.terms, index.letters) : [] };
    }),
  );
  const facets = {};
  for (const facet of query.get("facets").split(",")) facets[facet] = counts(index, query, all, facet);
  const next = end < order.length ? String(end) : null;
  return { items, facets, total: hits.length, next, mended: found?.mended ?? null };
}

async function read(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.json();
}

function shardOf(word, { shards, depth }) {
  const letters = Array.from(word);
  let number = 0;
  for (let at = 0; at < depth; at += 1) {
    number = (number * 31 + (letters[at] ?? "\0").codePointAt(0)) % shards;
  }
  return number;
}

function wanted(all, common) {
  const saying = all.filter((word) => !common.includes(word));
  return saying.length ? saying : all;
}

/** Look words up: all must be there, each at the beginning of a word; a longer one may be cut. */
async function lookUp(copy, asked) {
  const terms = [];
  let tiers = null;
  for (const word of asked) {
    let cut = word;
    let there = await withWord(copy, cut);
    while (!there.size && cut.length > Math.max(LEAST, word.length - 3)) {
      cut = cut.slice(0, -1);
      there = await withWord(copy, cut);
    }
    terms.push(there.size ? cut : word);
    tiers = tiers === null ? there : both(tiers, there);
  }
  const isMended = tiers.size > 0 && terms.some((term, at) => term !== asked[at]);
  return { tiers, terms, mended: isMended ? terms.join(" ") : null };
}

async function withWord(copy, word) {
  const tiers = new Map();
  for (const form of forms(word)) {
    for (const [term, postings] of Object.entries(await copy.shard(form))) {
      const isFound = form.length < copy.index.depth ? term === form : term.startsWith(form);
      if (!isFound) continue;
      postings.forEach((numbers, tier) => {
        for (const number of numbers) {
          tiers.set(number, Math.min(tier, tiers.get(number) ?? RELEVANCE));
        }
      });
    }
  }
  return tiers;
}

function both(one, other) {
  const shared = new Map();
  for (const [number, tier] of one) {
    if (other.has(number)) shared.set(number, Math.max(tier, other.get(number)));
  }
  return shared;
}

function passes(index, query, number, but) {
  return Object.entries(index.codes).every(([facet, codes]) => {
    const chosen = facet === but ? [] : query.getAll(facet);
    return !chosen.length || chosen.includes(codes[index.columns[facet][number]]);
  });
}

function counts(index, query, numbers, facet) {
  const counted = new Map();
  for (const number of numbers) {
    if (passes(index, query, number, facet)) {
      const code = index.codes[facet][index.columns[facet][number]];
      counted.set(code, (counted.get(code) ?? 0) + 1);
    }
  }
  return Array.from(counted, ([code, count]) => ({ code, count })).sort(
    (one, other) => other.count - one.count || (one.code < other.code ? -1 : 1),
  );
}

/** Put numbers in an order; the newest version comes first among equals. */
function inOrder(index, sort, tiers, hits) {
  const place = {
    name: (number) => index.by_name[number],
    completeness: (number) => -index.completeness[number],
    review_due: (number) => index.review_due[number] ?? "9999",
    newest: () => 0,
  }[sort ?? (tiers ? "relevance" : "newest")];
  const rank = place ?? ((number) => tiers?.get(number) ?? 0);
  return hits
    .map((number) => [rank(number), number])
    .sort(([one, a], [other, b]) =>
      one < other ? -1 : one > other ? 1 : index.entry[b] - index.entry[a],
    )
    .map(([, number]) => number);
}

function highlights(card, terms, letters) {
  const sought = terms.flatMap(forms);
  const isSought = (word) => forms(word).some((form) => sought.some((term) => form.startsWith(term)));
  return ["name", "summary"].flatMap((field) =>
    Object.entries(card[field] ?? {}).flatMap(([lang, text]) => {
      const marks = places(text, letters)
        .filter((place) => place.words.some(isSought))
        .map(({ from, to }) => [from, to]);
      return marks.length ? [{ field: `/${field}`, lang, text, marks }] : [];
    }),
  );
}
