"""What must hold in the rows of a register whatever died: each broken law as a sentence.

Read with none of the register's own code where that can be: SQL for what rows say of each other,
SHA-256 for the tree. What follows from the log is derived again by the register's own check.
"""

import hashlib

import asyncpg
import msgspec

from registry.ledger.verify_database import check_slice
from registry.log.replay import LogInconsistent
from registry.record.pack import Pack
from registry.store import log_checks
from registry.tlog.tile import WIDTH

# The entries with what their bytes say, for the other questions.
_SAYS = """
create temporary table e on commit drop as
select
    index, kind, record, at, leaf, says, bytes,
    -- What an agency is called and what it attests are two chains.
    coalesce(
        says ->> 'id',
        case kind when 'agency' then 'named ' else 'agency ' end || (says ->> 'agency')
    ) as subject
from (select *, convert_from(bytes, 'UTF8')::jsonb as says from log_entry) as entry
"""

LAWS = {
    "the entries are not dense": """
        select index from (
            select index, row_number() over (order by index) - 1 as expected from e
        ) as numbered where index <> expected
        """,
    "the log's state is not that of its rows": """
        select size, last_at from log_state
        where size <> (select count(*) from e) or last_at <> (select max(at) from e)
        """,
    "an entry's time is before the one ahead of it": """
        select index from (
            select index, at, lag(at) over (order by index) as before from e
        ) as timed where at < before
        """,
    "a leaf is not its entry's hash": """
        select index from e where leaf <> sha256('\\x00'::bytea || bytes)
        """,
    "an entry and its row differ": """
        select index from e
        where says ->> 'kind' <> kind
            or (says ->> 'at')::timestamptz <> at
            or record is distinct from (says ->> 'id')
        """,
    "an entry does not name the one of its subject before it": """
        select index from (
            select
                index, says -> 'prev' as said,
                lag(index) over chain as before, lag(leaf) over chain as leaf
            from e where subject is not null
            window chain as (partition by subject order by index)
        ) as chained
        where said is distinct from case
            when before is null then 'null'::jsonb
            else jsonb_build_object('index', before, 'leaf', encode(leaf, 'hex'))
        end
        """,
    "a version and its entry do not match": """
        select coalesce(v.record, e.record), v.version, e.index
        from version as v full join (select * from e where kind = 'version') as e
            on e.index = v.entry and e.record = v.record
                and (e.says ->> 'version')::integer = v.version
                and e.at = v.published_at and e.says ->> 'actor' = v.actor
        where v.record is null or e.index is null
        """,
    "a record's versions are not contiguous from 1": """
        select record, version from (
            select
                record, version,
                row_number() over (partition by record order by entry) as expected
            from version
        ) as numbered where version <> expected
        """,
    "the sections are not those that the entry commits to": """
        select e.index from e
        left join version as v on v.entry = e.index
        left join lateral (
            select jsonb_object_agg(key, commitment) as kept from (
                select key, commitment from section
                where section.record = v.record and section.version = v.version
                union all
                select key, commitment from entry_section where entry_section.entry = e.index
            ) as one
        ) as s on true
        where e.kind <> 'genesis' and e.says -> 'sections' <> coalesce(s.kept, '{}')
        """,
    "a draft is not whole": """
        select record from draft as d
        where d.document::jsonb ->> 'id' <> d.record
            or split_part(d.record, '/', 1) <> d.agency
            or d.state = 'in_review' and (d.submitted_by is null or d.submitted_at is null)
            or (d.base is not null and not exists (
                select from e where e.record = d.record and e.leaf = d.base
            ))
        """,
    "a pending act and its entry differ": """
        select a.id from pending_act as a left join e on e.index = a.entry
        where a.state = 'approved' and (
            e.kind is distinct from a.kind
            or e.says ->> 'approved_by' is null
            or a.subject is distinct from coalesce(e.record, e.says ->> 'agency')
        )
        """,
    # Where nobody submits what is in force already. Of a record that is reviewed, submissions may
    # be more than what they published.
    "the audit trail and the log differ": """
        select act, subject, done, made
        from (
            select
                case action when 'submit' then 'publish' else action end as act,
                subject, count(*) as done
            from audit
            where result = 'done'
                and action in ('submit', 'publish', 'approve', 'withdraw', 'attest', 'approve_act')
            group by 1, 2
        ) as told
        full join (
            select
                case
                    when e.kind <> 'version' and e.says ->> 'approved_by' is not null
                        then 'approve_act'
                    when e.kind = 'withdrawal' then 'withdraw'
                    when e.kind = 'attestation' then 'attest'
                    when v.approved_by is not null then 'approve'
                    else 'publish'
                end as act,
                coalesce(e.record, e.says ->> 'agency') as subject, count(*) as made
            from e left join version as v on v.entry = e.index
            where e.kind in ('version', 'withdrawal', 'attestation') and e.says ->> 'origin' is null
            group by 1, 2
        ) as entered using (act, subject)
        where done is distinct from made and not (
            act = 'publish' and done >= coalesce(made, 0) and (
                exists (
                    select from audit as a
                    where a.subject = coalesce(told.subject, entered.subject) and a.result = 'done'
                        and a.action in ('approve', 'return', 'delete_draft')
                )
                or exists (
                    select from draft as d
                    where d.record = coalesce(told.subject, entered.subject)
                        and d.submitted_at is not null
                )
            )
        )
        """,
    "a stored answer names an entry that is not there": """
        select a.key from answer as a
        where a.content <> '' and a.content::jsonb ? 'entry' and not exists (
            select from e
            where e.index = (a.content::jsonb ->> 'entry')::bigint
                and encode(e.leaf, 'hex') = a.content::jsonb ->> 'hash'
        )
        """,
}


