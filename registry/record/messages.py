"""Messages in the reader's language; a finding is composed of them and rendered last.

The English wording of a message is its gettext id; its translations, and those of the titles in it,
are in `schemas/locale/<language>/LC_MESSAGES/`. A finding is in one language as a whole, which it
names: what is not translated falls back in the country pack's order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TypeAlias, Union

import msgspec

from registry.errors import Finding, Severity
from registry.record.model import LangText
from registry.resources import SCHEMAS
from registry.text.catalogues import SOURCE, Catalogue, load_catalogues
from registry.text.locales import language_name, pick

_SEPARATORS = {"ar": "، "}
_LONGEST_POINTER = 512


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """A name of the format, such as a field's title; translated where a translation exists."""

    text: str


class LanguageName(msgspec.Struct, frozen=True, kw_only=True):
    """A language, to be named in the reader's language."""

    tag: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence, or a part of one, with `{placeholders}` and their values."""

    message: str
    values: dict[str, MessageValue] = {}


# A text by language is a code's label or a law; strings and numbers are the same in any language.
MessageValue: TypeAlias = Union[
    str, int, Title, LanguageName, LangText, Message, "tuple[MessageValue, ...]"
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


def message(text: str, **values: MessageValue) -> Message:
    """Return the message of an English wording."""
    return Message(message=text, values=values)


def to_finding(remark: PendingFinding, language: str, fallback: Sequence[str]) -> Finding:
    """Return a finding rendered in the language, or the next one that has all its parts."""
    order = (language, *fallback, SOURCE)
    lang, text = next(_renderings(remark.messages, order))
    return Finding(
        pointer=_cut(remark.pointer),
        rule=remark.rule,
        severity=remark.severity,
        message=text,
        lang=lang,
    )


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
    for tag in order:
        texts = [_render_value(one, tag, order) for one in messages]
        if None not in texts:
            yield tag, " ".join(filter(None, texts))


def _render_value(value: MessageValue, tag: str, order: Sequence[str]) -> str | None:
    """Return a value as text in one language; None for a message that it does not have."""
    match value:
        case str() | int():
            return str(value)
        case Message(message=text, values=values):
            wording = text if tag == SOURCE else _catalogue(tag).messages.get(text)
            shown = {name: _render_value(part, tag, order) for name, part in values.items()}
            return None if not wording or None in shown.values() else wording.format_map(shown)
        case Title(text=text):
            return _catalogue(tag).messages.get(text, text)
        case LanguageName(tag=named):
            return language_name(named, tag)
        case dict():
            found = pick(value, tag, order)
            return found[1] if found else ""
        case tuple():
            parts = [_render_value(part, tag, order) for part in value]
            return None if None in parts else _SEPARATORS.get(tag, ", ").join(filter(None, parts))


@cache
def _catalogue(tag: str) -> Catalogue:
    return load_catalogues(SCHEMAS / "locale", [tag])[tag]
