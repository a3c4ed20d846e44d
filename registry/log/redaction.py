"""Redaction statements: the members to erase, the authority, and the basis.

Facts that the public must always be able to read are erased only if a court orders it, and what
identifies the record never.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from registry.errors import Finding
from registry.log.erasure import REPLACED, covers, named_members, placed, without_words
from registry.record.codelists import codelists
from registry.record.messages import PendingFinding, message, to_findings, translatable
from registry.record.model import Document
from registry.record.pack import Pack
from registry.record.pointers import parts, pointer
from registry.record.schema import record_schema
from registry.record.statements import StatementSchema
from registry.record.validate import draft_findings

COURT = "court"
WORDS_OF_A_TEXT = "personal_data_in_text"
"""The basis of a redaction that replaces words by a mark, and erases nothing else."""

PRIVACY = frozenset(("data_protection", WORDS_OF_A_TEXT))
"""On these bases words of a protected text are replaced by a mark, and the rest of it stays."""

SOURCE_BASIS = "source"
"""The basis, which nobody can state, of a redaction that follows one at another register."""

KEPT = ("/id", "/schema_version")
"""The members that are never erased: they identify the record and its format."""

PROTECTED = (
    "/name",
    "/purpose",
    "/risk",
    "/sector",
    "/lifecycle",
    "/decision/role",
    "/decision/legal_effect",
    "/rights",
)
"""The sections and members that are erased only on the basis of a court's order."""

MOST_WORDS = 20
LONGEST_WORDS = 200
SHORTEST_WORDS = 2
MOST_POINTERS = 50
MOST_VERSIONS = 500
LONGEST_POINTER = 100
AUTHORITY_LENGTH = 200
REFERENCE_LENGTH = 150

_POINTER = r"^(/([^/~\u0000-\u001F\u007F]|~[01])+)+$"


def check(statement: object, pack: Pack, language: str) -> tuple[Finding, ...]:
    """Return the findings of a redaction statement, whatever the record holds."""
    schema = _schema()
    found = schema.remarks(statement) or [
        *_subject(statement),
        *schema.languages(statement, pack),
        *_forbidden(statement),
    ]
    return to_findings(found, language, pack.fallback)


def check_held(
    statement: Mapping[str, Any],
    held: Mapping[int, Collection[str]],
    pack: Pack,
    language: str,
) -> tuple[Finding, ...]:
    """Return findings for what a redaction names and the record does not hold.

    `held` are the pointers of the members that are left, by version.
    """
    found = [*_unknown_versions(statement, held), *_unheld(statement, held)]
    return to_findings(found, language, pack.fallback)


def selected_versions(
    statement: Mapping[str, Any], held: Mapping[int, Collection[str]]
) -> list[int]:
    """Return the versions of a redaction: those named, or every one that holds what it names."""
    # A whole number may have been encoded as 1.0.
    named = {int(version) for version in statement.get("versions") or held}
    return [
        version
        for version in sorted(named)
        if any(covers(statement["pointers"], member) for member in held.get(version, ()))
    ]


def replaced_by_mark(
    statement: Mapping[str, Any], shown: Mapping[int, Document]
) -> dict[int, dict[str, Any]]:
    """Return what takes the place of members that have some of the words, by version and pointer.

    `shown` are the versions as readers are shown them.
    """
    words = statement["words"]
    found: dict[int, dict[str, Any]] = {}
    for version, document in shown.items():
        for member, value in named_members(document, statement["pointers"]):
            changed = without_words(value, words)
            if changed != value:
                found.setdefault(version, {})[member] = changed
    return found


def check_replaced(
    statement: Mapping[str, Any],
    shown: Mapping[int, Document],
    replaced: Mapping[int, Mapping[str, Any]],
    *,
    pack: Pack,
    language: str,
) -> tuple[Finding, ...]:
    """Return findings for words that are nowhere, and for what may not have a mark in it."""
    found = []
    for at, word in enumerate(statement["words"]):
        if not replaced_by_mark({**statement, "words": [word]}, shown):
            nowhere = message("These words are nowhere in what the pointers name.")
            place = pointer(("words", at))
            found.append(PendingFinding(pointer=place, rule="held", messages=(nowhere,)))
    for version, instead in replaced.items():
        before = _errors(shown[version], pack)
        for broken, _ in sorted(_errors(placed(shown[version], instead), pack) - before):
            said = message(
                "{pointer} of version {version} is no text in which words can be replaced. Name "
                "the texts alone.",
                pointer=broken,
                version=version,
            )
            found.append(PendingFinding(pointer="/words", rule="text", messages=(said,)))
    return to_findings(found, language, pack.fallback)


def _errors(document: Document, pack: Pack) -> set[tuple[str, str]]:
    found, _ = draft_findings(document, pack=pack)
    return {(one.pointer, one.rule) for one in found}


def _subject(statement: Any) -> Iterator[PendingFinding]:
    if ("record" in statement) == ("entry" in statement):
        one = message("Name a record, or an entry that is no version of one.")
        yield PendingFinding(pointer="/record", rule="subject", messages=(one,))
    for at, word in enumerate(statement.get("words", ())):
        if len(word) < SHORTEST_WORDS:
            short = message("Name at least {number} letters.", number=SHORTEST_WORDS)
            yield PendingFinding(pointer=pointer(("words", at)), rule="words", messages=(short,))
    if "entry" in statement:
        for name in sorted({"versions", "words"} & statement.keys()):
            alone = message("This goes with a record alone.")
            yield PendingFinding(pointer=pointer((name,)), rule="subject", messages=(alone,))


