"""The fields of a page of the form, as a template shows them: a tree made from the schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from math import inf
from typing import Any, Literal, TypeAlias

import msgspec

from registry import resources
from registry.errors import Finding
from registry.pages.reader import Reader, Text, as_it_is, in_language, label, language, say
from registry.pages.views.diff_view import DiffValue
from registry.pages.views.document_view import field_title
from registry.record.messages import render
from registry.record.model import Document
from registry.record.pointers import dig, values_at
from registry.record.requirements import RequirementStatus, Unit, demand, never_withheld, units
from registry.record.schema import Field, FieldKind, broader
from registry.record.values import NOT_STORED, write_number
from registry.text.catalogues import find
from registry.text.locales import countries_by_name, currencies_by_name, direction

ControlKind: TypeAlias = Literal[
    "texts",
    "languages",
    "line",
    "lines",
    "number",
    "radios",
    "select",
    "boxes",
    "date",
    "period",
    "group",
    "list",
]
_MOST_LETTERS = 400


class FormOption(msgspec.Struct, frozen=True, kw_only=True):
    """A choice of a field; `label` and `description` in the reader's language."""

    code: str
    label: Text
    description: Text | None = None
    chosen: bool = False


class FormText(msgspec.Struct, frozen=True, kw_only=True):
    """The control for a text in one language."""

    tag: str
    name: Text
    dir: str
    text: str
    rows: int
    longest: int


class FormEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list: its number from 1, its fields, and whether it is a new, empty one."""

    number: int
    pointer: str
    members: tuple[FormField, ...]
    is_new: bool


class FormField(msgspec.Struct, kw_only=True):
    """A field of the form, at a JSON Pointer, which is also the name of its control.

    `value` is the text of a single control; the parts of a date or a period are in `parts`. A list
    that may be said to be empty has `none`. `asked` marks a unit that such a record must state,
    `missing` one that it does not: `why`, and what
    the check says of that, in `told`. `findings` are those of this field and of nothing inside it,
    `comments` a reviewer's;
    `theirs` is what somebody else saved in it meanwhile.
    """

    kind: ControlKind
    pointer: str
    title: Text
    hint: Text | None = None
    example: Text | None = None
    input: str = "text"
    value: str = ""
    longest: int | None = None
    parts: dict[str, str] = {}
    options: tuple[FormOption, ...] = ()
    texts: tuple[FormText, ...] = ()
    members: tuple[FormField, ...] = ()
    entries: tuple[FormEntry, ...] = ()
    none: bool | None = None
    asked: bool = False
    missing: bool = False
    why: str = ""
    told: tuple[Finding, ...] = ()
    findings: list[Finding] = []
    comments: list[Text] = []
    theirs: DiffValue | None = None

    @property
    def id(self) -> str:
        """The id of the field's element, and the start of those of its controls."""
        return "f" + self.pointer.replace("/", "-")

    @property
    def is_wrong(self) -> bool:
        """Whether something has to be mended here."""
        return any(finding.severity == "error" for finding in self.findings)

    @property
    def stated(self) -> bool:
        """Whether anything stands in the field."""
        return bool(
            self.value
            or any(self.parts.values())
            or any(option.chosen and option.code for option in self.options)
            or any(text.text for text in self.texts)
            or any(member.stated for member in self.members)
            or any(not entry.is_new for entry in self.entries)
            or self.none
        )


def code_options(reader: Reader, field: Field, chosen: set[str]) -> tuple[FormOption, ...]:
    """Return the codes that a field may hold, then what was chosen and is none of them."""
    codes = reader.pack.codes(field.lists)
    among = field.schema.get("enum", codes)
    known = [
        FormOption(
            code=code,
            label=_under(label(reader, field.lists, code), code),
            description=say(reader, held.description),
            chosen=code in chosen,
        )
        for code, held in codes.items()
        if code in among
    ]
    strange = sorted(chosen - {one.code for one in known} - {""})
    return (
        *known,
        *(FormOption(code=code, label=as_it_is(reader, code), chosen=True) for code in strange),
    )


