"""Beginning to watch another register."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Mapping

import msgspec

from registry.errors import Conflict, InvalidParameter
from registry.hub.peer_site import PeerSite, described
from registry.record.facets import LOCAL
from registry.record.origin import Origin
from registry.services.context import ServiceContext
from registry.services.importing.importing import save_origin
from registry.store import imports, peers
from registry.store.peers import Peer
from registry.tlog.keys import Verifier
from registry.tlog.policy import ANYBODY, Policy
from registry.verify.remote_register import reader

_CODE = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){0,19}")


async def add_peer(
    context: ServiceContext,
    code: str,
    address: str,
    verifier: Verifier,
    *,
    now: dt.datetime,
    policy: Policy | None = None,
    said: Mapping[str, str],
    only_public: bool = True,
) -> Peer:
    """Watch another register from now on, after its checkpoint was read and found to be signed.

    `said` are members of its `Origin`; those that are not in it are what the register says itself.
    Raises `InvalidParameter` for a code that cannot be one, `Conflict` for one that is another
    register's, and `Unavailable` where the register does not answer as it should.
    """
    address = address.rstrip("/").removesuffix("/log")
    if not _CODE.fullmatch(code) or code == LOCAL:
        raise InvalidParameter(
            f"{code!r} is no code of a register: give up to 20 lower-case letters, digits and "
            "hyphens, such as sn"
        )
    async with context.database.connection() as connection:
        origins = await imports.read_origins(connection)
        known = await peers.read_all(connection)
        sharers = await imports.read_sharers(connection, code, code)
    for one in known:
        if one.code == code and (one.origin != verifier.name or one.removed_at is None):
            why = "is watched already" if one.removed_at is None else "was another log's"
            raise Conflict(f"the code {code} {why}: {one.origin}")
        if one.origin == verifier.name and one.code != code:
            raise Conflict(f"the log {verifier.name} is watched as {one.code}")
    if sharers:
        raise Conflict(f'the register {sharers[0]} uses the prefix "{code}" for its agencies')

    def ask() -> Origin:
        with reader(address, only_public=only_public) as read:
            site = PeerSite(read)
            site.checkpoint(verifier, policy or ANYBODY)
            return described(site, code, address)

    told = await asyncio.to_thread(ask)
    before = origins.get(code)
    origin = msgspec.structs.replace(before or told, **said)
    async with context.transaction() as connection:
        await save_origin(context, connection, origin, now=now)
        await peers.add(
            connection,
            code=code,
            origin=verifier.name,
            key=verifier.to_text(),
            address=address,
            policy=None if policy is None else policy.text,
            now=now,
        )
        [peer] = await peers.read_all(connection, code)
    return peer
