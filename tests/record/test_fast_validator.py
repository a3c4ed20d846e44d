"""The compiled validator never accepts what jsonschema refuses, nor codes of another country."""

import copy
import json
import os
import random
import re
from functools import cache
from pathlib import Path
from unicodedata import combining, decomposition, is_normalized

import jsonschema_rs
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from registry.record import fast_validator
from registry.record.fast_validator import IMPLYING, PLAIN, SAMPLE, TAGS, FastValidator
from registry.record.requirements import requirement_status
from registry.record.rule_context import make_rule_context
from registry.record.rules import RULES
from registry.record.schema import record_schema, shape
from registry.record.validate import validate
from registry.record.validators import FORMATS, build_validator, ecma

ROOT = Path(__file__).parents[2]
RECORDS = sorted((ROOT / "records").glob("*/*.json"))
PROFILES = ("publication", "draft", "foreign")
MUTANTS = int(os.environ.get("MUTANTS", "2000"))
"""How many in an ordinary run; `make fuzz` asks for 20,000."""
ONE_IN = 5
"""One in so many of those that are not accepted is looked at, whether it could have been."""

STRANGE = (
    None, True, False, 0, 1, -1, 1.5, 2**53, "", " ", "x", "x\n", "\u00a0x", "x" * 6000, [], {},
    "<b>", "a < b", "\u0646\u064b\u0651", "\u0646\u0651\u064b", "\u200d", "\u202ex",
    "0000-01-01", "DZ", "cnil", "nl", {"nl": "x"},
    [[]], "2026-02-30", "2026-13", "http://", "http://a b/", "https://é.example/ü", "a@b", "ar",
    "high", "a/b", "a/b\n", "\ud7ff", "\U0001f600", "e\u0301", ["x", "x"], {"ar": "x"}, {"x": 1},
    1e300,
)  # fmt: skip

SIGNS = (
    "\n\t \x00\x85\u2028A0_-/.<\u0301\u064b\u0651\u00ad\u200b\u200f\u2067\u0338\u0344\u0653\ufb1d"
)


def places(node, path=()):
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from places(value, (*path, index))


def mutant(document, chance):
    """One document with one member removed, replaced, doubled or added."""
    copied = copy.deepcopy(document)
    path = chance.choice([path for path in places(copied) if path])
    parent = copied
    for step in path[:-1]:
        parent = parent[step]
    match chance.randrange(5):
        case 0:
            del parent[path[-1]]
        case 1 if isinstance(parent, list):
            parent += copy.deepcopy(parent) * chance.choice([1, 30])
        case 2 if isinstance(parent, dict):
            parent[chance.choice(["version", "x", "fr", "ar-MA", "note", "url", "", "é"])] = (
                copy.deepcopy(chance.choice(STRANGE))
            )
        case 3 if isinstance(parent[path[-1]], str):
            text = parent[path[-1]]
            at = chance.randrange(len(text) + 1)
            parent[path[-1]] = text[:at] + chance.choice(SIGNS) + text[at:]
        case _:
            parent[path[-1]] = copy.deepcopy(chance.choice(STRANGE))
    return copied


@pytest.fixture
def fast():
    """A process that has validated nothing yet."""
    return FastValidator()


def test_nothing_is_accepted_that_jsonschema_refuses(fast, pack, today):
    chance = random.Random("mutants 2026")
    models = [json.loads(path.read_text(encoding="utf-8")) for path in RECORDS]
    accepted = harmless = 0
    for number in range(MUTANTS):
        profile = PROFILES[number % len(PROFILES)]
        document = mutant(chance.choice(models), chance)
        if profile == "foreign" and isinstance(document.get("id"), str):
            document["id"] = f"xx.{document['id']}"
        if fast.accepts(document, profile, pack):
            accepted += 1
            # What jsonschema refuses, and a code of another country, would be a finding.
            slowly, fastly = (
                validate(document, profile=profile, pack=pack, today=today, fast=way)
                for way in (None, fast)
            )
            assert slowly == fastly, document
        elif number % ONE_IN == 0 and authority(profile).is_valid(document):
            harmless += profile != "publication" or is_national(document, pack, today)
    assert accepted > MUTANTS // 40, "mutants that stay valid must be among them"
    # Refused by the compiled validator though valid: slower for them, and nothing else.
    assert harmless <= MUTANTS // ONE_IN // 25
    assert fast.disagreements == 0


@cache
def authority(profile):
    return build_validator(shape(profile))


def strays(document, pack, today, *, national):
    """Return what R00 says of a valid document that names an agency of the pack."""
    case = make_rule_context(document, requirement_status(document), pack, today, national=national)
    return [one.pointer for one in RULES["R00"](case) if one.pointer != "/id"]


