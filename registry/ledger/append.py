"""The ledger: the one place where versions and log entries are written, always together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from registry.errors import ConfigurationError
from registry.record.duplicate_names import blocking_keys
from registry.record.entry import (
    NOT_STATED,
    EntryKind,
    Outline,
    Previous,
    genesis_entry,
    outline,
    version_entry,
)
from registry.record.facets import PublishedState
from registry.record.model import Document, RiskChange
from registry.record.pack import Agency
from registry.record.pointers import dig
from registry.record.risk_floor import LEVELS
from registry.record.schema import SCHEMA_VERSION, record_schema_bytes
from registry.record.search_document import TokensByLanguage, build, tokenize
from registry.record.sections import Section, seal
from registry.record.validate import RULE_SET, Verdict
from registry.store import log, records, version_facts, versions
from registry.store.database import Connection
from registry.store.versions import SideEffects, VersionRow
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Signer


class SealedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a document becomes, wherever in the log it will stand: sealed, its words found."""

    sections: Sequence[Section]
    words: TokensByLanguage


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """A validated document on its way into the register.

    A foreign one carries the row it was made from (`source_row`, JSON text) and the pointers of
    texts that were cut to fit. What is `ready` is not made again. `entry` has the bytes of an
    entry that is brought back.
    """

    document: Document
    agency: Agency
    actor: str
    verdict: Verdict
    source_row: str | None = None
    truncated: Sequence[str] = ()
    approved_by: str | None = None
    ready: SealedDocument | None = None
    entry: bytes | None = None

    @property
    def id(self) -> str:
        """The record's id."""
        return str(self.document["id"])


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a publication: the version and its place in the log."""

    id: str
    version: int
    entry: int
    hash: str
    published_at: dt.datetime


async def append_genesis(
    connection: Connection, *, make_signer: Callable[[], Signer], now: dt.datetime
) -> None:
    """Write the genesis entry of an empty log; the key is only asked for then."""
    await log.begin(connection)
    state = await log.lock_state(connection)
    if state.range.size:
        return
    signer = make_signer()
    content = genesis_entry(
        at=_whole(now),
        origin=signer.name,
        key=signer.verifier_key,
        schema_sha256=sha256(record_schema_bytes()).hexdigest(),
    )
    entry = log.Entry(
        index=0,
        kind="genesis",
        record=None,
        at=_whole(now),
        content=content,
        leaf=leaf_hash(content),
    )
    await log.append(connection, entry, state.range.append(entry.leaf))


async def publish(
    connection: Connection,
    publications: Sequence[Publication],
    *,
    now: dt.datetime,
    random: Callable[[int], bytes],
    standing: Mapping[str, records.CurrentVersion] | None = None,
) -> list[Published]:
    """Publish documents in order inside the caller's transaction; each record at most once.

    `standing`: where the records stand, if the caller has read it since it took their turns.
    """
    if not publications:
        return []
    ready = [_ready(one, random) for one in publications]
    state = await log.lock_state(connection)
    if standing is None:
        standing = await records.read_latest(connection, [one.id for one in publications])
    published = await publish_after(
        connection,
        state,
        [
            msgspec.structs.replace(one, ready=made)
            for one, made in zip(publications, ready, strict=True)
        ],
        now=now,
        random=random,
        standing=standing,
    )
    if published is None:
        raise RuntimeError("the log has grown while it was locked")
    return published


async def publish_after(
    connection: Connection,
    state: log.LogState,
    publications: Sequence[Publication],
    *,
    now: dt.datetime,
    random: Callable[[int], bytes],
    standing: Mapping[str, records.CurrentVersion],
    beside: Callable[[Sequence[Published]], SideEffects] = lambda _: SideEffects(),
) -> list[Published] | None:
    """Publish documents after a state of the log, if it is still in it; each record at most once.

    `standing` is where the records stood in that state. Versions, sections, figures, search rows
    and log entries are written with one statement, and with them what is to be done `beside` what
    they become. Nothing is, and None given, where the log has moved on, or a draft has: so nobody
    need lock anything before, indexes are dense, and times never decrease.
    """
    at = _time(state, now)
    ready = [_ready(one, random) for one in publications]
    after = state.range
    new: list[VersionRow] = []
    for publication, made in zip(publications, ready, strict=True):
        version = _version(
            publication, made, before=standing.get(publication.id), entry=after.size, at=at
        )
        new.append(version)
        after = after.append(version.leaf)
    published = [
        Published(
            id=version.record,
            version=version.version,
            entry=version.entry,
            hash=version.leaf.hex(),
            published_at=at,
        )
        for version in new
    ]
    written = await versions.insert(connection, new, beside(published), before=state, after=after)
    return published if written else None


def _ready(publication: Publication, random: Callable[[int], bytes]) -> SealedDocument:
    return publication.ready or seal_document(publication.document, publication.agency, random)


def seal_document(
    document: Document, agency: Agency, random: Callable[[int], bytes]
) -> SealedDocument:
    """Do of a publication what does not need its place in the log, which is most of the work."""
    return SealedDocument(sections=seal(document, random), words=tokenize(document, agency))


def _version(
    publication: Publication,
    ready: SealedDocument,
    *,
    before: records.CurrentVersion | None,
    entry: int,
    at: dt.datetime,
) -> VersionRow:
    """Make what is written of a publication at its place in the log."""
    brought_back = publication.entry
    stated = (
        outline(publication.document)
        if brought_back is None
        else msgspec.json.decode(brought_back, type=Outline)
    )
    verdict = publication.verdict
    version = 1 if before is None else before.version + 1
    content = brought_back or version_entry(
        actor=publication.actor,
        at=at,
        record=publication.id,
        version=version,
        schema=SCHEMA_VERSION,
        stated=stated,
        origin=publication.agency.origin,
        previous=None
        if before is None
        else Previous(index=before.last_entry, leaf=before.last_leaf),
        sections=ready.sections,
    )
    figure = _figure(publication, stated, before)
    moved: set[str] = set() if before is None else set(before.risk_changes)
    if figure.risk_change is not None:
        moved.add(figure.risk_change)
    standing = PublishedState(
        version=version,
        entry=entry,
        published_at=at,
        completeness=verdict.completeness,
        missing=verdict.missing,
        findings=verdict.findings,
        risk_changes=sorted(moved),
    )
    return VersionRow(
        record=publication.id,
        agency=publication.agency.id,
        origin=publication.agency.origin,
        version=version,
        entry=entry,
        published_at=at,
        content=content,
        leaf=leaf_hash(content),
        schema_version=SCHEMA_VERSION,
        rule_set=RULE_SET,
        actor=publication.actor,
        approved_by=publication.approved_by,
        completeness=verdict.completeness,
        accountability=verdict.accountability,
        missing=verdict.missing,
        findings=verdict.findings,
        change_note=_change_note(publication.document),
        source_row=publication.source_row,
        truncated=publication.truncated,
        sections=ready.sections,
        figure=figure,
        keys=_keys(publication),
        row=build(publication.document, publication.agency, ready.words, standing),
    )


def _keys(publication: Publication) -> Sequence[int]:
    """List by what a record of this country is found that another may be the same as."""
    document, agency = publication.document, publication.agency
    name = document.get("name")
    if agency.origin is not None or not name:
        return []
    return list(blocking_keys(agency.id, name, document.get("source_id")).all)


async def append_entry(
    connection: Connection,
    kind: EntryKind,
    write: Callable[[dt.datetime], bytes],
    *,
    record: str | None,
    sections: Sequence[Section],
    now: dt.datetime,
) -> log.Entry:
    """Append an entry that is no version, with its sections, inside the caller's transaction.

    `write` makes its bytes, knowing the time that it will bear.
    """
    state = await log.lock_state(connection)
    at = _time(state, now)
    content = write(at)
    entry = log.Entry(
        index=state.range.size,
        kind=kind,
        record=record,
        at=at,
        content=content,
        leaf=leaf_hash(content),
    )
    await log.append(connection, entry, state.range.append(entry.leaf), sections)
    return entry


def _time(state: log.LogState, now: dt.datetime) -> dt.datetime:
    """Give the time of what is appended next."""
    if state.last_at is None:
        raise ConfigurationError("the log has no first entry yet; start the register once")
    return max(_whole(now), state.last_at)


def _figure(
    publication: Publication, stated: Outline, before: records.CurrentVersion | None
) -> version_facts.VersionFacts:
    document = publication.document
    due = dig(document, "lifecycle", "next_review_on")
    withheld = dig(document, "publication", "withheld_fields") or ()
    risk = stated.risk or NOT_STATED
    risk_before = None if before is None else before.risk
    return version_facts.VersionFacts(
        risk=risk,
        risk_before=risk_before,
        risk_change=_risk_change(risk_before, risk),
        sector=stated.sector or NOT_STATED,
        status=stated.status or NOT_STATED,
        personal_data=dig(document, "data", "personal_data") or NOT_STATED,
        next_review_on=None if due is None else dt.date.fromisoformat(due),
        rules=[finding.rule for finding in publication.verdict.findings],
        withheld=[field["ground"] for field in withheld if "ground" in field],
        restricted=dig(document, "publication", "restriction", "ground"),
    )


def _risk_change(before: str | None, after: str) -> RiskChange | None:
    if before == after or before not in LEVELS or after not in LEVELS:
        return None
    return "raised" if LEVELS.index(after) > LEVELS.index(before) else "lowered"


def _change_note(document: Document) -> Any:
    return document.get("publication", {}).get("change_note")


def _whole(now: dt.datetime) -> dt.datetime:
    return now.replace(microsecond=0)
