// The agencies and sectors that a question names.

import { counted, said } from "./language.js";
import { inLanguage, made } from "./made.js";

const { site, ending = "" } = document.querySelector("[data-site]").dataset;
const FOLDERS = { agency: "agencies", sector: "sectors", record: "records" };

/** The page of an agency, a sector or a record. */
export const pageOf = (kind, id) => `${site}/${FOLDERS[kind]}/${id}${ending}`;

/** Where a short code leads: a register says whose it is, a copy has a page of each. */
export const codeAddress = (code, inCopy, file = ending) =>
  inCopy ? `${site}/../r/${code}${file}` : `${site}/code?code=${code}`;

/** Say how many records an agency or a sector has. */
export const filed = ({ kind, records }) =>
  records ? counted("records", records) : made(kind === "agency" ? "no-filing" : "no-record");

/** Write a name in the language that it has. */
export function nameOf(texts) {
  const name = said(texts);
  if (!name) return made("nameless");
  const element = inLanguage(document.createElement("bdi"), name.lang);
  element.textContent = name.text;
  return element;
}
