"""The erasure of members of sections, and documents as readers are shown them afterwards.

A section keeps its shape, so that the pointers of the members that are left stay valid: an erased
member of an object is gone, an erased item of an array is null, and a section that was its own
single member is null. The commitment of an erased member stays, which reveals nothing without the
salt.

Where only words of a member are to go, the member is erased as any other, and the entry of the
redaction commits, in its section `replaced`, to what is shown in its place: a list of `{pointer,
versions, value}`. A later redaction that names such an item replaces it by its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

import msgspec

from registry.log.disclosure_tree import SALT_BYTES, member_commitment, members
from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.pointers import parts, strings_in

REPLACED = "replaced"
"""The section of a redaction's entry with the replacements of erased members."""

MARK = "[…]"
"""What stands in a text in the place of words that were erased."""


def named_members(document: Document, pointers: Collection[str]) -> list[tuple[str, Any]]:
    """Return the members of a document that pointers name, as (pointer, value)."""
    sections = {parts(pointer)[0] for pointer in pointers}
    return [
        (pointer, value)
        for key in document
        if key in sections
        for pointer, value in members(key, document[key])
        if value is not None and covers(pointers, pointer)
    ]


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """A section after an erasure.

    `value` is canonical JSON text, `salts` 32 bytes for each member that is left; `commitments` are
    of the members erased now, by pointer, and `texts` their former texts.
    """

    value: str
    salts: bytes
    commitments: dict[str, str]
    texts: list[str]


def covers(pointers: Collection[str], member: str) -> bool:
    """Return whether one of some pointers, to members or whole sections, names a member."""
    return member in pointers or f"/{parts(member)[0]}" in pointers


def remaining_members(key: str, value: Any, gone: Collection[str]) -> list[tuple[str, Any]]:
    """Return the members that are left of a section as (pointer, value), sorted by pointer."""
    whole = members(key, value)
    if not gone:
        return whole
    return [one for one in whole if one[0] not in gone and one[0] != f"/{key}"]


def erase(
    key: str,
    value: Any,
    salts: bytes,
    *,
    gone: Collection[str],
    pointers: Collection[str],
    shown: Mapping[str, Any] = _NOTHING,
) -> Erased | None:
    """Erase what pointers name of a section, of which some may be `gone`.

    `shown` is what stands in the place of members that are gone now, by pointer. Return None if
    that changes nothing.
    """
    there = remaining_members(key, value, gone)
    kept = b""
    commitments: dict[str, str] = {}
    for at, (pointer, part) in enumerate(there):
        salt = salts[at * SALT_BYTES :][:SALT_BYTES]
        if covers(pointers, pointer):
            commitments[pointer] = member_commitment(salt, pointer, canonical(part))
        else:
            kept += salt
    after = _without(key, value, {*gone, *commitments})
    for pointer in ({*gone, *commitments}) & shown.keys():
        after = _placed(after, pointer, shown[pointer])
    if not commitments and after == value:
        return None
    texts = [
        text
        for pointer, part in members(key, value)
        if pointer in gone or pointer in commitments
        for text in _lost(part, shown.get(pointer))
    ]
    return Erased(value=canonical(after).decode(), salts=kept, commitments=commitments, texts=texts)


