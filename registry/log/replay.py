"""The log as a state machine: whether each entry may stand where it does, and what follows from it.

It needs nothing but entries and blobs: their form, times that never decrease, and for each record,
and each agency's attestations, the chain of entries in which nothing is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from registry.log.blob import (
    Content,
    ContentRefused,
    ErasedMember,
    check_content,
    check_replaced_items,
    verdict_digest,
)
from registry.log.entry import (
    AgencyEntry,
    ConfigurationEntry,
    GenesisEntry,
    ImportEntry,
    KeyEntry,
    LogEntry,
    OriginEntry,
    PolicyEntry,
    Previous,
    RedactionEntry,
    SourceEntry,
    VersionEntry,
    WithdrawalEntry,
    read_entry,
)
from registry.log.erasure import REPLACED, covers
from registry.log.files import LogRefused
from registry.log.key_chain import KeyChain, KeyRefused
from registry.record.ids import agency_of
from registry.record.short_code import is_code
from registry.tlog.hashing import leaf_hash


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


class _SaidErased(msgspec.Struct, frozen=True, kw_only=True):
    where: str
    index: int
    entry: LogEntry
    member: ErasedMember


class _SaidLeft(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict, by the redaction that it names if any; `erasers` are all that its content has."""

    where: str
    index: int
    digest: str
    redaction: int | None
    erasers: set[int]


def entry_at(where: str, index: int, content: bytes) -> LogEntry:
    """Return an entry as it reads; raises `LogInconsistent` where its form is none of an entry."""
    try:
        return read_entry(content)
    except ValueError as error:
        raise LogInconsistent(where, index, str(error)) from error


