// What a record's proof shows, found out with nothing but the browser's own cryptography.
//
// The same by hand, in Python: docs/transparency-log.md. A check answers true where what is said
// holds, false where it does not or cannot be read, and null where this browser cannot tell.

import { unshown, unspaced } from "./shown.js";

const encode = (text) => new TextEncoder().encode(text);
const NODE = Uint8Array.of(1);
const COSIGNATURES = new Set([8 + 64, 8 + 2420]); // bytes: time and Ed25519, or ML-DSA-44

/** Write a JSON value canonically, RFC 8785: numbers and strings as JavaScript writes them. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

/** Check a version's proof against its page, which has `{id, version, entry, hash, digest, shown}`.
 *
 * `shown` is what it says, as `readShown` reads it, with `isLabel(list, code, text)`, and `digest`
 * what it states of its words. `steps` has an answer for each; `found` is what was read on the way, as far
 * as it could be: `said` by the entry's content, `unlike` is what the page says otherwise.
 */
export async function examine(proof, page) {
  const own = await weigh(proof.version_entry, proof.key);
  const isFollowed = await holds(() => follow(proof));
  own.steps.signature = together([own.steps.signature, isFollowed]);
  const redactions = new Map();
  for (const evidence of proof.redactions) {
    redactions.set(evidence.index, await weigh(evidence, proof.key));
  }
  const erased = [];
  for (const { pointer, redaction } of own.found.erased ?? []) {
    const entry = redactions.get(redaction)?.found.entry;
    const isSaid = await holds(() => redaction > own.found.index && covers(entry, own.found, pointer));
    erased.push({ pointer, redaction, basis: entry?.basis, isSaid });
  }
  const verdict = own.found.verdict;
  if (verdict?.redaction !== undefined) {
    const left = redactions.get(verdict.redaction)?.found.entry?.verdicts?.[own.found.index];
    const isLeft = verdict.redaction > own.found.index && left === verdict.digest;
    own.steps.contents = together([own.steps.contents, isLeft]);
  }
  for (const { pointer, redaction } of erased) {
    const instead = replacedBy(redaction, own.found.entry?.version, redactions);
    if (pointer in instead) place(own.found.document, pointer, instead[pointer]);
  }
  const said = readSaid(own.found);
  const unlike = [];
  const isAsSaid = await holds(async () => {
    if (hex(await sha256(page.shown.words)) !== page.digest) unlike.push("");
    unlike.push(...differing(own.found.document, said, page.shown));
    return !unlike.length;
  });
  return {
    steps: {
      page: isAsSaid,
      ...own.steps,
      entry: own.steps.entry && isOfPage(own.found, page),
      erased: together([
        own.found.erased && true,
        ...erased.map((one) => one.isSaid),
        ...Array.from(redactions.values(), ({ steps }) => together(Object.values(steps))),
      ]),
    },
    found: { ...own.found, key: proof.key, erased, said, unlike },
  };
}

/** Answer for several checks as for one. */
export function together(answers) {
  if (answers.includes(false)) return false;
  return answers.includes(null) ? null : true;
}

/** Check one entry: its hash, its place in the tree, the signature, and what it commits to. */
async function weigh(evidence, key) {
  const leaf = await sha256("\0", evidence.entry);
  const found = { index: evidence.index, leaf: hex(leaf), differing: [], erased: null, others: [] };
  const steps = {
    entry: await holds(() => {
      found.entry = JSON.parse(evidence.entry);
      return canonical(found.entry) === evidence.entry && found.leaf === evidence.leaf;
    }),
    inclusion: await holds(async () => {
      const proof = readProof(evidence.proof);
      Object.assign(found, proof.checkpoint, { others: othersWhoSigned(proof) });
      const root = await rootOf(leaf, proof.index, found.size, proof.path);
      return proof.index === evidence.index && toBase64(root) === found.root;
    }),
    signature: await holds(() => isSigned(readProof(evidence.proof), key)),
    contents: await holds(async () => {
      const read = await readContents(evidence.content, evidence.index, found.entry);
      Object.assign(found, read);
      return read.isWhole && !read.differing.length;
    }),
  };
  return { steps, found };
}

/** Make a check: what cannot be read does not hold, and what the browser lacks is not known. */
async function holds(check) {
  try {
    return await check();
  } catch (error) {
    return error.name === "NotSupportedError" ? null : false;
  }
}

function isOfPage({ entry, index, leaf }, page) {
  return (
    entry.kind === "version" &&
    entry.id === page.id &&
    entry.version === page.version &&
    index === page.entry &&
    leaf === page.hash
  );
}

/** Take out of an entry and its content what a reader is shown of them beside the page. */
function readSaid({ entry, document }) {
  return {
    name: document?.name,
    risk: document?.risk?.level ?? "not_stated",
    status: document?.lifecycle?.status ?? "not_stated",
    version: entry?.version,
    at: entry?.at,
  };
}

