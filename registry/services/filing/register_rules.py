"""The rules that need the register: what a record is beside the others that are published.

As in `record/rules.py`, one generator function each in one ordered table; they run when a record
is filed, submitted or loaded, after the document's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec

from registry.log.erasure import named_members
from registry.record.codelists import codelists
from registry.record.field_descriptions import quoted
from registry.record.ids import agency_of
from registry.record.likeness import (
    any_confusable,
    is_nearly_same,
    likeness_to,
    looks_like,
    name_parts,
    system_traits,
)
from registry.record.messages import PendingFinding, message
from registry.record.model import Document, LangText
from registry.record.pack import Pack
from registry.record.pointers import dig, pointer
from registry.record.risk_floor import LEVELS
from registry.record.rule_context import remark
from registry.record.rules_restriction import may_restrict
from registry.record.schema import broader
from registry.store.record_names import HigherRecord, RecordName
from registry.text.folding import fold
from registry.text.text_safety import host_of, other_form, passes_for_another

MOST_NAMED = 3
"""Records that R22 names for one name: whoever files a system for each town knows it by then."""

SHORTEST_NOTE = 3
"""The words of the shortest change note."""

# Thai and Lao, Burmese, Khmer, kana and Han are written without spaces.
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|\w+")


class RegisterRuleContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule is given: a document, and what the register holds beside it.

    `version` is what it would become.
    """

    document: Document
    pack: Pack
    version: int
    last: Document | None = None
    """The last version, withdrawn or not, as readers are shown it."""
    erased: Sequence[str] = ()
    """The pointers of members that were erased of any version."""
    others: Sequence[RecordName]
    """The published records that it could be taken for, this one left out."""
    lowered_from: HigherRecord | None = None
    """The record at a higher level that it may be the same system as, if it is a new record."""


RegisterRule: TypeAlias = Callable[[RegisterRuleContext], Iterator[PendingFinding]]


def source_id_unique(context: RegisterRuleContext) -> Iterator[PendingFinding]:
    """R21: No two records of an agency have the same `source_id`.

    An error: the agency's own inventory number tells its systems apart.
    """
    source_id = dig(context.document, "source_id")
    for other in context.others:
        if source_id and other.source_id == source_id and other.agency == _agency(context):
            yield remark(
                "R21",
                "/source_id",
                message(
                    "{code} is already the agency's own identifier of {record}. Give this system "
                    "its own, or amend that record.",
                    code=quoted(source_id),
                    record=other.record,
                ),
            )


def name_distinct(context: RegisterRuleContext) -> Iterator[PendingFinding]:
    """R22: A name that repeats another of the agency, or only looks like one, is pointed out.

    A warning with the other record: it may be the same system filed twice, or one that passes for
    another by letters that look alike (UTS 39).
    """
    name: LangText = dig(context.document, "name") or {}
    agency = _agency(context)
    for tag, text in name.items():
        mine, named = name_parts(text), 0
        for other in context.others:
            if named == MOST_NAMED:
                break
            theirs = other.name.get(tag)
            is_own = other.agency == agency
            if is_own and theirs is not None and is_nearly_same(mine, name_parts(theirs)):
                saying = message(
                    "This is nearly the name of {record}. Amend that record if it is the same "
                    "system; else name what tells them apart.",
                    record=other.record,
                )
            elif theirs is not None and not is_own and name_parts(theirs).folded == mine.folded:
                saying = message(
                    "This is also the name of {record}, of another agency. If it is the same "
                    "system, let one of you file it; else name what tells them apart.",
                    record=other.record,
                )
            elif looks_like(text, other.name):
                saying = message(
                    "This looks like the name of {record}, with other letters. Write it in the "
                    "letters of its language.",
                    record=other.record,
                )
            else:
                continue
            named += 1
            yield remark("R22", pointer(("name", tag)), saying, severity="warning")
    yield from _agency_distinct(context)
    yield from _hosts_as_they_seem(context)


