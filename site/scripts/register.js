// The register's own answers, over its API.

/** No register answers here: ask the copy. */
export class Unreachable extends Error {}

/** The register answers that it cannot; `message` says why. */
export class Refused extends Error {}

/** Ask the API a question; the answer is `{items, facets, total, next, mended}`. */
export async function askRegister(api, query, signal) {
  let response;
  try {
    response = await fetch(`${api}/records?${query}`, { signal });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Unreachable();
  }
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  if (!isJson || response.status === 429 || response.status >= 500) {
    throw new Unreachable();
  }
  const body = await response.json();
  if (!response.ok) {
    throw response.status === 400 ? new Refused(body.detail ?? body.title) : new Unreachable();
  }
  return body;
}
