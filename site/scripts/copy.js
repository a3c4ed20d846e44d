// The same answers from the index that lies beside the pages, for a copy that no register serves.

import { forms, places, words } from "./fold.js";
import { Refused, Unanswerable } from "./register.js";

const RELEVANCE = 3; // tiers: name, summary, the rest
const LEAST = 4; // letters to which a word may be cut where nothing has it
const MOST_PARTIAL = 5;
const LATIN = /^(?=[0-9]*[a-z])[a-z0-9]+$/;

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
    leftOut: index.left_out,
    shard: (word) => once(shards, `words-${shardOf(word, index)}`),
    card: async (number) => {
      const part = await once(cards, `cards-${Math.floor(number / index.chunk)}`);
      return part[number % index.chunk];
    },
    spellings: () => once(cards, "arabizi"),
    index,
  };
}

/**
 * Ask the copy a question; the answer has the shape of the register's. `names` are all filters that
 * there are, `labels` the words for codes.
 */
export async function askCopy(copy, query, names, labels) {
  const { index } = copy;
  check(index, query, names, labels);
  const text = query.get("q")?.trim() ?? "";
  const asked = wanted(words(text, index.letters), index.common);
  const found = asked.length ? await find(copy, asked) : null;
  const isThere = (number) => !text || (found?.tiers.has(number) ?? false);
  const stands = (number) => index.entry[number] !== null; // not withdrawn
  const all = Array.from(index.entry.keys()).filter((number) => stands(number) && isThere(number));
  const hits = all.filter((number) => passes(index, query, number, null));
  const order = inOrder(index, query.get("sort"), found?.tiers, hits);
  const start = Math.max(0, Number.parseInt(query.get("cursor") ?? "0", 10) || 0);
  const end = start + (found?.missing ? MOST_PARTIAL : Number(query.get("limit")));
  const items = await Promise.all(
    order.slice(start, end).map(async (number) => {
      const card = await copy.card(number);
      return { ...card, highlights: found ? highlights(card, found.terms, index.letters) : [] };
    }),
  );
  const facets = {};
  for (const facet of query.get("facets").split(",")) {
    if (facet in index.codes) facets[facet] = counts(index, query, found?.missing ? [] : all, facet);
  }
  const next = end < order.length ? String(end) : null;
  const named = start ? [] : namedBy(copy, labels, found?.mended ? found.terms : asked);
  const answer = { items, facets, total: hits.length, next, named, mended: found?.mended ?? null };
  if (!found?.missing) return { ...answer, partial: null };
  const partial = { words: found.terms.join(" "), missing: found.missing, items, total: hits.length };
  return { ...answer, items: [], total: 0, next: null, partial: items.length ? partial : null };
}

/** Suggest what may be meant while a text is typed; the answer has the shape of the register's. */
export async function suggestFrom(copy, labels, text, most) {
  const { index } = copy;
  const asked = wanted(words(text, index.letters), index.common);
  if (!asked.length) return { named: [], records: [] };
  const { tiers } = await lookUp(copy, asked, { mends: false });
  const inName = [...tiers].filter(([number, tier]) => tier === 0 && index.entry[number] !== null);
  const records = inOrder(index, "relevance", tiers, inName.map(([number]) => number))
    .slice(0, most)
    .map((number) => copy.card(number));
  return { named: namedBy(copy, labels, asked), records: await Promise.all(records) };
}

/** Refuse what nobody knows, as the register does, and what this copy has nothing to answer with. */
function check({ codes }, query, names, labels) {
  for (const [name, value] of query) {
    if (["q", "sort", "limit", "cursor", "facets"].includes(name)) continue;
    if (name.includes(".")) throw new Unanswerable();
    if (!names.includes(name)) {
      throw new Refused({ parameter: name, nearest: nearest(name, names) });
    }
    if (!(name in codes)) throw new Unanswerable();
    const known = Object.keys(labels[name] ?? {});
    if (!known.includes(value) && !codes[name].includes(value)) {
      throw new Refused({ parameter: name, value, nearest: nearest(value, known) });
    }
  }
}

/** The one of some words that is a slip or two away. */
function nearest(word, known) {
  const [first] = known
    .map((other) => [distance(word.toLowerCase(), other.toLowerCase()), other])
    .filter(([slips, other]) => slips <= Math.min(2, other.length / 3))
    .sort(([one], [other]) => one - other);
  return first?.[1];
}

