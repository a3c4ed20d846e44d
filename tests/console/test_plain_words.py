"""What people are told of faults, in form and workbook: labels, never pointers, codes or JSON."""

from __future__ import annotations

import re

import pytest

from registry.console.form import form_page_view
from registry.console.form_layout import PAGES, page_at
from registry.record.codelists import codelists
from registry.record.messages import PlainLanguage, render_title
from registry.record.pack import load_pack
from registry.record.pointers import field_path, parts, strings_in
from registry.record.schema import field_at, fields
from registry.record.validate import validate
from registry.workbooks.answer import check, finding_lines
from registry.workbooks.cells import CellPlace, FilledRecord, WorkbookWords
from tests.console.test_form_fields import AS_FORMS, fields_of, readers
from tests.record.test_faults import DATA, SETTING, TODAY, read

__all__ = ["readers"]

LANGUAGES = ("ar", "fr", "en")
CODES = {code for name in codelists() for code in codelists()[name] if "_" in code} | {
    field.path[-1] for field in fields() if "_" in field.path[-1]
}
FORBIDDEN = {
    "a JSON Pointer": re.compile(r"(?<![\w/:.-])/[a-z_]+"),
    "a shape of JSON": re.compile(r"[{}]|\["),
    "a quoted code": re.compile(r"\"[a-z_-]+\""),
    "the form of a date": re.compile("YYYY|AAAA|JJ"),
    "a period": re.compile(r"\bP\d+[YMWD]\b|ISO 8601"),
}


def wrong_in(text, document):
    """What of this text is for programs alone; what somebody wrote herself may be repeated."""
    for given in sorted(strings_in(document), key=len, reverse=True):
        for mark in ("“", "«\u00a0", "«"):
            text = text.replace(f"{mark}{given[:60]}", mark)
    found = [kind for kind, pattern in FORBIDDEN.items() if pattern.search(text)]
    return found + [word for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", text) if word in CODES]


def label_of(pointer, language, pack):
    """The label of the field that a finding is about; empty for what is no field."""
    path = field_path(parts(pointer))
    while path and (
        (field := field_at(path)) is None
        or "title" not in field.schema
        or (path[-1] == "*" and field.is_text)
    ):
        path = path[:-1]
    return render_title(field.title, language, pack.fallback) if path else ""


def told_by_form(reader, document, findings):
    """The sentences of a form: of each field, and of the summary of each page."""
    for slug in {page_at(one.pointer) for one in findings}:
        view = form_page_view(reader, slug, document, findings, today=TODAY)
        for field in fields_of(view):
            yield from (one.message for one in (*field.findings, *field.told))
            yield field.why
        yield from (one.finding.message for one in view["faults"])


def told_by_workbook(words, document):
    """The sentences in the cells of a workbook."""
    home = CellPlace(0, 0)
    filled = FilledRecord(
        sheet="1", row=0, record="a/b", document=document, tag=None, home=home, places={}
    )
    return [text for _, text in finding_lines(check(filled, words, TODAY), words)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fault_is_told_to_people_in_their_words(readers, language):
    unnamed, wrong = {}, {}
    for file in AS_FORMS:
        _, code = SETTING[file]
        if language not in readers[code]:
            continue
        reader, document = readers[code][language], read(DATA / "invalid" / file)
        verdict = validate(
            document,
            profile="publication",
            pack=reader.pack,
            today=TODAY,
            language=PlainLanguage(language),
        )
        for finding in verdict.findings:
            if label_of(finding.pointer, language, reader.pack) not in finding.message:
                unnamed[file] = finding
        said = [
            *(one.message for one in verdict.findings),
            *told_by_form(reader, document, verdict.findings),
            *told_by_workbook(WorkbookWords(reader.pack, language), document),
        ]
        wrong |= {(file, text): found for text in said if (found := wrong_in(text, document))}
    assert unnamed == {}
    assert wrong == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_hint_of_the_form_has_a_code(readers, language):
    document = read(DATA / "valid" / "high.json")
    hints = [
        field.hint.text
        for page in PAGES
        for field in fields_of(
            form_page_view(readers["ma"][language], page.slug, document, (), today=TODAY)
        )
        if field.hint is not None
    ]
    assert len(hints) > 50
    assert {text: wrong for text in hints if (wrong := wrong_in(text, {}))} == {}


@pytest.mark.parametrize(("language", "word"), [("fr", "Obligatoire"), ("ar", "إلزامي")])
def test_what_is_asked_of_every_record_is_marked_by_the_word_of_the_workbook(
    readers, language, word
):
    view = form_page_view(readers["ma"][language], "system", {"id": "a/b"}, (), today=TODAY)
    missing = [field.why for field in fields_of(view) if field.missing]
    assert len(missing) > 5
    assert set(missing) == {word, WorkbookWords(load_pack("ma"), language).say("Required")}


def test_a_group_and_an_entry_tell_fields_of_one_name_apart():
    document = read(DATA / "valid" / "high.json")
    for question in ("explanation", "human_alternative"):
        document["rights"][question] = {"answer": "no"}
    document["risks"] = [document["risks"][0], {"likelihood": 9}]
    verdict = validate(
        document,
        profile="publication",
        pack=load_pack("ma"),
        today=TODAY,
        language=PlainLanguage("fr"),
    )
    said = {one.message.partition(" : ")[0] for one in verdict.findings}
    assert {
        "Précision (Explication d’un résultat)",
        "Précision (Alternative humaine)",
        "Catégorie (Risques, entrée 2)",
        "Probabilité (Risques, entrée 2)",
    } <= {name.replace("\u202f", " ").replace("\u00a0", " ").strip() for name in said}
