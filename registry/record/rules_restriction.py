"""Rules on restricted records, of which little is published, and on lawful withholding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from registry.record.field_descriptions import quoted, title_at
from registry.record.ids import agency_of
from registry.record.messages import Message, PendingFinding, message
from registry.record.pack import Agency, Pack
from registry.record.pointers import field_path, parts, pointer, value_at
from registry.record.requirements import answer_paths, never_withheld
from registry.record.rule_context import ASKED_BY_FORMAT, RuleContext, remark
from registry.record.schema import broader, field_at
from registry.text.folding import fold
from registry.text.language_words import words_of
from registry.text.text_safety import skeleton
from registry.text.tokens import common, stem, words

_RESTRICTION = ("publication", "restriction")
_IN_BRACKETS = re.compile(r"[(\[（].*?[)\]）]")
_DIGIT = re.compile(r"[1-9]")


def lawfully_restricted(context: RuleContext) -> Iterator[PendingFinding]:
    """R28: A restriction is another authority's, with its number, on a ground for the sector.

    An error: no agency keeps its own system from the public. The authority is not the agency, under
    any of its names, nor an office or the head of one; the reference is the number of the decision;
    and the country pack names the sectors in which a ground may restrict a record. On other grounds
    single fields may be withheld.
    """
    restriction = context.dig(*_RESTRICTION)
    if restriction is None or "restricted" not in context.held:
        return
    agency = context.pack.agencies.get(agency_of(str(context.dig("id"))))
    authority = restriction.get("authority") or {}
    given = {"": authority} if isinstance(authority, str) else authority
    for tag, text in given.items():
        if agency is not None and not is_another_authority(text, agency, context.pack):
            yield remark(
                "R28",
                pointer((*_RESTRICTION, "authority", tag) if tag else (*_RESTRICTION, "authority")),
                message(
                    "{authority} is not another authority than the agency. An agency does not "
                    "decide by itself that its system is kept from the public: name in full the "
                    "body that did.",
                    authority=quoted(text),
                ),
            )
    number = restriction.get("reference")
    if number is None or not _DIGIT.search(fold(number)):
        yield remark(
            "R28",
            pointer((*_RESTRICTION, "reference")),
            message(
                "A restriction states the number of the decision by which the authority ordered "
                "it. Add {place}, as it stands on the decision.",
                place=pointer((*_RESTRICTION, "reference")),
            ),
        )
    ground, sector = restriction.get("ground"), context.dig("sector", "primary")
    if ground is not None and sector is not None and not may_restrict(ground, sector, context.pack):
        yield remark(
            "R28",
            pointer((*_RESTRICTION, "ground")),
            message(
                "This ground ({ground}) does not keep a whole system of this sector ({sector}) "
                "from the public. State the ground on which it was decided, or publish the record "
                "and withhold single fields.",
                ground=context.pack.grounds[ground].label,
                sector=context.pack.label("sector", sector),
            ),
        )


def may_restrict(ground: str, sector: str, pack: Pack) -> bool:
    """Return whether a record of a sector may be restricted on a ground; unknown ones are R00's."""
    known = pack.grounds.get(ground)
    return known is None or not {sector, broader(sector)}.isdisjoint(
        known.extra.get("restricts", "").split()
    )


def is_another_authority(text: str, agency: Agency, pack: Pack) -> bool:
    """Return whether a text names a body that is not the agency, nor part of its name.

    Compared are the words that are of no office, whatever their letters: the minister of justice is
    the ministry of justice, and "the director" nobody in particular.
    """
    said = _proper_words(_IN_BRACKETS.sub(" ", text))
    if not said:
        return False
    names = [agency.id.replace("-", " "), *agency.name.values()]
    folded = set(map(fold, names))
    names += [word for row in pack.synonyms if folded & set(map(fold, row)) for word in row]
    own = [_proper_words(name) for name in names]
    if any(said <= name or (len(name) > 1 and name <= said) for name in own):
        return any(
            fold(name) == fold(text)
            for other in pack.agencies.values()
            if other.id != agency.id
            for name in other.name.values()
        )
    return not any(_spaced(name) in _spaced(text) for name in names)


def _proper_words(text: str) -> frozenset[str]:
    """Return the words that tell a body from others, so that they can be compared."""
    return frozenset(map(_compared, set(words(text)) - common())) - _office_words()


def _spaced(text: str) -> str:
    return f" {' '.join(map(_compared, words(text)))} "


def _compared(word: str) -> str:
    # Only Arabic joins articles and conjunctions to a word.
    return skeleton(stem(word, "ar"))


@cache
def _office_words() -> frozenset[str]:
    return frozenset(map(_compared, words(" ".join(words_of("office")))))


_LIST = "/publication/withheld_fields"


def lawfully_withheld(context: RuleContext) -> Iterator[PendingFinding]:
    """R18: What is withheld is named with its ground, is not stated, and may be withheld at all.

    An error for a pointer to no field of the format, to a stated value, or to what is never
    withheld (identity, name, summary, goal, risk, sector, status, contact, organisation, role and
    legal effect, human oversight, contestation, that an assessment exists and its type), and for
    an answer `withheld` without its pointer. A lawful one satisfies what asks for the field; the
    law that each ground rests on is in the pack.
    """
    entries = context.dig("publication", "withheld_fields") or ()
    if not entries and "withholds" not in context.held:
        return
    for index, entry in enumerate(entries):
        fault = _fault(context, entry["pointer"])
        if fault is not None:
            yield remark("R18", f"{_LIST}/{index}/pointer", fault, ASKED_BY_FORMAT)
    named = {entry["pointer"] for entry in entries}
    for path in answer_paths():
        place = pointer(path)
        if context.dig(*path, "answer") != "withheld" or place in named:
            continue
        yield remark(
            "R18",
            place if entries else _LIST,
            message(
                "The answer at {place} is withheld, and nothing says on what ground. Add an entry "
                "for {place} to {list}.",
                place=place,
                list=_LIST,
            ),
            ASKED_BY_FORMAT,
        )


def _fault(context: RuleContext, given: str) -> Message | None:
    path = parts(given)
    field = field_at(field_path(path))
    if field is None:
        return message(
            "{place} is no field of the format. Mend the pointer.",
            place=quoted(given),
            plain=message("This names no field of a record. Choose one of the list."),
        )
    title = title_at(path)
    if never_withheld(given):
        return message(
            "{title} ({place}) is never withheld, nor anything that holds it: the public is always "
            "told. State it, or file a restricted record.",
            title=title,
            place=given,
            plain=message(
                "This is never withheld, nor anything that holds it: {title}. The public is always "
                "told. State it, or file a restricted record.",
                title=title,
            ),
        )
    value = value_at(context.document, path)
    answered = isinstance(value, dict) and value.get("answer") == "withheld"
    if value is None or answered:
        return None
    return message(
        "{title}: {place} is stated, so it is not withheld. Remove the value or this entry.",
        title=title,
        place=given,
    )
