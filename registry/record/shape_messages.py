"""The messages of findings on a document's shape: the fault, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from registry.record.codelists import Code, CodeList, nearest_code
from registry.record.field_descriptions import (
    CHOOSE_LANGUAGE,
    EXAMPLES,
    FEW,
    FORMS,
    SHOWN,
    TYPES,
    example,
    expected_form,
    listed_codes,
    named_codes,
    named_members,
    quoted,
    request,
    title_of,
    titled,
)
from registry.record.messages import (
    NOTHING,
    LabelledValue,
    Message,
    MessageValue,
    Title,
    in_quotes,
    message,
    translatable,
)
from registry.record.pointers import Place, field_path
from registry.record.requirements import Unit, conditions
from registry.record.schema import Field, broader, field_at, fields
from registry.record.values import ValueFault, read_number
from registry.text.text_safety import TextProblem, first_problem

OF_THE_REGISTER = frozenset(
    (
        "register",
        "version",
        "state",
        "published_at",
        "superseded_at",
        "hash",
        "entry",
        "origin",
        "fictitious",
        "completeness",
        "accountability",
        "missing",
        "findings",
        "redacted",
        "versions",
        "agency",
        "filed_by",
        "approved_by",
    )
)

FORM_KEYWORDS = frozenset(("maxLength", "pattern", "format"))
"""The keywords of which one wrong value may break several."""

_ADDRESSES = frozenset(("Url", "Email"))
_WHOLE = frozenset(("Date", "FuzzyDate", "Country", "LanguageTag", "PackCode"))

_ABSENT = {
    (False, True): translatable("{title}: missing, and mandatory {reason}."),
    (False, False): translatable("{title}: missing, and recommended {reason}."),
    (True, True): translatable("{title}: empty, and mandatory {reason}."),
    (True, False): translatable("{title}: empty, and recommended {reason}."),
}


def choice(given: object, among: Iterable[str] | Mapping[str, Code]) -> tuple[Message, ...]:
    """Return the messages of the valid codes: all of a short list, else some; and the nearest."""
    codes = list(among)
    labelled = among if isinstance(among, Mapping) else {}
    if len(codes) == 1:
        return (message("Use {code}.", code=_code(codes[0], labelled)),)
    listed = message("Choose one of the list.")
    if len(codes) <= FEW:
        use = message("Use one of: {codes}.", codes=tuple(codes), plain=listed)
    else:
        use = message(
            "Use one of the {number} codes of the list, such as {codes}.",
            number=len(codes),
            codes=tuple(codes[:5]),
            plain=listed,
        )
    near = nearest_code(given, among)
    if near is None:
        return (use,)
    return (message("Did you mean {code}?", code=_code(near, labelled)), use)


def not_a_choice(given: object) -> Message:
    """Return what people are told of a code that a list does not have."""
    return message("{value} is not one of the choices.", value=quoted(given))


def _code(code: str, labelled: Mapping[str, Code]) -> MessageValue:
    return named_codes({code: labelled[code]})[0] if code in labelled else code


def nearest(given: object, among: Iterable[str]) -> str | None:
    """Return the most similar word, or None."""
    if not isinstance(given, str):
        return None
    return next(iter(difflib.get_close_matches(given[:SHOWN], list(among), n=1)), None)


def missing(unit: Unit, reason: Message, *, empty: bool, required: bool) -> tuple[Message, ...]:
    """Return the messages for a required field that is absent, or an empty list."""
    wording = _ABSENT[empty, required]
    return (message(wording, title=titled(unit.field), reason=reason), add(unit.field))


def add(field: Field) -> Message:
    """Return the request to add a field, with what it holds."""
    place = _place(field)
    return message(
        "Add {place}: {example}.", place=place, example=example(field), plain=request(field)
    )


def needed(place: Place) -> tuple[Message, ...]:
    """Return the messages for a missing member that its object requires."""
    field = field_at(field_path(place))
    if field is not None:
        return lacking(field)
    return (message("{name} is missing. Add it.", name=quoted(place[-1])),)


def lacking(field: Field) -> tuple[Message, ...]:
    """Return the messages for a missing field that its object requires."""
    return (
        message("{title}: missing here.", title=titled(field)),
        message(
            "Add {place}: {example}.",
            place=field.path[-1],
            example=example(field),
            plain=request(field),
        ),
    )


def not_wanted(unit: Unit) -> tuple[Message, ...]:
    """Return the messages for a field that is stated under conditions that exclude it."""
    reasons = [conditions()[name].reason for names in unit.alternatives for name in names]
    return (
        message(
            "{title}: stated only {reason}. Leave it out.",
            title=titled(unit.field),
            reason=tuple(message(reason) for reason in reasons),
        ),
    )


def deprecated(field: Field) -> tuple[Message, ...]:
    """Return the messages for a field that a later version of the format removes."""
    notice = field.schema["x-deprecated"]
    said = (
        message(
            "{title}: deprecated since version {version} of the format, and removed in a later "
            "one.",
            title=titled(field),
            version=notice["since"],
        ),
        message("{form}", form=Title(text=notice["reason"])),
    )
    if "instead" not in notice:
        return said
    return (*said, message("State {place} instead.", place=notice["instead"]))


def unknown(place: Place, *, restricted: bool) -> tuple[Message, ...]:
    """Return the messages for a member that the format does not have."""
    path, name = field_path(place), place[-1]
    field = field_at(path)
    if restricted and field is not None:
        return (
            message(
                "A restricted record does not hold {name}: it says that the system exists, its "
                "sector, risk level and status, and the ground of the restriction. Remove it.",
                name=LabelledValue(written=quoted(name).written, label=in_quotes(titled(field))),
            ),
        )
    if len(place) == 1 and name in OF_THE_REGISTER:
        return (
            message(
                "{name} is added by the register, beside the document. Remove it.",
                name=quoted(name),
            ),
        )
    known = [one.path[-1] for one in fields() if one.path[:-1] == path[:-1]]
    stray = message("There is no field {name} here.", name=quoted(name))
    near = nearest(name, known)
    if near is not None:
        meant = field_at((*path[:-1], near))
        label = titled(meant) if meant is not None and "title" in meant.schema else near
        return (
            stray,
            message("Did you mean {code}?", code=LabelledValue(written=near, label=label)),
        )
    elsewhere = next((one for one in fields() if one.path[-1] == name), None)
    if elsewhere is not None:
        return (stray, message("It belongs at {place}.", place=_place(elsewhere)))
    return (stray, message("The fields are: {names}.", names=tuple(known), plain=NOTHING))


def no_language(place: Place) -> tuple[Message, ...]:
    """Return the messages for a member of a text by language that is not a language."""
    tag = FORMS["LanguageTag"]
    return (
        message("{name} is not a language tag.", name=quoted(place[-1])),
        message(tag, plain=message(CHOOSE_LANGUAGE)),
    )


def has_one_form(field: Field | None) -> bool:
    """Return whether a text of a field is right or wrong as a whole: a date or a code."""
    return field is not None and (field.kind in _WHOLE or field.is_national)


def repeats_form(rule: str, field: Field | None) -> bool:
    """Return whether the finding of a keyword says no more than that of another at its place."""
    if field is not None and field.kind in _ADDRESSES:
        return rule in {"pattern", "format"}
    return rule in FORM_KEYWORDS and has_one_form(field)


def sentence(
    keyword: str,
    value: Any,
    instance: Any,
    schema: dict[str, Any],
    field: Field | None,
    *,
    codes: CodeList | None = None,
) -> tuple[Message, ...]:
    """Return the messages for a failed keyword of the schema at a field, or at the whole.

    `codes` are those of the field's lists, with their labels, as far as they are known.
    """
    title = title_of(field)
    size = len(instance) if isinstance(instance, (str, list, dict)) else 0
    if keyword in {*FORM_KEYWORDS, "enum"} and (listed := listed_codes(schema)):
        stray = message(
            "{value} is not a code of this list.",
            value=quoted(instance),
            plain=not_a_choice(instance),
        )
        labelled = {code: one for code, one in (codes or {}).items() if broader(code) in listed}
        return (stray, *choice(instance, labelled if {*listed} <= labelled.keys() else listed))
    if keyword == "format" and value == "text":
        fault = first_problem(instance)
        return (message(_FAULTS[fault], title=title),) if fault else ()
    if has_one_form(field) and keyword in FORM_KEYWORDS and codes and field and field.is_national:
        stray = message(
            "{code} is not one of this country's codes for {title}.",
            code=quoted(instance),
            title=title,
            plain=not_a_choice(instance),
        )
        return (stray, *choice(instance, codes))
    if keyword in {"format", "pattern"} or (keyword == "maxLength" and has_one_form(field)):
        wrong = message(
            "{title}: {value} is not of the right form.", value=quoted(instance), title=title
        )
        return (wrong, *expected_form(field, value))
    if keyword in {"maxProperties", "minProperties"}:
        return (_number_of_members(title, keyword, value, size, schema),)
    expected: MessageValue = quoted(value)
    plain = None
    if keyword in {"type", "const"}:
        asked = request(field)
        plain = message("{title}: this answer cannot be read. {asked}", title=title, asked=asked)
    typed: tuple[Message, ...] = ()
    if keyword == "type":
        if (unread := _unread_number(instance, value)) is not None:
            # People are told once, by what was typed.
            plain = message("{title}: {sentence}", title=title, sentence=unread)
            typed = (msgspec.structs.replace(unread, plain=NOTHING),)
        wording = EXAMPLES["LangLine"] if isinstance(value, list) else TYPES[value]
        expected = message(wording)
    wrong = message(
        _SENTENCES[keyword],
        title=title,
        size=size,
        value=expected,
        instance=quoted(instance),
        plain=plain,
    )
    return (wrong, *typed)


def _unread_number(instance: Any, kind: str | list[str]) -> Message | None:
    """Return why a text in the place of a number was not read as one, None where it could be."""
    if isinstance(instance, str) and kind in ("integer", "number"):
        try:
            read_number(instance, whole=kind == "integer")
        except ValueFault as fault:
            return fault.saying
    return None


_SENTENCES = {
    "type": translatable("{title}: {value} is expected here, not {instance}."),
    "const": translatable("{title}: {value} is expected here, not {instance}."),
    "maxLength": translatable("{title}: {size} characters; at most {value} fit. Shorten it."),
    "minLength": translatable("{title}: empty. Write the text, or leave it out."),
    "maxItems": translatable("{title}: {size} entries; at most {value} fit. Remove some."),
    "minItems": translatable("{title}: empty. List at least {value}, or leave it out."),
    "uniqueItems": translatable("{title}: the same entry comes twice. Remove the repetition."),
    "minimum": translatable("{title}: {instance} is too small. State at least {value}."),
    "maximum": translatable("{title}: {instance} is too large. State at most {value}."),
}

_FAULTS: dict[TextProblem, str] = {
    "markup": translatable(
        "{title}: this holds HTML, which is never shown as such. Remove the tags; paragraphs, "
        "lists, emphasis and links are written in Markdown."
    ),
    "composition": translatable(
        "{title}: not in Unicode normalisation form C, so that equal texts could differ. "
        "Save it in that form (NFC)."
    ),
    "direction": translatable(
        "{title}: this holds an embedding, override or isolate of writing direction that is not "
        "closed in its paragraph: it could reorder what stands beside it. Close it or remove it."
    ),
    "invisible": translatable(
        "{title}: this holds an invisible character, by which equal texts could differ. Remove it; "
        "a joiner is allowed only between letters of a script that needs it."
    ),
    "marks": translatable("{title}: more than 8 marks stand on one letter. Remove some."),
}


def _place(field: Field) -> str:
    return "/" + "/".join(field.path)


def _number_of_members(
    title: Title, keyword: str, value: int, size: int, schema: dict[str, Any]
) -> Message:
    members = schema.get("properties", {})
    names = named_members(Field(path=(), schema=schema), members)
    if keyword == "minProperties":
        if names:
            return message("{title}: empty. State one of {names}.", title=title, names=names)
        return message("{title}: empty. Write it in at least one language.", title=title)
    if names:
        return message(
            "{title}: {size} parts are stated. State only {value} of {names}.",
            title=title,
            size=size,
            value=value,
            names=names,
        )
    return message(
        "{title}: {size} languages; at most {value} fit. Remove some.",
        title=title,
        size=size,
        value=value,
    )
