"""The signed notes in what people keep of a log: checkpoints, proofs, answers, saved pages."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any

import msgspec

from registry.log.key_chain import follow_all
from registry.tlog.checkpoint import stated
from registry.tlog.keys import Verifier
from registry.tlog.note import NoteRefused
from registry.tlog.tlog_proof import parse_tlog_proof

EMBEDDED = "log-proof"
"""The id of the script element in which a page keeps its proof, as JSON."""

_PROOF = "c2sp.org/tlog-proof@"


class KeptNote(msgspec.Struct, frozen=True):
    """A note to the byte, the log it is of, and the verifier key that stands beside it, if any.

    `keys` are proofs of the log's later keys that stand there too.
    """

    note: bytes
    origin: str
    key: str | None = None
    keys: tuple[str, ...] = ()


def read_kept(content: bytes) -> tuple[list[KeptNote], list[tuple[bytes, dict[str, Any]]]]:
    """Return the notes in a file, each once, and the JSON objects, with their bytes.

    No signature is checked. A file of anything else has neither.
    """
    # Some editors and shells put a byte order mark before what they keep; it is none of it.
    content = content.removeprefix(codecs.BOM_UTF8)
    objects = []
    for part in _embedded_proofs(content) or [content]:
        try:
            value = msgspec.json.decode(part)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            objects.append((part, value))
    if not objects:
        found = _note_of(content, None)
        return ([] if found is None else [found]), []
    notes: dict[KeptNote, None] = {}
    for _, value in objects:
        key, listed = value.get("key"), value.get("keys")
        keys = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
        for text in _texts(value):
            found = _note_of(text.encode(), key if isinstance(key, str) else None)
            if found is not None:
                notes[msgspec.structs.replace(found, keys=tuple(keys))] = None
    return list(notes), objects


def proven_keys(trusted: Verifier, notes: Iterable[KeptNote]) -> set[Verifier]:
    """Return the keys of the log of which one is trusted, as they are proven beside notes."""
    found = {trusted}
    for keys in {one.keys for one in notes if one.keys}:
        with suppress(ValueError):
            chain = follow_all("", keys)
            if trusted in chain.verifiers:
                found.update(chain.verifiers)
    return found


def _embedded_proofs(page: bytes) -> list[bytes]:
    """Return what the script elements of a page hold that keep a proof."""
    if f'"{EMBEDDED}"'.encode() not in page:
        return []
    parser = _Embedded()
    parser.feed(page.decode("utf-8", "replace"))
    parser.close()
    return [text.encode() for text in parser.found]


class _Embedded(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_inside = tag == "script" and ("id", EMBEDDED) in attrs
        if self._is_inside:
            self.found.append("")

    def handle_endtag(self, _tag: str) -> None:
        self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.found[-1] += data


def _note_of(content: bytes, key: str | None) -> KeptNote | None:
    """Return a text's note: of a proof the checkpoint in it, else the text itself."""
    try:
        if content.startswith(_PROOF.encode()):
            content = parse_tlog_proof(content).checkpoint
        return KeptNote(content, stated(content).origin, key)
    except (NoteRefused, ValueError):
        return None


def _texts(value: Any) -> Iterator[str]:
    """Yield the strings with lines in a JSON value."""
    if isinstance(value, str):
        if "\n\n" in value:
            yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