def standing_items(items: Sequence[Any], read: Callable[[int], Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the items of a redaction's section `replaced` as they are after later redactions.

    An item that another redaction erased is that one's index, an integer; what it has in its place
    follows. `read` returns the items of a redaction, or None.
    """
    # Redactions of one text follow each other, any number of them.
    followed: set[int] = set()
    waiting = [*reversed(items)]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, int):
            yield item
        elif item not in followed:
            followed.add(item)
            waiting.extend(reversed(read(item) or ()))


def replaced_members(redaction: int, read: Callable[[int], Any], *, version: int) -> dict[str, Any]:
    """Return the replacements of the members that a redaction erased of a version, by pointer.

    `read` returns the items of a redaction's section `replaced`, see `standing_items`.
    """
    return {
        item["pointer"]: item["value"]
        for item in standing_items([redaction], read)
        if version in item["versions"]
    }


def placed(document: Document, replaced: Mapping[str, Any]) -> Document:
    """Return a document of which members are erased with their replacements."""
    shown = dict(document)
    for pointer, value in replaced.items():
        key = parts(pointer)[0]
        shown[key] = _placed(shown.get(key), pointer, value)
    return shown


def without_words(value: Any, words: Collection[str]) -> Any:
    """Return a value with the mark in its texts for each of some words, in either case."""
    if isinstance(value, dict):
        return {name: without_words(part, words) for name, part in value.items()}
    if isinstance(value, list):
        return [without_words(part, words) for part in value]
    if not isinstance(value, str):
        return value
    # The longest first, since one may be a part of another.
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.sub(listed, MARK, value, flags=re.IGNORECASE)


def _placed(value: Any, pointer: str, shown: Any) -> Any:
    _, *names = parts(pointer)
    if not names:
        return shown
    [name] = names
    if isinstance(value, list):
        return [*value[: int(name)], shown, *value[int(name) + 1 :]]
    return {**(value or {}), name: shown}


def readable(document: Document, erased: Sequence[str]) -> Document:
    """Return a document as readers are shown it: without the places of erased members."""
    shown = dict(document)
    for key in {parts(pointer)[0] for pointer in erased}:
        value = shown.get(key)
        if isinstance(value, list):
            value = [item for item in value if item is not None]
        if value:
            shown[key] = value
        else:
            shown.pop(key, None)
    return shown


def without_erased(document: Document, erased: Mapping[str, Any]) -> Document:
    """Return another version of a record without what was erased of it before.

    `erased` is what stands in the place of members, by pointer, None where nothing does. A text
    that has words again in whose place a mark stands there gets the mark.
    """
    kept = dict(document)
    gone = [pointer for pointer, shown in erased.items() if shown is None]
    for key in {parts(pointer)[0] for pointer in erased} & kept.keys():
        there = members(key, kept[key])
        for pointer, part in there:
            if erased.get(pointer) is not None:
                kept[key] = _placed(kept[key], pointer, _marked(part, erased[pointer]))
        kept[key] = _without(key, kept[key], [pointer for pointer, _ in there if pointer in gone])
    return readable(kept, gone)


def _marked(value: Any, shown: Any) -> Any:
    """Return a value with the marks of another one, in texts that are the same but for these."""
    if isinstance(value, dict) and isinstance(shown, dict):
        return {name: _marked(part, shown.get(name)) for name, part in value.items()}
    if isinstance(value, list) and isinstance(shown, list):
        return [_marked(*pair) for pair in zip_longest(value, shown[: len(value)])]
    if isinstance(value, str) and isinstance(shown, str) and _marked_words(value, shown):
        return shown
    return value


def _without(key: str, value: Any, gone: Collection[str]) -> Any:
    if f"/{key}" in gone:
        return None
    if isinstance(value, list):
        return [None if f"/{key}/{at}" in gone else item for at, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    pointed = dict(members(key, value))
    names = {parts(pointer)[-1] for pointer in pointed if pointer not in gone}
    return {name: part for name, part in value.items() if name in names}


def _lost(before: Any, after: Any) -> Iterator[str]:
    """Yield the texts of a value that are not in the one after it, and the words of them."""
    left = set(strings_in(after))
    for text in strings_in(before):
        if text in left:
            continue
        yield text
        for shown in left:
            yield from _marked_words(text, shown)


def _marked_words(text: str, shown: str) -> list[str]:
    """Return the words of a text in whose places another one, which is the same else, has marks.

    Empty if it is not the same. A mark stands for one character or more, as few as possible; each
    piece between two marks is looked for once, so that many marks do not take long.
    """
    first, *pieces = shown.split(MARK)
    if not pieces or not text.startswith(first):
        return []
    *between, last = pieces
    words: list[str] = []
    start = len(first)
    for piece in between:
        end = text.find(piece, start + 1)
        if end < 0:
            return []
        words.append(text[start:end])
        start = end + len(piece)
    end = len(text) - len(last)
    return [*words, text[start:end]] if start < end and text.endswith(last) else []