def _under(words: Text, code: str) -> Text:
    """Return the label of a choice, of which one of the country's own is under another."""
    return (
        words if broader(code) == code else msgspec.structs.replace(words, text=f"– {words.text}")
    )


def truth_options(reader: Reader, value: Any) -> tuple[FormOption, ...]:
    """Return yes and no."""
    return tuple(
        FormOption(code=code, label=label(reader, "answer", answer), chosen=value is truth)
        for code, answer, truth in (("true", "yes", True), ("false", "no", False))
    )


def no_option(reader: Reader, value: Any) -> FormOption:
    """Return the choice of a list that chooses nothing."""
    return FormOption(code="", label=as_it_is(reader, "–"), chosen=not value)


def name_options(reader: Reader, kind: FieldKind, chosen: str) -> tuple[FormOption, ...]:
    """Return countries, currencies or languages by their names in the reader's language."""
    if kind == "language":
        named = {tag: language(reader, tag).text for tag in reader.pack.languages}
    elif kind == "currency":
        named = currencies_by_name(reader.locale.babel, reader.pack.country)
    else:
        named = countries_by_name(reader.locale.babel)
    if chosen and chosen not in named:
        named = {**named, chosen: chosen}
    return (
        no_option(reader, chosen),
        *(
            FormOption(
                code=code,
                label=in_language(reader, name, reader.locale.tag),
                chosen=code == chosen,
            )
            for code, name in named.items()
        ),
    )


def field_options(reader: Reader, chosen: str) -> tuple[FormOption, ...]:
    """Return the fields that a record may lawfully keep back."""
    places = {unit.pointer: unit.path for unit in units() if not never_withheld(unit.pointer)}
    options = [
        FormOption(code=place, label=field_title(reader, path), chosen=place == chosen)
        for place, path in places.items()
    ]
    if chosen and chosen not in places:
        options.append(FormOption(code=chosen, label=as_it_is(reader, chosen), chosen=True))
    return (no_option(reader, chosen), *options)


MOST_RADIOS = 7
_ONE_LINE = 250
"""Characters of a text that is typed into one line."""

_PERIOD = re.compile(r"P([0-9]{1,4})([YMWD])")
_INPUTS = {"Url": "url", "Email": "email"}


class FormReader(msgspec.Struct, frozen=True, kw_only=True):
    """For whom and of what a form is made: the languages of texts, and of lines that stand alone.

    `extended` are the lists that get a new entry; examples are of systems like the `document`.
    """

    reader: Reader
    languages: tuple[str, ...]
    source: str
    document: Document
    extended: frozenset[str] = frozenset()


def form_languages(document: Document, pack_languages: Sequence[str]) -> tuple[str, ...]:
    """Return the languages that a record's texts are typed in, that of its source first."""
    source = dig(document, "languages", "source")
    stated = dig(document, "languages", "translation_status") or {}
    among = [tag for tag in pack_languages if tag in stated and tag != source]
    others = sorted(set(stated).difference(pack_languages, {source}))
    first = [source] if isinstance(source, str) else []
    return tuple(first + among + others) or (pack_languages[0],)


def page_fields(
    form: FormReader,
    document: Document,
    asked: Iterable[Unit],
    status: RequirementStatus,
    *,
    findings: Iterable[Finding],
    comments: Mapping[str, Text],
) -> list[FormField]:
    """Return the fields of some units, with findings and comments beside the field of each.

    What such a record may not state is left out, unless it states it.
    """
    made = []
    requirements = status.requirements
    absent = set(status.absent)
    for unit in asked:
        value = dig(document, *unit.path)
        allowed = unit.pointer in requirements.units and unit.pointer not in requirements.excluded
        if value is None and not allowed:
            continue
        field = _field(form, unit.field, unit.pointer, value)
        field.asked = unit.pointer in requirements.demanded
        field.missing = field.asked and unit.pointer in absent
        if field.missing:
            field.why = render(
                demand(unit, requirements), form.reader.tag, form.reader.pack.fallback
            )
        if unit.empty_answers:
            field.none = value == []
        made.append(field)
    by_place = {field.pointer: field for field in _every_field(made)}
    for finding in findings:
        if (about := _nearest(by_place, finding.pointer)) is not None:
            if about.missing and finding.severity == "error":
                # It says that the answer is asked for, with the reason of its own rule.
                about.told += (finding,)
            else:
                about.findings.append(finding)
    for place, comment in comments.items():
        if (about := _nearest(by_place, place)) is not None:
            about.comments.append(comment)
    return made