def _hosts_as_they_seem(context: RegisterRuleContext) -> Iterator[PendingFinding]:
    for place, address in _addresses(context.document):
        host = host_of(address)
        if passes_for_another(host):
            yield remark(
                "R22",
                pointer(place),
                message(
                    "{host} has letters that look like others; machines know it as {other}. Make "
                    "sure that it leads where it seems to.",
                    host=host,
                    other=other_form(host) or host,
                ),
                severity="warning",
            )


def _addresses(document: Document) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the links and mailboxes of a document, each with its place."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    for place, node in waiting:
        for name, one in node.items() if type(node) is dict else enumerate(node):
            # By exact types, of which JSON has no others: this looks at each of hundreds of values.
            if type(one) is str:
                is_link = one.startswith(("https://", "http://"))
                if is_link or (name == "email" and "@" in one):
                    yield (*place, name), one
            elif type(one) is dict or type(one) is list:
                waiting.append(((*place, name), one))


def _agency_distinct(context: RegisterRuleContext) -> Iterator[PendingFinding]:
    agencies = context.pack.agencies
    own = agencies.get(_agency(context))
    pretends = own is not None and any_confusable(own.name)
    for other in agencies.values() if own else ():
        if (
            own
            and other.id != own.id
            and (pretends or any_confusable(other.name))
            and any(looks_like(text, other.name) for text in own.name.values())
        ):
            yield remark(
                "R22",
                "/id",
                message(
                    "The agency's name looks like that of {agency}, with other letters. Tell the "
                    "register's office.",
                    agency=other.id,
                ),
                severity="warning",
            )


def not_lowered_anew(context: RegisterRuleContext) -> Iterator[PendingFinding]:
    """R25: A system that is filed under another id at a lower level is pointed out.

    A public warning, and a lowering in the list of changes: nobody lowers a level unseen by a new
    id. Alike are records of the agency, withdrawn or in force, with the same `source_id`, nearly
    the same name, or mostly the same texts; less of the texts is enough where sector, task and
    groups are the same. A restricted record, which has no texts, is like one of its sector that was
    withdrawn.
    """
    before = context.lowered_from
    if before is None:
        return
    level = codelists()["risk_level"][before.risk].label
    if before.is_withdrawn:
        saying = message(
            "This looks like {record}, which was withdrawn at the level {level}. File it again "
            "under its own id, or say in the reasons why the level is lower. This remark is "
            "public.",
            record=before.record,
            level=level,
        )
    else:
        saying = message(
            "This looks like {record}, which is in force at the level {level}. Amend that record "
            "if it is the same system, or say in the reasons why the level is lower here. This "
            "remark is public.",
            record=before.record,
            level=level,
        )
    yield remark("R25", "/risk/level", saying, severity="warning")


def levels_above(document: Document) -> Sequence[str]:
    """Return the risk levels above a document's; none where it states none."""
    level = dig(document, "risk", "level")
    return LEVELS[LEVELS.index(level) + 1 :] if level in LEVELS else ()


def lowered_from(document: Document, higher: Sequence[HigherRecord]) -> HigherRecord | None:
    """Return the record of the highest level, above a document's, that it is alike."""
    names = {tag: name_parts(text) for tag, text in (dig(document, "name") or {}).items()}
    source_id, sector = dig(document, "source_id"), dig(document, "sector", "primary")
    is_restricted = dig(document, "publication", "visibility") == "restricted"
    # Records alike by name are found before any texts are taken apart.
    is_alike = cache(lambda: likeness_to(system_traits(document)))

    def may_be(one: HigherRecord) -> bool:
        if is_restricted and one.is_withdrawn and one.sector == broader(sector or ""):
            return True
        if source_id is not None and one.source_id == source_id:
            return True
        for tag, mine in names.items():
            theirs = one.names.get(tag)
            if theirs is not None and is_nearly_same(mine, theirs):
                return True
        return is_alike()(one.traits)

    alike = (
        one
        for level in reversed(levels_above(document))
        for one in higher
        if one.risk == level and may_be(one)
    )
    return next(alike, None)


