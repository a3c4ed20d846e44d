"""Erasing members of sections: what is stored afterwards, and what readers are shown.

A section keeps its shape, so that the pointers of the members that are left stay valid: an erased
member of an object is gone, an erased item of an array is null, and a section that was its own
single member is null. The commitment of an erased member stays, which reveals nothing without the
salt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from registry.record.canonical import canonical
from registry.record.model import Document
from registry.record.pointers import parts
from registry.record.sections import SALT_BYTES, member_commitment, members


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
    return [
        (pointer, part)
        for pointer, part in members(key, value)
        if pointer not in gone and not (gone and pointer == f"/{key}")
    ]


def erase(
    key: str, value: Any, salts: bytes, *, gone: Collection[str], pointers: Collection[str]
) -> Erased | None:
    """Erase what pointers name of a section, of which some may be `gone`.

    Return None if they name nothing.
    """
    there = remaining_members(key, value, gone)
    kept = b""
    commitments: dict[str, str] = {}
    texts: list[str] = []
    for at, (pointer, part) in enumerate(there):
        salt = salts[at * SALT_BYTES :][:SALT_BYTES]
        if covers(pointers, pointer):
            commitments[pointer] = member_commitment(salt, pointer, canonical(part))
            texts += _texts(part)
        else:
            kept += salt
    if not commitments:
        return None
    after = _without(key, value, commitments)
    return Erased(value=canonical(after).decode(), salts=kept, commitments=commitments, texts=texts)


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


def without_erased(document: Document, erased: Sequence[str]) -> Document:
    """Return another version of a record without what was erased of it before."""
    kept = dict(document)
    for key in {parts(pointer)[0] for pointer in erased} & kept.keys():
        gone = [pointer for pointer, _ in members(key, kept[key]) if pointer in erased]
        kept[key] = _without(key, kept[key], gone)
    return readable(kept, erased)


def _without(key: str, value: Any, gone: Collection[str]) -> Any:
    if f"/{key}" in gone:
        return None
    if isinstance(value, list):
        return [None if f"/{key}/{at}" in gone else item for at, item in enumerate(value)]
    pointed = dict(members(key, value))
    names = {parts(pointer)[-1] for pointer in pointed if pointer not in gone}
    return {name: part for name, part in value.items() if name in names}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value
