"""The reader a page is written for: a language, and what to fall back on where it has no words.

Every text that enters `Markup` here has been escaped or rendered by `text/markdown.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
from markupsafe import Markup, escape

from registry.record.model import LangText
from registry.record.origin import Origin
from registry.record.pack import Pack
from registry.record.schema import broader
from registry.text import markdown
from registry.text.catalogues import SOURCE, Catalogue, find
from registry.text.locales import (
    Locale,
    country_name,
    direction,
    language_name,
    pick,
    script_of,
)
from registry.text.typesetting import typeset


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """The reader of a page; `order` is the reader's language and then the pack's fallback.

    Addresses have the language's `tag`. Pages are set in `locale`: the same, or where most wordings
    of the site are missing in it, that of the language that stands in for it.
    `catalogues` hold the site's wordings, `titles` those of the format, such as fields' names.
    """

    locale: Locale
    order: tuple[str, ...]
    pack: Pack
    catalogues: Mapping[str, Catalogue]
    titles: Mapping[str, Catalogue]
    labels: Mapping[str, Mapping[str, LangText]]
    tag: str
    kept: dict[tuple[object, str], Any] = {}
    """Names that were looked up, by function and argument, since pages repeat them."""


class Text(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A wording with its own language; `differs` when that is not the page's.

    A code's label has its `code`. `whole` is the whole of a text that is shown in part. What is
    made of a wording once is kept with it.
    """

    text: str
    lang: str
    dir: str
    differs: bool
    code: str = ""
    whole: str = ""

    @cached_property
    def attrs(self) -> Markup:
        """Write the attributes of an element around this text, with a leading space, or nothing."""
        if not self.differs:
            return Markup()
        return Markup(f' lang="{escape(self.lang)}" dir="{self.dir}"')  # noqa: S704

    @cached_property
    def in_full(self) -> Text | None:
        """Return the text whose part this is, None where this is all of it."""
        return msgspec.structs.replace(self, text=self.whole, whole="") if self.whole else None

    @cached_property
    def inline(self) -> Markup:
        """Write the text within a line, kept apart from the direction of its surroundings."""
        return Markup(f"<bdi{self.attrs}>{escape(self.text)}</bdi>")  # noqa: S704

    @cached_property
    def prose(self) -> Markup:
        """Write the text as paragraphs, its small Markdown rendered."""
        paragraphs = markdown.render(self.text)
        return Markup(f'<div class="prose"{self.attrs}>{paragraphs}</div>')  # noqa: S704


def make_reader(
    tag: str,
    pack: Pack,
    catalogues: Mapping[str, Catalogue],
    titles: Mapping[str, Catalogue],
    labels: Mapping[str, Mapping[str, LangText]],
) -> Reader:
    """Return the reader of one language."""
    order = (tag, *(other for other in pack.fallback if other != tag))
    return Reader(
        tag=tag,
        locale=pack.locale(_set_in(order, catalogues)),
        order=order,
        pack=pack,
        catalogues=catalogues,
        titles=titles,
        labels=labels,
    )


def reader_of_origin(reader: Reader, origin: Origin | None) -> Reader:
    """Return a reader of what came from another register, whose codes have its own labels."""
    if origin is None or not origin.labels:
        return reader
    known: Reader | None = reader.kept.get((reader_of_origin, origin.code))
    if known is None:
        theirs = {
            name: {**reader.labels.get(name, {}), **labels}
            for name, labels in origin.labels.items()
        }
        known = msgspec.structs.replace(reader, labels={**reader.labels, **theirs}, kept={})
        reader.kept[reader_of_origin, origin.code] = known
    return known


def _set_in(order: Sequence[str], catalogues: Mapping[str, Catalogue]) -> str:
    """Return the first language of an order that has half as many wordings as any of them."""
    wordings = {tag: len(catalogues[tag].messages) for tag in order if tag != SOURCE}
    enough = max(wordings.values(), default=0) / 2
    return next(tag for tag in order if tag == SOURCE or wordings[tag] >= enough)


