"""Taking in what the log of another register says, entry by entry, after it was verified.

A version there becomes one here, a withdrawal there withdraws here, and a redaction there redacts
here. What belongs to another register, or is faulty, is set apart with its record, and the rest
goes on. A batch is one transaction, with how far the peer's log is taken in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.hub.entries import (
    Harvested,
    after_entry,
    grouped,
    id_here,
    is_taken,
    left_to_erase,
    misplaced,
)
from registry.hub.peer_site import pack_words
from registry.ledger.append import append
from registry.ledger.entries import NewEntry, StatedEntry, after
from registry.ledger.publication import Publication, seal_document
from registry.log.disclosure_tree import commitments, seal
from registry.log.entry import Imported, RedactionEntry, VersionEntry, WithdrawalEntry
from registry.log.erasure import REPLACED, covers, without_erased
from registry.log.redaction import SOURCE_BASIS
from registry.record.codelists import codelists
from registry.services.context import ServiceContext
from registry.services.importing.importing import ImportOutcome, RunReport, end_run, save_origin
from registry.services.people.agencies import save_agencies
from registry.services.statements.erasure import leave_verdicts
from registry.services.statements.redaction import (
    held_members,
    redaction_entry_of,
    seal_decision,
    shown_versions,
    with_replacements,
)
from registry.store import agencies as agency_rows
from registry.store import imports, peers, records, redactions
from registry.store.database import Connection
from registry.store.imports import ImportFile
from registry.store.peers import Peer, PeerSubject
from registry.store.records import CurrentVersion
from registry.store.redactions import Redaction
from registry.tlog.compact import CompactRange


class Intake:
    """What a round takes in of a peer: batches, counted as an import of its log."""

    def __init__(self, context: ServiceContext, peer: Peer, file: ImportFile) -> None:
        """Take the peer, and what the round is called among the imports."""
        self._context = context
        self._peer = peer
        self._file = file
        self.report = RunReport()
        self._number = 0

    async def begin(self, now: dt.datetime) -> None:
        """Begin the run."""
        async with self._context.database.transaction() as connection:
            self._number = await imports.begin(connection, self._file, self.report.counts, now=now)
        self.report.run = self._number

    async def end(self, now: dt.datetime | None) -> None:
        """End the run; `now` is None where it was stopped.

        One in which nothing became of any record leaves nothing: two registers that harvest each
        other would have an entry of each other's rounds for ever.
        """
        async with self._context.transaction() as connection:
            if now is not None and not self.report.records:
                await imports.drop(connection, self._number)
                self.report.run = None
                return
            await end_run(self._context, connection, self._number, self.report, now=now)

    async def take(
        self, batch: Sequence[Harvested], upto: CompactRange, *, now: dt.datetime
    ) -> None:
        """Publish what follows from consecutive entries, the last of which ends `upto`."""
        code = self._peer.code
        names = sorted({one.subject for one in batch if one.subject is not None})
        counts = msgspec.structs.replace(self.report.counts)
        told = len(self.report.records)
        try:
            async with self._context.transaction() as connection:
                known = await peers.read_subjects(connection, code, names)
                waiting = {one.subject for one in await peers.read_quarantined(connection, code)}
                work = await self._prepare(connection, batch, known, waiting, now=now)
                for group in grouped(work):
                    await self._append(connection, group, known, now=now)
                await peers.save_subjects(connection, code, [known[name] for name in names])
                await self._name_origin(connection, batch, now=now)
                await peers.note_applied(connection, code, upto, at=batch[-1].entry.at)
                self.report.counts.rows += len(batch)
                await imports.keep_counts(connection, self._number, self.report.counts)
        except BaseException:
            # The transaction has kept nothing.
            self.report.counts = counts
            del self.report.records[told:]
            raise

    async def _name_origin(
        self, connection: Connection, batch: Sequence[Harvested], *, now: dt.datetime
    ) -> None:
        """Name the register and its codes as the last country pack among the entries does."""
        pack = next((one.pack for one in reversed(batch) if one.pack is not None), None)
        origin = (await imports.read_origins(connection)).get(self._peer.code)
        if pack is not None and origin is not None:
            await save_origin(self._context, connection, pack_words(origin, pack), now=now)

    async def retry(self, batch: Sequence[Harvested], *, now: dt.datetime) -> None:
        """Publish of a record that was set apart what can be taken now; the rest waits on."""
        code, subject = self._peer.code, str(batch[0].subject)
        fit = next((at for at, one in enumerate(batch) if one.fault), len(batch))
        async with self._context.transaction() as connection:
            known = await peers.read_subjects(connection, code, [subject])
            state = known[subject]
            work = await self._prepare(connection, batch[:fit], known, None, now=now)
            known[subject] = msgspec.structs.replace(state, holes=known[subject].holes)
            if len(work) == fit:
                for one in work:
                    await self._append(connection, [one], known, now=now)
                left = batch[fit:]
                why = (left[0].fault if left else None) or ""
                await peers.keep_waiting(
                    connection, code, subject, [one.index for one in left], why
                )
                await peers.save_subjects(connection, code, [known[subject]])

    async def _prepare(
        self,
        connection: Connection,
        batch: Sequence[Harvested],
        known: dict[str, PeerSubject],
        waiting: set[str] | None,
        *,
        now: dt.datetime,
    ) -> list[Harvested]:
        """Return what is to be published of a batch, and note the last entry of each subject.

        What cannot be taken is set apart, unless it is already (`waiting` is None). Locks the
        records.
        """
        code = self._peer.code
        ours = [one for one in batch if is_taken(one.entry, known.get(one.subject or ""))]
        ids = sorted({id_here(code, str(one.subject)) for one in ours})
        agencies = {one.agency.id: one.agency for one in ours if one.agency is not None}
        named = {one.agency.id: one.agency for one in batch if one.agency is not None}
        # An agency that has published nothing is not listed here.
        agencies |= {
            name: named[name] for name in await agency_rows.read_named(connection, list(named))
        }
        elsewhere = await imports.read_taken(connection, code, ids, list(agencies))
        await records.lock_records(connection, ids)
        await save_agencies(
            connection,
            [each for name, each in agencies.items() if name not in elsewhere],
            guard=self._context.guard,
            actor=self._context.pack.code,
            now=now,
        )
        work: list[Harvested] = []
        for one in batch:
            if one.subject is None:
                continue
            before = known.get(one.subject)
            mine = is_taken(one.entry, before)
            record = id_here(code, one.subject) if mine else None
            known[one.subject] = after_entry(one, before, record)
            if record is None:
                continue
            fault = one.fault or misplaced(record, elsewhere)
            if waiting is None:
                work += [one] if fault is None else []
            elif isinstance(one.entry, VersionEntry) and (fault or one.subject in waiting):
                waiting.add(one.subject)
                why = fault or ""
                await peers.quarantine(connection, code, one.subject, one.index, why, now=now)
                self._note("refused", record, one.subject)
                if why:
                    self.report.refused.setdefault(why, []).append(f"entry {one.index}")
            elif misplaced(record, elsewhere) is None:
                if isinstance(one.entry, WithdrawalEntry) and one.subject in waiting:
                    waiting.discard(one.subject)
                    await peers.keep_waiting(connection, code, one.subject, [], "")
                work.append(one)
        return work

    async def _append(
        self,
        connection: Connection,
        group: Sequence[Harvested],
        known: dict[str, PeerSubject],
        *,
        now: dt.datetime,
    ) -> None:
        """Append entries of different records."""
        code = self._peer.code
        ids = [id_here(code, str(one.subject)) for one in group]
        erased = await redactions.read_erased(connection, ids, but=SOURCE_BASIS)
        state = await self._context.guard.lock(connection, now=now)
        latest = await records.read_latest(connection, ids)
        followed = await peers.read_followed(connection, ids)
        entries: list[NewEntry] = []
        for one, record in zip(group, ids, strict=True):
            name, current, stated = str(one.subject), latest.get(record), one.entry
            there = known[name]
            if not isinstance(stated, RedactionEntry) and one.index <= followed.get(record, -1):
                # How far the peer was taken in is not in the log, and was lost with a database.
                is_withdrawn = isinstance(stated, WithdrawalEntry)
                known[name] = msgspec.structs.replace(there, is_withdrawn=is_withdrawn)
                self.report.counts.unchanged += 1
                continue
            if isinstance(stated, RedactionEntry):
                found = await self._redaction(
                    connection, one, record, current, there, said=stated, now=now
                )
            elif current is not None and current.state == "withdrawn" and not there.is_withdrawn:
                # Withdrawn here and not there: that stays so.
                self._note("withdrawn", record, name)
                continue
            elif isinstance(stated, WithdrawalEntry):
                known[name] = msgspec.structs.replace(there, is_withdrawn=True)
                found = self._withdrawal(one, stated.reason, record, current)
            else:
                known[name] = msgspec.structs.replace(there, is_withdrawn=False)
                found = self._version(one, record, current, erased.get(record, {}))
            entries += [found] if found is not None else []
        if entries:
            await append(connection, self._context.guard, state, entries)

    def _version(
        self,
        one: Harvested,
        record: str,
        current: CurrentVersion | None,
        erased: Mapping[str, Any],
    ) -> NewEntry:
        if one.document is None or one.agency is None or one.verdict is None:
            raise RuntimeError(f"entry {one.index} is not prepared")
        document, sealed = one.document, one.sealed
        if erased:
            document, sealed = without_erased(document, erased), None
        self.report.counts.records += 1
        self._note("added" if current is None else "changed", record, str(one.subject))
        return Publication(
            document=document,
            agency=one.agency,
            actor=self._context.pack.code,
            verdict=one.verdict,
            source_row=None if erased else one.evidence,
            imported=Imported(
                origin=self._peer.code,
                run=self._number,
                changed_on=one.entry.at[:10],
                source=one.source,
            ),
            sealed=sealed or seal_document(document, one.agency, self._context.random),
            current=current,
        )

    def _withdrawal(
        self, one: Harvested, reason: str, record: str, current: CurrentVersion | None
    ) -> NewEntry | None:
        if current is None or current.state == "withdrawn":
            return None
        self._note("ended", record, str(one.subject))
        said = {key: one.texts[key] for key in ("note", "successor") if key in one.texts}
        if "successor" in said:
            said["successor"] = id_here(self._peer.code, said["successor"])
        sections = seal(said, self._context.random)
        stated = WithdrawalEntry(
            actor=self._context.pack.code,
            id=record,
            version=current.version,
            reason=reason if reason in codelists()["withdrawal_reason"] else "other",
            prev=after(current),
            sections=commitments(sections),
            source=one.source,
        )
        return StatedEntry(entry=stated, sections=sections, current=current)

    async def _redaction(
        self,
        connection: Connection,
        one: Harvested,
        record: str,
        current: CurrentVersion | None,
        there: PeerSubject,
        *,
        said: RedactionEntry,
        now: dt.datetime,
    ) -> NewEntry | None:
        """Return the redaction here of what is held here of what it names there."""
        if current is None:
            return None
        numbers = await peers.read_version_numbers(connection, record)
        named = [pointer for pointer in said.pointers if not covers([f"/{REPLACED}"], pointer)]
        asked_for = {
            numbers[number]: left_to_erase(named, number, there.holes)
            for number in said.versions
            if number in numbers
        }
        sections = await redactions.read_sections(connection, record, list(asked_for))
        held = held_members(sections)
        versions = [
            version
            for version in sorted(asked_for)
            if any(covers(asked_for[version], member) for member in held.get(version, ()))
        ]
        followed = await peers.read_following(connection, record, said.entries)
        if not versions and not followed:
            return None
        authority, reference = one.texts.get("authority"), one.texts.get("reference")
        asked = Redaction(
            id=0,
            record=record,
            versions=versions,
            pointers=sorted({each for version in versions for each in asked_for[version]}),
            basis=SOURCE_BASIS,
            authority=authority if isinstance(authority, str) else self._file.origin.title,
            reference=reference if isinstance(reference, str) else None,
            requested_by=self._context.pack.code,
            requested_at=now,
        )
        replaced: dict[int, dict[str, Any]] = {}
        for item in one.texts.get(REPLACED) or ():
            for number in item["versions"]:
                version = numbers.get(number, 0)
                if version in versions and item["pointer"] in asked_for[version]:
                    replaced.setdefault(version, {})[item["pointer"]] = item["value"]
        shown = shown_versions(sections, versions)
        asked = await with_replacements(connection, asked, shown, replaced or None, sections)
        if followed:
            asked = msgspec.structs.replace(
                asked,
                entries=sorted({*asked.entries, *followed}),
                pointers=sorted({*asked.pointers, *named}),
            )
        number = await redactions.insert(connection, asked)
        self._note("erased", record, str(one.subject))
        return redaction_entry_of(
            asked,
            number,
            confirmed_by=f"{self._peer.code}.{said.confirmed_by}",
            prev=after(current),
            sections=seal_decision(asked, self._context.random),
            left=await leave_verdicts(connection, asked, self._context.random),
            source=one.source,
        )

    def _note(self, outcome: str, record: str, source_id: str) -> None:
        counts = self.report.counts
        setattr(counts, outcome, getattr(counts, outcome) + 1)
        self.report.records.append(
            ImportOutcome(record=record, outcome=outcome, source_id=source_id)
        )
