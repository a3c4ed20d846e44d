"""Receipts: the proof of what was done; who repeats a request is given the same."""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

import msgspec

from registry.store.records import CurrentDocument

FilingOutcome: TypeAlias = Literal[
    "created", "changed", "published", "unchanged", "in_review", "returned", "withdrawn"
]


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The proof of what was done, and when; what does not apply is left out.

    `version`, `entry` and `hash` say which version it became and where it stands in the log; a
    withdrawal names the version that it ends. `tag` is that of a draft that is left. `code` is the
    short code of a record that was published.
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
    code: str | None = None


class DraftReceipt(Receipt, frozen=True, kw_only=True):
    """The proof that a draft was saved, and whether it could be published as it is."""

    saved_at: dt.datetime
    publishable: bool
    completeness: int


def unchanged_receipt(record: str, current: CurrentDocument) -> Receipt:
    """Return the receipt of a record that stands as it was to be."""
    return Receipt(
        outcome="unchanged",
        id=record,
        version=current.version,
        entry=current.entry,
        hash=current.leaf.hex(),
        published_at=current.published_at,
        code=current.code,
    )
