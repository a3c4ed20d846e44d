"""Arabic typed with Latin letters and digits: `7adita` and `hadita` are حادثة.

Short vowels are written or not, doubled letters once or twice, and several Arabic letters share a
Latin one, so that one word may be a spelling of several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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

_FEMININE = (*_LETTERS["ه"], "t", "")
"""The spellings of a final ta marbuta, which is folded to ه."""

_VOWELS = "aeiou"
_SHORT_VOWELS = ("", "ou", *_VOWELS)
_WEAK = "اويىعء"
_SHORTEST = 3
"""The consonants of the shortest word that letters alone are a spelling of."""

_DIGIT = re.compile("[235-9]")
_DOUBLED = re.compile(r"(.)\1+")
_PARTICLE = re.compile("(?:[bfw]?[aei]?l|[bfw](?![aeiou]))?(?=...)")
"""Prepositions and the article, whose l becomes the letter after it before many."""

_TYPED = re.compile("(?=[0-9]*[a-z])[a-z0-9]+")


class ArabiziIndex:
    """Words of Arabic texts, without the article, by their spellings in Latin letters."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Take the texts."""
        self._by_first: dict[str, dict[str, str]] = {}
        for run in (run for text in texts for run in runs(text)):
            word = article_variants(fold(run), "ar")[-1]
            if run.endswith("ى"):
                # Folded to ya, but spoken as alef.
                word = f"{word[:-1]}ى"
            if all(letter in _LETTERS for letter in word):
                written = run[-len(word) :]
                firsts = {one[:1] or vowel for one in _LETTERS[word[0]] for vowel in _VOWELS}
                if word[0] == "ا":
                    firsts.update(_VOWELS)
                for first in firsts:
                    self._by_first.setdefault(first, {}).setdefault(word, written)

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
        forms = dict.fromkeys((once, _PARTICLE.sub("", once, count=1)))
        found = {
            word: written
            for form in forms
            for word, written in self._by_first.get(form[0], {}).items()
            if _consonants(word) >= shortest and _begins_as(form, word)
        }
        ends_open = once[-1] in "aeht"
        return [
            found[word]
            for word in sorted(
                found,
                key=lambda word: (
                    word[-1] == "ه" and not ends_open,
                    -len(word),
                    word[-1] != "ه",
                    word,
                ),
            )
        ]


NO_ARABIZI = ArabiziIndex()


def _consonants(word: str) -> int:
    return sum(letter not in _WEAK for letter in word.removesuffix("ه"))


def _begins_as(typed: str, word: str) -> bool:
    """Return whether letters are those of a word, whose first alef may be any vowel."""
    is_alef = word[0] == "ا" and typed[0] in _VOWELS
    return _is_spelling(typed, word) or (is_alef and _is_spelling(typed[1:], word[1:]))


def _is_spelling(typed: str, word: str) -> bool:
    """Return whether letters are those of an Arabic word, with any short vowels between them."""
    return any(
        _has_letters(typed[len(vowel) :], word)
        for vowel in _SHORT_VOWELS
        if typed.startswith(vowel)
    )


def _has_letters(typed: str, word: str) -> bool:
    if not word:
        return not typed
    spellings = _FEMININE if word == "ه" else _LETTERS[word[0]]
    # A long alef has no other vowel after it: rougeole is not رجال.
    follows = _has_letters if word[0] == "ا" and word[1:] != "ه" else _is_spelling
    return any(
        follows(typed[len(spelling) :], word[1:])
        for spelling in spellings
        if typed.startswith(spelling)
    )
