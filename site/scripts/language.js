// The reader's language: which of several texts, and how many of a thing.

import { made } from "./made.js";

const { lang, dataset } = document.documentElement;

/** The locales of the reader and of what stands in, of which a browser knows the first or a later. */
export const locales = dataset.locales.split(" ");

/** The reader's language, and what stands in for it, by the pack's order. */
export const order = document.querySelector("[data-order]").dataset.order.split(" ");

const numbers = new Intl.NumberFormat(locales);

/** Write a number as the pages do. */
export const written = (number) => numbers.format(number);

/** Say how many, by the template for that number. */
export function counted(name, number) {
  // A wording that another language stands in for has that one's plural.
  const words = document.getElementById(`${name}-other`).content.firstElementChild;
  const plural = new Intl.PluralRules([words?.lang || lang, ...locales]);
  const id = `${name}-${plural.select(number)}`;
  return made(document.getElementById(id) ? id : `${name}-other`, { n: written(number) });
}

/** Choose a text of a language map as the pages do. */
export function said(texts) {
  const chosen = order.find((tag) => texts?.[tag]) ?? Object.keys(texts ?? {})[0];
  return chosen && { lang: chosen, text: texts[chosen] };
}