class LogReplay:
    """How far a replay has come; it need not begin at the first entry.

    `keys` are those of the log so far, which a replay that begins later has to be given. `policy`
    is the text of the policy of witnesses that was logged last.
    """

    def __init__(
        self,
        *,
        at: str = "",
        keys: KeyChain | None = None,
        last: Mapping[str, ChainHead] | None = None,
    ) -> None:
        """Begin with the first entry, or after one at a time, with the `last` of each chain."""
        self.at = at
        self.keys = keys
        self.last = dict(last or {})
        self.policy: str | None = None
        self.redactions: dict[int, RedactionEntry] = {}
        self._erased_members: list[_SaidErased] = []
        """The members that blobs say were erased, until their redaction is met."""
        self._left_verdicts: list[_SaidLeft] = []
        """The verdicts of versions of which redactions erased something, as the members are."""
        self.codes: dict[str, str] = {}
        """The records by the short codes given so far."""
        self._invented_before = ""
        """Times before it are a demonstration's, and `_invented` the agencies that have one."""
        self._invented: set[str] = set()

    def step(self, where: str, index: int, content: bytes) -> LogEntry:
        """Return the next entry as it reads, once it was checked; raises `LogInconsistent`."""
        entry = entry_at(where, index, content)
        why = self._fault(index, entry)
        if why is not None:
            raise LogInconsistent(where, index, why)
        try:
            self.keys = self._keys_after(index, entry)
        except KeyRefused as error:
            raise LogInconsistent(where, index, str(error)) from error
        self.at = entry.at
        if (name := entry.subject) is not None:
            before = self.last.get(name)
            version = (
                entry.version if isinstance(entry, VersionEntry) else before and before.version
            )
            leaf = leaf_hash(content).hex()
            self.last[name] = ChainHead(index=index, leaf=leaf, version=version or 0)
        self._note(index, entry)
        return entry

    def step_content(self, where: str, index: int, entry: LogEntry, content: bytes) -> Content:
        """Check an entry's blob, and take what follows from both; raises `LogInconsistent`."""
        try:
            checked = check_content(
                content,
                index=index,
                commitments=entry.commitments,
                digest=entry.digest,
                left=entry.left,
            )
            if isinstance(entry, RedactionEntry):
                check_replaced_items(checked.sections.get(REPLACED))
        except ContentRefused as error:
            raise LogInconsistent(where, index, str(error)) from error
        self.note_content(where, index, entry, checked)
        self.take(index, entry, checked)
        return checked

    def take(self, index: int, entry: LogEntry, content: Content) -> None:
        """Take an entry that was checked, with its content; here nothing is kept of it."""

    def note_content(self, where: str, index: int, entry: LogEntry, content: Content) -> None:
        """Remember what an entry's content says that redactions have changed of it."""
        self._erased_members += [
            _SaidErased(where=where, index=index, entry=entry, member=one) for one in content.erased
        ]
        if content.verdict is not None and content.redactions:
            said = _SaidLeft(
                where=where,
                index=index,
                digest=verdict_digest(content.verdict),
                redaction=content.verdict.get("redaction"),
                erasers=content.redactions,
            )
            self._left_verdicts.append(said)

    def check_erased(self) -> None:
        """Check that for whatever was erased an entry says so; raises `LogInconsistent`."""
        for one in self._erased_members:
            pointer, number = one.member.pointer, one.member.redaction
            redaction = self.redactions.get(number)
            if (
                redaction is None
                or number <= one.index
                or not redaction.names(one.index, one.entry)
                or not covers(redaction.pointers, pointer)
            ):
                why = f"{pointer} is erased, and entry {number} does not say so"
                raise LogInconsistent(one.where, one.index, why)
        self._erased_members.clear()
        for left in self._left_verdicts:
            by = left.redaction
            if by is not None and (
                by <= left.index or self._verdict_by(by, left.index) != left.digest
            ):
                why = f"its verdict is not the one that entry {by} leaves of it"
                raise LogInconsistent(left.where, left.index, why)
            stating = [one for one in left.erasers if self._verdict_by(one, left.index) is not None]
            if (last := max(stating, default=None)) != by:
                why = f"its verdict is older than the one that entry {last} leaves of it"
                raise LogInconsistent(left.where, left.index, why)
        self._left_verdicts.clear()

    def _verdict_by(self, redaction: int, index: int) -> str | None:
        """Return the digest of the verdict that a redaction leaves of a version, if it does."""
        entry = self.redactions.get(redaction)
        return None if entry is None else entry.verdicts.get(str(index))

    def _note(self, index: int, entry: LogEntry) -> None:
        """Remember what later entries are checked by."""
        match entry:
            case RedactionEntry():
                self.redactions[index] = entry
            case VersionEntry(code=str(code)):
                self.codes[code] = entry.id
            case PolicyEntry():
                self.policy = entry.policy
            case GenesisEntry():
                self._invented_before = entry.demonstration or ""
        if isinstance(entry, VersionEntry | WithdrawalEntry) and entry.at < self._invented_before:
            self._invented.add(agency_of(entry.id))

    def _keys_after(self, index: int, entry: LogEntry) -> KeyChain | None:
        if isinstance(entry, GenesisEntry):
            return KeyChain.begin(entry)
        if self.keys is None and isinstance(entry, KeyEntry):
            raise KeyRefused("its key follows none that is known")
        return None if self.keys is None else self.keys.step(index, entry)

    def _fault(self, index: int, entry: LogEntry) -> str | None:
        if isinstance(entry, GenesisEntry) != (index == 0):
            return "the log must begin with its genesis entry, and have no other"
        if (why := self._time_fault(entry)) is not None:
            return why
        name = entry.subject
        if name is None and isinstance(entry, RedactionEntry) and entry.agency is None:
            return "it does not say whose it is"
        return self._chain_fault(name, entry) or self._code_fault(entry)

    def _time_fault(self, entry: LogEntry) -> str | None:
        """Return what is wrong with a time; only a demonstration invents one, of what is none."""
        if entry.at < self.at:
            return f"its time {entry.at} is before that of the entry before it, {self.at}"
        if isinstance(entry, GenesisEntry):
            if entry.demonstration is not None and not entry.demonstration > entry.at:
                return "it is a demonstration's, and does not say until when times are invented"
        elif (
            isinstance(entry, AgencyEntry)
            and entry.agency in self._invented
            and not entry.fictitious
        ):
            return "entries of this agency have invented times, and it is not fictitious"
        elif entry.at < self._invented_before and not isinstance(
            entry, VersionEntry | WithdrawalEntry
        ):
            return "its time is invented, as only those of records may be in a demonstration"
        return None

    def _chain_fault(self, name: str | None, entry: LogEntry) -> str | None:
        if name is None or isinstance(
            entry,
            GenesisEntry | KeyEntry | PolicyEntry | ConfigurationEntry | OriginEntry | ImportEntry,
        ):
            return None
        before = self.last.get(name)
        expected = None if before is None else Previous(index=before.index, leaf=before.leaf)
        if entry.prev != expected:
            found = "none" if before is None else f"entry {before.index}"
            return f"its prev is not the entry of {name} before it, which is {found}"
        in_force = 0 if before is None else before.version
        match entry:
            case VersionEntry(version=version) if version != in_force + 1:
                return f"it is version {version} of {name} after version {in_force}"
            case WithdrawalEntry(version=version) if version != in_force:
                return f"it withdraws version {version} of {name}, the latest is {in_force}"
            case SourceEntry(version=version) if version != in_force:
                return f"it is about version {version} of {name}, the latest is {in_force}"
        return None

    def _code_fault(self, entry: LogEntry) -> str | None:
        """Return what is wrong with the short code that an entry gives, if it gives one."""
        if not isinstance(entry, VersionEntry) or entry.code is None:
            return None
        if not is_code(entry.code):
            return f"{entry.code} is no short code"
        if entry.origin is not None or entry.version != 1:
            return f"it gives {entry.id} a short code, which it may not"
        if entry.code in self.codes:
            return f"its short code {entry.code} is that of {self.codes[entry.code]}"
        return None