def _forbidden(statement: Any) -> Iterator[PendingFinding]:
    is_kept_but_for_words = statement["basis"] in PRIVACY and "words" in statement
    if statement["basis"] == WORDS_OF_A_TEXT and "words" not in statement:
        words = message("Write the words to be replaced by a mark, as the texts have them.")
        yield PendingFinding(pointer="/words", rule="required", messages=(words,))
        return
    for at, named in enumerate(statement["pointers"]):
        place = pointer(("pointers", at))
        if "entry" in statement and _meets(named, (f"/{REPLACED}",)):
            shown = message(
                "What is shown in the place of erased words is erased by the record and the "
                "pointer of the text."
            )
            yield PendingFinding(pointer=place, rule="held", messages=(shown,))
        elif _meets(named, KEPT):
            never = message(
                "{pointer} is never erased: it says which record this is.", pointer=named
            )
            yield PendingFinding(pointer=place, rule="kept", messages=(never,))
        elif statement["basis"] != COURT and not is_kept_but_for_words and _meets(named, PROTECTED):
            court = message(
                "{pointer} is erased on the basis of a court’s decision alone: everybody must be "
                "able to read it.",
                pointer=named,
            )
            words = message("Personal data in it is replaced by a mark: name the words.")
            said = (court, words) if statement["basis"] in PRIVACY else (court,)
            yield PendingFinding(pointer=place, rule="protected", messages=said)


def takes_authority(basis: str, pointers: Sequence[str]) -> bool:
    """Return whether an agency cannot confirm it: a court's order on what everybody may read."""
    return basis == COURT and any(_meets(named, PROTECTED) for named in pointers)


def _meets(named: str, kept: Sequence[str]) -> bool:
    """Return whether a pointer is one of some, or within one, or above one."""
    return any(
        f"{named}/".startswith(f"{one}/") or f"{one}/".startswith(f"{named}/") for one in kept
    )


def _unknown_versions(
    statement: Mapping[str, Any], held: Mapping[int, Collection[str]]
) -> Iterator[PendingFinding]:
    for at, version in enumerate(statement.get("versions") or ()):
        if version not in held:
            unknown = message("There is no version {version} of this record.", version=version)
            yield PendingFinding(
                pointer=pointer(("versions", at)), rule="version", messages=(unknown,)
            )


def _unheld(
    statement: Mapping[str, Any], held: Mapping[int, Collection[str]]
) -> Iterator[PendingFinding]:
    versions = statement.get("versions") or held
    members = {member for version in versions for member in held.get(version, ())}
    for at, named in enumerate(statement["pointers"]):
        if any(covers([named], member) for member in members):
            continue
        within = pointer(parts(named)[:2])
        if within in members or pointer(parts(named)[:1]) in members:
            whole = within if within in members else pointer(parts(named)[:1])
            said = message(
                "{pointer} is a part of what was committed to as a whole; name {whole}.",
                pointer=named,
                whole=whole,
            )
        else:
            said = message(
                "There is nothing at {pointer} in these versions, or it was erased already.",
                pointer=named,
            )
        yield PendingFinding(pointer=pointer(("pointers", at)), rule="held", messages=(said,))


@cache
def _schema() -> StatementSchema:
    return StatementSchema(redaction_schema())


def redaction_schema() -> dict[str, Any]:
    """Return the JSON Schema of a redaction statement."""
    line = {"$ref": "#/$defs/Line"}
    return {
        "description": "What is to be erased of a record, on which basis, and who decided "
        "it.\n\nPointers name parts such as `/contact/phone`, or whole sections such as "
        "`/contact`. Without `versions` it is every version that holds them. With `words` these "
        "alone go: a mark takes their place in the texts named. In the place of `record`, `entry` "
        "names a withdrawal, an attestation or a redaction by its number in the log: its `/note`, "
        "`/contact`, `/authority` or `/reference`.",
        "type": "object",
        "properties": {
            "record": {"title": "Record", "$ref": "#/$defs/RecordId"},
            "entry": {
                "title": translatable("Entry"),
                "description": translatable(
                    "Write the number of an entry of the log that is no version."
                ),
                "type": "integer",
                "minimum": 1,
            },
            "versions": {
                "title": translatable("Versions"),
                "description": translatable("Write numbers of versions, such as 1."),
                "type": "array",
                "items": {"type": "integer", "minimum": 1},
                "minItems": 1,
                "maxItems": MOST_VERSIONS,
                "uniqueItems": True,
            },
            "pointers": {
                "title": translatable("Pointers"),
                "description": translatable(
                    "Write pointers such as /contact/phone or /documents/0."
                ),
                "type": "array",
                "items": {"type": "string", "maxLength": LONGEST_POINTER, "pattern": _POINTER},
                "minItems": 1,
                "maxItems": MOST_POINTERS,
                "uniqueItems": True,
            },
            "words": {
                "title": translatable("Words"),
                "description": translatable(
                    "Write the words to be replaced by a mark, as the texts have them."
                ),
                "type": "array",
                "items": {**line, "maxLength": LONGEST_WORDS},
                "minItems": 1,
                "maxItems": MOST_WORDS,
                "uniqueItems": True,
            },
            "basis": {
                "title": translatable("Basis"),
                "type": "string",
                "enum": list(codelists()["redaction_reason"]),
            },
            "authority": {"title": "Authority", **line, "maxLength": AUTHORITY_LENGTH},
            "reference": {"title": "Reference", **line, "maxLength": REFERENCE_LENGTH},
        },
        "required": ["pointers", "basis", "authority"],
        "additionalProperties": False,
        "$defs": record_schema()["$defs"],
    }
