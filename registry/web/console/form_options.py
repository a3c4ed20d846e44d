"""The choices of the form's fields: codes, countries, languages, and fields of the format."""

from __future__ import annotations

from functools import cache
from typing import Any

from registry.pages.reader import Reader, as_it_is, in_language, label, language, say
from registry.pages.views.document_view import field_title
from registry.record.requirements import never_withheld, units
from registry.record.schema import Field, FieldKind
from registry.text.locales import country_codes, country_name
from registry.web.console.form_model import FormOption


def code_options(reader: Reader, field: Field, chosen: set[str]) -> tuple[FormOption, ...]:
    """Return the codes that a field may hold, then what was chosen and is none of them."""
    codes = reader.pack.codes(field.lists)
    among = field.schema.get("enum", codes)
    known = [
        FormOption(
            code=code,
            label=label(reader, field.lists, code),
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
    """Return the countries or languages by their names in the reader's language."""
    if kind == "language":
        named = {tag: language(reader, tag).text for tag in reader.pack.languages}
    else:
        named = _countries(reader.locale.babel)
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


@cache
def _countries(locale: str) -> dict[str, str]:
    named = {code: country_name(code, locale) for code in country_codes()}
    return dict(sorted(named.items(), key=lambda pair: pair[1]))


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
