"""The documentation of the record format agrees with the schema, in both languages."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from registry.record.codelists import codelists, read_rows
from registry.record.pack import load_pack
from registry.record.requirements import WEIGHT_OPTIONAL, WEIGHT_REQUIRED
from registry.record.risk_floor import RISK_CRITERIA
from registry.record.rules import RULES
from registry.record.schema import RECORD_FOLDER, fields, record_schema
from registry.record.validate import MAX_FINDINGS, validate
from registry.services.filing.register_rules import RULES as REGISTER_RULES
from tools.format_docs.pages import HAND_WRITTEN, LANGUAGES, SECTIONS, format_pages
from tools.format_docs.wording import anchor

FOLDER = Path(__file__).parents[2] / "docs" / "record-format"
PAGES = {
    path.relative_to(FOLDER).as_posix(): path.read_text("utf-8")
    for path in FOLDER.rglob("*")
    if path.is_file()
}
WITHOUT_EXAMPLE = {"/lifecycle/retired_on", "/lifecycle/status_reason", "/publication/restriction"}

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`[^`]+`")
_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(text):
    return _FENCE.sub("", text)


def links(text):
    return _LINK.findall(_SPAN.sub("``", prose(text)))


def anchors(text):
    return _ANCHOR.findall(prose(text))


def test_the_committed_pages_are_what_the_schema_says():
    committed = {name: text for name, text in PAGES.items() if Path(name).stem not in HAND_WRITTEN}
    stale = [name for name, text in format_pages().items() if committed.get(name) != text]
    assert stale == [], "run: python -m tools.format_docs"
    assert committed.keys() == format_pages().keys()


def test_every_section_of_the_schema_has_one_page():
    keys = [key for _, members in SECTIONS.values() for key in members]
    assert keys == list(record_schema()["properties"])


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_field_has_its_place_on_the_page_of_its_section(tag):
    for name, (_, keys) in SECTIONS.items():
        wanted = [
            anchor(field.path)
            for field in fields()
            if field.path[0] in keys and field.path[-1] != "*"
        ]
        found = anchors(PAGES[f"{tag}/{name}.md"])
        assert sorted(wanted) == sorted(found), name


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_unit_has_an_example_but_those_that_exclude_each_other(tag):
    without = set()
    for name in SECTIONS:
        for part in re.split(r"^#+ ", PAGES[f"{tag}/{name}.md"], flags=re.MULTILINE):
            pointers = re.findall(r"^- \*\*\w+ ?:\*\* `(/.*?)`$", part, re.MULTILINE)
            without.update(pointers if "```json" not in part else ())
    assert without == WITHOUT_EXAMPLE


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_rule_and_every_code_has_its_section(tag):
    rules, lists = PAGES[f"{tag}/rules.md"], PAGES[f"{tag}/code-lists.md"]
    assert [*RULES, "risk-floor", *REGISTER_RULES] == anchors(rules)
    assert len(RISK_CRITERIA) == len(re.findall(r"^- .* → \*\*", rules, re.MULTILINE))
    national = dict.fromkeys(
        name.replace("/", "-") for field in fields() for name in field.lists if "/" in name
    )
    assert [*codelists(), *national] == anchors(lists)
    rows = re.findall(r"^\| `(\w+)` \|", lists, re.MULTILINE)
    assert [code for codes in codelists().values() for code in codes] == rows


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("en/")])
def test_the_languages_have_the_same_parts_and_links(name):
    other = name.replace("en/", "fr/", 1)
    swapped = [link.replace("../fr/", "../en/") for link in links(PAGES[name])]
    assert anchors(PAGES[name]) == anchors(PAGES[other])
    assert len(_HEADING.findall(PAGES[name])) == len(_HEADING.findall(PAGES[other]))
    assert swapped == links(PAGES[other]) or sorted(swapped) == sorted(links(PAGES[other]))


@pytest.mark.parametrize("name", PAGES)
def test_every_link_and_anchor_leads_somewhere(name):
    assert len(anchors(PAGES[name])) == len(set(anchors(PAGES[name])))
    for link in links(PAGES[name]):
        place, _, fragment = link.partition("#")
        target = (FOLDER / name).parent / place
        assert target.exists(), link
        if fragment:
            assert fragment in anchors(target.read_text("utf-8")), link


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_index_leads_to_every_page(tag):
    here = {Path(name).name for name in PAGES if name.startswith(f"{tag}/")}
    assert here - {"index.md"} <= set(links(PAGES[f"{tag}/index.md"]))


@pytest.mark.parametrize("tag", LANGUAGES)
def test_what_is_written_by_hand_is_so(tag):
    index, profiles = PAGES[f"{tag}/index.md"], PAGES[f"{tag}/profiles.md"]
    columns = read_rows(RECORD_FOLDER / "crosswalk.csv")
    names = dict.fromkeys(column for row in columns for column in row if column != "pointer")
    assert {f"| {name.upper().replace('_', '/')} |" for name in names} <= set(
        re.findall(r"^\| [A-Z/]+ \|", index, re.MULTILINE)
    )
    assert f"{WEIGHT_REQUIRED}" in profiles
    assert f"{WEIGHT_OPTIONAL}" in profiles
    assert f"{MAX_FINDINGS}" in profiles
    [(_, block)] = _FENCE.findall(profiles)
    restricted = json.loads(block)
    assert restricted["publication"]["visibility"] == "restricted"
    verdict = validate(
        restricted, profile="publication", pack=load_pack("ma"), today=dt.date(2026, 11, 24)
    )
    assert verdict.findings == ()
