"""Receipts: the proof of what the office has done; who repeats a request is given the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from registry.services import idempotency
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.store.database import Connection, retried
from registry.store.records import CurrentDocument

FilingOutcome: TypeAlias = Literal[
    "created", "changed", "published", "unchanged", "in_review", "returned", "withdrawn"
]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of what the office has done, and when; what does not apply is left out.

    `version`, `entry` and `hash` say which version it became and where it stands in the log; a
    withdrawal names the version that it ends. `tag` is that of a draft that is left.
    """

    outcome: FilingOutcome
    id: str
    version: int | None = None
    hash: str | None = None
    entry: int | None = None
    tag: str | None = None
    published_at: dt.datetime | None = None
    submitted_at: dt.datetime | None = None
    returned_at: dt.datetime | None = None
    withdrawn_at: dt.datetime | None = None


Receipts: TypeAlias = Sequence[Receipt]


class DraftReceipt(Receipt, frozen=True, kw_only=True):
    """The proof that a draft was saved, and whether it could be published as it is."""

    saved_at: dt.datetime
    publishable: bool
    completeness: int


@retried
async def run_idempotent(
    context: ServiceContext,
    actor: Actor,
    key: str | None,
    request: bytes,
    work: Callable[[Connection], Awaitable[Receipt]],
    *,
    now: dt.datetime,
) -> Receipt:
    """Do a piece of work in one transaction, or give what its idempotency key was answered."""
    async with context.database.transaction() as connection:
        known = await idempotency.replay(connection, actor, key, request)
        if known is not None:
            return msgspec.json.decode(known, type=Receipt)
        receipt = await work(connection)
        content = msgspec.json.encode(receipt)
        await idempotency.store_response(connection, context, actor, key, request, content, now=now)
    return receipt


def unchanged_receipt(record: str, standing: CurrentDocument) -> Receipt:
    """Say that a record stands as it was to be."""
    return Receipt(
        outcome="unchanged",
        id=record,
        version=standing.version,
        entry=standing.entry,
        hash=standing.leaf.hex(),
        published_at=standing.published_at,
    )