def first_of(reader: Reader, languages: Collection[str]) -> str:
    """Return which of the languages of a text of ours a reader gets: English without another."""
    return next((tag for tag in reader.order if tag in languages), SOURCE)


def say(reader: Reader, text: LangText | None, written: Sequence[str] = ()) -> Text | None:
    """Return the wording for this reader, None where there is none.

    `written` are the languages that all of the record is in of which it is a text, so that what the
    reader's language lacks is in one language.
    """
    order = reader.order
    if written:
        order = (next((tag for tag in order if tag in written), written[0]), *order)
    chosen = pick(text, reader.tag, order) if text else None
    if chosen is None:
        return None
    lang, wording = chosen
    return in_language(reader, wording, lang)


def in_language(reader: Reader, text: str, lang: str) -> Text:
    """Return a text typeset in its language, marked with that where it is not the page's."""
    text = typeset(text, lang)
    return Text(text=text, lang=lang, dir=direction(lang), differs=lang != reader.locale.tag)


def translated(reader: Reader, wording: str) -> Text:
    """Return a wording of the site in the first of the reader's languages that has it."""
    lang, text = find(reader.catalogues, reader.order, wording)
    return in_language(reader, text, lang)


def line(reader: Reader, text: str, source: str | None) -> Text:
    """Return a line of a record that stands alone, in the language that the record was written in.

    An agency of this register has its name in the reader's language.
    """
    known: dict[str, LangText] | None = reader.kept.get((line, ""))
    if known is None:
        agencies = reader.pack.agencies.values()
        known = {name: one.name for one in agencies for name in one.name.values()}
        reader.kept[line, ""] = known
    found = say(reader, known.get(text))
    if found is not None:
        return found
    return in_language(reader, text, source or reader.locale.tag)


def label(reader: Reader, lists: str | tuple[str, ...], code: str) -> Text:
    """Return the label of a code, from the first list that has it; else the code itself."""
    known: Text | None = reader.kept.get((lists, code))
    if known is None:
        names = (lists,) if isinstance(lists, str) else lists
        texts = (say(reader, reader.labels[name].get(code)) for name in names)
        text = next((text for text in texts if text), None)
        if text is None and (above := broader(code)) != code:
            # One of another country, which does not say what it is called.
            text = label(reader, lists, above)
            own = code[len(above) + 1 :].replace("_", " ")
            text = msgspec.structs.replace(text, text=f"{text.text} ({own})")
        known = msgspec.structs.replace(text or as_it_is(reader, code.replace("_", " ")), code=code)
        reader.kept[lists, code] = known
    return known


def as_it_is(reader: Reader, text: str) -> Text:
    """Return a word of the register's own, such as an identifier, that no language has."""
    return in_language(reader, text, SOURCE)


def language(reader: Reader, tag: str) -> Text:
    """Return the name of a language for this reader."""
    known: Text | None = reader.kept.get((language, tag))
    if known is None:
        name = language_name(tag, reader.pack.locale(reader.tag).babel)
        known = reader.kept[language, tag] = in_language(reader, name, reader.tag)
    return known


def country(reader: Reader, code: str) -> Text:
    """Return the name of a country for this reader."""
    name = country_name(code, reader.pack.locale(reader.tag).babel)
    return in_language(reader, name, reader.tag)


def comma_of(reader: Reader) -> str:
    """Return the comma between the members of a list, with its space."""
    return "، " if script_of(reader.locale.tag) == "Arab" else ", "


def semicolon_of(reader: Reader) -> str:
    """Return the semicolon between the parts of a sentence, with its spaces."""
    tag = reader.locale.tag
    return "؛ " if script_of(tag) == "Arab" else "\u202f; " if tag == "fr" else "; "


def plain_bdi(text: object) -> Markup:
    """Return a name, number or address in an element that isolates its direction.

    A text has its language there as well, if that is not the page's.
    """
    if isinstance(text, Text):
        return text.inline
    return Markup(f"<bdi>{escape(text)}</bdi>")  # noqa: S704
