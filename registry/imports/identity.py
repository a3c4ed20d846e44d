"""Stable ids for rows of another register, and prefixes for its documents."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from registry.imports.cells import RowRefused
from registry.imports.columns import cell_at
from registry.imports.crosswalk_model import AGENCY, Crosswalk, word_meaning
from registry.imports.texts import one_line
from registry.record.model import Document
from registry.record.pointers import parts, value_at
from registry.services.importing.matching import RecordKey

DIGITS = 8
MAX_ID = 120
LONGEST_NAME = 60
# `index` is the name of the files that list an agency's records.
RESERVED = frozenset({"index"})
# Bytes of a digest that are kept of a row while a file is read.
_KEPT = 16
# Two marks may follow a slug, a hyphen and eight digits each.
_MARKS = 2 * (DIGITS + 1)
# Letters that Unicode does not decompose although readers see the plain letter.
_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_WITHIN_WORDS = frozenset("'’`´ʼ")


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What identifies a row; the texts are cleaned, so that blanks make no difference.

    `own` is the source's id or empty; `of` replaces it (`within_agency` is the same without the
    agency), and `name` makes it readable; `telling_apart` decides where these are equal; `whole` is
    the whole document.
    """

    agency: str
    own: str
    name: str
    of: tuple[str, ...]
    within_agency: tuple[str, ...]
    telling_apart: tuple[str, ...]
    whole: str


