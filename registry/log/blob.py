"""Content files: what an entry commits to, in `log/content/<index>.json` beside the log.

    {"index": 42, "sections": {"contact": [
        ["/contact/email", {"salt": "…", "value": "…"}],
        ["/contact/phone", {"commitment": "…", "redaction": 57}]]},
     "verdict": {"findings": […], "missing": […], "salt": "…"}}

Each section lists its members, sorted by pointer: with salt and value, or, where the member is
erased, with its commitment and the index of the redaction's entry. The bytes are canonical JSON.
The entry itself has one commitment for each section; the log never holds text that can be erased.

The entry of a version has `"verdict": {"rules", "completeness", "accountability", "digest"}`. The
digest is of the pointers that are missing and of the findings, with a salt of its own, since
findings quote texts that may be erased: SHA-256 of the RFC 8785 form of
`["registry/verdict/1", salt, missing, findings]`, base64url. Salt and lists stand in the blob's
`verdict`. The entry of a redaction that drops findings has the digest of what is left, with a fresh
salt; once it is carried out, the blob's `verdict` has these, and the redaction's index as its
`redaction`. Until then they stand in the redaction's own blob, as `verdicts`, by entry.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import msgspec

from registry.errors import Finding
from registry.log.disclosure_tree import (
    SALT_BYTES,
    base64url,
    commitments_of,
    read_hashes,
    salted,
)
from registry.log.erasure import placed, readable, remaining_members, replaced_members
from registry.record.canonical import canonical, encoder
from registry.record.model import Document
from registry.record.pointers import parts

_BASE64URL_32 = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_KEPT = {"salt", "value"}
_ERASED = {"commitment", "redaction"}
_VERDICT = {"findings", "missing", "salt"}
_NONE: Mapping[str, str] = MappingProxyType({})


class ContentRefused(ValueError):
    """A content file is malformed, or does not match the commitments of its entry."""


class ErasedMember(msgspec.Struct, frozen=True, kw_only=True):
    """An erased member: its commitment, base64url, and the index of the redaction's entry."""

    pointer: str
    commitment: str
    redaction: int


class KeptSection(msgspec.Struct, frozen=True, kw_only=True):
    """A section as stored: canonical JSON, the salts of the members left, the erased members."""

    key: str
    value: str
    salts: bytes
    erased: tuple[ErasedMember, ...] = ()


class KeptVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a version as it is kept; `salt` is 32 bytes.

    `redaction` is the one whose entry has its digest, None where the version's own has.
    """

    missing: Sequence[str]
    findings: Sequence[Finding]
    salt: bytes
    redaction: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the member `verdict` of the content file."""
        said: dict[str, Any] = {
            "missing": list(self.missing),
            "findings": msgspec.to_builtins(list(self.findings)),
            "salt": base64url(self.salt),
        }
        return said | ({} if self.redaction is None else {"redaction": self.redaction})


def kept_verdict(verdict: Mapping[str, Any]) -> KeptVerdict:
    """Return the member `verdict` of a content file that was checked."""
    return KeptVerdict(
        missing=verdict["missing"],
        findings=msgspec.convert(verdict["findings"], tuple[Finding, ...]),
        salt=base64.urlsafe_b64decode(verdict["salt"] + "="),
        redaction=verdict.get("redaction"),
    )


def verdict_digest(verdict: Mapping[str, Any]) -> str:
    """Return the digest of the member `verdict` of a content file."""
    whole = ["registry/verdict/1", verdict["salt"], verdict["missing"], verdict["findings"]]
    return base64url(sha256(canonical(whole)).digest())


class _Replaced(msgspec.Struct):
    pointer: str
    versions: list[int]
    value: Any


class _VerdictLists(msgspec.Struct):
    findings: list[Finding]
    missing: list[str]


