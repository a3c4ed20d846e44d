"""The folding of text for search, the same for indexed texts and queries.

Letters that people write in more than one way become one: case, accents, Arabic vowel signs,
tatweel, the forms of alef, ya and ta marbuta, digits of every script. Tifinagh becomes its Latin
transliteration, so that a word typed with either alphabet finds the other; ŋ and ɔ become what
people type whose keyboards lack them. `letters.csv` has a row for each letter that Unicode does not
decompose: what it folds to, and what it is sorted as, where `~` comes after every letter; a row of
`folding.csv` in the folder of a language takes the place of its row: ɣ is gh in Berber.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from hashlib import sha256
from pathlib import Path

from registry.errors import ConfigurationError
from registry.text.csv_tables import language_rows

_TABLE = Path(__file__).with_name("letters.csv").read_text(encoding="utf-8")
_ROWS = [*csv.DictReader(_TABLE.splitlines())]
for _, place, row in language_rows("folding.csv", ("letter", "folded", "sorted")):
    if len(row["letter"]) != 1:
        raise ConfigurationError(f"{place}: the letter is one character, and not {row['letter']!r}")
    _ROWS.append(row)

LETTERS = {row["letter"]: row["folded"] for row in _ROWS}
"""The folding of letters that Unicode does not decompose, for code that folds in another place."""

_OWN = {row["letter"]: row["sorted"] for row in _ROWS if row["sorted"]}

LETTERS_DIGEST = sha256(repr((LETTERS, _OWN)).encode()).hexdigest()
"""What changes with the tables of letters."""

_INITIALS = {placed: letter for letter, placed in _OWN.items() if placed != letter}
_INITIAL = re.compile(".~*")


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


_FOLD = _Folding(str.maketrans(LETTERS))
_SORT = _Folding(str.maketrans(LETTERS | _OWN))


def fold(text: str) -> str:
    """Return the folded text: lower case, no marks, one form of each letter, digits 0 to 9."""
    return _translate(text, _FOLD)


def sort_key(text: str) -> str:
    """Return what a list is ordered by: the folded text, but with letters of their own kept apart.

    A letter that has a place of its own in alphabets comes after the one that it is made of: ŋ
    after nz. Tifinagh and Ethiopic have their own order.
    """
    return _translate(text, _SORT)


def initial(key: str) -> str:
    """Return the letter, in upper case, under which a sort key stands in an index."""
    found = _INITIAL.match(key)
    return _INITIALS.get(found[0], found[0][0]).upper() if found else ""


def _translate(text: str, letters: _Folding) -> str:
    if text.isascii():
        return text.lower()
    # Decomposed first: styled letters such as 𝐀 have a case only in their plain form.
    plain = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFKD", plain).translate(letters)
