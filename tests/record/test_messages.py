"""Findings in every language: the catalogues hold exactly what the rules and the format say."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import registry
from registry.record import messages
from registry.record.messages import LanguageName, PendingFinding, Title, message, to_finding
from registry.record.schema import fields
from registry.record.validate import validate
from registry.resources import SCHEMAS
from registry.text.catalogues import Catalogue

ORDER = ("ar", "fr", "en", "zgh")


def wordings():
    """Every sentence that a finding can be made of, as the sources mark them."""
    rooms = [Path(registry.__file__).parent / room for room in ("log", "record", "services")]
    return {
        found[2]
        for room in rooms
        for found in extract_from_dir(
            str(room),
            method_map=[("**.py", "python")],
            keywords={"message": None, "translatable": None, "counted": (1, 2)},
        )
        if isinstance(found[2], str | tuple) and all(found[2])
    }


def places(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def catalogue(tag, name):
    path = SCHEMAS / "languages" / tag / "format" / f"{name}.po"
    with path.open("rb") as file:
        return {message.id: message for message in read_po(file, abort_invalid=True) if message.id}


@pytest.mark.parametrize("tag", ["ar", "fr"])
def test_every_sentence_is_translated_and_no_other(tag):
    translated = catalogue(tag, "findings")
    assert wordings() == set(translated)
    for text, found in translated.items():
        assert found.string, text
        assert not found.fuzzy, text
        ids, told = (text, found.string) if isinstance(text, tuple) else ([text], [found.string])
        assert all(told), text
        assert {str(places(one)) for one in ids} == {str(places(one)) for one in told}, text


@pytest.mark.parametrize("tag", ["ar", "fr"])
def test_every_title_that_a_sentence_names_is_translated(tag):
    titles = {field.title for field in fields() if "title" in field.schema}
    assert titles <= {*catalogue(tag, "schema"), "The record"}


def test_the_sources_are_read():
    found = wordings()
    assert len(found) > 100
    assert "from risk level limited up" in found
    assert "{place} is no field of the format. Mend the pointer." in found
    assert ("{law}, article {articles}", "{law}, articles {articles}") in found
    for text in found:
        places("".join(text))


@pytest.fixture
def catalogues(monkeypatch):
    """Two small languages: French has both sentences, Arabic one, Tamazight a title."""
    told = {
        "fr": {"{title}: gone.": "« {title} » : parti.", "Mend it.": "Réparez.", "Name": "Nom"},
        "ar": {"{title}: gone.": "{title}: اختفى.", "Name": "الاسم"},
        "zgh": {"Name": "ⵉⵙⵎ"},
    }

    def small(tag):
        return Catalogue(tag=tag, messages=told.get(tag, {}), plurals={}, plural_index=int)

    monkeypatch.setattr(messages, "_catalogue", small)


def remark(*said):
    return PendingFinding(pointer="/name", rule="R99", severity="warning", messages=said)


GONE = message("{title}: gone.", title=Title(text="Name"))


@pytest.mark.usefixtures("catalogues")
@pytest.mark.parametrize(
    ("language", "said", "expected"),
    [
        ("fr", (GONE,), ("fr", "« Nom » : parti.")),
        ("ar", (GONE,), ("ar", "الاسم: اختفى.")),
        ("en", (GONE, message("Mend it.")), ("en", "Name: gone. Mend it.")),
        # A finding is told in one language as a whole: Arabic lacks the second sentence.
        ("ar", (GONE, message("Mend it.")), ("fr", "« Nom » : parti. Réparez.")),
        # The order is the pack's: Arabic before French.
        ("zgh", (GONE,), ("ar", "الاسم: اختفى.")),
        ("zgh", (message("Nobody says this."),), ("en", "Nobody says this.")),
        # A title without a translation stays English, and costs the sentence nothing.
        ("fr", (message("{title}: gone.", title=Title(text="Goal")),), ("fr", "« Goal » : parti.")),
        # A part that is a sentence of its own must be there as well.
        ("fr", (message("{title}: gone.", title=message("Nobody.")),), ("en", "Nobody.: gone.")),
    ],
)
def test_a_finding_is_in_one_language_and_says_which(language, said, expected):
    finding = to_finding(remark(*said), language, ORDER)
    assert (finding.lang, finding.message) == expected
    assert (finding.pointer, finding.rule, finding.severity) == ("/name", "R99", "warning")


@pytest.mark.usefixtures("catalogues")
def test_laws_labels_lists_and_languages_are_in_the_readers_language():
    law = {"ar": "القانون", "fr": "loi", "en": "law"}
    said = message("{title}: gone.", title=(law, "x", 3, LanguageName(tag="zgh")))
    assert to_finding(remark(said), "fr", ORDER).message == "« loi, x, 3, amazighe » : parti."
    assert to_finding(remark(said), "ar", ORDER).message == "القانون، x، 3، الأمازيغية: اختفى."
    assert to_finding(remark(said), "en", ("fr",)).message == "law, x, 3, Tamazight: gone."


@pytest.mark.parametrize("language", ["ar", "fr", "zgh", "en", "de"])
def test_only_the_words_depend_on_the_language(pack, today, language):
    def told(language):
        verdict = validate(
            {"risk": {"level": "high"}, "version": 1, "website": "x", "tags": {}},
            profile="publication",
            pack=pack,
            today=today,
            language=language,
        )
        return verdict, [(one.pointer, one.rule, one.severity) for one in verdict.findings]

    verdict, found = told(language)
    assert found == told("en")[1]
    assert all("{" not in one.message.replace('{"', "") for one in verdict.findings)
    expected = {"zgh": "ar", "de": "ar"}.get(language, language)
    assert {one.lang for one in verdict.findings} == {expected}


def test_a_pointer_to_a_member_with_an_endless_name_is_cut():
    remark = PendingFinding(pointer="/" + "x" * 1_000_000, rule="r", messages=(message("No."),))
    assert to_finding(remark, "en", ("en",)).pointer == "/" + "x" * 511 + "…"