class Content(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A content file that was checked against its entry: members by section, erased members.

    `verdict` is as the file has it, if it has one, and `left` are the verdicts that a redaction
    leaves once it is carried out, by the index of the version's entry.
    """

    index: int
    listed: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]
    erased: Sequence[ErasedMember]
    verdict: Mapping[str, Any] | None = None
    left: Mapping[str, Mapping[str, Any]] = {}

    @property
    def redactions(self) -> set[int]:
        """The redactions by which it is not what the entry commits to any more."""
        named = {one.redaction for one in self.erased}
        by = None if self.verdict is None else self.verdict.get("redaction")
        return named if by is None else named | {by}

    @cached_property
    def values(self) -> dict[str, Any]:
        """The values of the sections, without their erased members."""
        return {key: _assembled(key, listed) for key, listed in self.listed.items()}

    @cached_property
    def sections(self) -> dict[str, KeptSection]:
        """The sections as stored; computed when they are needed, which is rare."""
        encode = encoder(self.values)
        return {
            key: KeptSection(
                key=key,
                value=encode(value).decode(),
                salts=read_hashes([said["salt"] for _, said in self.listed[key] if "salt" in said]),
                erased=tuple(
                    ErasedMember(pointer=pointer, **said)
                    for pointer, said in self.listed[key]
                    if "salt" not in said
                ),
            )
            for key, value in self.values.items()
        }


def replaced_items(section: KeptSection | None) -> list[Any] | None:
    """Return the items of a redaction's section `replaced`, of an erased one the redaction's index.

    None where there is no such section.
    """
    if section is None:
        return None
    items: list[Any] = msgspec.json.decode(section.value)
    for member in section.erased:
        items[int(parts(member.pointer)[1])] = member.redaction
    return items


def check_replaced_items(section: KeptSection | None) -> None:
    """Check the form of a redaction's section `replaced`; raises `ContentRefused`."""
    try:
        msgspec.convert(replaced_items(section), list[_Replaced | int] | None)
    except (ValueError, TypeError, LookupError) as error:
        raise ContentRefused(
            f"what it shows in the place of members is no list: {error}"
        ) from error


def shown(
    document: Document,
    erased: Sequence[tuple[str, int]],
    read: Callable[[int], Any],
    *,
    version: int,
) -> Document:
    """Return a version's document as readers are shown it, from what its content file has left.

    `erased` are pointers with the redactions that erased these members. `read` returns the items of
    a redaction's section `replaced`, as `replaced_items` does.
    """
    replaced: dict[str, Any] = {}
    for pointer, redaction in erased:
        instead = replaced_members(redaction, read, version=version)
        if pointer in instead:
            replaced[pointer] = instead[pointer]
    return readable(placed(document, replaced), [pointer for pointer, _ in erased])


def content_path(index: int) -> str:
    """Return the path of an entry's content, relative to the log's prefix."""
    return f"content/{index}.json"


def bundle_of_contents(number: int) -> str:
    """Return the path of the contents of 256 consecutive entries, relative to the log's prefix.

    It has the file of each on a line of its own, as far as the log is published.
    """
    return f"content/bundle/{number}"


def content_file(
    index: int,
    sections: Sequence[KeptSection],
    verdict: KeptVerdict | None = None,
    left: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the bytes of the file of an entry's content; `left` is JSON, as in `Content`."""
    listed = _listed(sections, {one.key: msgspec.json.decode(one.value) for one in sections})
    # The canonical encoding knows no tuples.
    members = {key: [list(member) for member in several] for key, several in listed.items()}
    content = {"index": index, "sections": members}
    if verdict is not None:
        content["verdict"] = verdict.to_json()
    return canonical(content if left is None else content | {"verdicts": left})


def check_content(
    content: bytes,
    *,
    index: int,
    commitments: Mapping[str, str],
    digest: str | None = None,
    left: Mapping[str, str] = _NONE,
) -> Content:
    """Return the content of a file, checked against the `sections` of its entry.

    `digest` is that of the entry's verdict, if it commits to one, and `left` are those of the
    verdicts that a redaction leaves. A verdict that names a redaction is checked by that one's
    entry. Raises `ContentRefused`.
    """
    try:
        parsed = msgspec.json.decode(content)
        encode = encoder(parsed)
        is_canonical = encode(parsed) == content
    except (ValueError, RecursionError) as error:
        raise ContentRefused("it is not JSON") from error
    if not is_canonical:
        raise ContentRefused("it is not canonical JSON")
    wanted = {"index", "sections"} | ({"verdict"} if digest is not None else set())
    if not isinstance(parsed, dict) or set(parsed) - ({"verdicts"} if left else set()) != wanted:
        raise ContentRefused(f"it does not have {' and '.join(sorted(wanted))}")
    if parsed["index"] != index or type(parsed["index"]) is not int:
        raise ContentRefused("it is of another entry")
    sections = parsed["sections"]
    if not isinstance(sections, dict) or set(sections) != set(commitments):
        raise ContentRefused("it does not have the sections that the entry commits to")
    erased: list[ErasedMember] = []
    for key, listed in sections.items():
        erased += _check_members(key, listed)
    _check_commitments(sections, commitments, encode)
    verdict = parsed.get("verdict")
    if digest is not None:
        is_left = isinstance(verdict, dict) and type(verdict.get("redaction")) is int
        check_verdict(verdict, None if is_left else digest)
    waiting = parsed.get("verdicts", {})
    if "verdicts" in parsed and (not isinstance(waiting, dict) or set(waiting) != set(left)):
        raise ContentRefused("it does not have the verdicts that the entry leaves")
    for entry, one in waiting.items():
        check_verdict(one, left[entry])
    return Content(index=index, listed=sections, erased=erased, verdict=verdict, left=waiting)


def check_verdict(verdict: Any, digest: str | None) -> None:
    """Check a verdict against its digest; without one it names the redaction that has it.

    Raises `ContentRefused`.
    """
    wanted = _VERDICT if digest is not None else _VERDICT | {"redaction"}
    if not isinstance(verdict, dict) or set(verdict) != wanted or not _is_hash(verdict["salt"]):
        raise ContentRefused("its verdict does not have findings, missing and salt")
    try:
        msgspec.convert(verdict, _VerdictLists)
    except ValueError as error:
        raise ContentRefused(
            f"its verdict does not have lists of findings and of what is missing: {error}"
        ) from error
    if digest is not None and verdict_digest(verdict) != digest:
        raise ContentRefused("its verdict is not what the entry commits to")


def check_kept(sections: Sequence[KeptSection], commitments: Mapping[str, str]) -> dict[str, Any]:
    """Check stored sections against the `sections` of their entry, as a file would be.

    Return their values. Raises `ContentRefused`.
    """
    if {section.key for section in sections} != set(commitments):
        raise ContentRefused("there are not the sections that the entry commits to")
    values = {section.key: _value(section) for section in sections}
    encode = encoder(values)
    for section in sections:
        if encode(values[section.key]) != section.value.encode():
            raise ContentRefused(f"section {section.key} is not canonical JSON")
    listed = _listed(sections, values)
    _check_commitments(listed, commitments, encode)
    return values


def _check_commitments(
    listed: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]],
    commitments: Mapping[str, str],
    encode: Callable[[Any], bytes],
) -> None:
    for key, commitment in commitments_of(listed, encode).items():
        if commitment != commitments[key]:
            raise ContentRefused(f"section {key} is not what the entry commits to")