def _every_field(fields: Iterable[FormField]) -> Iterator[FormField]:
    """Yield fields with those inside them, each before its parts."""
    for field in fields:
        yield field
        yield from _every_field(field.members)
        for entry in field.entries:
            yield from _every_field(entry.members)


def _nearest(by_place: Mapping[str, FormField], place: str) -> FormField | None:
    """Return the innermost field that a place is in."""
    while place and place not in by_place:
        place = place.rpartition("/")[0]
    return by_place.get(place)


def _field(form: FormReader, field: Field, place: str, value: Any) -> FormField:
    reader, schema = form.reader, field.schema
    made = FormField(
        kind="line",
        pointer=place,
        title=field_title(reader, field.path if "title" in schema else field.path[:-1]),
        hint=_described(reader, schema),
        longest=schema.get("maxLength"),
        findings=[],
        comments=[],
    )
    match field.holds:
        case "text":
            made.kind, made.texts = "texts", _texts(form, schema, value)
            tags = (reader.tag, form.source, *reader.order)
            if (found := find_example(field.path, form.document, tags)) is not None:
                made.example = in_language(reader, found[1], found[0])
        case "codes_by_language":
            made.kind, made.members = "languages", _statuses(reader, field, place, value)
        case "group":
            made.kind, made.members = "group", _members(form, field, place, value)
        case "codes" | "words" | "list":
            _fill_list(form, made, field, value)
        case _:
            _fill_one(reader, made, field, value)
    return made


def _fill_one(reader: Reader, made: FormField, field: Field, value: Any) -> None:
    """Set the control of a field that holds one value."""
    match field.holds:
        case "date":
            made.kind = "date"
            made.parts = dict(zip("ymd", [*_text(value).split("-", 2), "", "", ""], strict=False))
        case "boolean":
            made.kind, made.options = "radios", truth_options(reader, value)
        case "number" if field.schema.get("maximum", inf) <= MOST_RADIOS:
            steps = map(str, range(field.schema["minimum"], field.schema["maximum"] + 1))
            made.kind = "radios"
            made.options = tuple(
                FormOption(code=step, label=as_it_is(reader, step), chosen=step == _text(value))
                for step in steps
            )
        case "number":
            made.kind = "number"
            made.value = write_number(value) if isinstance(value, int | float) else _text(value)
        case "country" | "currency" | "language":
            made.kind, made.options = "select", name_options(reader, field.holds, _text(value))
        case "period":
            _fill_period(made, _text(value))
        case "place":
            made.kind, made.options = "select", field_options(reader, _text(value))
        case "code":
            made.options = code_options(reader, field, {_text(value)})
            made.kind = "radios" if len(made.options) <= MOST_RADIOS else "select"
        case _:
            made.value, made.input = _text(value), _INPUTS.get(field.kind or "", "text")


def _described(reader: Reader, schema: Mapping[str, Any]) -> Text | None:
    description = schema.get("description")
    if not description:
        return None
    lang, text = find(reader.titles, reader.order, description)
    return in_language(reader, text, lang)


def _texts(form: FormReader, schema: Mapping[str, Any], value: Any) -> tuple[FormText, ...]:
    if isinstance(value, str):
        value = {form.source: value}
    stated = value if isinstance(value, dict) else {}
    longest = schema["additionalProperties"]["maxLength"]
    tags = dict.fromkeys((*form.languages, *stated))
    return tuple(
        FormText(
            tag=tag,
            name=language(form.reader, tag)
            if tag in form.reader.pack.languages
            else as_it_is(form.reader, tag),
            dir=direction(tag),
            text=_text(stated.get(tag)),
            rows=1 if longest <= _ONE_LINE else 3 if longest <= 4 * _ONE_LINE else 6,
            longest=longest,
        )
        for tag in tags
    )