async def broken_laws(url: str, pack: Pack, *, since: int = -1) -> list[str]:
    """Check a register's rows; empty when all is well.

    Everything is checked of all rows, but what takes long, the rows that the product derives again,
    only of entries after `since`.
    """
    connection = await asyncpg.connect(url, server_settings={"timezone": "UTC"})
    transaction = connection.transaction(isolation="repeatable_read")
    try:
        await transaction.start()
        await connection.execute(_SAYS)
        found = []
        for sentence, question in LAWS.items():
            rows = await connection.fetch(question)
            if rows:
                found.append(f"{sentence}: {[tuple(row) for row in rows[:5]]}, {len(rows)} in all")
        found += await _tree(connection)
        found += await _rows(connection, pack, since)
        return found
    finally:
        await transaction.rollback()
        await connection.close()


async def _tree(connection: asyncpg.Connection) -> list[str]:
    leaves = [row["leaf"] for row in await connection.fetch("select leaf from e order by index")]
    peaks, start = [], 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            peaks.append(_perfect(leaves[start : start + (1 << bit)]))
            start += 1 << bit
    kept = await connection.fetchval("select peaks from log_state")
    return [] if kept == b"".join(peaks) else ["the log's root is not that of its entries"]


def _perfect(leaves: list[bytes]) -> bytes:
    while len(leaves) > 1:
        pairs = zip(leaves[::2], leaves[1::2], strict=True)
        leaves = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return leaves[0]


async def _rows(connection: asyncpg.Connection, pack: Pack, since: int) -> list[str]:
    """Find the first row that is not what follows from the log, by the product's own check."""
    size = await connection.fetchval("select size from log_state")
    try:
        for start in range(since + 1, size, WIDTH):
            await check_slice(connection, start, min(start + WIDTH, size))
        strays = await log_checks.read_strays(connection)
    except LogInconsistent as error:
        return [error.detail]
    return [f"{one.in_table}, {one.key}: is of no entry" for one in strays]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What an agency was answered: an entry of the log, and the version that it made, if any."""

    id: str
    entry: int
    hash: str
    version: int | None = None


async def unkept(url: str, receipts: list[Receipt]) -> list[str]:
    """Find the receipts that the register does not keep: other hash, other version, no entry."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "select e.index, encode(e.leaf, 'hex') as hash, v.record, v.version from log_entry as e"
        " left join version as v on v.entry = e.index"
    )
    await connection.close()
    kept = {row["index"]: row for row in rows}
    return [
        f"{receipt} was acknowledged and the register has {kept.get(receipt.entry)}"
        for receipt in receipts
        if (row := kept.get(receipt.entry)) is None
        or row["hash"] != receipt.hash
        or (
            receipt.version is not None
            and (row["record"], row["version"]) != (receipt.id, receipt.version)
        )
    ]
