"""The form as data: what it shows of a document is what it reads back, findings in their place."""

from __future__ import annotations

import json

import pytest

from registry import resources
from registry.console.form import form_page_view, progress
from registry.console.form_layout import PAGES, page_at, units_of
from registry.console.form_reading import read_page
from registry.pages.assets import read_assets
from registry.pages.editions import open_editions
from registry.record.pack import load_pack
from registry.record.requirements import units
from registry.record.validate import validate
from registry.workbooks.cells import COUNTRIES, WorkbookWords
from tests.built import TEMPLATES
from tests.conftest import ROOT
from tests.record.test_faults import DATA, FILES, SETTING, TODAY, read

VALID = sorted(
    [
        *(ROOT / "records").glob("*/*.json"),
        *(ROOT / "schemas" / "examples").glob("*.json"),
        *(path for path in (DATA / "valid").glob("*.json") if path.stem != "foreign"),
    ]
)
AS_FORMS = [
    file
    for file in FILES
    if SETTING[file][0] == "publication" and isinstance(read(DATA / "invalid" / file), dict)
]
"""A form makes objects only."""
SECTIONS = {f"/{unit.section}" for unit in units() if unit.section}


@pytest.fixture(scope="session")
def readers():
    assets = read_assets(resources.SITE)
    return {
        code: {
            tag: edition.reader
            for tag, edition in open_editions(
                load_pack(code), assets, "https://x.example", bytecode=TEMPLATES
            ).items()
        }
        for code in ("ma", "sn")
    }


def fields_of(view):
    def inside(fields):
        for field in fields:
            yield field
            yield from inside(field.members)
            for entry in field.entries:
                yield from inside(entry.members)

    return inside([*view["asked"], *view["more"]])


def controls(view):
    """The names and values that a browser sends of a page that nobody has touched."""
    sent = {}

    def add(name, value):
        sent.setdefault(name, []).append(value)

    for field in fields_of(view):
        for text in field.texts:
            add(f"{field.pointer}/{text.tag}", text.text.replace("\n", "\r\n"))
        for option in field.options:
            if option.chosen:
                add(field.pointer, option.code)
        if field.kind in {"line", "number", "lines"}:
            add(field.pointer, field.value)
        if field.kind in {"date", "period"}:
            for part, value in field.parts.items():
                add(f"{field.pointer}:{part}", value)
        if field.none:
            add(f"{field.pointer}:none", "1")
    return sent


def views(reader, document, findings=()):
    return {
        page.slug: form_page_view(reader, page.slug, document, findings, today=TODAY)
        for page in PAGES
    }


def test_every_unit_is_asked_on_one_page():
    asked = [unit.pointer for page in PAGES for unit in units_of(page.slug)]
    assert len(asked) == len(set(asked))
    assert set(asked) == {unit.pointer for unit in units()} - {"/id", "/schema_version"}


def test_a_page_that_nobody_touches_changes_nothing(readers, subtests):
    for path in VALID:
        with subtests.test(path=path):
            document = json.loads(path.read_text("utf-8"))
            national = readers["sn" if path.stem == "senegal" else "ma"]
            for tag in ("en", "ar" if "ar" in national else "fr"):
                first = national[tag].pack.languages[0]
                for slug, view in views(national[tag], document).items():
                    again = read_page(document, units_of(slug), controls(view), first)
                    assert again == document, slug


class NotedNames(dict):
    """Fields of a form that note how often all of them are gone through."""

    walks = 0

    def __iter__(self):
        self.walks += 1
        return super().__iter__()


def test_all_names_are_gone_through_once_however_many_entries_are_sent():
    typed = NotedNames(
        {f"/data/sources/{number}/name/fr": ["Fichier"] for number in range(1000)}
        | {"/data/sources" + "/0" * 1000 + ":remove": ["1"]}
    )
    read = read_page({}, units_of("data"), typed, "fr")
    assert len(read["data"]["sources"]) == 1000
    assert typed.walks == 1


