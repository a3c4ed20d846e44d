"""A cache of phrases: they are not indexed, so versions are read to find them."""

from __future__ import annotations

from collections import OrderedDict

import msgspec
from pyroaring import BitMap

from registry.text.query_parser import Phrase

_MOST_PHRASES = 500


class CheckedPhrases(msgspec.Struct):
    """The versions that were read for a phrase, and those that have it, by tier."""

    versions: BitMap
    tiers: tuple[BitMap, BitMap, BitMap]


class Phrases:
    """The phrases of recent queries, with what is known of them."""

    def __init__(self) -> None:
        """Begin empty."""
        self._known: OrderedDict[tuple[Phrase, str | None], CheckedPhrases] = OrderedDict()

    def known(self, phrase: Phrase, lang: str | None) -> CheckedPhrases:
        """Return what is known of a phrase in a language, or in any."""
        checked = self._known.setdefault(
            (phrase, lang), CheckedPhrases(BitMap(), (BitMap(), BitMap(), BitMap()))
        )
        self._known.move_to_end((phrase, lang))
        if len(self._known) > _MOST_PHRASES:
            self._known.popitem(last=False)
        return checked
