"""Walking the log from its first entry: whether each entry may stand where it does.

What is checked here needs nothing but the entries: their form, times that never decrease, and for
each record, and each agency's attestations, the chain of entries in which nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from registry.ledger.entry_shapes import shape_fault
from registry.ledger.files import LogRefused
from registry.ledger.key_chain import KeyChain, KeyRefused
from registry.record.agency_entry import agency_subject
from registry.record.canonical import canonical
from registry.record.content_file import (
    Content,
    ContentRefused,
    ErasedMember,
    check_content,
    check_replaced_items,
)
from registry.record.erasure import REPLACED, covers
from registry.record.ids import agency_of
from registry.record.short_code import is_code
from registry.tlog.hashing import leaf_hash

OF_AGENCIES = frozenset({"attestation", "agency"})
"""The kinds of entries that are about an agency."""

_OF_RECORDS = {"version", "withdrawal"}
_OF_THE_LOG = {"genesis", "key", "policy"}


class LogInconsistent(LogRefused):
    """The first thing that does not fit: in which file or table, at which entry, and why."""

    def __init__(self, where: str, index: int | None, why: str) -> None:
        """Take the place and the reason; not everything in a file is of one entry."""
        super().__init__(f"{where}{'' if index is None else f', entry {index}'}: {why}")
        self.where = where
        self.index = index
        self.why = why


class ChainHead(msgspec.Struct, frozen=True, kw_only=True):
    """The last entry of a record or agency: index, leaf hash in hex, and version in force."""

    index: int
    leaf: str
    version: int = 0


class LogReplay(msgspec.Struct, kw_only=True):
    """How far a walk has come; a walk need not begin at the first entry.

    `policy` is the text of the policy of witnesses that was logged last.
    `keys` are those of the log so far, which a walk that begins later has to be given.
    `erased` are the members that content files say were erased, until their redaction was met, and
    `unsalted` the entries whose verdict no longer has its salt.
    `codes` are the records by the short codes given so far.
    Times before `invented_before` are a demonstration's, and `invented` the agencies that have one.
    """

    at: str = ""
    keys: KeyChain | None = None
    last: dict[str, ChainHead] = {}
    redactions: dict[int, Mapping[str, Any]] = {}
    erased: list[tuple[str, int, Mapping[str, Any], str, int]] = []
    unsalted: list[tuple[str, int]] = []
    policy: str | None = None
    codes: dict[str, str] = {}
    invented_before: str = ""
    invented: set[str] = set()


def read_entry(where: str, index: int, content: bytes) -> Mapping[str, Any]:
    """Return an entry as it reads; raises `LogInconsistent` where its form is none of an entry."""
    try:
        entry = msgspec.json.decode(content)
        is_canonical = canonical(entry) == content
    except (ValueError, RecursionError) as error:
        raise LogInconsistent(where, index, "it is not JSON") from error
    if not isinstance(entry, dict) or not is_canonical:
        raise LogInconsistent(where, index, "it is not a canonical JSON object")
    why = shape_fault(entry)
    if why is not None:
        raise LogInconsistent(where, index, why)
    return entry


def step(walk: LogReplay, where: str, index: int, content: bytes) -> Mapping[str, Any]:
    """Return the next entry as it reads, once it was checked; raises `LogInconsistent`."""
    entry = read_entry(where, index, content)
    why = _fault(walk, index, entry)
    if why is not None:
        raise LogInconsistent(where, index, why)
    try:
        walk.keys = _keys_after(walk.keys, index, entry)
    except KeyRefused as error:
        raise LogInconsistent(where, index, str(error)) from error
    walk.at = entry["at"]
    name = subject(entry)
    if name is not None:
        before = walk.last.get(name)
        version = entry["version"] if entry["kind"] == "version" else before and before.version
        leaf = leaf_hash(content).hex()
        walk.last[name] = ChainHead(index=index, leaf=leaf, version=version or 0)
    _note(walk, index, entry)
    return entry


def _note(walk: LogReplay, index: int, entry: Mapping[str, Any]) -> None:
    """Remember what later entries are checked by."""
    if entry["kind"] == "redaction":
        walk.redactions[index] = entry
    if "code" in entry:
        walk.codes[entry["code"]] = entry["id"]
    if entry["kind"] == "policy":
        walk.policy = entry["policy"]
    if entry["kind"] == "genesis":
        walk.invented_before = entry.get("demonstration", "")
    elif entry["at"] < walk.invented_before:
        walk.invented.add(agency_of(entry["id"]))


def subject(entry: Mapping[str, Any]) -> str | None:
    """Return the subject of an entry's chain: a record, an agency's attestations, or an agency."""
    kind = entry["kind"]
    if kind in _OF_THE_LOG:
        return None
    found = entry.get("id" if kind not in OF_AGENCIES else "agency")
    if not isinstance(found, str):
        return None
    return agency_subject(found) if kind == "agency" else found


def step_content(
    walk: LogReplay, where: str, index: int, entry: Mapping[str, Any], content: bytes
) -> Content:
    """Check an entry's content file, and note what it says was erased; raises `LogInconsistent`."""
    try:
        checked = check_content(
            content,
            index=index,
            commitments=entry.get("sections", {}),
            digest=digest_of(entry),
        )
        if entry["kind"] == "redaction":
            check_replaced_items(checked.sections.get(REPLACED))
    except ContentRefused as error:
        raise LogInconsistent(where, index, str(error)) from error
    note_erased(walk, where, index, entry, checked.erased)
    if checked.verdict is not None and "salt" not in checked.verdict:
        walk.unsalted.append((where, index))
    return checked