def not_filed_again(context: RegisterRuleContext) -> Iterator[PendingFinding]:
    """R26: What fills a place where something was erased is pointed out.

    A warning, in the first version that has it: nobody but the agency can tell whether it is the
    text that had to be erased. What stands in the last version is known.
    """
    known = [value for _, value in named_members(context.last or {}, context.erased)]
    for place, value in named_members(context.document, context.erased):
        if value not in known:
            yield remark(
                "R26",
                place,
                message(
                    "What stood here was erased of an earlier version. Make sure that this is not "
                    "the same again."
                ),
                severity="warning",
            )


def restriction_hides_no_change(context: RegisterRuleContext) -> Iterator[PendingFinding]:
    """R29: A restriction lowers no level, and its ground serves the sector of the last version too.

    An error, also of a record that was withdrawn or restricted before: nobody could see why the
    level fell, or why the system should now be of another sector.
    """
    last, level = context.last, dig(context.document, "risk", "level")
    if last is None or dig(context.document, "publication", "visibility") != "restricted":
        return
    before, sector = dig(last, "risk", "level"), dig(last, "sector", "primary")
    if level in LEVELS and before in LEVELS and LEVELS.index(level) < LEVELS.index(before):
        yield remark(
            "R29",
            "/risk/level",
            message(
                "Version {number} is at the level {level}, and a restricted record does not say "
                "why it would be lower. Keep that level, or first publish a version that gives the "
                "reasons.",
                number=context.version - 1,
                level=codelists()["risk_level"][before].label,
            ),
        )
    ground = dig(context.document, "publication", "restriction", "ground")
    moved = sector is not None and sector != dig(context.document, "sector", "primary")
    if moved and not may_restrict(str(ground), sector, context.pack):
        yield remark(
            "R29",
            "/sector/primary",
            message(
                "Version {number} is of another sector ({sector}), in which this ground keeps no "
                "whole system from the public. Keep the sector, or first publish a version that "
                "says why it is another.",
                number=context.version - 1,
                sector=context.pack.label("sector", sector),
            ),
        )


def change_explained(context: RegisterRuleContext) -> Iterator[PendingFinding]:
    """change_note: From the second version on, a record says what has changed.

    An error: readers of the history must not have to compare versions to learn why there are two.
    In each language the note has at least three words, and is not that of the version before.
    """
    if context.version == 1:
        return
    note: LangText | None = dig(context.document, "publication", "change_note")
    place = "/publication/change_note"
    if note is None:
        yield remark(
            "change_note",
            place,
            message(
                "This would be version {number}, and from the second version on a record says "
                "what has changed. Add {place}: a sentence for the public, by language.",
                number=context.version,
                place=place,
            ),
        )
        return
    before: LangText = dig(context.last, "publication", "change_note") or {}
    for tag, text in note.items():
        words = _words(text)
        if len(words) < SHORTEST_NOTE:
            saying = message(
                "A change note has at least {number} words. Say what has changed since version "
                "{version}, and why.",
                number=SHORTEST_NOTE,
                version=context.version - 1,
            )
        elif words == _words(before.get(tag, "")):
            saying = message(
                "This is still the note of version {version}. Say what has changed since then.",
                version=context.version - 1,
            )
        else:
            continue
        yield remark("change_note", pointer(("publication", "change_note", tag)), saying)


def _words(text: str) -> list[str]:
    """Return the folded words of a text; of scripts without spaces each letter is one."""
    return _WORD.findall(fold(text))


RULES: Mapping[str, RegisterRule] = MappingProxyType(
    {
        "R21": source_id_unique,
        "R22": name_distinct,
        "R25": not_lowered_anew,
        "R26": not_filed_again,
        "R29": restriction_hides_no_change,
        "change_note": change_explained,
    }
)


def _agency(context: RegisterRuleContext) -> str:
    return agency_of(str(dig(context.document, "id") or ""))
