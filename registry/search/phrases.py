"""What is known of phrases: nobody indexes words in a row, so versions are read to find them."""

from __future__ import annotations

from collections import OrderedDict

import msgspec
from pyroaring import BitMap

from registry.text.query_parser import Phrase

_MOST_PHRASES = 500


class CheckedPhrases(msgspec.Struct):
    """What is known of a phrase: the versions that were read, and those that have it, by tier."""

    versions: BitMap
    tiers: tuple[BitMap, BitMap, BitMap]


class Phrases:
    """The phrases that were asked for lately, with what is known of them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._known: OrderedDict[tuple[Phrase, str | None], CheckedPhrases] = OrderedDict()

    def known(self, phrase: Phrase, lang: str | None) -> CheckedPhrases:
        """Give what is known of a phrase in a language, or in any."""
        checked = self._known.setdefault(
            (phrase, lang), CheckedPhrases(BitMap(), (BitMap(), BitMap(), BitMap()))
        )
        self._known.move_to_end((phrase, lang))
        if len(self._known) > _MOST_PHRASES:
            self._known.popitem(last=False)
        return checked
