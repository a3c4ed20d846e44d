"""The folding of text for search, the same for indexed texts and queries.

Letters that people write in more than one way become one: case, accents, Arabic vowel signs,
tatweel, the forms of alef, ya and ta marbuta, digits of every script. Tifinagh becomes its Latin
transliteration, so that a word typed with either alphabet finds the other.
"""

from __future__ import annotations

import unicodedata

# IRCAM Neo-Tifinagh to the Latin letters that people type; emphatics fold to their plain letter.
_TIFINAGH = {
    "ⴰ": "a", "ⴱ": "b", "ⴲ": "b", "ⴳ": "g", "ⴴ": "g", "ⴵ": "dj", "ⴶ": "dj", "ⴷ": "d", "ⴸ": "d",
    "ⴹ": "d", "ⴺ": "d", "ⴻ": "e", "ⴼ": "f", "ⴽ": "k", "ⴾ": "k", "ⴿ": "k", "ⵀ": "h", "ⵁ": "h",
    "ⵂ": "h", "ⵃ": "h", "ⵄ": "e", "ⵅ": "x", "ⵆ": "x", "ⵇ": "q", "ⵈ": "q", "ⵉ": "i", "ⵊ": "j",
    "ⵋ": "j", "ⵌ": "j", "ⵍ": "l", "ⵎ": "m", "ⵏ": "n", "ⵐ": "n", "ⵑ": "ng", "ⵒ": "p", "ⵓ": "u",
    "ⵔ": "r", "ⵕ": "r", "ⵖ": "gh", "ⵗ": "gh", "ⵘ": "j", "ⵙ": "s", "ⵚ": "s", "ⵛ": "c", "ⵜ": "t",
    "ⵝ": "t", "ⵞ": "tch", "ⵟ": "t", "ⵠ": "v", "ⵡ": "w", "ⵢ": "y", "ⵣ": "z", "ⵤ": "z", "ⵥ": "z",
    "ⵦ": "e", "ⵧ": "o", "ⵯ": "w",
}  # fmt: skip

# Letters that Unicode does not decompose although readers take them for the same.
_ALIKE = {
    "ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ـ": "",
    "œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ı": "i",
    "ɣ": "gh", "γ": "gh", "ɛ": "e", "ε": "e",
    "’": "'", "‘": "'", "ʼ": "'",
}  # fmt: skip


class _Folding(dict[int, str]):
    """The folded form of each character, by code point; computed on first use."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        folded = character
        # Marks are dropped, and so are zero-width joiners and direction marks: they must neither
        # split words nor make them differ.
        if category in {"Mn", "Cf"}:
            folded = ""
        elif category == "Nd":
            folded = str(unicodedata.digit(character))
        self[code] = folded
        return folded


LETTERS = _TIFINAGH | _ALIKE
"""The folding of single letters, for code that folds in another place."""

_FOLD = _Folding(str.maketrans(LETTERS))


def fold(text: str) -> str:
    """Return the folded text: lower case, no marks, one form of each letter, digits 0 to 9."""
    if text.isascii():
        return text.lower()
    # Decomposed first: styled letters such as 𝐀 have a case only in their plain form.
    plain = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFKD", plain).translate(_FOLD)
