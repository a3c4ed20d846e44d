"""Questions for the bench of search: misspelt and empty ones, and whatever a caller may send."""

import random
from collections.abc import Iterator, Sequence

MISSPELT = ("vetrans benefits", "hydroligic", "fraude ficsale", "المعطيلت")
EMPTY = ("qwertz uiopü", "tajine aux pruneaux", "xylophone marimba celesta")

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MOST = 500
"""The characters that the API takes."""


def generated(words: Sequence[str], count: int, seed: int = 1) -> Iterator[str]:
    """Yield questions made of words: whole, damaged, long, alike, with operators, or nonsense."""
    chance = random.Random(seed)
    kinds = (_plain, _damaged, _alike, _long, _with_operators, _nonsense, _of_one_letter)
    for number in range(count):
        text = kinds[number % len(kinds)](chance, words)
        yield text[:_MOST].rsplit(" ", 1)[0] if len(text) > _MOST else text


def _some(chance: random.Random, words: Sequence[str], least: int, most: int) -> list[str]:
    return [chance.choice(words) for _ in range(chance.randint(least, most))]


def _damage(chance: random.Random, word: str) -> str:
    at = chance.randrange(len(word))
    letter = chance.choice(_LETTERS)
    return chance.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
        )
    )


def _plain(chance: random.Random, words: Sequence[str]) -> str:
    return " ".join(_some(chance, words, 1, 6))


def _damaged(chance: random.Random, words: Sequence[str]) -> str:
    return " ".join(_damage(chance, word) for word in _some(chance, words, 1, 4))


def _alike(chance: random.Random, words: Sequence[str]) -> str:
    long = [word for word in _some(chance, words, 400, 400) if len(word) > 8] or [words[0]]
    first = chance.choice(long)[0]
    same = [word for word in long if word[0] == first]
    return " ".join(_damage(chance, _damage(chance, chance.choice(same))) for _ in range(12))


def _long(chance: random.Random, words: Sequence[str]) -> str:
    return " ".join(_some(chance, words, 40, 80))


def _with_operators(chance: random.Random, words: Sequence[str]) -> str:
    forms = ("{}*", "-{}", '"{}"', "{} OR", "{}", "\u202e{}")
    return " ".join(chance.choice(forms).format(word[:6]) for word in _some(chance, words, 3, 30))


def _nonsense(chance: random.Random, words: Sequence[str]) -> str:
    del words
    rows = ("".join(chance.choices(_LETTERS, k=chance.randint(3, 14))) for _ in range(12))
    return " ".join(rows)


def _of_one_letter(chance: random.Random, words: Sequence[str]) -> str:
    same = [word for word in words if word[0] == "c" and len(word) > 5] or list(words)
    return " ".join(_damage(chance, chance.choice(same)) + "qz" for _ in range(12))
