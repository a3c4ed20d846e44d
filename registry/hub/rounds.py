"""A round of harvesting one register: its log is verified, then taken in."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Literal, TypeAlias

import msgspec

from registry.errors import NotFound, RegistryError, Unavailable
from registry.hub.entries import EntryMaker
from registry.hub.intake import Intake
from registry.hub.peer_site import PeerSite, agency_names
from registry.log.entry import decode_entry, timestamp
from registry.log.replay import LogInconsistent, LogReplay
from registry.record.origin import Origin
from registry.services.context import ServiceContext
from registry.store import imports, peers
from registry.store.heartbeats import leadership
from registry.store.imports import ImportFile
from registry.store.peers import Peer, PeerCheckpoint, PeerEvidence, Quarantined
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.compact import unpack
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import parse_verifier
from registry.tlog.note import parse_note
from registry.tlog.policy import ANYBODY, parse_policy
from registry.tlog.proof import check_consistency, nodes_from_tiles, prove_consistency
from registry.tlog.tile import WIDTH, Tile, split
from registry.verify.consistency import TwoHistories, compare_notes
from registry.verify.remote_register import reader

HarvestOutcome: TypeAlias = Literal["harvested", "unchanged", "stopped", "failed"]

_AHEAD = dt.timedelta(minutes=10)
"""A peer whose entries are of later than this from now has a clock that cannot be right."""


_MOST_ENTRIES = 40 * WIDTH
_MOST_BYTES = 100 << 20
_LONGEST_SECONDS = 60.0
_LAST_BEGUN_SECONDS = 30.0
"""After so much of a round it begins with no other bundle."""


class HarvestReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a round did: the size of the peer's log, entries taken in, why nothing more was.

    `left` is the number of entries that the next round may take in.
    """

    code: str
    outcome: HarvestOutcome
    size: int = 0
    entries: int = 0
    left: int = 0
    run: int | None = None
    why: str | None = None


