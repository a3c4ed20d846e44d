"""The pages of the record format's documentation.

One page for each section, one each for rules, code lists and shared shapes, in every language of
`LANGUAGES`. Wordings are English; `schemas/languages` translates them. Two pages beside them are
written by hand: `HAND_WRITTEN`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from inspect import getdoc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from registry.record.codelists import codelists
from registry.record.examples import example
from registry.record.pack import load_pack
from registry.record.pointers import pointer, values_at
from registry.record.requirements import FieldPath, Unit, units
from registry.record.risk_floor import RISK_CRITERIA
from registry.record.rules import RULES
from registry.record.schema import (
    RECORD_FOLDER,
    SCHEMA_VERSION,
    Field,
    fields,
    record_schema,
    resolved_schema,
)
from registry.resources import SCHEMAS
from registry.services.filing.register_rules import RULES as REGISTER_RULES
from registry.text.catalogues import SOURCE, find, load_catalogues
from tools.format_docs.wording import (
    Language,
    anchor,
    kind,
    needed,
    prose,
    requirement,
)

LANGUAGES = ("en", "fr")
HAND_WRITTEN = ("index", "profiles")
SECTIONS = {
    "identity": (
        "Identity and organisation",
        (
            "id", "schema_version", "source_id", "name", "summary", "system_version",
            "organisation", "contact", "website", "territory", "tags", "related_records",
        ),
    ),
    "purpose": ("Purpose and public benefit", ("purpose",)),
    "risk": ("Risk", ("risk",)),
    "sector": ("Sector", ("sector",)),
    "lifecycle": ("Lifecycle", ("lifecycle",)),
    "decision": ("Decision and human oversight", ("decision",)),
    "data": ("Data", ("data",)),
    "technical": ("Model and technique", ("technical",)),
    "procurement": ("Origin and procurement", ("procurement",)),
    "assessments": (
        "Impact assessments, risks and consultations",
        ("assessments", "risks", "consultations"),
    ),
    "rights": ("Rights and redress", ("rights",)),
    "evaluation": ("Evaluation", ("evaluation",)),
    "publication": (
        "Documents, languages and publication",
        ("documents", "registrations", "waivers", "languages", "publication"),
    ),
}  # fmt: skip
"""The pages of fields: title, and the keys of the record that each holds."""

_LABELS = ("en", "fr", "ar")
_NOT_A_SHAPE = "NoteNeeded"
_READABLE = 100  # a longer pattern says nothing to a reader
_SCHEMAS = "../../../schemas"
_SMALL_PACK = Path("docs/small-pack").absolute()


def format_pages() -> dict[str, str]:
    """Return the text of every page, by its path below the folder."""
    return {
        f"{tag}/{name}.md": text
        for tag in LANGUAGES
        for name, text in pages_in(_language(tag)).items()
    }


def _language(tag: str) -> Language:
    catalogues = load_catalogues("format", [] if tag == SOURCE else [tag])
    return Language(tag=tag, say=lambda wording: find(catalogues, (tag,), wording)[1])


def pages_in(language: Language) -> dict[str, str]:
    """Return the text of the pages in one language, by name."""
    pages = {
        "rules": _rules(language),
        "code-lists": _code_lists(language),
        "shapes": _shapes(language),
    }
    pages |= {name: _section(title, keys, language) for name, (title, keys) in SECTIONS.items()}
    return {name: "\n\n".join(blocks) + "\n" for name, blocks in pages.items()}


def _section(title: str, keys: Sequence[str], language: Language) -> Iterator[str]:
    yield from _head(title, language)
    for key in keys:
        section: dict[str, Any] = resolved_schema()["properties"][key]
        plain = "x-requirement" not in section
        if plain:
            yield f'<a id="{key}"></a>'
            if len(keys) > 1:
                yield f"## {language.say(section['title'])}"
            yield prose(language.say(section["description"]))
        level = "###" if plain and len(keys) > 1 else "##"
        for unit in units():
            if unit.path[0] == key:
                yield from _unit(unit, level, language)


def _unit(unit: Unit, level: str, language: Language) -> Iterator[str]:
    schema, say = unit.field.schema, language.say
    yield f'<a id="{anchor(unit.path)}"></a>'
    yield f"{level} {say(schema['title'])}"
    yield prose(say(schema["description"]))
    yield _bullets(_facts(unit, language))
    members = [_member(field, language) for field in fields() if _is_member(field, unit)]
    if members:
        yield say("Its members:")
        yield _bullets(members)
    shown = _example(unit.path, language.tag)
    if shown is not None:
        text = json.dumps(shown, ensure_ascii=False, indent=2)
        yield f"{say('Example:')}\n\n```json\n{text}\n```"


def _facts(unit: Unit, language: Language) -> Iterator[str]:
    yield language.put("**Pointer:** {place}", place=f"`{unit.pointer}`")
    yield language.put("**Type:** {kind}.", kind=kind(unit.field.schema, language))
    yield " ".join(requirement(unit, language))
    elsewhere = [
        f"{column.upper().replace('_', '/')} `{cell}`"
        for column, cell in _crosswalk().get(unit.pointer, {}).items()
        if cell
    ]
    if elsewhere:
        yield language.put("**Elsewhere:** {cells}.", cells=" · ".join(elsewhere))


def _is_member(field: Field, unit: Unit) -> bool:
    below = field.path[: len(unit.path)] == unit.path and field.path != unit.path
    return below and field.path[-1] != "*"


def _member(field: Field, language: Language) -> str:
    say = language.say
    place = f'<a id="{anchor(field.path)}"></a>`{pointer(field.path)}`'
    meaning = prose(say(field.schema["description"]))
    sentences = [
        language.put(
            "{place} **{title}**: {meaning}",
            place=place,
            title=say(field.title),
            meaning=meaning,
        ),
        language.put("**Type:** {kind}.", kind=kind(field.schema, language)),
    ]
    if needed(field.path):
        sentences.append(say("**Needed** in its object."))
    shown = _example(field.path, language.tag)
    if shown is not None and "properties" not in field.schema:
        text = json.dumps(shown, ensure_ascii=False)
        sentences.append(language.put("**Example:** {example}.", example=f"`{text}`"))
    return " ".join(sentences)


def _rules(language: Language) -> Iterator[str]:
    yield from _head("Publication rules", language)
    yield language.say(
        "These rules are checked when a record is to be published, beside the requirements and "
        "limits of its fields. An error prevents publication; a warning does not."
    )
    yield language.say(
        "What a rule asks, this register's format asks. A finding says that a law asks for it only "
        "where the country's pack has the article that does."
    )
    for rule, function in RULES.items():
        yield from _rule(rule, function, language)
    yield '<a id="risk-floor"></a>'
    yield f"## {language.say('Risk floor')}"
    yield language.say(
        "By rule R24 the risk level is at least the one named here if the circumstance holds; "
        "without any of them it is minimal."
    )
    levels = codelists()["risk_level"]
    yield _bullets(
        f"{language.say(ground.reason)} → **{levels[ground.level].label[language.tag]}**"
        for ground in RISK_CRITERIA
    )
    yield f"## {language.say('Rules of the register')}"
    yield language.say(
        "These rules need the register, and run where one is: when a record is filed, submitted "
        "or loaded."
    )
    for rule, register_rule in REGISTER_RULES.items():
        yield from _rule(rule, register_rule, language)


def _rule(rule: str, function: Callable[..., object], language: Language) -> Iterator[str]:
    """Write a rule's section of its docstring: the title, then what, why and how severe."""
    title, *paragraphs = (getdoc(function) or "").removeprefix(f"{rule}: ").split("\n\n")
    yield f'<a id="{rule}"></a>'
    yield f"## {rule}. {prose(language.say(' '.join(title.split()))).removesuffix('.')}"
    yield from (prose(language.say(" ".join(paragraph.split()))) for paragraph in paragraphs)


