"""Likeness: whether two records of an agency may be of one system, by its texts and facts.

A name is easily changed; what a system is for, on what data and how, is written once. Texts are
compared by shingles, runs of three words (Broder, "On the resemblance and containment of
documents", 1997), in the languages that both have, and by containment: a level lower asks for fewer
texts. Texts on oversight, redress and law are left out, which an agency repeats.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from zlib import crc32

import msgspec

from registry.record.model import Document
from registry.record.pointers import dig, values_at
from registry.text.folding import fold
from registry.text.tokens import words

_TEXTS = (
    ("summary",),
    ("purpose", "goal"),
    ("purpose", "public_benefit"),
    ("purpose", "previous_process"),
    ("decision", "description"),
    ("data", "description"),
    ("technical", "description"),
    ("technical", "inputs"),
    ("technical", "outputs"),
)
_FACTS = (("sector", "primary"), ("sector", "function"), ("purpose", "affected_groups"))
_PRODUCTS = (("technical", "models", "*", "name"), ("procurement", "suppliers", "*", "name"))

DESCRIBING = tuple(dict.fromkeys(path[0] for path in (*_TEXTS, *_FACTS, *_PRODUCTS)))
"""The sections of a record by which it is compared."""

_SHINGLE = 3


class _Measure(msgspec.Struct, frozen=True, kw_only=True):
    """How many shingles are enough to compare, and which part of the fewer both must have."""

    fewest: int
    share: float


# Agencies describe tools of one kind alike: measured on the Dutch and US registers.
_BY_TEXTS = _Measure(fewest=24, share=0.7)
_BY_TEXTS_AND_FACTS = _Measure(fewest=8, share=0.3)


class SystemTraits(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a record is compared by: shingles of its texts by language, facts, products it uses."""

    shingles: dict[str, array[int]]
    facts: tuple[str | None, ...]
    products: frozenset[str]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 1_000 + sum(several.itemsize * len(several) for several in self.shingles.values())


def system_traits(document: Document) -> SystemTraits:
    """Return the traits of a document, or of its sections `DESCRIBING`."""
    found: dict[str, set[int]] = {}
    for path in _TEXTS:
        for tag, text in (dig(document, *path) or {}).items():
            run = words(text)
            for start in range(max(1, len(run) - _SHINGLE + 1)):
                shingle = " ".join(run[start : start + _SHINGLE])
                found.setdefault(tag, set()).add(crc32(shingle.encode()))
    facts = (dig(document, *path) for path in _FACTS)
    products = (name for path in _PRODUCTS for _, name in values_at(document, path))
    return SystemTraits(
        shingles={tag: array("I", sorted(several)) for tag, several in found.items()},
        facts=tuple(" ".join(sorted(one)) if isinstance(one, list) else one for one in facts),
        products=frozenset(fold(name) for name in products if isinstance(name, str)),
    )


def likeness_to(mine: SystemTraits) -> Callable[[SystemTraits], bool]:
    """Return a function that tells whether another record may be of the same system.

    The texts are mostly the same; or in part, and sector, task and groups are the same; or these
    are, with a model or supplier of the same name, where no language is the same.
    """
    runs = {tag: frozenset(several) for tag, several in mine.shingles.items()}

    def is_alike(other: SystemTraits) -> bool:
        same = None not in mine.facts and mine.facts == other.facts
        measure = _BY_TEXTS_AND_FACTS if same else _BY_TEXTS
        shares = [
            len(runs[tag].intersection(other.shingles[tag])) / fewer
            for tag in runs.keys() & other.shingles.keys()
            if (fewer := min(len(runs[tag]), len(other.shingles[tag]))) >= measure.fewest
        ]
        if not shares:
            return same and not mine.products.isdisjoint(other.products)
        return max(shares) >= measure.share

    return is_alike
