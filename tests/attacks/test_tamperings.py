"""Every column of every table that follows from the log, altered: each is found and named."""

import re

import asyncpg
import pytest

from registry.ledger.verify_database import DatabaseInconsistent, check_all
from registry.services.statements import redaction
from registry.store.log_checks import PROJECTED
from registry.worker.runner import publish as publish_log
from tests.attacks.tamperings import tamperings
from tests.conftest import NOW
from tests.ledger.test_verify_rows import ID, filed  # noqa: F401  the fixture
from tests.services.test_erasure import DECISION, acting

ANSWERS_NOTHING = {("search_version", "analysis"), ("erasure", "settled")}
"""Columns of which another value makes a row answer nothing, or has files written once more."""


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


async def found_by_check(connection):
    try:
        await check_all(connection, {}, lambda *_: None)
    except DatabaseInconsistent as error:
        return error.detail
    return None


async def test_each_tampering_is_found_and_named_by_its_table(everything, database):
    tried, unfound, unnamed = 0, [], []
    async with database.connection() as connection:
        assert await found_by_check(connection) is None
        for table in ("redaction", "import_run"):
            await connection.execute(f"alter table {table} alter column id drop identity")
        for one in await tamperings(connection):
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute("set local session_replication_role = replica")
                done = await connection.execute(one.of())
            except asyncpg.IntegrityConstraintViolationError:
                done = ""
            if done and not done.endswith(" 0"):
                tried += 1
                # A check that wrote anything would be refused.
                await connection.execute("set transaction read only")
                said = await found_by_check(connection)
                if said is None:
                    unfound.append(one)
                elif not re.search(rf"table .*\b{one.table}\b", said) and one.table != "log_entry":
                    unnamed.append(f"{one}: {said}")
                assert "ReadOnly" not in (said or "")
            await transaction.rollback()
    assert tried >= 120
    assert not unnamed, "\n".join(unnamed)
    allowed = {
        (table, column) for table, one in PROJECTED.items() for column in one.unstated
    } | ANSWERS_NOTHING
    wrong = [one for one in unfound if (one.table, one.column) not in allowed]
    assert not wrong, wrong