def _code_lists(language: Language) -> Iterator[str]:
    say = language.say
    yield from _head("Code lists", language)
    for name, codes in codelists().items():
        yield f'<a id="{name}"></a>'
        yield f"## `{name}`"
        source = f"[CSV]({_SCHEMAS}/record/{SCHEMA_VERSION}/codelists/{name}.csv)"
        yield f"{_used_by(name, language)} {source}"
        described = any(code.description for code in codes.values())
        heads = [say("code"), *_LABELS, *([say("meaning")] if described else [])]
        yield _table(
            heads,
            (
                [
                    f"`{code.code}`",
                    *(code.label.get(tag, "") for tag in _LABELS),
                    *([(code.description or {}).get(language.tag, "")] if described else []),
                ]
                for code in codes.values()
            ),
        )
    national = dict.fromkeys(n for field in fields() for n in field.lists if n.startswith("pack/"))
    for name in national:
        yield f'<a id="{name.replace("/", "-")}"></a>'
        yield f"## `{name}`"
        where = f"[schemas/packs]({_SCHEMAS}/packs)"
        kept = language.put("Each country pack keeps its own: {where}.", where=where)
        yield f"{_used_by(name, language)} {kept}"


def _used_by(name: str, language: Language) -> str:
    links = [
        f"[`{pointer(field.path)}`]({_page_of(field.path)}.md#{anchor(field.path)})"
        for field in fields()
        if name in field.lists
    ]
    if not links:
        return language.say("Used by the register itself, beside the document.")
    return language.put("Used by {fields}.", fields=", ".join(links))


def _shapes(language: Language) -> Iterator[str]:
    say = language.say
    yield from _head("Shapes that many fields share", language)
    for name, schema in record_schema()["$defs"].items():
        if name == _NOT_A_SHAPE:
            continue
        yield f'<a id="{name}"></a>'
        yield f"## {say(schema['title'])}"
        yield prose(say(schema["description"]))
        if "pattern" in schema and len(schema["pattern"]) <= _READABLE:
            yield language.put("Matches {pattern}.", pattern=f"`{schema['pattern']}`")


def _head(title: str, language: Language) -> Iterator[str]:
    yield f"# {language.say(title)}"
    yield f"[{language.say('The record format')}](index.md)"


@cache
def _crosswalk() -> dict[str, dict[str, str]]:
    """Return what other registers and laws call a field, by pointer, then by column."""
    with (RECORD_FOLDER / "crosswalk.csv").open(encoding="utf-8", newline="") as file:
        return {row.pop("pointer"): row for row in csv.DictReader(file, strict=True)}


@cache
def _examples(tag: str) -> list[Any]:
    """Return the examples in one language, of no country: that of the page on adopting."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "zz").symlink_to(_SMALL_PACK)
        pack = load_pack("zz", Path(folder))
    names = sorted(path.stem for path in (SCHEMAS / "examples").glob("*.json"))
    return [example(name, msgspec.structs.replace(pack, languages=(tag,))) for name in names]


def _example(path: FieldPath, tag: str) -> Any:
    for document in _examples(tag):
        for _, value in values_at(document, path):
            return value
    return None


def _page_of(path: FieldPath) -> str:
    return next(name for name, (_, keys) in SECTIONS.items() if path[0] in keys)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(heads: list[str], rows: Iterable[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