/** List the places of what a page says otherwise than the document of an entry's content. */
function differing(document, { name, risk, status }, shown) {
  const isAll = (texts, is) => texts.length > 0 && texts.every((one) => is(one.trim()));
  const isEach = (list, code, texts) => isAll(texts, (text) => shown.isLabel(list, code, text));
  const names = Object.values(name ?? {});
  const unlike = [];
  const isNamed = names.some((one) => isAll(shown.names, (text) => unspaced(text) === unspaced(one)));
  if (names.length && !isNamed) unlike.push("/name");
  if (!isEach("risk_level", risk, shown.risks)) unlike.push("/risk/level");
  if (!isEach("status", status, shown.statuses)) unlike.push("/lifecycle/status");
  unlike.push(...unshown(document, "", shown));
  return Array.from(new Set(unlike));
}

/** Whether a redaction's entry says that a member of the record was to be erased. */
function covers(said, { entry }, pointer) {
  return (
    said.kind === "redaction" &&
    said.id === entry.id &&
    said.versions.includes(entry.version) &&
    [pointer, `/${pointer.split("/")[1]}`].some((one) => said.pointers.includes(one))
  );
}

/** Read what a redaction commits to be shown in the place of members of a version, by pointer.
 *
 * An item that a later redaction has erased is what that one says.
 */
function replacedBy(redaction, version, redactions) {
  const { document, erased } = redactions.get(redaction)?.found ?? {};
  const shown = {};
  for (const item of Object.values(document?.replaced ?? {})) {
    if (item.versions.includes(version)) shown[item.pointer] = item.value;
  }
  for (const { pointer, redaction: by } of erased ?? []) {
    if (pointer.startsWith("/replaced/")) Object.assign(shown, replacedBy(by, version, redactions));
  }
  return shown;
}

/** Put a member into a document that was put together without it. */
function place(document, pointer, value) {
  const [key, name] = pointer.slice(1).split("/");
  if (name === undefined) document[key] = value;
  else document[key] = { ...document[key], [name]: value };
}

/** Whether each later key of the log was vouched for by the one before it, up to the one named. */
async function follow({ key, keys = [] }) {
  let last = null;
  for (const text of keys) {
    const proof = readProof(text);
    const said = JSON.parse(proof.extra);
    const leaf = await sha256("\0", proof.extra);
    const root = await rootOf(leaf, proof.index, proof.checkpoint.size, proof.path);
    const isSaid = said.kind === "key" && (last ?? said.follows) === said.follows;
    if (!isSaid || canonical(said) !== proof.extra) return false;
    if (toBase64(root) !== proof.checkpoint.root) return false;
    if (!(await isSigned(proof, said.follows)) || !(await isSigned(proof, said.key))) return false;
    last = said.key;
  }
  return (last ?? key) === key;
}

/** Take apart what c2sp.org/tlog-proof describes; nothing in it is checked yet. */
function readProof(text) {
  const blank = text.indexOf("\n\n");
  const [first, ...lines] = text.slice(0, blank).split("\n");
  if (blank < 0 || first !== "c2sp.org/tlog-proof@v1") throw new Error("no proof");
  const [, added = ""] = /^extra (.*)$/.exec(lines[0]) ?? [];
  if (added) lines.shift();
  const [, index] = /^index (\d+)$/.exec(lines.shift());
  const path = lines.map(fromBase64);
  const extra = new TextDecoder().decode(fromBase64(added));
  return { index: whole(index), extra, path, ...readNote(text.slice(blank + 2)) };
}

/** Take apart a signed checkpoint: c2sp.org/signed-note, and in it c2sp.org/tlog-checkpoint. */
function readNote(note) {
  const blank = note.lastIndexOf("\n\n");
  const text = note.slice(0, blank + 1);
  const [origin, size, root, end, ...more] = text.split("\n");
  if (blank < 0 || end !== "" || more.length || !note.endsWith("\n")) throw new Error("no note");
  const signatures = note.slice(blank + 2, -1).split("\n").map((line) => {
    const [, name, signature] = /^— ([^ +]+) (\S+)$/.exec(line);
    const raw = fromBase64(signature);
    return { name, id: hex(raw.slice(0, 4)), signature: raw.slice(4) };
  });
  return { text, signatures, checkpoint: { origin, size: whole(size), root } };
}

/** Compute the root that a leaf's path leads to, RFC 9162 §2.1.3.2. */
async function rootOf(leaf, index, size, path) {
  if (index >= size) throw new Error("there is no such entry yet");
  let [at, last, root] = [index, size - 1, leaf];
  for (const other of path) {
    if (last === 0) throw new Error("the path is too long");
    if (at % 2 || at === last) {
      root = await sha256(NODE, other, root);
      while (at && at % 2 === 0) [at, last] = [half(at), half(last)];
    } else {
      root = await sha256(NODE, root, other);
    }
    [at, last] = [half(at), half(last)];
  }
  if (last !== 0) throw new Error("the path is too short");
  return root;
}

