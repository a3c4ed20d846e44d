"""The text analysis of search, the same for indexed texts and queries.

A text becomes words: runs of letters and digits, folded (`folding`), without elided particles (l',
qu') and the English possessive. A word is found by its stem in the language of the text. Words do
not depend on the language, since that of a query is not known.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TypeVar

import Stemmer

from registry.text.folding import fold
from registry.text.language_words import words_of

_Value = TypeVar("_Value")

ANALYSIS = f"6 {Stemmer.version()}"
"""The version of the analysis, and of what facets read by code of their own."""

LONGEST_WORD = 64
"""The number of characters of a word that are indexed."""

_BREAK = "\0"
"""A separator of texts, which no text contains."""

NEUTRAL = ""
"""The language of names, numbers and other text without one."""

_SNOWBALL = {
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hu": "hungarian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "sv": "swedish",
    "tr": "turkish",
}
"""Languages whose Snowball stemmer works on folded Latin letters."""

# Marks and joiners are parts of words, but not of \\w.
_JOINING = {"Mn", "Mc", "Me", "Cf"}
_APOSTROPHE = "['’‘ʼ]"
_HAS_APOSTROPHE = re.compile(_APOSTROPHE)
_ARABIC = "؀-ۿ"

# A word has one script: بالـGPS are two words.
_FOLDED_WORD = re.compile(rf"[{_ARABIC}]+|[^\W_{_ARABIC}]+")

_CONJOINED_ARTICLE = re.compile(r"[وف]?(?:ال|بال|كال|لل)(?=...)")
_CONJUNCTION = re.compile(r"و+(?=.....)")
# Possessive, dual, plural, relative, ta marbuta: each with how much must be left of the word.
_ENDINGS = (
    (re.compile("(?:ها|هم|نا)$"), 4),
    (re.compile("(?:ان|ون|ين|ات)$"), 3),
    (re.compile("يه$"), 2),
    (re.compile("ه$"), 2),
    (re.compile("ي$"), 2),
)


class TokenCache(dict[str, _Value]):
    """A cache of a function of short texts; most texts repeat the same words."""

    _MOST = 50_000

    def __init__(self, make: Callable[[str], _Value]) -> None:
        """Take the function."""
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> _Value:
        made = self._make(text)
        if len(text) <= LONGEST_WORD:
            if len(self) >= self._MOST:
                self.clear()
            self[text] = made
        return made


def _words_of_run(run: str) -> tuple[str, ...]:
    # Interned: the same word is held in many places.
    return tuple(sys.intern(word[:LONGEST_WORD]) for word in _FOLDED_WORD.findall(fold(run)))


def _join_words(unbroken: str) -> str:
    if unbroken == _BREAK:
        return "\n"
    if unbroken.isalnum():
        # It is one run, and most are: to look for others takes longer than what follows.
        return " ".join(_words[unbroken])
    return " ".join(word for run in runs(unbroken) for word in _words[run])


_words = TokenCache(_words_of_run)
_joined_words = TokenCache(_join_words)


def words(text: str) -> list[str]:
    """Return the words of a text in order."""
    return token_text([text]).split()


def token_text(texts: Iterable[str]) -> str:
    """Return the words of texts, in order, between spaces; one line for each text.

    So a phrase is found as its words with single spaces between.
    """
    # A word ends at a blank, and looking up the text between two blanks is fast.
    unbroken = f" {_BREAK} ".join(texts).split()
    lines = " ".join(filter(None, map(_joined_words.__getitem__, unbroken))).split("\n")
    written = " \n ".join(filter(None, map(str.strip, lines)))
    return f" {written} " if written else ""


def prepare() -> None:
    """Compile the patterns of words, which takes 50 ms, before the first request."""
    for text in ("eau", "l'eau"):
        words(text)


def runs(text: str) -> list[str]:
    """Return a text's runs of letters as written; most are one word, some none or two."""
    text = text.replace("_", " ")
    if _HAS_APOSTROPHE.search(text) is None:
        return _runs().findall(text)
    return [run for run in _runs_without_particles().findall(text) if run]


