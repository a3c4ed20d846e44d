"""Entries of another register's log: verified, and made ready to be published here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from registry.errors import Unavailable
from registry.hub.peer_site import PeerSite, agency_here
from registry.imports.identity import prefixed
from registry.ledger.publication import SealedDocument, seal_document
from registry.log.blob import Content, content_path, replaced_items, shown
from registry.log.configuration import PACK
from registry.log.entry import (
    AgencyEntry,
    ConfigurationEntry,
    GenesisEntry,
    LogEntry,
    PeerEntry,
    RedactionEntry,
    VersionEntry,
    WithdrawalEntry,
    decode_entry,
)
from registry.log.erasure import REPLACED, standing_items
from registry.log.files import Evidence, RecordProof
from registry.log.replay import ChainHead, LogInconsistent, LogReplay, entry_at
from registry.record.ids import MAX_LENGTH, agency_of, is_id
from registry.record.model import Document
from registry.record.pack import Agency
from registry.record.pointers import parts
from registry.record.statements import NOTE_LENGTH
from registry.record.validate import Verdict, validate
from registry.services.context import ServiceContext
from registry.store.peers import Peer, PeerSubject
from registry.text.locales import TAG
from registry.text.text_safety import first_problem
from registry.tlog.bundle import bundle_path
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.hashing import leaf_hash
from registry.tlog.proof import check_inclusion, nodes_from_tiles, prove_inclusion
from registry.tlog.tile import WIDTH
from registry.tlog.tlog_proof import TlogProof


class Harvested(msgspec.Struct, frozen=True, kw_only=True):
    """A verified entry of a peer's log, made ready.

    `document`, `agency`, `verdict` and `sealed` are of a version, as it is to be published here;
    `texts` are what a withdrawal or redaction commits to. `holes` are the list items that are
    erased there, as `hole` writes them. `evidence` is JSON of the peer's own proof; `fault` says
    why a version cannot be taken. `pack` is JSON of the country pack that the entry commits to.
    """

    index: int
    leaf: bytes
    entry: LogEntry
    subject: str | None
    document: Document | None = None
    agency: Agency | None = None
    verdict: Verdict | None = None
    sealed: SealedDocument | None = None
    texts: Mapping[str, Any] = {}
    holes: Sequence[str] = ()
    evidence: str | None = None
    fault: str | None = None
    pack: str | None = None

    @property
    def source(self) -> PeerEntry:
        """The entry as entries here name it."""
        return PeerEntry(
            index=self.index,
            leaf=self.leaf.hex(),
            at=self.entry.at,
            version=self.entry.version if isinstance(self.entry, VersionEntry) else None,
        )


def id_here(code: str, record: str) -> str:
    """Return the id that a peer's record has here."""
    return f"{code}.{record}"


def is_taken(entry: LogEntry, before: PeerSubject | None) -> bool:
    """Return whether an entry is of a record that is the peer's own: others come from elsewhere."""
    if not isinstance(entry, VersionEntry | WithdrawalEntry | RedactionEntry):
        return False
    if before is not None:
        return before.record is not None
    return not isinstance(entry, VersionEntry) or entry.origin is None


def grouped(work: Sequence[Harvested]) -> list[list[Harvested]]:
    """Part entries, in their order, so that each group has a record once."""
    groups: list[list[Harvested]] = []
    taken: set[str] = set()
    for one in work:
        if not groups or one.subject in taken:
            groups.append([])
            taken.clear()
        groups[-1].append(one)
        taken.add(str(one.subject))
    return groups


def after_entry(one: Harvested, before: PeerSubject | None, record: str | None) -> PeerSubject:
    """Return a subject after an entry."""
    version = one.entry.version if isinstance(one.entry, VersionEntry) else 0
    return PeerSubject(
        subject=str(one.subject),
        index=one.index,
        leaf=one.leaf,
        version=version or (before.version if before is not None else 0),
        record=record if before is None else before.record,
        is_withdrawn=before is not None and before.is_withdrawn,
        holes=sorted({*(before.holes if before is not None else ()), *one.holes}),
    )