async def harvest(
    context: ServiceContext,
    code: str,
    *,
    now: Callable[[], dt.datetime],
    only_public: bool = True,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> HarvestReport:
    """Take in what is new in a peer's log. Whatever the peer does is told, and raises nothing.

    Raises `NotFound` where there is no such peer.
    """
    async with leadership(context.database, "harvester"):
        async with context.database.connection() as connection:
            found = [one for one in await peers.read_all(connection, code) if not one.removed_at]
            last = await peers.read_last_checkpoint(connection, code)
        if not found:
            raise NotFound(f"there is no peer {code}; registry peer list names those there are")
        [peer] = found
        if peer.stopped is not None:
            return HarvestReport(code=code, outcome="stopped", why=peer.stopped)
        try:
            with reader(
                peer.address, only_public=only_public, seconds=_LONGEST_SECONDS, most=_MOST_BYTES
            ) as read:
                site = PeerSite(read)
                work = _Round(
                    context=context, peer=peer, last=last, site=site, now=now, progress=progress
                )
                return await work.go()
        except LogInconsistent as error:
            evidence = _evidence(peer, last, site.note, error, now())
            async with context.database.transaction() as connection:
                await peers.stop(connection, evidence)
            return HarvestReport(code=code, outcome="stopped", why=error.detail)
        except (RegistryError, OSError) as error:
            why = error.detail if isinstance(error, RegistryError) else str(error)
            async with context.database.transaction() as connection:
                await peers.note_failure(
                    connection,
                    code,
                    why,
                    now=now(),
                    is_smaller=isinstance(error, _SmallerLog),
                )
            return HarvestReport(code=code, outcome="failed", why=why)


class _SmallerLog(Unavailable):
    """The peer shows a smaller log than it did before: an old copy of it, or an older state."""


class _Round(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a peer: what is known of it, what it serves, and the time."""

    context: ServiceContext
    peer: Peer
    last: PeerCheckpoint | None
    site: PeerSite
    now: Callable[[], dt.datetime]
    progress: Callable[[int, int], None]

    async def go(self) -> HarvestReport:
        """Verify the peer's log as far as it has grown, and take in what is new."""
        peer = self.peer
        begun_at = time.monotonic()
        checkpoint = await asyncio.to_thread(self._signed)
        leaves = await asyncio.to_thread(self._leaves, checkpoint)
        await asyncio.to_thread(self._check_clock, leaves)
        set_apart, origin = await self._keep(checkpoint)
        told = await asyncio.to_thread(agency_names, self.site, peer.code) if leaves else {}
        async with self.context.database.connection() as connection:
            named = await imports.read_agencies(connection, peer.code)
        entries = EntryMaker(
            site=self.site,
            peer=peer,
            checkpoint=checkpoint,
            leaves=leaves,
            context=self.context,
            names=told | {one.id: one for one in named},
            today=self.now().date(),
        )
        again = [
            made
            for one in set_apart
            if (made := await asyncio.to_thread(entries.again, one.waiting))[0].fault is None
        ]
        if not leaves and not again:
            return HarvestReport(code=peer.code, outcome="unchanged", size=checkpoint.size)
        file = ImportFile(
            origin=origin,
            name=f"{peer.address}/log, {checkpoint.size} entries",
            sha256=sha256(self.site.note).hexdigest(),
            crosswalk_sha256="",
            as_of=self.now().date(),
        )
        intake = Intake(self.context, peer, file)
        await intake.begin(self.now())
        try:
            for made in again:
                await intake.retry(made, now=self.now())
            end = await self._take_all(
                intake,
                entries,
                peer.applied + len(leaves),
                until=begun_at + _LAST_BEGUN_SECONDS,
            )
        except BaseException:
            await intake.end(None)
            raise
        await intake.end(self.now())
        return HarvestReport(
            code=peer.code,
            outcome="harvested",
            size=checkpoint.size,
            entries=end - peer.applied,
            left=checkpoint.size - end,
            run=intake.report.run,
        )

    def _signed(self) -> Checkpoint:
        """Return the peer's checkpoint; raises `Unavailable` where it is smaller than before."""
        peer, last = self.peer, self.last
        verifier = parse_verifier(peer.key)
        policy = ANYBODY if peer.policy is None else parse_policy(peer.policy)
        checkpoint = self.site.checkpoint(verifier, policy)
        size = checkpoint.size
        if last is not None:
            self._check_keys(last.note)
        if last is not None and size < last.size:
            raise _SmallerLog(
                f"the log shows {size:,} entries, and had {last.size:,} on {last.seen_at:%Y-%m-%d}"
            )
        if last is not None and size == last.size:
            compare_notes(last.note, self.site.note, self.site.keys.verifiers, None)
        return checkpoint

    def _check_keys(self, before: bytes) -> None:
        """Raise `Unavailable` unless the log has every key yet that has signed what was seen of it.

        Who has a key that was replaced, and leaves that out, could else go on with the log.
        """
        known = {one.id for one in self.site.keys.verifiers}
        for one in parse_note(before).signatures:
            if one.name == self.peer.origin and one.key not in known:
                raise Unavailable(
                    f"it was signed by {one.name}+{one.key.hex()} before, and does not name that "
                    "key any more"
                )

    def _leaves(self, checkpoint: Checkpoint) -> list[bytes]:
        """Return the leaf hashes of what a round takes in, proven to be of the checkpoint's tree.

        Raises `TwoHistories` where the checkpoint does not go on from the last one, and
        `Unavailable` where the tiles are not those of the checkpoint.
        """
        peer, last, size = self.peer, self.last, checkpoint.size
        upto = unpack(peer.applied, peer.peaks)
        end = min(size, (peer.applied + _MOST_ENTRIES) // WIDTH * WIDTH)
        leaves: list[bytes] = []
        for number in range(peer.applied // WIDTH, -(-end // WIDTH)):
            width = min(WIDTH, size - number * WIDTH)
            hashes = split(self.site.tile(Tile(level=0, index=number, width=width)))
            for leaf in hashes[max(0, peer.applied - number * WIDTH) :]:
                leaves.append(leaf)
                upto = upto.append(leaf)
        try:
            if last is not None and last.size < size:
                compare_notes(last.note, self.site.note, self.site.keys.verifiers, self.site.log)
            if upto.size:
                nodes = nodes_from_tiles(self.site.tile, size)
                check_consistency(
                    prove_consistency(nodes, upto.size, size),
                    old=upto.size,
                    new=size,
                    old_root=upto.root(),
                    new_root=checkpoint.root,
                )
        except TwoHistories:
            raise
        except (LogInconsistent, ValueError) as error:
            why = error.detail if isinstance(error, LogInconsistent) else str(error)
            raise Unavailable(
                f"the tiles of the log are not those of its checkpoint: {why}"
            ) from error
        return leaves

    def _check_clock(self, leaves: Sequence[bytes]) -> None:
        """Refuse entries of which the last is of a time to come."""
        if not leaves:
            return
        last = self.peer.applied + len(leaves) - 1
        number, at = divmod(last, WIDTH)
        newest = self.site.bundle(number, at + 1)[at]
        if leaf_hash(newest) != leaves[-1]:
            raise Unavailable(f"entry {last} is not the one that was signed")
        said = _time_of(newest)
        if said > timestamp(self.now() + _AHEAD):
            raise Unavailable(
                f"its entry {last} is of {said}, which is later than now here: one of the two "
                "clocks is wrong, and nothing is taken in until they agree"
            )

    async def _keep(self, checkpoint: Checkpoint) -> tuple[list[Quarantined], Origin]:
        """Keep a checkpoint that is in order; return the records set apart, and the origin."""
        code, last, at = self.peer.code, self.last, self.now()
        async with self.context.database.transaction() as connection:
            if last is None or last.size != checkpoint.size:
                kept = PeerCheckpoint(
                    size=checkpoint.size, root=checkpoint.root, note=self.site.note, seen_at=at
                )
                await peers.keep_checkpoint(connection, code, kept)
            await peers.note_seen(connection, code, now=at)
            set_apart = await peers.read_quarantined(connection, code)
            origin = (await imports.read_origins(connection)).get(code)
        return set_apart, origin or Origin(code=code, title=code)

    async def _take_all(
        self, intake: Intake, entries: EntryMaker, end: int, *, until: float
    ) -> int:
        """Walk what is new before the entry `end`, bundle by bundle, each in its own transaction.

        Return the entry before which all are taken in: an earlier one where it takes until after a
        time of the monotonic clock.
        """
        peer, database = self.peer, self.context.database
        upto = unpack(peer.applied, peer.peaks)
        keys = self.site.keys
        walk = LogReplay(
            at=peer.applied_at, keys=keys.until(peer.applied) if peer.applied else None
        )
        for number in range(peer.applied // WIDTH, -(-end // WIDTH)):
            if upto.size > peer.applied and time.monotonic() > until:
                break
            read = await asyncio.to_thread(entries.bundle, number)
            if not read:
                continue
            async with database.connection() as connection:
                names = sorted({name for one in read if (name := _subject_of(one.content))})
                known = await peers.read_subjects(connection, peer.code, names)
            batch = await asyncio.to_thread(entries.verified, walk, known, number, read)
            for one in read:
                upto = upto.append(one.leaf)
            await intake.take(batch, upto, now=self.now())
            self.progress(upto.size, entries.size)
        return upto.size


def _subject_of(content: bytes) -> str | None:
    """Return the subject of an entry that nobody has checked yet."""
    try:
        return decode_entry(content).subject
    except (ValueError, RecursionError):
        return None


def _time_of(content: bytes) -> str:
    try:
        return str(msgspec.json.decode(content)["at"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""


def _evidence(
    peer: Peer,
    last: PeerCheckpoint | None,
    note: bytes,
    error: LogInconsistent,
    now: dt.datetime,
) -> PeerEvidence:
    made = PeerEvidence(
        code=peer.code,
        kind="broken",
        why=error.detail,
        notes=list(dict.fromkeys([*([last.note] if last else []), note])),
        proof=None,
        found_at=now,
    )
    if not isinstance(error, TwoHistories):
        return made
    proof = None if error.proof is None else error.proof.decode()
    return msgspec.structs.replace(made, kind=error.kind, notes=list(error.notes), proof=proof)