/** Whether the log's key, `name+id+base64(type ‖ key)`, signed the checkpoint under its own name. */
async function isSigned({ text, signatures, checkpoint }, key) {
  const [name, id, ...rest] = key.split("+");
  const raw = fromBase64(rest.join("+"));
  const digest = await sha256(`${name}\n`, raw);
  if (raw.length !== 33 || raw[0] !== 1 || hex(digest.slice(0, 4)) !== id) return false;
  const own = signatures.filter((one) => one.name === name && one.id === id);
  if (checkpoint.origin !== name || !own.length) return false;
  const { subtle } = crypto;
  const known = await subtle.importKey("raw", raw.slice(1), "Ed25519", false, ["verify"]);
  for (const { signature } of own) {
    if (!(await subtle.verify("Ed25519", known, signature, encode(text)))) return false;
  }
  return true;
}

/** List who else has signed a checkpoint, as the note says: names, and times in seconds.
 *
 * Cosignatures begin with their time, c2sp.org/tlog-cosignature; nobody's key is known here.
 */
function othersWhoSigned({ signatures, checkpoint }) {
  const others = new Map();
  for (const { name, signature } of signatures) {
    if (name === checkpoint.origin || !COSIGNATURES.has(signature.length)) continue;
    const time = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0));
    others.set(name, Math.max(time, others.get(name) ?? 0));
  }
  return Array.from(others, ([name, time]) => ({ name, time }));
}

/** Compare a file of contents with the commitments of its entry, by section.
 *
 * `isWhole` says that it is canonical and has exactly what the entry commits to. A number that a
 * browser does not keep is none that is written canonically.
 */
async function readContents(text, index, { sections: commitments, verdict, verdicts }) {
  const content = JSON.parse(text);
  const names = (value) => canonical(Object.keys(value).sort());
  const parts = ["index", "sections", ...(verdict ? ["verdict"] : [])];
  if (verdicts && content.verdicts) parts.push("verdicts");
  const redaction = content.verdict?.redaction;
  const digest = verdict && (await digestOf(content.verdict));
  const read = {
    verdict: { redaction, digest },
    isWhole:
      canonical(content) === text &&
      content.index === index &&
      canonical(parts) === names(content) &&
      names(content.sections) === names(commitments) &&
      (redaction !== undefined || digest === verdict?.digest),
    differing: [],
    erased: [],
    document: {},
  };
  for (const [key, members] of Object.entries(content.sections)) {
    read.document[key] = assembled(key, members);
    if ((await commitmentOf(key, members, read.erased)) !== commitments[key]) {
      read.differing.push(`/${key}`);
    }
  }
  return read;
}

/** Compute the digest of a verdict, which an entry or the redaction that it names commits to. */
async function digestOf({ salt, missing, findings }) {
  return toBase64url(await sha256(canonical(["registry/verdict/1", salt, missing, findings])));
}

/** Put a section together of its members, without those that are erased. */
function assembled(key, members) {
  if (members.length === 1 && members[0][0] === `/${key}`) return members[0][1].value ?? null;
  const left = members.filter(([, said]) => "salt" in said);
  const name = (pointer) =>
    pointer.slice(key.length + 2).replaceAll("~1", "/").replaceAll("~0", "~");
  return Object.fromEntries(left.map(([pointer, { value }]) => [name(pointer), value]));
}

/** Compute a section's commitment from its members', whose values may be erased. */
async function commitmentOf(key, members, erased) {
  const listed = [];
  for (const [pointer, said] of members) {
    const isOwn = pointer === `/${key}` || pointer.startsWith(`/${key}/`);
    if (!isOwn || listed.some(([other]) => other === pointer)) return null;
    if ("salt" in said) {
      const member = ["registry/member/1", said.salt, pointer, said.value];
      listed.push([pointer, toBase64url(await sha256(canonical(member)))]);
    } else {
      listed.push([pointer, said.commitment]);
      erased.push({ pointer, redaction: said.redaction });
    }
  }
  return toBase64url(await sha256(canonical(["registry/section/1", key, listed])));
}

async function sha256(...parts) {
  const bytes = await new Blob(parts).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

const half = (number) => Math.floor(number / 2);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));
const toBase64url = (bytes) =>
  toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** Read base64 as it must be written: other spellings of the same bytes are refused. */
function fromBase64(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  if (toBase64(bytes) !== text) throw new Error("no canonical base64");
  return bytes;
}

function whole(text) {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || String(number) !== text) throw new Error("no whole number");
  return number;
}
