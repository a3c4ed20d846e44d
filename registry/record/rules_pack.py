"""Rules on agencies, codes and languages of the country pack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from registry.record.codelists import codelists
from registry.record.field_descriptions import named_codes, quoted, title_at, titled
from registry.record.ids import agency_of, is_foreign_agency
from registry.record.law import NAMING
from registry.record.messages import (
    LanguageName,
    PendingFinding,
    Title,
    language_tag,
    message,
)
from registry.record.pointers import pointer, values_at
from registry.record.requirements import FieldPath
from registry.record.rule_context import RuleContext, remark
from registry.record.schema import Field, field_at, fields, text_fields
from registry.record.shape_messages import choice, not_a_choice

OVERSIGHT: FieldPath = ("decision", "human_oversight")
PROCEDURE: FieldPath = ("rights", "contestation", "procedure")

_RELIED_ON = (OVERSIGHT, PROCEDURE, ("rights", "notice", "note"), ("rights", "explanation", "note"))
"""The further texts by which people know what they can do."""


def belongs_to_pack(context: RuleContext) -> Iterator[PendingFinding]:
    """R00: The agency, languages, regions, bodies, schemes and grounds are the country's.

    Also, every language that a text is in says in `languages.translation_status` how it came
    about. An error. Codes that another country uses cannot be checked or explained here.
    """
    yield from _agency_known(context)
    if not context.national:
        yield from _codes_known(context)
        yield from _languages_known(context)


def _agency_known(context: RuleContext) -> Iterator[PendingFinding]:
    record_id = context.dig("id")
    if record_id is None:
        return
    agency = agency_of(record_id)
    if is_foreign_agency(agency):
        reserved = message(
            "{code} has a dot, which is reserved for agencies of other registers. File under an "
            "agency of this register.",
            code=quoted(agency),
        )
        yield remark("R00", "/id", reserved)
    elif agency not in context.pack.agencies:
        stranger = message("{code} is not an agency of this register.", code=quoted(agency))
        yield remark("R00", "/id", stranger, *choice(agency, tuple(context.pack.agencies)))


def _codes_known(context: RuleContext) -> Iterator[PendingFinding]:
    for field in _national_fields():
        known = context.pack.codes(field.lists)
        for place, code in values_at(context.document, field.path):
            if code not in known:
                stray = message(
                    "{code} is not one of this country's codes for {title}.",
                    code=quoted(code),
                    title=title_at(place),
                    plain=not_a_choice(code),
                )
                yield remark("R00", pointer(place), stray, *choice(code, known))


@cache
def _national_fields() -> tuple[Field, ...]:
    return tuple(field for field in fields() if field.is_national)


def _languages_known(context: RuleContext) -> Iterator[PendingFinding]:
    present: set[str] = set()
    known = context.pack.languages
    for field in text_fields():
        for place, text in values_at(context.document, field.path):
            if isinstance(text, str):
                continue
            present.update(text)
            for tag in text:
                if tag not in known:
                    yield stray_language(pointer((*place, tag)), tag, known)
    source = context.dig("languages", "source")
    if source is not None and source not in known:
        yield stray_language("/languages/source", source, known)
    status = context.dig("languages", "translation_status")
    if status is not None:
        for tag in sorted(present.intersection(known).difference(status)):
            yield remark(
                "R00",
                pointer(("languages", "translation_status", tag)),
                message(
                    "The record has text in this language ({language}) and does not say how it "
                    "came about. State one of: {codes}.",
                    language=language_tag(tag),
                    codes=named_codes(codelists()["translation_status"]),
                ),
            )


def stray_language(place: str, tag: str, known: tuple[str, ...]) -> PendingFinding:
    """Return the finding for a text in a language that the register does not have."""
    return remark(
        "R00",
        place,
        message(
            "{code} is not a language of this register. Use: {codes}.",
            code=quoted(tag),
            codes=tuple(map(language_tag, known)),
        ),
    )


def named_in_a_national_language(context: RuleContext) -> Iterator[PendingFinding]:
    """R01: Name, summary and goal are in at least one of the languages that the country demands.

    An error: the public concerned must be able to read what the system is and what it is for.
    """
    for path in NAMING:
        text = context.dig(*path)
        if text and text.keys().isdisjoint(context.pack.required_any):
            yield remark(
                "R01",
                pointer(path),
                message(
                    "{title}: in none of the languages that everybody here can be expected to "
                    "read. Write it in at least one of: {codes}.",
                    title=_title(path),
                    codes=tuple(map(language_tag, context.pack.required_any)),
                ),
            )


def read_in_all_languages_at_high_risk(context: RuleContext) -> Iterator[PendingFinding]:
    """R02: At high and unacceptable risk, what people rely on is in all of those languages.

    An error, for name, summary, goal, human oversight, the procedure of contestation, and the notes
    on notice and explanation: whoever may be harmed must be able to read them. The pack says which
    languages.
    """
    if "H" not in context.held:
        return
    languages = context.pack.required_at_high
    for path in NAMING:
        if not (context.dig(*path) or {}).keys().isdisjoint(context.pack.required_any):
            yield from lacking_languages("R02", context, path, languages)
    for path in _RELIED_ON:
        yield from lacking_languages("R02", context, path, languages)


def lacking_languages(
    rule: str, context: RuleContext, path: FieldPath, languages: Sequence[str]
) -> Iterator[PendingFinding]:
    """Yield a finding for each of the languages that a text, if it is stated, is not in."""
    text = context.dig(*path)
    for tag in languages if text else ():
        if tag not in text:
            yield remark(
                rule,
                pointer((*path, tag)),
                message(
                    "{title}: at this risk level it is written in all of {codes}. Add: {language}.",
                    title=_title(path),
                    codes=tuple(map(language_tag, languages)),
                    language=LanguageName(tag=tag),
                ),
            )


def named_in_recommended_languages(context: RuleContext) -> Iterator[PendingFinding]:
    """R03: Name and summary are also in the languages that the country recommends.

    A warning, so that a language without many translators holds nothing up.
    """
    for path in NAMING[:2]:
        text = context.dig(*path)
        for tag in context.pack.recommended:
            if text and tag not in text:
                yield _not_yet_in(path, tag)


@cache
def _not_yet_in(path: tuple[str, ...], tag: str) -> PendingFinding:
    return remark(
        "R03",
        pointer((*path, tag)),
        message(
            "{title}: not yet in {language}, which this register recommends. Add a translation "
            "when you have one.",
            title=_title(path),
            language=LanguageName(tag=tag),
        ),
        severity="warning",
    )


def _title(path: tuple[str, ...]) -> Title:
    field = field_at(path)
    if field is None:
        raise LookupError(path)
    return titled(field)
