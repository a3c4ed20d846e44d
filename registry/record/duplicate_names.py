"""Duplicate names: blocking keys, and whether two records may be of one system.

Comparing a name with all others of an agency would cost more with every record. So each published
record has *blocking keys*, as in record linkage (Fellegi and Sunter, 1969): hashes of what two
names must share to be worth comparing. A change of the keys needs a migration that empties the
table `blocking_key`; it is filled at the next start.
"""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from functools import lru_cache
from hashlib import blake2b

import msgspec

from registry.record.model import LangText
from registry.text.confusables import is_confusable, skeleton
from registry.text.folding import fold

MOST_WORDS = 16
"""The words of a name, the longest ones, that have a blocking key."""

_SHARED_WORDS = 0.5
_NEARLY_THE_SAME = 0.9
_KEY_BYTES = 8


class NameParts(msgspec.Struct, frozen=True, kw_only=True):
    """A folded name, its words with their number, and its digits."""

    folded: str
    words: Counter[str]
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
    if mine.folded == other.folded:
        return True
    if mine.digits != other.digits:
        return False
    one, two = mine.words, other.words
    # Most names share little, and an intersection of counters takes ten times as long.
    both = {word: min(one[word], two[word]) for word in one.keys() & two.keys()}
    if sum(both.values()) < _SHARED_WORDS * max(one.total(), two.total()):
        return False
    wanted = _NEARLY_THE_SAME * (len(mine.folded) + len(other.folded)) / 2
    # Each shared word counts with the space after it.
    missing = wanted - sum((len(word) + 1) * number for word, number in both.items())
    shared = Counter(both)
    rest, others = " ".join((one - shared).elements()), " ".join((two - shared).elements())
    if missing <= 0 or missing > min(len(rest), len(others)):
        return missing <= 0
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
    return NameParts(folded=folded, words=Counter(folded.split()), digits=digits)


def _key(*parts: str) -> int:
    digest = blake2b("\0".join(parts).encode(), digest_size=_KEY_BYTES).digest()
    return int.from_bytes(digest, signed=True)