def _value(section: KeptSection) -> Any:
    try:
        return msgspec.json.decode(section.value)
    except ValueError as error:
        raise ContentRefused(f"section {section.key} is not JSON") from error


def _listed(
    sections: Sequence[KeptSection], values: Mapping[str, Any]
) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """Return the members of sections as their file lists them."""
    left = {}
    for one in sections:
        gone = {member.pointer for member in one.erased}
        left[one.key] = remaining_members(one.key, values[one.key], gone)
        if len(one.salts) != SALT_BYTES * len(left[one.key]):
            raise ContentRefused(f"section {one.key} has salts for another number of members")
    listed = salted(left, b"".join(one.salts for one in sections))
    for one in sections:
        if one.erased:
            listed[one.key] += [
                (member.pointer, {"commitment": member.commitment, "redaction": member.redaction})
                for member in one.erased
            ]
            listed[one.key].sort(key=itemgetter(0))
    return listed


def _check_members(key: str, listed: Any) -> list[ErasedMember]:
    """Check the form of a section's list of members; return the erased ones."""
    if not isinstance(listed, list) or not listed or not all(map(_is_pair, listed)):
        raise ContentRefused(f"section {key} is no list of members")
    pointers = [pair[0] for pair in listed]
    if pointers != sorted(set(pointers)):
        raise ContentRefused(f"the members of section {key} are not in order")
    erased: list[ErasedMember] = []
    for pointer, said in listed:
        if said.keys() == _KEPT and _is_hash(said["salt"]):
            continue
        if said.keys() != _ERASED or not _is_hash(said["commitment"]):
            raise ContentRefused(f"{pointer} has neither salt and value nor a commitment")
        if type(said["redaction"]) is not int:
            raise ContentRefused(f"{pointer} does not say which redaction erased it")
        erased.append(ErasedMember(pointer=pointer, **said))
    own = f"/{key}"
    if pointers != [own] and not all(
        pointer.startswith(own + "/") and "/" not in pointer[len(own) + 1 :] for pointer in pointers
    ):
        raise ContentRefused(f"section {key} has members that are not its own")
    return erased


def _assembled(key: str, listed: Sequence[tuple[str, Mapping[str, Any]]]) -> Any:
    """Return a section's value without its erased members."""
    pointers = [pointer for pointer, _ in listed]
    values = {pointer: said["value"] for pointer, said in listed if "value" in said}
    if pointers == [f"/{key}"]:
        return values.get(f"/{key}")
    names = [parts(pointer)[-1] for pointer in pointers]
    if "0" in names and {*names} == {str(at) for at in range(len(names))}:
        # No object of the record format has members of such names.
        return [values.get(f"/{key}/{at}") for at in range(len(names))]
    return {
        name: values[pointer]
        for name, pointer in zip(names, pointers, strict=True)
        if pointer in values
    }


def _is_pair(pair: Any) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2  # noqa: PLR2004
        and isinstance(pair[0], str)
        and isinstance(pair[1], dict)
    )


def _is_hash(text: Any) -> bool:
    return isinstance(text, str) and _BASE64URL_32.fullmatch(text) is not None
