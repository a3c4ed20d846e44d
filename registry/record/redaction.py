"""Redaction statements: what is to be erased, by which authority, on which basis.

Facts that the public must always be able to read are erased only if a court orders it, and what
identifies the record never.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from registry.errors import Finding
from registry.record.codelists import codelists
from registry.record.erasure import covers
from registry.record.messages import PendingFinding, message, to_finding, translatable
from registry.record.pack import Pack
from registry.record.pointers import parts, pointer
from registry.record.schema import record_schema
from registry.record.statements import StatementSchema

COURT = "court"

SOURCE_BASIS = "source"
"""The basis, which nobody can state, of a redaction that follows one at another register."""

KEPT = ("/id", "/schema_version")
"""What is never erased: without these nobody could identify the record, or read it."""

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
"""What is erased only on the basis of a court's order: sections, and members of one."""

MOST_POINTERS = 50
MOST_VERSIONS = 500
LONGEST_POINTER = 100
AUTHORITY_LENGTH = 200
REFERENCE_LENGTH = 150

_POINTER = r"^(/([^/~\u0000-\u001F\u007F]|~[01])+)+$"


def check(statement: object, pack: Pack, language: str) -> tuple[Finding, ...]:
    """Return the findings of a redaction statement, whatever the record holds."""
    form = _form()
    found = form.remarks(statement) or [
        *form.languages(statement, pack),
        *_forbidden(statement),
    ]
    return _told(found, pack, language)


def check_held(
    statement: Mapping[str, Any],
    held: Mapping[int, Collection[str]],
    pack: Pack,
    language: str,
) -> tuple[Finding, ...]:
    """Return findings for what a redaction names and the record does not hold.

    `held` are the pointers of the members that are left, by version.
    """
    return _told([*_unknown_versions(statement, held), *_unheld(statement, held)], pack, language)


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


def _forbidden(statement: Any) -> Iterator[PendingFinding]:
    for at, asked in enumerate(statement["pointers"]):
        place = pointer(("pointers", at))
        if _meets(asked, KEPT):
            never = message(
                "{pointer} is never erased: it says which record this is.", pointer=asked
            )
            yield PendingFinding(pointer=place, rule="kept", messages=(never,))
        elif statement["basis"] != COURT and _meets(asked, PROTECTED):
            court = message(
                "{pointer} is erased on the basis of a court’s decision alone: everybody must be "
                "able to read it.",
                pointer=asked,
            )
            yield PendingFinding(pointer=place, rule="protected", messages=(court,))


def _meets(asked: str, kept: Sequence[str]) -> bool:
    """Return whether a pointer is one of some, or within one, or above one."""
    return any(
        f"{asked}/".startswith(f"{one}/") or f"{one}/".startswith(f"{asked}/") for one in kept
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
    for at, asked in enumerate(statement["pointers"]):
        if any(covers([asked], member) for member in members):
            continue
        within = pointer(parts(asked)[:2])
        if within in members or pointer(parts(asked)[:1]) in members:
            whole = within if within in members else pointer(parts(asked)[:1])
            said = message(
                "{pointer} is a part of what was committed to as a whole; name {whole}.",
                pointer=asked,
                whole=whole,
            )
        else:
            said = message(
                "There is nothing at {pointer} in these versions, or it was erased already.",
                pointer=asked,
            )
        yield PendingFinding(pointer=pointer(("pointers", at)), rule="held", messages=(said,))


def _told(found: Sequence[PendingFinding], pack: Pack, language: str) -> tuple[Finding, ...]:
    found = sorted(found, key=lambda remark: (remark.pointer, remark.rule))
    return tuple(to_finding(remark, language, pack.fallback) for remark in found)


@cache
def _form() -> StatementSchema:
    line = {"$ref": "#/$defs/Line"}
    return StatementSchema(
        {
            "type": "object",
            "properties": {
                "record": {"title": "Record", "$ref": "#/$defs/RecordId"},
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
                "basis": {
                    "title": translatable("Basis"),
                    "type": "string",
                    "enum": list(codelists()["redaction_reason"]),
                },
                "authority": {"title": "Authority", **line, "maxLength": AUTHORITY_LENGTH},
                "reference": {"title": "Reference", **line, "maxLength": REFERENCE_LENGTH},
            },
            "required": ["record", "pointers", "basis", "authority"],
            "additionalProperties": False,
            "$defs": record_schema()["$defs"],
        }
    )
