"""How the registers that are watched stand, as it is listed, served and shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from registry.record.origin import Origin
from registry.store import imports, peers
from registry.store.database import Connection
from registry.store.peers import Peer, PeerEvidence, Quarantined

PeerState: TypeAlias = Literal["new", "consistent", "unreachable", "smaller", "forked", "removed"]

_PATIENCE = dt.timedelta(days=1)
"""A log that is smaller than it was may be an older copy of it, for a day."""


class SetApart(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a peer that is not taken in: its id there, and why."""

    record: str
    why: str
    since: dt.datetime


class PeerStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A register that is watched, and how it stands.

    `log` is the name of its log and `key` its verifier key. `size` entries of it were seen, of
    which `applied` are taken in. `state` is `new` before the first round, `consistent`,
    `unreachable` where the last round failed, `smaller` where the log has had fewer entries than
    before for more than a day, `forked` where it cannot be believed any more, and `removed`; `why`
    says more. `evidence` is how many proofs of a fork are kept.
    """

    code: str
    log: str
    key: str
    address: str
    register: Origin | None
    state: PeerState
    why: str | None
    since: dt.datetime
    seen_at: dt.datetime | None
    tried_at: dt.datetime | None
    size: int
    root: str | None
    applied: int
    records: int
    set_apart: list[SetApart]
    evidence: int


async def read_standings(connection: Connection, *, now: dt.datetime) -> list[PeerStanding]:
    """Return how each register stands that is or was watched, in the order of codes."""
    origins = await imports.read_origins(connection)
    sizes = await imports.read_sizes(connection)
    apart: dict[str, list[Quarantined]] = {}
    for one in await peers.read_quarantined(connection):
        apart.setdefault(one.code, []).append(one)
    evidence: dict[str, list[PeerEvidence]] = {}
    for found in await peers.read_evidence(connection):
        evidence.setdefault(found.code, []).append(found)
    standings = []
    for peer in await peers.read_all(connection):
        last = await peers.read_last_checkpoint(connection, peer.code)
        size = sizes.get(peer.code)
        standings.append(
            PeerStanding(
                code=peer.code,
                log=peer.origin,
                key=peer.key,
                address=peer.address,
                register=origins.get(peer.code),
                state=state_of(peer, now=now),
                why=peer.stopped or peer.failure,
                since=peer.added_at,
                seen_at=peer.seen_at,
                tried_at=peer.tried_at,
                size=last.size if last else 0,
                root=last.root.hex() if last else None,
                applied=peer.applied,
                records=size.records if size else 0,
                set_apart=[
                    SetApart(record=one.subject, why=one.why, since=one.since)
                    for one in apart.get(peer.code, ())
                ],
                evidence=len(evidence.get(peer.code, ())),
            )
        )
    return standings


def troubles(standings: Sequence[PeerStanding]) -> dict[str, PeerState]:
    """Return by code what is wrong with peers that every page of their records says."""
    return {one.code: one.state for one in standings if one.state in {"forked", "smaller"}}


def state_of(peer: Peer, *, now: dt.datetime) -> PeerState:
    """Return how a peer stands."""
    if peer.stopped is not None:
        return "forked"
    if peer.removed_at is not None:
        return "removed"
    if peer.smaller_since is not None and now - peer.smaller_since > _PATIENCE:
        return "smaller"
    if peer.failure is not None:
        return "unreachable"
    return "new" if peer.seen_at is None else "consistent"
