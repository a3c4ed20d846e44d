// The register's own answers, over its API.

/** No register answers here: ask the copy. */
export class Unreachable extends Error {}

/** The copy has nothing to answer a filter with, and to leave it out would widen the answer. */
export class Unanswerable extends Error {}

/**
 * The question cannot be answered: `parameter` is what is wrong in it, `value` the code that nobody
 * knows, and `nearest` the code, or name, that may be meant.
 */
export class Refused extends Error {
  constructor({ detail, parameter, value, nearest }) {
    super(detail);
    Object.assign(this, { parameter, value, nearest });
  }
}

/** Ask an address of the API. */
export async function askRegister(address, signal) {
  let response;
  try {
    response = await fetch(address, { signal });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Unreachable();
  }
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  if (!isJson || (!response.ok && response.status !== 400)) throw new Unreachable();
  const body = await response.json();
  if (!response.ok) throw new Refused(body);
  return body;
}
