"""Likeness: whether two records may be of one system, by their names, texts and facts."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection
from difflib import SequenceMatcher
from functools import lru_cache
from hashlib import blake2b
from zlib import crc32

import msgspec

from registry.record.model import Document, LangText
from registry.record.pointers import dig, values_at
from registry.record.schema import broader
from registry.text.folding import fold
from registry.text.text_safety import is_confusable, skeleton
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
_SKETCH_BITS = 2_048


class _Measure(msgspec.Struct, frozen=True, kw_only=True):
    """How many shingles are enough to compare, and which part of the fewer both must have."""

    fewest: int
    share: float


# Agencies describe tools of one kind alike: measured on the Dutch and US registers.
_BY_TEXTS = _Measure(fewest=24, share=0.7)
_BY_TEXTS_AND_FACTS = _Measure(fewest=8, share=0.3)


class Sketch(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A set bit for each of some hashes; `spare` is how many more they are than the bits."""

    bits: int
    spare: int

    def most_shared(self, other: Sketch) -> int:
        """Return how many hashes two may share at most; it takes a tenth of counting them."""
        spare = min(other.spare, self.spare)
        return (self.bits & other.bits).bit_count() + spare


class Shingles(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The hashes of the shingles of texts."""

    hashes: array[int]
    sketch: Sketch


class SystemTraits(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a record is compared by: shingles of its texts by language, facts, products it uses."""

    shingles: dict[str, Shingles]
    facts: tuple[str | None, ...]
    products: frozenset[str]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        several = [one.hashes for one in self.shingles.values()]
        return 1_000 + sum(_SKETCH_BITS // 8 + one.itemsize * len(one) for one in several)


def system_traits(document: Document) -> SystemTraits:
    """Return the traits of a document, or of its sections `DESCRIBING`."""
    found: dict[str, set[int]] = {}
    for path in _TEXTS:
        for tag, text in (dig(document, *path) or {}).items():
            run = words(text)
            parts = zip(*(run[start:] for start in range(_SHINGLE)), strict=False)
            several = map(" ".join, parts if len(run) > _SHINGLE else [run])
            found.setdefault(tag, set()).update(map(crc32, map(str.encode, several)))
    facts = (dig(document, *path) for path in _FACTS)
    products = (name for path in _PRODUCTS for _, name in values_at(document, path))
    return SystemTraits(
        shingles={
            tag: Shingles(hashes=array("I", sorted(several)), sketch=_sketch(several))
            for tag, several in found.items()
        },
        facts=tuple(
            " ".join(sorted({*map(broader, one)}))
            if isinstance(one, list)
            else one and broader(one)
            for one in facts
        ),
        products=frozenset(fold(name) for name in products if isinstance(name, str)),
    )


def _sketch(hashes: Collection[int]) -> Sketch:
    digits = bytearray(b"0" * _SKETCH_BITS)
    for one in hashes:
        digits[one % _SKETCH_BITS] = ord("1")
    bits = int(digits, 2)
    return Sketch(bits=bits, spare=len(hashes) - bits.bit_count())


def likeness_to(mine: SystemTraits) -> Callable[[SystemTraits], bool]:
    """Return a function that tells whether another record may be of the same system.

    The texts are mostly the same; or in part, and sector, task and groups are the same; or these
    are, with a model or supplier of the same name, where no language is the same.
    """
    own = [(tag, frozenset(one.hashes), one.sketch) for tag, one in mine.shingles.items()]

    def is_alike(other: SystemTraits) -> bool:
        same = None not in mine.facts and mine.facts == other.facts
        measure = _BY_TEXTS_AND_FACTS if same else _BY_TEXTS
        is_compared = False
        for tag, hashes, sketch in own:
            theirs = other.shingles.get(tag)
            if theirs is None:
                continue
            fewer = min(len(hashes), len(theirs.hashes))
            if fewer < measure.fewest:
                continue
            is_compared = True
            if (
                sketch.most_shared(theirs.sketch) / fewer >= measure.share
                and len(hashes.intersection(theirs.hashes)) / fewer >= measure.share
            ):
                return True
        return not is_compared and same and not mine.products.isdisjoint(other.products)

    return is_alike


MOST_WORDS = 16
"""The words of a name, the longest ones, that have a blocking key."""

_SHARED_WORDS = 0.5
_NEARLY_THE_SAME = 0.9
_KEY_BYTES = 8


class NameParts(msgspec.Struct, frozen=True, kw_only=True):
    """A folded name, its words with their number, how many there are, and its digits."""

    folded: str
    words: Counter[str]
    total: int
    sketch: Sketch
    digits: str


class BlockingKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a record, 64-bit integers.

    A record that shares one of the `own` keys has the same source id or whole name within the
    agency; one that shares an `anywhere` key has a confusable name in any agency. Names that share
    a `words` key may be nearly the same.
    """

    own: frozenset[int]
    anywhere: frozenset[int]
    words: frozenset[int]

    @property
    def all(self) -> frozenset[int]:
        """Every key."""
        return self.own | self.anywhere | self.words


def blocking_keys(agency: str, name: LangText, source_id: str | None) -> BlockingKeys:
    """Return the keys of a record with these names by language and this source id."""
    own: set[int] = set()
    anywhere: set[int] = set()
    words: set[int] = set()
    if source_id:
        own.add(_key("source_id", agency, source_id))
    for tag, text in name.items():
        parts = name_parts(text)
        own |= {_key("name", agency, tag, parts.folded), _key("seen", agency, skeleton(text))}
        anywhere.add(_key("seen", skeleton(text)))
        longest = sorted(parts.words, key=lambda word: (-len(word), word))[:MOST_WORDS]
        # Names with different numbers are of different systems.
        words |= {_key("word", agency, tag, parts.digits, word) for word in longest}
    return BlockingKeys(own=frozenset(own), anywhere=frozenset(anywhere), words=frozenset(words))


def is_nearly_same(mine: NameParts, other: NameParts) -> bool:
    """Return whether two names of one language differ by little more than a misspelling.

    Nine tenths of their letters are in words, or parts of words, that both have.
    """
    longer = max(other.total, mine.total)
    # Most names share little.
    if mine.sketch.most_shared(other.sketch) < _SHARED_WORDS * longer:
        return False
    if mine.folded == other.folded:
        return True
    if mine.digits != other.digits:
        return False
    one, two = mine.words, other.words
    # Intersections and differences of counters take ten times as long.
    both = {word: min(one[word], two[word]) for word in one.keys() & two.keys()}
    if sum(both.values()) < _SHARED_WORDS * longer:
        return False
    # Each shared word counts with the space after it.
    same = sum([(len(word) + 1) * number for word, number in both.items()])
    missing = _NEARLY_THE_SAME * (len(mine.folded) + len(other.folded)) / 2 - same
    left = min(len(mine.folded), len(other.folded)) - same
    if missing <= 0 or missing > left:
        return missing <= 0
    shared = Counter(both)
    rest, others = " ".join((one - shared).elements()), " ".join((two - shared).elements())
    blocks = SequenceMatcher(None, rest, others, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) >= missing


def looks_like(text: str, names: LangText) -> bool:
    """Return whether a name is confusable with one of others (UTS 39)."""
    if not is_confusable(text) and not any_confusable(names):
        return False
    seen = skeleton(text)
    return any(name != text and skeleton(name) == seen for name in names.values())


def any_confusable(names: LangText) -> bool:
    """Return whether a name, in any language, has confusable letters."""
    return any(map(is_confusable, names.values()))


@lru_cache(maxsize=10_000)
def name_parts(name: str) -> NameParts:
    """Return the parts of a name by which it is compared."""
    folded = " ".join(fold(name).split())
    digits = "".join(filter(str.isdigit, folded))
    several = folded.split()
    return NameParts(
        folded=folded,
        words=Counter(several),
        total=len(several),
        sketch=_sketch([crc32(word.encode()) for word in several]),
        digits=digits,
    )


def _key(*parts: str) -> int:
    digest = blake2b("\0".join(parts).encode(), digest_size=_KEY_BYTES).digest()
    return int.from_bytes(digest, signed=True)
