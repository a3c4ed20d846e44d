from __future__ import annotations

import msgspec
import pytest

from registry.record.requirements import units
from registry.record.schema import field_at
from registry.text.catalogues import find, load_catalogues
from tools.format_docs.wording import Language, kind, prose, requirement

CATALOGUES = load_catalogues("format", ["fr"])
ENGLISH = Language(tag="en", say=lambda wording: wording)
FRENCH = Language(tag="fr", say=lambda wording: find(CATALOGUES, ("fr",), wording)[1])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("schema_version", "one of `1.0`"),
        ("decision.legal_effect", "true or false"),
        ("risk.aia.level", "whole number from 1 to 4"),
        ("procurement.contract.amount.value", "number from 0 to 1,000,000,000,000"),
        ("source_id", "[Line of text](shapes.md#Line), at most 100 characters"),
        (
            "name",
            "[Text by language](shapes.md#LangText), at most 250 characters in each language",
        ),
        ("website", "[Link](shapes.md#Url)"),
        ("contact.phone", "text that matches `^\\+[0-9]{6,15}$`, at most 16 characters"),
        (
            "sector.secondary",
            (
                "list of at most 4 entries, none twice, each: code of "
                "[`sector`](code-lists.md#sector), or [`pack/sector`](code-lists.md#pack-sector)"
            ),
        ),
        ("data.legal_basis", "list of 1 to 50 entries, each: object"),
        ("purpose.scale", "object with exactly one of its members"),
        ("procurement.contract", "object with at least one of its members"),
        (
            "rights.contestation.body",
            (
                "code of [`contestation_body`](code-lists.md#contestation_body), "
                "or [`pack/bodies`](code-lists.md#pack-bodies)"
            ),
        ),
        (
            "languages.translation_status",
            (
                "object from a [Language tag](shapes.md#LanguageTag) to a "
                "code of [`translation_status`](code-lists.md#translation_status)"
            ),
        ),
    ],
)
def test_types_and_limits_in_words(path, expected):
    assert expected == kind(field_at(tuple(path.split("."))).schema, ENGLISH)


def asked(name, language=ENGLISH, **extra):
    [unit] = [unit for unit in units() if unit.pointer == name]
    field = msgspec.structs.replace(unit.field, schema={**unit.field.schema, **extra})
    return " ".join(requirement(msgspec.structs.replace(unit, field=field), language))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/summary", "**Asked for:** always (`M`). **If absent:** an error. **Never withheld.**"),
        ("/tags", "**Optional**, and counted in completeness."),
        (
            "/consultations",
            (
                "**Optional**, and counted in completeness. **Recommended** at the risk levels "
                "high "
                "and unacceptable: its absence is a warning."
            ),
        ),
        (
            "/procurement/suppliers",
            (
                "**Asked for:** when the system is purchased or made jointly (`iff supplied`). "
                "**If absent:** an error. **Refused** where this does not hold."
            ),
        ),
        (
            "/decision/fallback",
            (
                "**Asked for:** at the risk levels high and unacceptable (`H`). **If absent:** an "
                "error once the system is in pilot, in use or suspended; a warning before."
            ),
        ),
        (
            "/rights/contestation",
            (
                "**Asked for:** at the risk levels high and unacceptable, or when the decision has "
                "legal effect (`H | legal_effect`). **If absent:** an error at the risk levels "
                "high "
                "and unacceptable and once the system is in pilot, in use or suspended, or when "
                "the "
                "decision has legal effect; else a warning. **Never withheld.**"
            ),
        ),
    ],
)
def test_requirements_in_words(name, expected):
    assert expected == asked(name)


def test_a_deprecated_field_is_marked_in_the_reader_s_language():
    notice = {"since": "1.1", "reason": "Summary"}
    assert asked("/tags", FRENCH, **{"x-deprecated": notice}).startswith(
        "**Mots-clés : champ abandonné depuis la version 1.1 du format, et supprimé dans une "
        "version ultérieure.** Résumé "
    )


def test_numbers_are_written_as_the_language_does():
    goal = field_at(("purpose", "goal")).schema
    assert "at most 4,000 characters" in kind(goal, ENGLISH)
    assert "4\N{NARROW NO-BREAK SPACE}000 caractères au plus" in kind(goal, FRENCH)


def test_text_is_not_read_as_markup():
    assert prose("<agency>/<slug> a|b") == "\\<agency>/\\<slug> a\\|b"
