"""Who else has signed the log: cosignatures of checkpoints, and how the asking for them stands."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.store.checkpoints import Signed
from registry.store.database import Connection, read_row, read_rows, statement


class WitnessState(msgspec.Struct, frozen=True, kw_only=True):
    """Where the asking of one address stands.

    `asked` is the size that was asked for last, `size` the one that it cosigned last as far as is
    known. `alarm` is why its last answer is one that a witness gives to two histories; `alarms`
    counts these.
    """

    url: str
    asked: int
    asked_at: dt.datetime
    size: int
    answer: str
    alarm: str | None
    alarms: int


class Cosignature(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a checkpoint that a witness has signed: by which verifier key, at what time."""

    verifier: str
    time: int
    line: str


class CosignedCheckpoint(Cosignature, frozen=True, kw_only=True):
    """A cosignature with the checkpoint that it is of: its size and signed note."""

    size: int
    note: bytes


async def read_states(connection: Connection) -> list[WitnessState]:
    """Return how the asking of every address stands that was ever asked."""
    return await read_rows(connection, WitnessState, "witnesses", "states")


async def claim(
    connection: Connection, url: str, size: int, *, now: dt.datetime, apart: dt.timedelta
) -> WitnessState | None:
    """Take the turn to ask an address for a size.

    Returns None where somebody has asked it less than `apart` ago.
    """
    return await read_row(connection, WitnessState, "witnesses", "claim", url, size, now, apart)


async def keep_answer(
    connection: Connection, url: str, *, size: int | None, answer: str, alarm: str | None
) -> None:
    """Keep what an address has answered, and its size, if that is known now."""
    await connection.execute(statement("witnesses", "keep_answer"), url, size, answer, alarm)


async def read_alarms(connection: Connection) -> tuple[int, int]:
    """Return how many alarms there ever were, and at how many addresses one lasts."""
    row = await connection.fetchrow(statement("witnesses", "alarms"))
    return row["alarms"], row["alarmed"]


async def keep_cosignature(
    connection: Connection, size: int, given: Cosignature, *, now: dt.datetime
) -> None:
    """Keep a line of a checkpoint; the same again changes nothing."""
    await connection.execute(
        statement("witnesses", "keep_cosignature"),
        size,
        given.verifier,
        given.time,
        given.line,
        now,
    )


async def read_cosignatures(connection: Connection, size: int) -> list[Cosignature]:
    """Return the newest line of each key for the checkpoint of a size."""
    return await read_rows(connection, Cosignature, "witnesses", "cosignatures", size)


async def read_newest(connection: Connection) -> list[CosignedCheckpoint]:
    """Return of each key its last signature of the newest checkpoint that it has cosigned."""
    return await read_rows(connection, CosignedCheckpoint, "witnesses", "newest")


async def read_cosigned(connection: Connection, size: int, *, most: int) -> list[Signed]:
    """Return the newest checkpoints below a size that somebody has cosigned, the newest first."""
    return await read_rows(connection, Signed, "witnesses", "cosigned", size, most)
