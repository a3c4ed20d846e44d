// What a record's proof shows, found out with nothing but the browser's own cryptography.
//
// The same by hand, in Python: docs/transparency-log.md. A check answers true where what is said
// holds, false where it does not or cannot be read, and null where this browser cannot tell.

const encode = (text) => new TextEncoder().encode(text);
const NODE = Uint8Array.of(1);

/** Write a JSON value canonically, RFC 8785: numbers and strings as JavaScript writes them. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

/** Check a version's proof against its page, which has `{id, version, entry, hash}`.
 *
 * `steps` has an answer for each; `found` is what was read on the way, as far as it could be.
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
  return {
    steps: {
      ...own.steps,
      entry: own.steps.entry && isOfPage(own.found, page),
      erased: together([
        own.found.erased && true,
        ...erased.map((one) => one.isSaid),
        ...Array.from(redactions.values(), ({ steps }) => together(Object.values(steps))),
      ]),
    },
    found: { ...own.found, key: proof.key, erased },
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
  const found = { index: evidence.index, leaf: hex(leaf), differing: [], erased: null };
  const steps = {
    entry: await holds(() => {
      found.entry = JSON.parse(evidence.entry);
      return canonical(found.entry) === evidence.entry && found.leaf === evidence.leaf;
    }),
    inclusion: await holds(async () => {
      const proof = readProof(evidence.proof);
      Object.assign(found, proof.checkpoint);
      const root = await rootOf(leaf, proof.index, found.size, proof.path);
      return proof.index === evidence.index && toBase64(root) === found.root;
    }),
    signature: await holds(() => isSigned(readProof(evidence.proof), key)),
    contents: await holds(async () => {
      const read = await readContents(evidence.content, evidence.index, found.entry.sections);
      Object.assign(found, read);
      return read.isExact ? read.isWhole && !read.differing.length : null;
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

/** Whether a redaction's entry says that a member of the record was to be erased. */
function covers(said, { entry }, pointer) {
  return (
    said.kind === "redaction" &&
    said.id === entry.id &&
    said.versions.includes(entry.version) &&
    [pointer, `/${pointer.split("/")[1]}`].some((one) => said.pointers.includes(one))
  );
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

/** Compare a file of contents with the commitments of its entry, by section.
 *
 * `isWhole` says that it is canonical and has exactly the sections of the entry; `isExact` that
 * its numbers are such as a browser keeps: the format allows no others, and others read them.
 */
async function readContents(text, index, commitments) {
  const content = JSON.parse(text);
  const isExact = numbers(text).every((number) => String(Number(number)) === number);
  const names = (sections) => canonical(Object.keys(sections).sort());
  const isWhole =
    (canonical(content) === text || !isExact) &&
    content.index === index &&
    names(content.sections) === names(commitments);
  const read = { isExact, isWhole, differing: [], erased: [] };
  for (const [key, members] of Object.entries(content.sections)) {
    if ((await commitmentOf(key, members, read.erased)) !== commitments[key]) {
      read.differing.push(`/${key}`);
    }
  }
  return read;
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

/** List the numbers of a JSON text as they are written. */
function numbers(text) {
  const withoutStrings = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
  return withoutStrings.match(/-?\d[\d.eE+-]*/g) ?? [];
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
