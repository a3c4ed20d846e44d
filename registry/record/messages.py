"""Messages in the reader's language; a finding is composed of them and rendered last.

The English wording of a message is its gettext id; its translations, and those of the titles in it,
are in `schemas/languages/<language>/format/`. A finding is in one language as a whole, which it
names: what is not translated falls back in the country pack's order.

Programs are told of fields by JSON Pointers and of values by their codes. A reader whose language
is a `PlainLanguage` is a person: the same messages name fields and codes by their labels, and begin
with the field that they are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TypeAlias, Union

import msgspec

from registry.errors import Finding, Severity
from registry.record.model import LangText
from registry.record.pointers import field_path, is_index, parts
from registry.record.schema import Field, field_at, fields
from registry.text.catalogues import SOURCE, Catalogue, load_catalogues
from registry.text.locales import language_name, pick, script_of

_LONGEST_POINTER = 512


class PlainLanguage(str):
    """The tag of a language in which a person reads: without pointers, codes and JSON."""

    __slots__ = ()


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """A name of the format, such as a field's title; translated where a translation exists."""

    text: str


class LanguageName(msgspec.Struct, frozen=True, kw_only=True):
    """A language, to be named in the reader's language."""

    tag: str


class LabelledValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value that programs are shown as it is written, and people by its label."""

    written: str
    label: MessageValue


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence, or a part of one, with `{placeholders}` and their values.

    `plain` is said to people in its place, where it asks for what only programs write. With
    `plural`, its wording is the form for `number`.
    """

    message: str
    values: dict[str, MessageValue] = {}
    plain: Message | None = None
    plural: str = ""
    number: int = 1


# A text by language is a code's label or a law; strings and numbers are the same in any language,
# but for the pointer of a field, which people are shown as its name.
MessageValue: TypeAlias = Union[
    str, int, Title, LanguageName, LangText, LabelledValue, Message, "tuple[MessageValue, ...]"
]


class PendingFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that is not rendered yet."""

    pointer: str
    rule: str
    severity: Severity = "error"
    messages: tuple[Message, ...]


def translatable(text: str) -> str:
    """Mark an English wording for the translation catalogues."""
    return text


def message(text: str, *, plain: Message | None = None, **values: MessageValue) -> Message:
    """Return the message of an English wording, and what people are told in its place."""
    return Message(message=text, values=values, plain=plain)


def counted(one: str, many: str, number: int, **values: MessageValue) -> Message:
    """Return the message of an English wording in the singular and the plural."""
    return Message(message=one, plural=many, number=number, values=values)


NOTHING = Message(message="")
"""What people are told where a sentence is of use to programs alone."""


def in_quotes(text: MessageValue) -> Message:
    """Return a text in the quotation marks of the language."""
    return Message(message=translatable("“{text}”"), values={"text": text})


def language_tag(tag: str) -> LabelledValue:
    """Return a language, named by its tag to programs."""
    return LabelledValue(written=tag, label=LanguageName(tag=tag))


def to_finding(remark: PendingFinding, language: str, fallback: Sequence[str]) -> Finding:
    """Return a finding rendered in the language, or the next one that has all its parts."""
    order = (language, *fallback, SOURCE)
    messages = _naming_field(remark) if isinstance(language, PlainLanguage) else remark.messages
    lang, text = next(_renderings(messages, order))
    return Finding(
        pointer=_cut(remark.pointer),
        rule=remark.rule,
        severity=remark.severity,
        message=text,
        lang=str(lang),
    )


def _naming_field(remark: PendingFinding) -> tuple[Message, ...]:
    """Return the messages so that the first begins with the name of the field."""
    name = field_name(parts(remark.pointer), in_group=True)
    if name is None:
        return remark.messages
    first, *others = (one.plain or one for one in remark.messages)
    own = name.values["title"] if isinstance(name, Message) else name
    if first.message.startswith("{title}: ") and first.values["title"] == own:
        return (msgspec.structs.replace(first, values=first.values | {"title": name}), *others)
    return (message("{title} – {sentence}", title=name, sentence=first), *others)


def field_name(place: Sequence[str], *, in_group: bool = False) -> Title | Message | None:
    """Return the name of the nearest field at or above a place of a record; None for none.

    The group that it is in, the number of its entry and its language follow where they are asked
    for, the group also where its title alone could be that of another field.
    """
    path = field_path(place)
    above, depth = ([0, 0] + [at for at in range(1, len(path) + 1) if _title_at(path[:at])])[-2:]
    if not depth:
        return None
    title, group = Title(text=_title_at(path[:depth])), Title(text=_title_at(path[:above]))
    of: list[MessageValue] = []
    if above and group != title and (in_group or _is_common(title.text)):
        of.append(group)
    entry = next(filter(is_index, place[above:]), None)
    if entry is not None:
        of.append(message("entry {number}", number=int(entry) + 1))
    tag = "".join(place[-1:]) if in_group and len(path) > depth else ""
    if tag.replace("-", "").isalpha() and _holds_text(field_at(path[:depth])):
        of.append(LanguageName(tag=tag))
    return message("{title} ({of})", title=title, of=tuple(of)) if of else title


def _title_at(path: tuple[str, ...]) -> str:
    """Return the title of a field; none for a text in a list, which has that of its kind."""
    field = field_at(path)
    if field is None or (path[-1] == "*" and field.is_text):
        return ""
    title: str = field.schema.get("title", "")
    return title


def _holds_text(field: Field | None) -> bool:
    return field is not None and field.entry.is_text


@cache
def _is_common(title: str) -> bool:
    return [field.schema.get("title") for field in fields()].count(title) > 1


def to_findings(
    remarks: Iterable[PendingFinding], language: str, fallback: Sequence[str]
) -> tuple[Finding, ...]:
    """Return findings rendered, each once, ordered by pointer and rule."""
    ordered = sorted(remarks, key=lambda remark: (remark.pointer, remark.rule))
    return tuple(dict.fromkeys(to_finding(one, language, fallback) for one in ordered))


def _cut(pointer: str) -> str:
    """Return a pointer; of a member that no format has, with a name without end, its beginning."""
    return pointer if len(pointer) <= _LONGEST_POINTER else pointer[:_LONGEST_POINTER] + "…"


def render(sentence: Message, language: str, fallback: Sequence[str]) -> str:
    """Return a message as text in the language, or in the next one that has it."""
    _, text = next(_renderings([sentence], (language, *fallback, SOURCE)))
    return text


def render_title(text: str, language: str, fallback: Sequence[str]) -> str:
    """Return a title or description of the format in the language, or in the next that has it."""
    for tag in (language, *fallback):
        if tag == SOURCE:
            break
        found = _catalogue(tag).messages.get(text)
        if found is not None:
            return found
    return text


def _renderings(messages: Sequence[Message], order: Sequence[str]) -> Iterator[tuple[str, str]]:
    plain = isinstance(order[0], PlainLanguage)
    for tag in order:
        texts = [_render_value(one, tag, order, plain=plain) for one in messages]
        if None not in texts:
            yield tag, " ".join(filter(None, texts))


def _wording(sentence: Message, tag: str) -> str | None:
    text, number = sentence.message, sentence.number
    if tag == SOURCE or not text:
        return sentence.plural if sentence.plural and number != 1 else text
    catalogue = _catalogue(tag)
    if not sentence.plural:
        return catalogue.messages.get(text)
    forms = catalogue.plurals.get(text)
    return None if forms is None else forms[catalogue.plural_index(number)]


def _render_value(  # noqa: PLR0911  a kind each
    value: MessageValue, tag: str, order: Sequence[str], *, plain: bool
) -> str | None:
    """Return a value as text in one language; None for a message that it does not have."""
    match value:
        case Message(plain=Message() as instead) if plain:
            return _render_value(instead, tag, order, plain=plain)
        case Message(values=values):
            wording = _wording(value, tag)
            shown = {
                name: _render_value(part, tag, order, plain=plain) for name, part in values.items()
            }
            return None if wording is None or None in shown.values() else wording.format_map(shown)
        case LabelledValue(written=written, label=label):
            return _render_value(label, tag, order, plain=plain) if plain else written
        case str() if plain and value.startswith("/"):
            name = field_name(parts(value))
            return _render_value(in_quotes(name), tag, order, plain=plain) if name else value
        case str() | int():
            return str(value)
        case Title(text=text):
            return _catalogue(tag).messages.get(text, text)
        case LanguageName(tag=named):
            return language_name(named, tag)
        case dict():
            found = pick(value, tag, order)
            return found[1] if found else ""
        case tuple():
            texts = [_render_value(part, tag, order, plain=plain) for part in value]
            comma = "، " if script_of(tag) == "Arab" else ", "
            return None if None in texts else comma.join(filter(None, texts))


@cache
def _catalogue(tag: str) -> Catalogue:
    return load_catalogues("format", [tag])[tag]