def misplaced(record: str, elsewhere: Mapping[str, str | None]) -> str | None:
    """Return why a record cannot have its id here."""
    agency = agency_of(record)
    for name in (agency, record):
        if name in elsewhere:
            return f"{name} belongs to {elsewhere[name] or 'this register itself'} here"
    if not is_id(record):
        return f"its id here, {record}, would have more than {MAX_LENGTH} characters"
    return None


def hole(version: int, pointer: str) -> str:
    """Return how a list item is noted that was erased of a version before it came here."""
    return f"{version} {pointer}"


def left_to_erase(pointers: Sequence[str], version: int, holes: Collection[str]) -> list[str]:
    """Return what is to be erased here of a version of which a redaction there names pointers.

    Items that were never here are left out. The numbers of others in their lists are not those
    that they have there, so that the whole list goes.
    """
    own = {one.partition(" ")[2] for one in holes if one.partition(" ")[0] == str(version)}
    shifted = {parts(one)[0] for one in own}
    return sorted(
        {
            f"/{key}" if (key := parts(one)[0]) in shifted else one
            for one in pointers
            if one not in own
        }
    )


_NAMED_FINDINGS = 3
_MOST_CONTENT = 4 << 20
"""Bytes of an entry's content that are taken: those of 256 entries are in memory at once."""


class SignedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that the peer's checkpoint is of: its bytes and 32-byte leaf hash."""

    index: int
    content: bytes
    leaf: bytes