def keys_of(
    crosswalk: Crosswalk, document: Document, agency_id: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the texts of a document by which `id.of` and `id.telling_apart` identify it."""
    asked = crosswalk.id
    return _texts(crosswalk, document, agency_id, asked.of), _texts(
        crosswalk, document, agency_id, asked.telling_apart
    )


def record_key(
    crosswalk: Crosswalk, document: Document, agency_id: str, source_id: str
) -> RecordKey:
    """Return what a published record is recognised by in a new file of its source."""
    of, telling_apart = keys_of(crosswalk, document, agency_id)
    if crosswalk.document is not None:
        # Its id there is the one here without the prefix.
        source_id = str(document["id"]).removeprefix(f"{crosswalk.agency.prefix}.")
    return RecordKey(agency=agency_id, source_id=source_id, of=of, telling_apart=telling_apart)


def identity_of(crosswalk: Crosswalk, document: Document, agency_id: str, own: str) -> Identity:
    """Return the identity of a document; its `id` does not matter."""
    of, telling_apart = keys_of(crosswalk, document, agency_id)
    words = zip(crosswalk.id.of, of, strict=True)
    return Identity(
        agency=agency_id,
        own=own,
        name=_text(document.get("name"), crosswalk.language),
        of=of,
        within_agency=tuple(
            text for word, text in words if word_meaning(crosswalk, word) != (AGENCY,)
        ),
        telling_apart=telling_apart,
        whole=_whole(document),
    )


def words(text: str, limit: int) -> tuple[str, bool]:
    """Return lower-case ASCII words joined by hyphens, and whether every letter is kept.

    This is not the folding of search: that may be improved one day, and an id must not change.
    """
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    letters = [c for c in folded if not unicodedata.combining(c) and c not in _WITHIN_WORDS]
    whole = all(c.isascii() for c in letters if c.isalnum())
    plain = "".join(c if c.isascii() and c.isalnum() else " " for c in letters)
    joined = "-".join(plain.split())
    if len(joined) <= limit:
        return joined, whole and bool(joined)
    cut = joined.rfind("-", 0, limit + 1)
    return joined[: cut if cut > limit // 2 else limit].rstrip("-"), False


def digest(parts: Iterable[str]) -> str:
    """Return eight hex digits of SHA-256 over the parts, as a JSON array."""
    return _sha256(parts).hex()[:DIGITS]


class SlugAssignment:
    """The slugs of the rows of a file, unique within each agency.

    Every row is added first; then each takes its slug, in the same order. In between only a row's
    first slug is kept, with digests of the rest of its identity.
    """

    def __init__(self) -> None:
        """Begin with no row."""
        self._ids: list[str] = []
        self._digests: list[bytes] = []
        self._numbers: dict[int, int] = {}
        self._told_apart: set[int] = set()
        self._taken = 0

    def add(self, row: Identity) -> None:
        """Add a row."""
        self._ids.append(f"{row.agency}/{first_slug(row)}")
        self._digests.append(_sha256(row.telling_apart)[:_KEPT] + _sha256([row.whole])[:_KEPT])

    def decide(self) -> None:
        """Decide the slugs, after the last row."""
        shared = self._shared(slice(_KEPT))
        for place, id_ in enumerate(self._ids):
            if id_ in shared:
                self._told_apart.add(place)
                self._ids[place] = f"{id_}-{self._digests[place].hex()[:DIGITS]}"
        shared = self._shared(slice(_KEPT, None))
        seen: Counter[tuple[str, bytes]] = Counter()
        for place, id_ in enumerate(self._ids):
            whole = id_, self._digests[place][_KEPT:] if id_ in shared else b""
            if id_ in shared or seen[whole]:
                self._told_apart.add(place)
                self._numbers[place] = seen[whole]
            seen[whole] += 1

    def take(self, document: Document) -> tuple[str, bool]:
        """Return the slug of the next row, and whether it is told apart from another by more."""
        place, self._taken = self._taken, self._taken + 1
        slug = self._ids[place].partition("/")[2]
        if place in self._numbers:
            slug = f"{slug}-{digest([_whole(document), str(self._numbers[place])])}"
        return slug, place in self._told_apart

    def _shared(self, part: slice) -> set[str]:
        """Return the ids of rows that differ in a part of their digests."""
        first: dict[str, bytes] = {}
        return {
            id_
            for id_, digests in zip(self._ids, self._digests, strict=True)
            if first.setdefault(id_, digests[part]) != digests[part]
        }


def first_slug(row: Identity) -> str:
    """Return the slug of a row if no other row has it."""
    room = MAX_ID - len(row.agency) - 1 - _MARKS
    own, _ = words(row.own, MAX_ID)
    if own and len(own) <= room and own not in RESERVED:
        return own
    mark = digest([row.own] if row.own else row.within_agency)
    kept, _ = words(own or row.name, min(room - DIGITS - 1, LONGEST_NAME))
    return f"{kept}-{mark}" if kept else mark


def _whole(document: Document) -> str:
    said = {key: value for key, value in document.items() if key != "id"}
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def _sha256(parts: Iterable[str]) -> bytes:
    text = json.dumps(list(parts), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _texts(
    crosswalk: Crosswalk, document: Document, agency_id: str, words: Iterable[str]
) -> tuple[str, ...]:
    def text(place: str) -> str:
        if place == AGENCY:
            return agency_id
        return _text(value_at(document, parts(place)), crosswalk.language)

    return tuple(
        "\n".join(filter(None, map(text, word_meaning(crosswalk, word)))) for word in words
    )


def _text(value: Any, language: str) -> str:
    """Return a value of a document as one line: a text in the source's language, else as JSON."""
    if isinstance(value, dict) and isinstance(value.get(language), str):
        value = value[language]
    if value is None:
        return ""
    if isinstance(value, str):
        return one_line(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def foreign_document(cells: dict[str, Any], column: str, prefix: str) -> tuple[Document, str]:
    """Return a copy of the document in a row, and its own id; the copy's id is empty.

    Raises `RowRefused` if there is no document.
    """
    found = cell_at(cells, column)
    own = found.get("id") if isinstance(found, dict) else None
    if not isinstance(own, str) or own.count("/") != 1:
        raise RowRefused(f"{column}: there is no record, an object with an id such as agency/name")
    copy: Document = msgspec.json.decode(msgspec.json.encode(found))
    return prefixed(copy, prefix) | {"id": ""}, own


def prefixed(document: Document, prefix: str) -> Document:
    """Return a document with the prefix before its id, and before those of related records."""
    made = {**document, "id": f"{prefix}.{document.get('id')}"}
    related = made.get("related_records")
    if isinstance(related, list):
        made["related_records"] = [
            {**one, "record": f"{prefix}.{one['record']}"}
            if isinstance(one, dict) and isinstance(one.get("record"), str)
            else one
            for one in related
        ]
    return made