def test_a_finding_stands_beside_the_field_that_it_is_about(readers, subtests):
    for file in AS_FORMS:
        with subtests.test(file=file):
            document = read(DATA / "invalid" / file)
            _, pack = SETTING[file]
            verdict = validate(
                document, profile="publication", pack=load_pack(pack), today=TODAY, language="fr"
            )
            shown = views(readers[pack]["fr"], document, verdict.findings)
            for finding in verdict.findings:
                beside = [
                    (slug, field.pointer)
                    for slug, view in shown.items()
                    for field in fields_of(view)
                    if finding in (*field.findings, *field.told)
                ]
                if finding.rule in {"additionalProperties", "unevaluatedProperties"}:
                    continue
                if finding.pointer in {"", "/id", "/schema_version"}:
                    assert beside == []
                    continue
                if finding.pointer in SECTIONS:
                    faults = [link.finding for link in shown[page_at(finding.pointer)]["faults"]]
                    assert finding in faults
                    continue
                [(slug, place)] = beside
                assert slug == page_at(finding.pointer)
                assert f"{finding.pointer}/".startswith(f"{place}/")


def test_a_workbook_offers_the_countries_of_the_form(readers):
    reader = readers["ma"]["fr"]
    document = read(ROOT / "schemas" / "examples" / "complete.json")
    view = views(reader, document)["data"]
    [country] = [one for one in fields_of(view) if one.pointer == "/data/hosting/country"]
    codes = {option.code for option in country.options} - {""}
    assert codes == WorkbookWords(reader.pack, "fr").choices(COUNTRIES).keys()
    assert codes.isdisjoint({"EU", "UN", "ZZ"})


def test_what_is_missing_is_counted_by_page():
    steps = progress({"id": "demo-sante/x", "schema_version": "1.0"}, (), load_pack("ma"), TODAY)
    assert {step.state for step in steps} == {"empty", "not_asked"}
    document = read(ROOT / "schemas" / "examples" / "complete.json")
    assert {step.state for step in progress(document, (), load_pack("ma"), TODAY)} == {"complete"}


def test_what_is_not_answered_yet_is_no_mistake(readers):
    document = read(DATA / "valid" / "high.json")
    del document["lifecycle"]["deployed_on"]
    verdict = validate(document, profile="publication", pack=load_pack("ma"), today=TODAY)
    [finding] = [one for one in verdict.findings if one.pointer == "/lifecycle/deployed_on"]
    assert finding.severity == "error"
    view = views(readers["ma"]["fr"], document, verdict.findings)["about"]
    [field] = [one for one in fields_of(view) if one.pointer == finding.pointer]
    assert (field.findings, field.told, view["faults"]) == ([], (finding,), [])


def test_an_entry_of_texts_is_called_by_its_list(readers):
    view = views(readers["ma"]["fr"], {"id": "demo-sante/x", "schema_version": "1.0"})["about"]
    [tags] = [one for one in fields_of(view) if one.pointer == "/tags"]
    [text] = tags.entries[0].members
    assert (text.title.text, text.hint) == (tags.title.text, None)


def test_a_text_that_lacks_a_language_is_asked_for_and_no_mistake(readers):
    document = read(DATA / "valid" / "by-language.json")
    del document["name"]["ar"]
    verdict = validate(
        document, profile="publication", pack=load_pack("ma"), today=TODAY, language="fr"
    )
    [finding] = [one for one in verdict.findings if one.pointer == "/name/ar"]
    view = views(readers["ma"]["fr"], document, verdict.findings)["about"]
    [name] = [one for one in fields_of(view) if one.pointer == "/name"]
    assert (name.missing, name.told, view["faults"]) == (True, (finding,), [])
    steps = progress(document, verdict.findings, load_pack("ma"), TODAY)
    [about] = [one for one in steps if one.page.slug == "about"]
    assert (about.state, about.asked - about.met, about.faults) == ("partly", 1, 0)
