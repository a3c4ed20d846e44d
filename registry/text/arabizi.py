"""Arabic typed with Latin letters and digits: `7adita` and `hadita` are حادثة.

Short vowels are written or not, doubled letters once or twice, and several Arabic letters share a
Latin one, so that one word may be a spelling of several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import msgspec

from registry.text.folding import fold
from registry.text.tokens import article_variants, runs

_LETTERS = {
    "ا": ("a", "e"), "ب": ("b", "p"), "ت": ("t",), "ث": ("th", "t", "s"),
    "ج": ("dj", "j", "g"), "ح": ("7", "h"), "خ": ("kh", "5", "x"), "د": ("d",),
    "ذ": ("dh", "d", "z"), "ر": ("r",), "ز": ("z",), "س": ("s",), "ش": ("ch", "sh"),
    "ص": ("s",), "ض": ("dh", "d"), "ط": ("t", "6"), "ظ": ("dh", "d", "z"), "ع": ("3", ""),
    "غ": ("gh", "8"), "ف": ("f", "v"), "ق": ("9", "q", "k", "g"), "ك": ("k", "c", "q", "g"),
    "ل": ("l",), "م": ("m",), "ن": ("n",), "ه": ("h", "7"), "ء": ("2", ""),
    "و": ("ouw", "ou", "ow", "uw", "o", "u", "w"), "ي": ("iy", "ey", "i", "y", "e"),
    "ى": ("a",),
}  # fmt: skip
"""The spellings of folded Arabic letters (`folding`)."""

_LATIN = {
    letter: next((spelling for spelling in spellings if spelling.isalpha()), "")
    for letter, spellings in _LETTERS.items()
} | {"ع": "a", "و": "ou", "ي": "i", "ج": "j", "ض": "d", "ظ": "z"}
"""One spelling of each letter, without digits."""

_FEMININE = (*_LETTERS["ه"], "t", "")
"""The spellings of a final ta marbuta, which is folded to ه."""

_VOWEL = "[aeiou]"
_SHORT_VOWEL = "(?:ou|[aeiou])?"
_WEAK = "اويىعء"
_SHORTEST = 3
"""The consonants of the shortest word that letters alone are a spelling of."""

_DIGIT = re.compile("[235-9]")
_DOUBLED = re.compile(r"(.)\1+")
PARTICLE = "^(?:[bfw]?[aei]?l|[bfw](?![aeiou]))(?=...)"
"""Prepositions and the article, whose l becomes the letter after it before many."""

_TYPED = re.compile("(?=[0-9]*[a-z])[a-z0-9]+")


def transliterate(text: str) -> str:
    """Return a text with Arabic and Tifinagh letters as Latin ones, as people type them.

    >>> transliterate("نظام لفرز المدينة")
    'nzam lfrz almdina'
    """
    folded = fold(text.replace("ة", "ا"))
    return "".join(_LATIN.get(letter, letter) for letter in folded)


class ArabicWord(msgspec.Struct, frozen=True, array_like=True):
    """A word as written, the regular expression of its spellings, and its consonants.

    `is_feminine` says whether it has an ending that is spelt a, e, h or t.
    """

    written: str
    spellings: str
    consonants: int
    is_feminine: bool


class ArabiziIndex:
    """Words of Arabic texts, without the article, by their spellings in Latin letters."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Take the texts."""
        found: dict[str, str] = {}
        for run in (run for text in texts for run in runs(text)):
            word = article_variants(fold(run), "ar")[-1]
            if run.endswith("ى"):
                # Folded to ya, but spoken as alef.
                word = f"{word[:-1]}ى"
            if all(letter in _LETTERS for letter in word):
                found.setdefault(word, run[-len(word) :])
        known = sorted(found, key=lambda word: (-len(word), word[-1] != "ه", word))
        self.words = [
            ArabicWord(found[word], _spellings(word), _consonants(word), word[-1] == "ه")
            for word in known
        ]
        """What has the most letters comes first, and of as many a feminine ending."""
        self._by_first: dict[str, list[int]] = {}
        for place, word in enumerate(known):
            spellings = _LETTERS[word[0]]
            is_vowel = word[0] == "ا" or "" in spellings
            for letter in {*(one[0] for one in spellings if one), *("aeiou" if is_vowel else "")}:
                self._by_first.setdefault(letter, []).append(place)

    def prepare(self) -> None:
        """Compile the expressions of spellings, which takes 150 ms, before the first question."""
        for word in self.words:
            _pattern(word.spellings)

    def spelt(self, typed: str, *, is_beside: bool = False) -> list[str]:
        """Return the words of which a folded word is a spelling, as the texts have them.

        Those of which it has the most letters come first, but for a feminine ending that it has
        not. A word of two consonants is one only of letters and digits, or beside another Arabic
        word.
        """
        if _TYPED.fullmatch(typed) is None:
            return []
        shortest = _SHORTEST - (is_beside or _DIGIT.search(typed) is not None)
        once = _DOUBLED.sub(r"\1", typed)
        forms = {once, re.sub(PARTICLE, "", once)}
        places = {place for form in forms for place in self._by_first.get(form[0], ())}
        found = [
            word
            for word in map(self.words.__getitem__, sorted(places))
            if word.consonants >= shortest and any(map(_pattern(word.spellings).fullmatch, forms))
        ]
        ends_open = once[-1] in "aeht"
        found.sort(key=lambda word: word.is_feminine and not ends_open)
        return [word.written for word in found]


NO_ARABIZI = ArabiziIndex()

_pattern = cache(re.compile)


def _consonants(word: str) -> int:
    return sum(letter not in _WEAK for letter in word.removesuffix("ه"))


def _spellings(word: str) -> str:
    """Return the regular expression of the spellings of an Arabic word.

    There may be a short vowel after each letter, but none after a long alef: rougeole is not رجال.
    A first alef may be any vowel, and a first letter that is not spelt has one after it.
    """
    parts = []
    for place, letter in enumerate(word):
        rest = word[place:]
        spellings = [*(_FEMININE if rest == "ه" else _LETTERS[letter])]
        if place == 0:
            spellings = [spelling or f"(?={_VOWEL})" for spelling in spellings]
            if letter == "ا":
                spellings.append(f"{_VOWEL}{_SHORT_VOWEL}")
        is_long = letter == "ا" and word[place + 1 :] != "ه"
        parts.append(f"(?:{'|'.join(spellings)}){'' if is_long else _SHORT_VOWEL}")
    return "".join(parts)