def digest_of(entry: Mapping[str, Any]) -> str | None:
    """Return the digest of the verdict that an entry commits to, None of what is no version."""
    return entry["verdict"]["digest"] if entry["kind"] == "version" else None


def note_erased(
    walk: LogReplay,
    where: str,
    index: int,
    entry: Mapping[str, Any],
    erased: Iterable[ErasedMember],
) -> None:
    """Remember what is said to be erased of an entry's content."""
    walk.erased += [(where, index, entry, one.pointer, one.redaction) for one in erased]


def check_erased(walk: LogReplay) -> None:
    """Check that for whatever was erased an entry says so; raises `LogInconsistent`."""
    for where, index, entry, pointer, redaction in walk.erased:
        said = walk.redactions.get(redaction)
        if (
            said is None
            or redaction <= index
            or not _names(said, index, entry)
            or not covers(said["pointers"], pointer)
        ):
            raise LogInconsistent(
                where, index, f"{pointer} is erased, and entry {redaction} does not say so"
            )
    walk.erased.clear()


def _names(said: Mapping[str, Any], index: int, entry: Mapping[str, Any]) -> bool:
    """Return whether a redaction's entry names another entry."""
    if entry["kind"] == "version":
        return said.get("id") == entry["id"] and entry["version"] in said.get("versions", ())
    owner = ("id", "agency")
    is_owned = [said.get(name) for name in owner] == [entry.get(name) for name in owner]
    return is_owned and index in said.get("entries", ())


def check_unsalted(walk: LogReplay) -> None:
    """Check of a whole log that only where something was redacted later a salt is gone."""
    last = max(walk.redactions, default=-1)
    for where, index in walk.unsalted:
        if index > last:
            raise LogInconsistent(where, index, "its verdict has no salt, and nothing was redacted")
    walk.unsalted.clear()


def _keys_after(keys: KeyChain | None, index: int, entry: Mapping[str, Any]) -> KeyChain | None:
    if entry["kind"] == "genesis":
        return KeyChain.begin(entry)
    if keys is None and entry["kind"] == "key":
        raise KeyRefused("its key follows none that is known")
    return None if keys is None else keys.step(index, entry)


def _fault(walk: LogReplay, index: int, entry: Mapping[str, Any]) -> str | None:
    kind = entry["kind"]
    if (kind == "genesis") != (index == 0):
        return "the log must begin with its genesis entry, and have no other"
    if (why := _time_fault(walk, entry)) is not None:
        return why
    name = subject(entry)
    if name is None and kind == "redaction" and "agency" not in entry:
        return "it does not say whose it is"
    chained = None if name is None else _chain_fault(walk.last.get(name), name, entry)
    return chained or _code_fault(walk, name, entry)


def _time_fault(walk: LogReplay, entry: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a time; only a demonstration invents one, of what is fictitious."""
    kind = entry["kind"]
    if entry["at"] < walk.at:
        return f"its time {entry['at']} is before that of the entry before it, {walk.at}"
    if kind == "genesis":
        if "demonstration" in entry and not entry["demonstration"] > entry["at"]:
            return "it is a demonstration's, and does not say until when times are invented"
    elif kind == "agency" and entry["agency"] in walk.invented and not entry["fictitious"]:
        return "entries of this agency have invented times, and it is not fictitious"
    elif entry["at"] < walk.invented_before and kind not in _OF_RECORDS:
        return "its time is invented, as only those of records may be in a demonstration"
    return None


def _chain_fault(before: ChainHead | None, name: str, entry: Mapping[str, Any]) -> str | None:
    stated = entry["prev"]
    expected = None if before is None else {"index": before.index, "leaf": before.leaf}
    if stated != expected:
        found = "none" if before is None else f"entry {before.index}"
        return f"its prev is not the entry of {name} before it, which is {found}"
    in_force = 0 if before is None else before.version
    kind = entry["kind"]
    if kind == "version" and entry["version"] != in_force + 1:
        return f"it is version {entry['version']} of {name} after version {in_force}"
    if kind == "withdrawal" and entry["version"] != in_force:
        return f"it withdraws version {entry['version']} of {name}, the latest is {in_force}"
    if kind == "source" and entry["version"] != in_force:
        return f"it is about version {entry['version']} of {name}, the latest is {in_force}"
    return None


def _code_fault(walk: LogReplay, name: str | None, entry: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the short code that an entry gives, if it gives one."""
    if "code" not in entry:
        return None
    code = entry["code"]
    if not is_code(code):
        return f"{code} is no short code"
    if "origin" in entry or entry["kind"] != "version" or entry["version"] != 1:
        return f"it gives {name} a short code, which it may not"
    if code in walk.codes:
        return f"its short code {code} is that of {walk.codes[code]}"
    return None