def _statuses(reader: Reader, field: Field, place: str, value: Any) -> tuple[FormField, ...]:
    """Return a choice for each language of the country: how the record's texts in it came about."""
    stated = value if isinstance(value, dict) else {}
    return tuple(
        FormField(
            kind="select",
            pointer=f"{place}/{tag}",
            title=language(reader, tag) if tag in reader.pack.languages else as_it_is(reader, tag),
            options=(
                no_option(reader, stated.get(tag)),
                *code_options(reader, field.entry, {_text(stated.get(tag))}),
            ),
            findings=[],
            comments=[],
        )
        for tag in dict.fromkeys((*reader.pack.languages, *stated))
    )


def _fill_list(form: FormReader, made: FormField, field: Field, value: Any) -> None:
    stated = value if isinstance(value, list) else []
    if field.holds == "codes":
        made.kind = "boxes"
        made.options = code_options(form.reader, field.entry, set(map(_text, stated)))
        return
    if field.holds == "words":
        made.kind, made.value = "lines", ", ".join(map(_text, stated))
        made.longest = None
        return
    made.kind = "list"
    entries = [*stated, None] if not stated or made.pointer in form.extended else stated
    made.entries = tuple(
        FormEntry(
            number=number + 1,
            pointer=f"{made.pointer}/{number}",
            members=_members(form, field.entry, f"{made.pointer}/{number}", entry),
            is_new=entry is None,
        )
        for number, entry in enumerate(entries)
    )


def _members(form: FormReader, field: Field, place: str, value: Any) -> tuple[FormField, ...]:
    """Return the fields of an object, or the one of what is no object."""
    if field.holds != "group":
        made = _field(form, field, place, value)
        # What its kind says of it, such as that a text may have eight languages, helps nobody.
        made.title, made.hint = field_title(form.reader, field.path[:-1]), None
        return (made,)
    return tuple(
        _field(form, member, f"{place}/{name}", dig(value, name))
        for name, member in field.members.items()
    )


def _fill_period(made: FormField, value: str) -> None:
    """Show a period as a number of a unit; one that is not is shown as it is written."""
    found = _PERIOD.fullmatch(value)
    if value and value != NOT_STORED and found is None:
        made.value = value
        return
    made.kind, made.hint = "period", None
    made.parts = {
        "n": found[1] if found else "",
        "unit": found[2] if found else value,
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value)


@cache
def _records() -> Sequence[Document]:
    """Return the demonstration records as they are now, in the order of their files."""
    return [
        msgspec.json.decode(path.read_bytes())
        for path in sorted(resources.RECORDS.glob("*/*.json"))
        if path.name.count(".") == 1
    ]


def find_example(
    path: tuple[str, ...], document: Document, tags: Sequence[str]
) -> tuple[str, str] | None:
    """Return the language and the text of an example for a text field; None where there is none.

    It is of the nearest system, by sector, what it does and level, in the first of the languages
    that has one, and not what the record says itself.
    """
    for record in sorted(_records(), key=lambda one: -_nearness(one, document)):
        if record["id"] == document.get("id"):
            continue
        texts: list[Mapping[str, Any]] = [
            value for _, value in values_at(record, path) if isinstance(value, dict)
        ]
        for tag in tags:
            for text in texts:
                if 0 < len(text.get(tag, "")) <= _MOST_LETTERS:
                    return tag, text[tag]
    return None


def _nearness(one: Document, other: Document) -> int:
    shared = (("sector", "primary"), 4), (("sector", "function"), 2), (("risk", "level"), 1)
    return sum(
        weight
        for place, weight in shared
        if (said := dig(one, *place)) and said == dig(other, *place)
    )