function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at += 1) {
    const next = [at];
    for (let to = 1; to <= other.length; to += 1) {
      const same = row[to - 1] + (one[at - 1] === other[to - 1] ? 0 : 1);
      next.push(Math.min(same, row[to] + 1, next[to - 1] + 1));
    }
    row = next;
  }
  return row[other.length];
}

/** The agencies of this country and the sectors whose name, or code, has all of some words. */
function namedBy({ index }, labels, asked) {
  if (!asked.length) return [];
  return ["agency", "sector"].flatMap((kind) =>
    Object.entries(labels[kind] ?? {})
      .filter(([id]) => !id.includes(".") && id !== "not_stated")
      .map(([id, [text, lang]]) => ({ kind, id, text, lang }))
      .filter(({ id, text }) => {
        const own = words(`${text} ${id}`, index.letters).flatMap(forms);
        return asked.every((word) =>
          forms(word).some((form) => own.some((one) => one.startsWith(form))),
        );
      })
      .map(({ id, text, lang }) => ({
        kind,
        id,
        name: { [lang ?? document.documentElement.lang]: text },
        records: index.columns[kind].filter((code) => index.codes[kind][code] === id).length,
      })),
  );
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

/** Find words as the register does: as they are, Arabic that is typed so, or fewer of them. */
async function find(copy, asked) {
  const found = await lookUp(copy, asked, { mends: false });
  if (found.tiers.size) return found;
  const terms = await inArabic(copy, asked);
  const { tiers } = await lookUp(copy, terms, { mends: false });
  if (tiers.size) return { tiers, terms, mended: terms.join(" ") };
  const cut = await lookUp(copy, asked);
  return cut.tiers.size ? cut : ((await findFewer(copy, terms)) ?? cut);
}

/** Give words, but for those that nothing has the Arabic ones that they are spellings of. */
async function inArabic(copy, asked) {
  const unknown = [];
  for (const word of asked) {
    if (LATIN.test(word) && !(await withWord(copy, word)).size) unknown.push(word);
  }
  if (!unknown.length) return asked;
  const { particle, words: known } = await copy.spellings();
  const spelt = (word, isBeside) => {
    const once = word.replace(/(.)\1+/g, "$1");
    const typed = [once, once.replace(new RegExp(particle), "")];
    const least = isBeside || /[235-9]/.test(word) ? 2 : 3; // consonants
    const found = known.filter(
      ([, spellings, consonants]) =>
        consonants >= least && typed.some((form) => new RegExp(`^(?:${spellings})$`).test(form)),
    );
    const isOpen = /[aeht]$/.test(once);
    return (found.find(([, , , isFeminine]) => isOpen || !isFeminine) ?? found[0])?.[0];
  };
  if (!unknown.some((word) => spelt(word, false))) return asked;
  return asked.flatMap((word) =>
    unknown.includes(word) ? words(spelt(word, true) ?? word, copy.index.letters) : [word],
  );
}

/** Look fewer words up, without those that say least, as the register does; null for none. */
async function findFewer(copy, asked) {
  const { negations, rare, most } = copy.index.fewer;
  if (asked.some((word) => negations.includes(word))) return null;
  const parts = [];
  for (const [at, word] of asked.entries()) {
    const there = await withWord(copy, word);
    const isTold = [...there.values()].some((tier) => tier <= 1);
    if (there.size) parts.push({ word, there, isTold, at });
  }
  parts.sort((a, b) => b.isTold - a.isTold || a.there.size - b.there.size || a.at - b.at);
  for (; parts.length && parts[0].there.size <= most; parts.pop()) {
    const tiers = parts.map(({ there }) => there).reduce(both);
    const worst = parts.length > asked.length / 2 ? RELEVANCE : parts.length > 1 ? 1 : 0;
    const isTold = [...tiers.values()].some((tier) => tier <= worst);
    if (parts.length < asked.length && isTold && (worst || tiers.size <= rare)) {
      const kept = parts.map(({ word }) => word);
      const terms = asked.filter((word) => kept.includes(word));
      return { tiers, terms, missing: asked.filter((word) => !kept.includes(word)) };
    }
  }
  return null;
}

/** Look words up: all must be there, each at the beginning of a word; a longer one may be cut. */
async function lookUp(copy, asked, { mends = true } = {}) {
  const terms = [];
  let tiers = null;
  for (const word of asked) {
    let cut = word;
    let there = await withWord(copy, cut);
    while (mends && !there.size && cut.length > Math.max(LEAST, word.length - 3)) {
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
    completeness: (number) => -(index.completeness[number] ?? -1),
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