def is_national(document, pack, today):
    return not strays(document, pack, today, national=False)


def test_what_is_valid_takes_the_short_way(fast, pack):
    slow = [
        path.name
        for path in RECORDS
        if not fast.accepts(json.loads(path.read_text(encoding="utf-8")), "publication", pack)
    ]
    assert slow == []


@pytest.mark.parametrize(
    ("edits", "accepted"),
    [
        ({"/territory": ["MA-01"]}, True),
        ({"/territory": ["DZ"]}, False),
        ({"/languages/source": "nl"}, False),
        ({"/summary/en": "Rain", "/languages/translation_status/en": ...}, False),
        ({"/summary/en": "Rain", "/languages/translation_status/en": "machine"}, True),
        ({"/summary/nl": "Regen", "/languages/translation_status/nl": "machine"}, False),
        ({"/data/authorisation": {"regime": "exempt", "authority": "cnil"}}, False),
        ({"/rights": {"contestation": {"available": "yes", "body": "court"}}}, True),
        ({"/rights": {"contestation": {"available": "yes", "body": "cndp"}}}, True),
    ],
)
def test_what_is_accepted_for_publication_is_of_the_country(
    edited, fast, pack, today, edits, accepted
):
    document = edited("minimal", edits)
    assert fast.accepts(document, "publication", pack) is accepted
    assert (strays(document, pack, today, national=False) == []) is accepted
    assert strays(document, pack, today, national=True) == []


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "words",
    [
        "Thɔk ɣɔ̱ɔ̱k ŋuɔt ɛ̱̈ a̱",
        "Ẹ̀kọ́ ọ̀rọ̀ ṣe",
        "Eʋegbe ƒe nuŋlɔɖi ɔ́ ɛ̃",
        "የኢትዮጵያ ፌዴራላዊ፡ሪፐብሊክ።",
        "𞤀𞤣𞤤𞤢𞤥",
        "ߒߞߏ ߞߊ߲ߓߎ",
    ],
)
def test_other_alphabets_take_the_short_way_too(edited, fast, pack, profile, words):
    document = edited("minimal", {"/summary/fr": words})
    if profile == "foreign":
        document["id"] = f"xx.{document['id']}"
    assert fast.accepts(document, profile, pack)


def test_every_pair_of_letter_and_mark_that_is_accepted_is_in_form_c():
    plain = re.compile(PLAIN["Line"])
    letters = [sign for sign in SEEN if "A" <= sign <= "\u1eff"]
    for mark in map(chr, range(0x300, 0x370)):
        for letter in letters:
            text = letter + mark
            assert is_normalized("NFC", text) or not plain.search(text), ascii(text)


def test_what_json_cannot_write_is_left_to_the_authority(fast, pack):
    assert not fast.accepts({"id": object()}, "draft", pack)
    assert not fast.accepts({1: 2}, "draft", pack)


# Every sign that the patterns name, without the brackets that name them.
SEEN = [
    chr(code)
    for first, dash, last in re.findall(r"(.)(?:(-)(.))?", fast_validator._SEEN, re.DOTALL)
    for code in (range(ord(first), ord(last) + 1) if dash else [ord(first)])
]
RELEASED = {kind: record_schema()["$defs"][kind] for kind in PLAIN}
MARKS = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670\u07eb\u07f2\u135d\U0001e944"
LATIN = "a\u00e4\u1eb9\u0254\u025b\u014bns\u0300\u0301\u0308\u0323\u0331"


def test_no_sign_that_is_accepted_combines_with_another():
    """Texts of signs in form C that never combine (UAX 15, quick check) are in form C."""
    parts = {
        part
        for code in range(0x110000)
        if (parts := decomposition(chr(code))) and not parts.startswith("<")
        for part in parts.split()[1:]
    }
    for sign in SEEN:
        assert f"{ord(sign):04X}" not in parts
        assert combining(sign) == 0
        assert is_normalized("NFC", sign)
    for mark in MARKS:
        assert f"{ord(mark):04X}" not in parts
        assert is_normalized("NFC", mark)


def is_released(kind, text):
    released = RELEASED[kind]
    return bool(ecma(released["pattern"]).search(text)) and FORMATS.conforms(text, "text")


@pytest.mark.parametrize("kind", PLAIN)
def test_every_sign_that_is_accepted_may_stand_everywhere(kind):
    for sign in SEEN:
        assert re.search(PLAIN[kind], sign)
        assert is_released(kind, sign)
        assert is_released(kind, f"{sign}a{sign}a{sign}")