def word_places(text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield a text's runs of letters as (start, end, words)."""
    for at, end, run in run_places(text):
        yield at, end, _words[run]


def run_places(text: str, start: int = 0) -> Iterator[tuple[int, int, str]]:
    """Yield a text's runs of letters as (start, end, run), from a word's beginning on."""
    text = text.replace("_", " ")
    if _HAS_APOSTROPHE.search(text, start) is None:
        return ((*match.span(), match[0]) for match in _runs().finditer(text, start))
    return (
        (*match.span(1), match[1])
        for match in _runs_without_particles().finditer(text, start)
        if match[1]
    )


def language_of(tag: str) -> str:
    """Return the language under which text of a BCP 47 tag is indexed: its primary subtag."""
    return tag.split("-", 1)[0].lower()


def stem(word: str, language: str) -> str:
    """Return the stem of a folded word; languages without a stemmer leave it unchanged."""
    return stems(language)[word]


@cache
def stems(language: str) -> Mapping[str, str]:
    """Return the stems of a language, a cache by folded word."""
    make: Callable[[str], str] = str
    if language == "ar":
        make = _arabic
    elif language in _SNOWBALL:
        make = Stemmer.Stemmer(_SNOWBALL[language], 0).stemWord
    return TokenCache(lambda word: sys.intern(make(word) or word))


def query_stems(word: str, language: str) -> tuple[str, ...]:
    """Return the stems by which a word of a query may be found in a language.

    An Arabic word may begin with letters that look like the article: بالغين, "adults", has another
    stem than البالغين, "the adults".
    """
    own = stem(word, language)
    if language != "ar" or (article := _CONJOINED_ARTICLE.match(word)) is None:
        return (own,)
    return tuple(dict.fromkeys((own, _without_ending(word), stem(word[article.end() :], language))))


def term_id(stem: str, language: str) -> int:
    """Return the 64-bit number of a language's stem in this process; it is unique."""
    return hash((language, stem))


@cache
def term_ids_of_runs(language: str) -> Mapping[str, tuple[int, ...]]:
    """Return the term ids of a run of letters in a language, a cache by run as written."""
    known = stems(language)
    return TokenCache(lambda run: tuple(term_id(known[word], language) for word in _words[run]))


def article_variants(word: str, language: str) -> tuple[str, ...]:
    """Return a word, and the word without its article if it has one."""
    if language == "ar" and (article := _CONJOINED_ARTICLE.match(word)):
        return word, word[article.end() :]
    return (word,)


@cache
def common() -> frozenset[str]:
    """Return the stop words of all languages: a record need not have them beside other words."""
    return frozenset(map(fold, words_of("stop")))


def _arabic(word: str) -> str:
    """Return an Arabic word without article, leading conjunctions and the commonest endings.

    After Larkey, Ballesteros and Connell, "Light Stemming for Arabic Information Retrieval" (2007),
    on folded letters. Snowball's stemmer gives مدرسة and المدرسة different stems.
    """
    if article := _CONJOINED_ARTICLE.match(word):
        word = word[article.end() :]
    if conjunction := _CONJUNCTION.match(word):
        word = word[conjunction.end() :]
    return _without_ending(word)


def _without_ending(word: str) -> str:
    for ending, least in _ENDINGS:
        if (found := ending.search(word)) and found.start() >= least:
            word = word[: found.start()]
    return word


@cache
def _runs() -> re.Pattern[str]:
    """Return the pattern of runs of letters in text without apostrophes."""
    return re.compile(rf"[\w{_joining()}]+")


@cache
def _runs_without_particles() -> re.Pattern[str]:
    """Return the pattern of runs of letters, in its first group; particles match without it."""
    letter = rf"[\w{_joining()}]"
    particle = "|".join(map(re.escape, words_of("particle")))
    return re.compile(
        rf"(?<!{letter})(?i:{particle}){_APOSTROPHE}(?=\w)"
        rf"|(?<={letter}){_APOSTROPHE}[sS](?!{letter})"
        rf"|({letter}+)"
    )


@cache
def _joining() -> str:
    """Return the marks and joiners of the first plane, as the inside of a character class."""
    ranges: list[list[int]] = []
    for code in range(0x10000):
        if unicodedata.category(chr(code)) in _JOINING:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\u{low:04x}-\\u{high:04x}" for low, high in ranges)
