"""Short codes: no slip of one character is missed, and all ways of typing one are read."""

import itertools

import pytest

from registry.record.short_code import (
    ALPHABET,
    LENGTH,
    candidates,
    is_code,
    read_code,
    spaced,
    with_check,
)

CODE = next(candidates("demo-sante/prevision-lits"))


def test_every_wrong_character_and_every_pair_that_changed_places_is_found():
    # The sum is linear: whether a slip is found depends on the places and on how far the
    # characters lie apart, so that these codes stand for all 32⁶.
    stems = [*(character * 6 for character in ALPHABET), "0123456789ABCDEFGHJK"[:6], "ZYXWVT"]
    codes = [with_check(stem) for stem in stems]
    codes += [next(candidates(f"demo/{number}")) for number in range(100)]
    missed = []
    for code in codes:
        for at, other in itertools.product(range(LENGTH), ALPHABET):
            wrong = code[:at] + other + code[at + 1 :]
            if wrong != code and is_code(wrong):
                missed.append((code, wrong))
        for one, other in itertools.combinations(range(LENGTH), 2):
            swapped = [*code]
            swapped[one], swapped[other] = swapped[other], swapped[one]
            wrong = "".join(swapped)
            if wrong != code and is_code(wrong):
                missed.append((code, wrong))
    assert not missed


def test_the_sum_is_linear_so_that_few_codes_stand_for_all():
    # Every error pattern of one place, or of two places with the same difference, against nought:
    # a code with the error is one exactly if the error alone, as a difference, is one.
    values = {character: value for value, character in enumerate(ALPHABET)}

    def added(one, other):
        return "".join(ALPHABET[values[a] ^ values[b]] for a, b in zip(one, other, strict=True))

    some = [with_check(stem) for stem in ("000000", "123456", "ZK9T0A", "7QX2MB")]
    for one, other in itertools.product(some, some):
        assert is_code(added(one, other))
    for at, error in itertools.product(range(LENGTH), ALPHABET[1:]):
        assert not is_code("0" * at + error + "0" * (LENGTH - at - 1))
    for one, other in itertools.combinations(range(LENGTH), 2):
        for error in ALPHABET[1:]:
            pattern = ["0"] * LENGTH
            pattern[one] = pattern[other] = error
            assert not is_code("".join(pattern))


def test_codes_are_neither_words_nor_numbers_and_follow_from_the_id():
    made = list(itertools.islice(candidates("demo-sante/prevision-lits"), 500))
    assert made[0] == CODE
    assert len(set(made)) == len(made)
    for code in made:
        assert is_code(code)
        assert not code.isdigit()
        assert not code.isalpha()
    assert spaced(CODE) == f"{CODE[:3]}-{CODE[3:]}"


@pytest.mark.parametrize(
    "typed",
    [
        "A0B1-C2D",
        "  a0b1c2d ",
        "aob1 c2d",
        "AOBI-C2D",
        "aobl–c2d",
        "a-0-b-1-c-2-d",
        "Ａ０Ｂ１Ｃ２Ｄ",
        "A٠B١C٢D",
        "a۰b۱c۲d",
        "\u200fA0B1\u200e-C2D",
        "https://registre.example/r/A0B1C2D",
        "registre.example/r/a0b-1c2d/",
        "https://registre.example/r/A0B1C2D?utm_source=mail#top",
    ],
)
def test_a_code_is_read_however_it_is_typed(typed, monkeypatch):
    monkeypatch.setattr("registry.record.short_code.with_check", lambda stem: stem + "D")
    assert read_code(typed).code == "A0B1C2D"


@pytest.mark.parametrize(
    ("typed", "text", "fault"),
    [
        ("", "", "empty"),
        (" - ", "", "empty"),
        (CODE[:-1], CODE[:-1], "length"),
        (CODE + "0", CODE + "0", "length"),
        (CODE[:-1] + "U", CODE[:-1] + "U", "character"),
        ("شكاية", "شكاية", "character"),
        ("x" * 5000, "X" * 40, "length"),
        (CODE[:-2] + CODE[-1] + CODE[-2], CODE[:-2] + CODE[-1] + CODE[-2], "check"),
    ],
)
def test_what_is_no_code_is_told_and_not_guessed(typed, text, fault):
    read = read_code(typed)
    assert (read.text, read.code, read.fault) == (text, None, fault)


def test_characters_that_are_taken_for_others_are_named():
    assert read_code("8X5XXXX").alike == ("5S", "8B")
