"""Bitmaps of versions by kind of facet and code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyroaring import BitMap

from registry.store.database import Connection
from registry.store.sql import statement
from registry.text.folding import fold

ALL = "all"
"""The kind of which every version has the one code ""."""


class Facets:
    """Bitmaps of ordinals by kind and code."""

    def __init__(self) -> None:
        """Begin empty."""
        self._kinds: dict[str, dict[str, BitMap]] = {ALL: {"": BitMap()}}
        # By kind: how many codes there were, and these by how they are folded.
        self._folded: dict[str, tuple[int, dict[str, list[str]]]] = {}

    def add(self, ordinal: int, codes: Mapping[str, Iterable[str]]) -> None:
        """Add a version with its codes."""
        self._kinds[ALL][""].add(ordinal)
        for kind, given in codes.items():
            known = self._kinds.setdefault(kind, {})
            for code in given:
                if code in known:
                    known[code].add(ordinal)
                else:
                    known[code] = BitMap((ordinal,))

    def merge(self, kind: str, code: str, bits: bytes) -> None:
        """Add a stored bitmap."""
        known = self._kinds.setdefault(kind, {})
        stored = BitMap.deserialize(bits)
        known[code] = known[code] | stored if code in known else stored

    def sets(self, kind: str) -> Mapping[str, BitMap]:
        """Return the bitmaps of a kind by code."""
        return self._kinds.get(kind, {})

    def having(self, kind: str, code: str) -> BitMap | None:
        """Return the versions that have a code, or None."""
        return self.sets(kind).get(code)

    def alike(self, kind: str, codes: Iterable[str]) -> list[str]:
        """Return the codes of a kind that equal some names but for case, accents and spaces."""
        spellings = self._spellings(kind)
        return [known for code in codes for known in spellings.get(_plain(code), ())]

    def by_name(self, kind: str, versions: BitMap) -> dict[str, BitMap]:
        """Return the bitmaps of a kind whose codes are names, by the most frequent spelling."""
        sets, named = self.sets(kind), {}
        for codes in self._spellings(kind).values():
            often = {code: sets[code].intersection_cardinality(versions) for code in codes}
            commonest = min(codes, key=lambda code: (-often[code], code))
            named[commonest] = union([sets[code] for code in codes])
        return named

    def _spellings(self, kind: str) -> Mapping[str, list[str]]:
        known = self.sets(kind)
        count, folded = self._folded.get(kind, (0, {}))
        if count != len(known):
            folded = {}
            for code in known:
                folded.setdefault(_plain(code), []).append(code)
            self._folded[kind] = len(known), folded
        return folded

    def items(self) -> Iterable[tuple[str, str, BitMap]]:
        """Yield all bitmaps as (kind, code, bitmap)."""
        for kind, known in self._kinds.items():
            for code, ordinals in known.items():
                yield kind, code, ordinals


def _plain(name: str) -> str:
    return " ".join(fold(name).split())


def union(sets: Sequence[BitMap]) -> BitMap:
    """Return the union of bitmaps as a new one."""
    return BitMap.union(*sets) if sets else BitMap()


def packed(ordinals: BitMap) -> bytes:
    """Return the portable serialisation of a bitmap, in its smallest form."""
    ordinals.run_optimize()
    return ordinals.serialize()


async def load_facets(connection: Connection) -> Facets:
    """Return all stored bitmaps."""
    facets = Facets()
    for row in await connection.fetch(statement("index", "facets")):
        facets.merge(row["kind"], row["code"], row["bits"])
    return facets


async def save_facets(connection: Connection, new: Facets) -> None:
    """Add new versions to the stored bitmaps; the caller holds the lock of the index's state."""
    sets = {(kind, code): ordinals for kind, code, ordinals in new.items()}
    kinds, codes = [kind for kind, _ in sets], [code for _, code in sets]
    for row in await connection.fetch(statement("index", "some_facets"), kinds, codes):
        sets[row["kind"], row["code"]] |= BitMap.deserialize(row["bits"])
    await connection.execute(
        statement("index", "save_facets"),
        kinds,
        codes,
        [packed(ordinals) for ordinals in sets.values()],
    )
