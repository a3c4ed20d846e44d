"""What every use case needs, read once and passed down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

from registry.record.fast_validator import FastValidator
from registry.record.pack import Pack
from registry.store.database import Database

Review: TypeAlias = Literal["none", "required"]


class ServiceContext(msgspec.Struct, frozen=True, kw_only=True):
    """The database, the country's pack, the source of random bytes, and the review policy.

    `review` says whether a second person approves what an agency submits; `fast` may accept a
    document's shape.
    """

    database: Database
    pack: Pack
    random: Callable[[int], bytes]
    review: Review = "none"
    fast: FastValidator = msgspec.field(default_factory=FastValidator)