@pytest.mark.parametrize("kind", PLAIN)
@given(
    text=st.text(st.sampled_from([*SEEN[:90], *MARKS, *" \u00a0\u202f\n\t<\u0301"]), max_size=9)
    | st.text(LATIN, max_size=5)
)
def test_a_plain_text_is_a_text_of_the_format(kind, text):
    plain = jsonschema_rs.Draft202012Validator({"pattern": PLAIN[kind]})
    assert plain.is_valid(text) == bool(ecma(PLAIN[kind]).search(text))
    if plain.is_valid(text):
        assert is_released(kind, text)


def test_the_languages_that_are_accepted_have_tags_of_the_format():
    pattern = record_schema()["$defs"]["LanguageTag"]["pattern"]
    assert all(re.fullmatch(pattern, tag) for tag in TAGS)


DAYS = [
    "0000-01-01", "0001-01-01", "1000-01-01", "1900-02-29", "2000-02-29", "9999-12-31", "2026-1-1",
    "20260101", "2026-01-01\n", "２０２６-01-01", "+2026-01-01", "2026-W01-1",
]  # fmt: skip
LINKS = [
    "https://é.example/ü?x=%C3%A9#a", "https://a.example/%zz", "https://[::1]/", "https://a b/",
    "https://a.example/\\", "https://a.example:80a/", "https://u@a.example", "https://a/#b#c",
    "https://a%2fb@c.example/", "https://a.example/@b", "https://a%2e.example/",
    "ftp://a", "https:a", "https://\u2067.example/", "https://a/\ue000", "https://a/?\ue000",
    "https://a/\U0001f600", "https://a/\n",
]  # fmt: skip
MAILS = [
    "a@b.example", "a", "a@", "@", "a@b@c", "é@b", "a+b@c.example", "a@b.example?bcc=c@d.example",
    "a@b.example,c@d.example", "a b@c", '"><b>@a.bc', "a@b.example\n", "a%40b@c.example",
]  # fmt: skip


def test_what_stands_for_a_format_is_at_least_as_strict():
    days = [f"2026-{month:02}-{day:02}" for month in range(14) for day in range(33)]
    for name, values in {"date": DAYS + days, "iri": LINKS, "email": MAILS}.items():
        quick = jsonschema_rs.Draft202012Validator(IMPLYING[name], validate_formats=True)
        for value in values:
            valid = FORMATS.conforms(value, name)
            assert not quick.is_valid(value) or valid, value
            # Other letters than those of ASCII are for the authority, and so is the year 0.
            if value.isascii() and not value.startswith("0"):
                assert quick.is_valid(value) == valid, value


def formats(node):
    if isinstance(node, dict):
        named = [node["format"]] if isinstance(node.get("format"), str) else []
        return named + [one for part in node.values() for one in formats(part)]
    return [one for part in node for one in formats(part)] if isinstance(node, list) else []


@pytest.mark.parametrize("profile", PROFILES)
def test_no_format_stands_where_stricter_would_be_laxer(profile):
    def parts(node):
        if isinstance(node, dict):
            for key, part in node.items():
                if key in {"if", "not", "else", "oneOf", "contains", "dependentSchemas"}:
                    yield part
                yield from parts(part)
        elif isinstance(node, list):
            for part in node:
                yield from parts(part)

    assert formats(shape(profile))
    for part in parts(shape(profile)):
        assert formats(part) == []
        assert "x-codelist" not in json.dumps(part)


def test_one_that_is_not_enabled_accepts_nothing(examples, pack, today):
    fast = FastValidator(enabled=False)
    validate(examples["complete"], profile="publication", pack=pack, today=today, fast=fast)
    assert (fast.accepted, fast.checked, fast.disagreements) == (0, 0, 0)


def test_a_sample_is_checked_again(examples, fast, pack, today):
    for _ in range(SAMPLE + 1):
        validate(examples["minimal"], profile="publication", pack=pack, today=today, fast=fast)
    assert (fast.accepted, fast.checked) == (SAMPLE + 1, 2)


class Lax(FastValidator):
    """A compiled validator that has gone wrong."""

    def accepts(self, *_):
        self.accepted += 1
        return True


def test_a_disagreement_is_counted_and_told_and_the_authority_wins(edited, pack, today):
    fast = Lax()
    document = edited("minimal", {"/risk/level": "extreme", "/territory": ["DZ"]})
    with structlog.testing.capture_logs() as told:
        verdict = validate(document, profile="publication", pack=pack, today=today, fast=fast)
    assert [one.pointer for one in verdict.findings] == ["/risk/level", "/territory/0"]
    assert not verdict.publishable
    assert fast.disagreements == 1
    assert told == [
        {
            "event": "accepted_what_is_invalid",
            "log_level": "error",
            "profile": "publication",
            "record": document["id"],
        }
    ]