class EntryMaker:
    """Makes verified entries ready to be published here."""

    def __init__(
        self,
        *,
        site: PeerSite,
        peer: Peer,
        checkpoint: Checkpoint,
        leaves: Sequence[bytes],
        context: ServiceContext,
        names: Mapping[str, Agency],
        today: dt.date,
    ) -> None:
        """Take a checkpoint that is in order, and the leaf hashes of what is not taken in yet."""
        self.site = site
        self.peer = peer
        self.size = checkpoint.size
        self._root = checkpoint.root
        self._leaves = leaves
        self._context = context
        self._names = dict(names)
        self._today = today
        self._nodes = nodes_from_tiles(site.tile, checkpoint.size)

    def bundle(self, number: int) -> list[SignedEntry]:
        """Return the new entries of a bundle.

        Raises `Unavailable` where one is not what the checkpoint is of.
        """
        found = []
        for index, content in enumerate(self._whole(number), number * WIDTH):
            if index < self.peer.applied:
                continue
            leaf = self._leaves[index - self.peer.applied]
            if leaf_hash(content) != leaf:
                raise Unavailable(f"entry {index} is not the one that was signed")
            found.append(SignedEntry(index=index, content=content, leaf=leaf))
        return found

    def verified(
        self,
        walk: LogReplay,
        known: Mapping[str, PeerSubject],
        number: int,
        read: Sequence[SignedEntry],
    ) -> list[Harvested]:
        """Check the chains of a bundle's entries, and make ready those that are taken.

        `known` are the subjects before it. Raises `LogInconsistent` for an entry that may not
        stand where the peer has signed it.
        """
        walk.last = {
            name: ChainHead(index=one.index, leaf=one.leaf.hex(), version=one.version)
            for name, one in known.items()
        }
        where = bundle_path(number)
        said = [walk.step(where, one.index, one.content) for one in read]
        named = {
            one.index: agency
            for one, entry in zip(read, said, strict=True)
            if (agency := _named(self.peer.code, entry)) is not None
        }
        self._names |= {agency.id: agency for agency in named.values()}
        own = {name: one.record is not None for name, one in known.items()}
        wanted = set()
        for one, entry in zip(read, said, strict=True):
            name = entry.subject
            # Whether a subject is the peer's own is decided by its first entry.
            if name is not None and own.setdefault(name, is_taken(entry, None)):
                wanted.add(one.index)
        files = self.site.contents(number) if wanted else {}
        return [
            self._made(one, entry, files.get(one.index))
            if one.index in wanted
            else msgspec.structs.replace(
                _passed_by(one, entry), agency=named.get(one.index), pack=self._pack(one, entry)
            )
            for one, entry in zip(read, said, strict=True)
        ]

    def _pack(self, one: SignedEntry, entry: LogEntry) -> str | None:
        """Return the country pack that an entry commits to; None where it can not be read."""
        if not isinstance(entry, GenesisEntry | ConfigurationEntry) or PACK not in entry.sections:
            return None
        try:
            checked, file = self._content(one.index, entry, None)
        except (LogInconsistent, FileNotFoundError):
            return None
        section = checked.sections.get(PACK)
        is_kept = section is not None and not section.erased and len(file) <= _MOST_CONTENT
        return section.value if section is not None and is_kept else None

    def again(self, indexes: Sequence[int]) -> list[Harvested]:
        """Return entries of a record that was set apart, made of what is there now."""
        return [
            self._made(one, decode_entry(one.content), None) for one in map(self._proven, indexes)
        ]

    def _whole(self, number: int) -> list[bytes]:
        return self.site.bundle(number, min(WIDTH, self.size - number * WIDTH))

    def _proven(self, index: int) -> SignedEntry:
        """Return any entry of the log; raises `Unavailable` where it is not what was signed."""
        number, at = divmod(index, WIDTH)
        content = self._whole(number)[at]
        one = SignedEntry(index=index, content=content, leaf=leaf_hash(content))
        self._prove(one)
        return one

    def _made(self, one: SignedEntry, entry: LogEntry, file: bytes | None) -> Harvested:
        """Return an entry of a record made ready; `file` is its content, if that is there yet."""
        made = _passed_by(one, entry)
        standing: list[Any] = []
        try:
            checked, file = self._content(one.index, entry, file)
            if isinstance(entry, RedactionEntry) and REPLACED in checked.sections:
                items = replaced_items(checked.sections[REPLACED]) or []
                standing = [*standing_items(items, self._replaced)]
        except (LogInconsistent, FileNotFoundError) as error:
            why = error.why if isinstance(error, LogInconsistent) else "it is missing"
            return msgspec.structs.replace(
                made, fault=f"the content of entry {one.index} cannot be taken: {why}"
            )
        if len(file) > _MOST_CONTENT:
            return msgspec.structs.replace(
                made,
                fault=f"the content of entry {one.index} has {len(file):,} bytes, and no more than "
                f"{_MOST_CONTENT:,} are taken",
            )
        if not isinstance(entry, VersionEntry):
            texts = {
                key: msgspec.json.decode(section.value)
                for key, section in checked.sections.items()
                if not section.erased
            }
            if standing:
                texts[REPLACED] = standing
            if not _is_note(texts.get("note")):
                texts.pop("note", None)
            if not is_id(id_here(self.peer.code, str(texts.get("successor")))):
                texts.pop("successor", None)
            return msgspec.structs.replace(made, texts=texts)
        return self._version(made, entry, one, checked, file)

    def _content(self, index: int, entry: LogEntry, file: bytes | None) -> tuple[Content, bytes]:
        """Check an entry's content; one that is not as it should be is read once more, alone."""
        path = content_path(index)
        for content in (file, None):
            try:
                read = self.site.log(path) if content is None else content
                walk = LogReplay()
                checked = walk.step_content(path, index, entry, read)
                for one in checked.redactions:
                    walk.redactions[one] = self._redaction(one)
                walk.check_erased()
            except LogInconsistent:
                if content is None:
                    raise
            else:
                return checked, read
        raise AssertionError("not reached")

    def _redaction(self, index: int) -> RedactionEntry:
        """Return the entry of a redaction that a content names."""
        if not 0 <= index < self.size:
            raise LogInconsistent(content_path(index), index, "there is no such redaction yet")
        entry = entry_at(bundle_path(index // WIDTH), index, self._proven(index).content)
        if not isinstance(entry, RedactionEntry):
            raise LogInconsistent(content_path(index), index, "it is no redaction")
        return entry

    def _replaced(self, redaction: int) -> list[Any] | None:
        """Return what a redaction commits to be shown in the place of members, if it does."""
        entry = self._redaction(redaction)
        if REPLACED not in entry.sections:
            return None
        checked, _ = self._content(redaction, entry, None)
        return replaced_items(checked.sections[REPLACED])

    def _prove(self, one: SignedEntry) -> tuple[bytes, ...]:
        """Return the audit path of an entry to the checkpoint; raises `Unavailable`."""
        index, size = one.index, self.size
        try:
            path = tuple(prove_inclusion(self._nodes, index, size))
            check_inclusion(path, index=index, size=size, leaf=one.leaf, root=self._root)
        except ValueError as error:
            raise Unavailable(f"entry {index} cannot be proven: {error}") from error
        return path

    def _version(
        self, made: Harvested, entry: VersionEntry, one: SignedEntry, checked: Content, file: bytes
    ) -> Harvested:
        code, name = self.peer.code, str(made.subject)
        gone = [each.pointer for each in checked.erased]
        erased = [(each.pointer, each.redaction) for each in checked.erased]
        version = entry.version
        document = prefixed(shown(checked.values, erased, self._replaced, version=version), code)
        if document["id"] != id_here(code, name):
            return msgspec.structs.replace(
                made, fault=f"the document of entry {one.index} is of another record"
            )
        context = self._context
        verdict = validate(
            document,
            profile="foreign",
            pack=context.pack,
            today=self._today,
            fast=context.fast,
        )
        errors = [each for each in verdict.findings if each.severity == "error"]
        if errors:
            named = [f"{each.pointer}: {each.message}" for each in errors[:_NAMED_FINDINGS]]
            return msgspec.structs.replace(
                made, fault=f"the format here does not have what it says: {'; '.join(named)}"
            )
        home = agency_of(name)
        agency = self._names.get(id_here(code, home)) or Agency(
            id=id_here(code, home), name={"en": home}, kind="other", origin=code
        )
        return msgspec.structs.replace(
            made,
            document=document,
            agency=agency,
            verdict=verdict,
            sealed=seal_document(document, agency, context.random),
            holes=[hole(version, each) for each in gone if parts(each)[-1].isdecimal()],
            evidence=self._evidence(entry, one, file),
        )

    def _evidence(self, entry: VersionEntry, one: SignedEntry, file: bytes) -> str:
        """Return the peer's own proof of a version, as it would answer it; JSON text."""
        checkpoint = self.site.note
        proof = TlogProof(index=one.index, path=self._prove(one), checkpoint=checkpoint)
        evidence = Evidence(
            index=one.index,
            leaf=one.leaf.hex(),
            entry=one.content.decode(),
            content=file.decode(),
            proof=proof.to_bytes().decode(),
        )
        kept = RecordProof(
            id=entry.id,
            version=entry.version,
            origin=self.peer.origin,
            key=self.site.keys.last.to_text(),
            version_entry=evidence,
            redactions=[],
            keys=self.site.key_proofs,
        )
        return msgspec.json.encode(kept).decode()


def _named(code: str, entry: LogEntry) -> Agency | None:
    """Return the agency as it is here of which an entry states what is public; None of others."""
    if not isinstance(entry, AgencyEntry) or entry.origin is not None:
        return None
    return agency_here(code, entry.facts)


def _is_note(value: Any) -> bool:
    """Return whether a value is texts by language as the note of a withdrawal may be here."""
    return isinstance(value, dict) and all(
        TAG.fullmatch(tag)
        and isinstance(text, str)
        and len(text) <= NOTE_LENGTH
        and first_problem(text) is None
        for tag, text in value.items()
    )


def _passed_by(one: SignedEntry, entry: LogEntry) -> Harvested:
    return Harvested(index=one.index, leaf=one.leaf, entry=entry, subject=entry.subject)
