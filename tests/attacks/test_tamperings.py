"""Every column of every table that follows from the log, altered in turn: each is found and named.

The cases are made of the catalogue, so that a new column or table is altered too.
"""

# ruff: noqa: S608  names of tables and columns are those of the catalogue

import re

import asyncpg
import pytest

from registry.ledger.verify_database import DatabaseInconsistent, check_all
from registry.services.statements import redaction
from registry.store.log_checks import PROJECTED
from registry.worker.runner import publish as publish_log
from tests.conftest import NOW
from tests.ledger.test_verify_rows import ID, filed  # noqa: F401  the fixture
from tests.services.test_erasure import DECISION, acting

ANSWERS_NOTHING = {("search_version", "analysis"), ("erasure", "settled")}
"""Columns of which another value makes a row answer nothing, or has files written once more."""

OF_THE_LOG = {"redaction": "entry is not null", "import_run": "ended_at is not null"}
"""The rows of tables of which not all follow from the log."""


@pytest.fixture
def database(logged):
    return logged


@pytest.fixture
async def everything(filed, context, settings, record):  # noqa: F811
    """A register with entries of every kind that rows follow from, two redactions carried out."""
    word = max(record["purpose"]["goal"]["fr"].split(), key=len)
    for asked in (
        {"record": ID, "pointers": ["/contact/phone", "/contact/email"]},
        {"record": ID, "pointers": ["/purpose/goal"], "words": [word], "reference": "D-1"},
    ):
        made = await redaction.request(context, acting("one"), {**DECISION, **asked}, now=NOW)
        await redaction.confirm(context, acting("another"), made.redaction, now=NOW)
        await publish_log(settings, context)


CHANGED = {
    "text": "{0} || 'x'",
    "boolean": "not {0}",
    "date": "{0} + 1",
    "timestamp with time zone": "{0} + interval '1 second'",
    "bytea": "{0} || '\\x00'",
    "text[]": "{0} || 'x'::text",
    "integer[]": "{0} || 7",
    "bigint[]": "{0} || 7::bigint",
}
EMPTIED = {"text": "''", "bytea": "''", "text[]": "'{}'", "integer[]": "'{}'", "bigint[]": "'{}'"}
OTHER = {"text": "'x'", "date": "'2020-01-01'", "timestamp with time zone": "'2020-01-01'"}


def of_columns(table, columns):
    """Yield what is done to the cells of a table, and the statement."""
    for column, kind in columns.items():
        values = {
            "changed": CHANGED.get(kind, "{0} + 1").format(f'"{column}"'),
            "other": OTHER.get(kind, "1" if "int" in kind and "[" not in kind else "null"),
            "emptied": EMPTIED.get(kind, "null"),
            "gone": "null",
        }
        if kind == "text":
            values["no JSON"] = "'{'"
        for deed, value in values.items():
            yield (
                f"{table}.{column} {deed}",
                f"""update "{table}" set "{column}" = {value} where ctid = (
                    select min(ctid) from "{table}"
                    where ("{column}" is distinct from {value}) and {OF_THE_LOG.get(table, "true")}
                )""",
            )


def of_rows(table, columns):
    """Yield what is done to rows of a table, and the statements."""
    key = PROJECTED[table].key if table in PROJECTED else ("redaction",)
    last = key[-1]
    other = {"text": f"\"{last}\" || 'x'", "boolean": f'not "{last}"'}.get(
        columns[last], f'"{last}" + 900'
    )
    named = ", ".join(f'"{column}"' for column in columns)
    copied = ", ".join(other if column == last else f'"{column}"' for column in columns)
    yield (
        f"{table}, a row gone",
        f"""delete from "{table}" where ctid = (
            select min(ctid) from "{table}" where {OF_THE_LOG.get(table, "true")}
        )""",
    )
    yield (
        f"{table}, a row invented",
        f'insert into "{table}" ({named}) select {copied} from "{table}" limit 1',
    )
    values = [column for column in columns if column not in key]
    if values:
        pairs = ", ".join(f'"{column}" = o."{column}"' for column in values)
        cells = ", ".join(f't."{column}"' for column in values)
        ends = f"""select min(ctid) as a, max(ctid) as b from "{table}"
            where {OF_THE_LOG.get(table, "true")}"""
        yield (
            f"{table}, rows swapped",
            f"""update "{table}" as t set {pairs} from "{table}" as o, ({ends}) as e
            where t.ctid <> o.ctid and t.ctid in (e.a, e.b) and o.ctid in (e.a, e.b)
                and ({cells}) is distinct from ({cells.replace('t."', 'o."')})
            """,
        )


async def cases(connection):
    """Make the tamperings of every table, of the catalogue: what is done, table, statement."""
    rows = await connection.fetch(
        """select c.relname, a.attname, format_type(a.atttypid, null) as kind
        from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid
        where c.relname = any($1) and a.attnum > 0 and not a.attisdropped order by 1, a.attnum""",
        [*PROJECTED, "erasure"],
    )
    tables = {}
    for row in rows:
        tables.setdefault(row["relname"], {})[row["attname"]] = row["kind"]
    return [
        (deed, table, statement)
        for table, columns in tables.items()
        for made in (of_columns(table, columns), of_rows(table, columns))
        for deed, statement in made
    ]


async def found_by_check(connection):
    try:
        await check_all(connection, {}, lambda *_: None)
    except DatabaseInconsistent as error:
        return error.detail
    return None


async def test_each_tampering_is_found_and_named_by_its_table(everything, database):
    tried, unfound, unnamed = 0, set(), []
    async with database.connection() as connection:
        assert await found_by_check(connection) is None
        for table in ("redaction", "import_run"):
            await connection.execute(f"alter table {table} alter column id drop identity")
        for deed, table, statement in await cases(connection):
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute("set local session_replication_role = replica")
                done = await connection.execute(statement)
            except asyncpg.IntegrityConstraintViolationError:
                done = ""
            if done and not done.endswith(" 0"):
                tried += 1
                said = await found_by_check(connection)
                if said is None:
                    unfound.add(deed)
                elif not re.search(rf"table .*\b{table}\b", said) and table != "log_entry":
                    unnamed.append(f"{deed}: {said}")
            await transaction.rollback()
    assert tried >= 120
    assert not unnamed, "\n".join(unnamed)
    allowed = {
        (table, column) for table, one in PROJECTED.items() for column in one.unstated
    } | ANSWERS_NOTHING
    wrong = [deed for deed in unfound if tuple(deed.split(" ")[0].split(".")) not in allowed]
    assert not wrong, "\n".join(wrong)
