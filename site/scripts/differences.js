// What changed between two versions, from the register's answer, as `registry/pages/changed.py`
// shows it: the same sections, order, words and elements.

import { inLanguage, made } from "./made.js";

const NOTE = /^\/publication\/change_note(\/|$)/;
const DATE = /^\d{4}(-\d{2}){0,2}$/;

const el = (name, content = [], given = {}) => {
  const element = Object.assign(document.createElement(name), given);
  element.append(...[content].flat());
  return element;
};
const parts = (pointer) =>
  pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
const starred = (path) => path.map((part) => (/^\d+$/.test(part) ? "*" : part)).join("/");
const both = (one, other) => {
  const at = one.findIndex((step, depth) => step !== other[depth]);
  return at < 0 ? one.length - other.length : one[at] - (other[at] ?? -Infinity);
};

/** Show differences: `words` are the reader's names, the documents are both versions. */
export function differences(words, before, after, items) {
  const places = new Map(words.fields.map(([path], place) => [path, place]));
  const field = (path) => words.fields[places.get(starred(path))];
  const isText = (path) => field(path)?.[2] === "text";

  const rank = (tag) => {
    const at = words.order.indexOf(tag);
    return at < 0 ? words.order.length : at;
  };
  const byRank = (one, other) => rank(one) - rank(other) || (one < other ? -1 : one > other ? 1 : 0);
  const inline = ([text, tag]) => inLanguage(el("bdi", text), tag);
  const asItIs = (text) => [text, "en"];
  const titled = (path) => field(path)?.[1] ?? asItIs(path.at(-1).replaceAll("_", " "));
  const orderOf = (path) =>
    path.map((part, depth) =>
      /^\d+$/.test(part) ? Number(part) : places.get(starred(path.slice(0, depth + 1))) ?? -1,
    );

  function labelled(lists, code) {
    const list = lists.find((name) => words.labels[name][code]);
    return list ? words.labels[list][code] : asItIs(code.replaceAll("_", " "));
  }

  function number(value) {
    const [minus, group, decimal] = words.number.split(/\d+/);
    const signs = { group, decimal, minusSign: minus };
    return new Intl.NumberFormat("en", { maximumFractionDigits: 6 })
      .formatToParts(value)
      .map(({ type, value: text }) => signs[type] ?? text)
      .join("");
  }

  function date(value) {
    const [year, month, day] = value.split("-");
    const form = day ? (day === "01" ? "first" : "other") : "month";
    const pattern = month ? words.dates[form][month - 1] ?? value : value;
    // The day first: a year has digits of its own.
    const said = pattern.replace("22", Number(day)).replace(/(?<!\d)0(?!\d)/, year);
    return el("time", month ? said : value, { dateTime: value });
  }

  const wordings = (texts) =>
    Object.keys(texts)
      .sort(byRank)
      .map((tag) => inLanguage(el("span", texts[tag], { className: "wording" }), tag));

  function shown(value, path) {
    if (Array.isArray(value)) {
      if (!value.length) return made("none");
      const items = value.map((item) => el("li", shown(item, [...path, "0"])));
      return el("ul", items, { className: "plain values" });
    }
    if (value !== null && typeof value === "object") {
      if (isText(path)) return wordings(value);
      const members = Object.entries(value).flatMap(([name, part]) => [
        el("dt", inline(titled([...path, name]))),
        el("dd", shown(part, [...path, name])),
      ]);
      return el("dl", members, { className: "values" });
    }
    if (typeof value === "boolean") return made(value ? "yes" : "no");
    if (typeof value === "number") return el("bdi", number(value));
    const [, , kind, lists] = field(path) ?? [];
    if (lists?.length) {
      const [text, tag] = labelled(lists, value);
      return inLanguage(el("span", text, { className: "wording" }), tag);
    }
    if (kind === "date" && DATE.test(value)) return date(value);
    return /^https?:\/\//.test(value) ? linked(value) : el("bdi", value);
  }

  function linked(href) {
    const address = el("bdi", href.replace(/^https?:\/\//, ""), { dir: "ltr", className: "address" });
    return el("a", address, { href, rel: "nofollow ugc" });
  }

  function line({ kind, before: was, after: now, words: marks }, tag, path) {
    const side = (value) => (tag ? wordings({ [tag]: value }) : shown(value, path));
    if (marks && `${was}${now}`.includes(" ")) {
      const pieces = marks.map(({ op, text }) =>
        op === "equal" ? text : el(op === "insert" ? "ins" : "del", text),
      );
      return inLanguage(el("p", pieces, { className: "diff" }), tag);
    }
    return el("div", [
      ...(was === null ? [] : [made(kind === "removed" ? "removed" : "before", { was: side(was) })]),
      ...(now === null ? [] : [made(kind === "added" ? "added" : "now", { now: side(now) })]),
    ], { className: "diff" });
  }

  function trail(place, within) {
    return place.slice(1).map((part, index) => {
      const path = place.slice(0, index + 2);
      if (!/^\d+$/.test(part)) return inline(titled(path));
      return itemName(path.reduce((value, step) => value?.[step], within), path, part);
    });
  }

  function itemName(item, path, part) {
    const place = starred(path).replaceAll("/*", "");
    const name = (words.keys[place] ?? []).find((key) => item?.[key] !== undefined);
    if (name === undefined) return inline(asItIs(String(Number(part) + 1)));
    const value = shown(item[name], [...path, name]);
    const first = [value].flat()[0];
    if (first.className === "wording") {
      return inLanguage(el("bdi", first.textContent), first.lang);
    }
    return inline(asItIs(String(item[name])));
  }

  function change(several) {
    const [{ difference, tag, place }] = several;
    const steps = trail(place, difference.kind === "removed" && !tag ? before : after);
    const arrows = steps.flatMap((step, at) =>
      at ? [" ", el("span", "›", { ariaHidden: "true" }), " ", step] : [step],
    );
    const [first, ...others] = several
      .sort((one, other) => byRank(one.tag, other.tag))
      .map((one) => ({ tag: one.tag, shown: line(one.difference, one.tag, one.path) }));
    const item = el("div", [...(steps.length ? [el("h4", arrows)] : []), first.shown], {
      className: "item",
    });
    if (others.length) {
      const languages = others.flatMap((other) => [
        el("p", el("bdi", words.languages[other.tag] ?? other.tag), { className: "lang-note" }),
        other.shown,
      ]);
      const more = made("others").firstElementChild;
      more.append(...languages);
      item.append(more);
    }
    return item;
  }

  const grouped = new Map();
  for (const difference of items) {
    if (NOTE.test(difference.pointer)) continue;
    const path = parts(difference.pointer);
    const tag = isText(path.slice(0, -1)) ? path.at(-1) : undefined;
    const place = tag ? path.slice(0, -1) : path;
    // What left and what came at one place of a list are two changes.
    const where = JSON.stringify(/^\d+$/.test(path.at(-1)) ? [place, difference.kind] : place);
    grouped.set(where, [...(grouped.get(where) ?? []), { difference, tag, place, path }]);
  }
  const sections = new Map();
  for (const several of grouped.values()) {
    const [name] = several[0].place;
    sections.set(name, [...(sections.get(name) ?? []), several]);
  }
  const inOrder = [...sections].sort(([one], [other]) => both(orderOf([one]), orderOf([other])));
  if (!inOrder.length) return [made("unchanged")];
  return inOrder.map(([name, changes]) => {
    const sorted = changes.sort(([one], [other]) => both(orderOf(one.place), orderOf(other.place)));
    const title = el("h3", inline(titled([name])));
    return el("div", [title, ...sorted.map(change)], { className: "changed" });
  });
}
