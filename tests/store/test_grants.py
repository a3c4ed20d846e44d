"""What the role that serves may not do. What it must do, `tests/api` and `tests/web` do as it."""

import re

import asyncpg
import pytest

from registry.services.operations.startup import open_register
from registry.settings import Settings
from registry.store.database import connect
from tests.conftest import GRANTS, amended, as_role

TOKEN = (
    "insert into token (digest, actor, scopes, created_at, expires_at)"
    " values ('\\x00', 'me', '{admin}', now(), now() + interval '1 day')"
)
# By role, what somebody who runs statements in the API's process would want.
REFUSED = {
    "serving": (
        TOKEN,
        "update token set scopes = '{admin}'",
        "update token set revoked_at = null, expires_at = now() + interval '1 year'",
        "insert into member (name, roles, language, invited_at) values ('me', '{}', 'fr', now())",
        "select secret from console_secret",
        "select digest from console_session",
        "select digest from sign_in_link",
    ),
    "serving_console": ("delete from member", "delete from token"),
}
BOTH = (
    "update version set rule_set = ''",
    "update section set value = ''",
    "update log_entry set leaf = ''",
    "update audit set actor = 'another'",
    "update log_state set fault = null",
    "delete from log_entry",
    "delete from record",
    "delete from audit",
    "delete from notice",
    "truncate audit",
    "alter table audit disable trigger all",
    "drop trigger log_entry_append_only on log_entry",
    "insert into checkpoint default values",
    "insert into migration (number, name, checksum) values (9999, 'mine', '')",
    "create table mine ()",
    "create or replace function refuse_change() returns trigger language sql as 'select null'",
    "copy audit to program 'cat'",
    "set role postgres",
)


# Of a record with two versions, entries 1 and 2.
OF_THE_LOG = (
    "update figure set until_entry = null, until_at = null where entry = 1",
    "update figure set until_at = now() where entry = 1",
    "update figure set until_entry = 3, until_at = now() where entry = 2",
    "update figure set until_entry = 2, until_at = at where entry = 2",
    """create temporary table log_entry as
        select 3 as index, record, kind, at from public.log_entry where index = 2;
    update figure set until_entry = 3, until_at = at where entry = 2""",
)


async def test_a_role_that_serves_ends_no_version_that_the_log_does_not_end(
    database, database_url, publish, record
):
    await publish(record)
    await publish(amended(record, system_version="2"))
    connection = await asyncpg.connect(as_role("serving", database_url))
    for statement in OF_THE_LOG:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="does not end"):
            await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize("role", sorted(REFUSED))
async def test_a_role_that_serves_can_do_no_more(database_url, role):
    connection = await asyncpg.connect(as_role(role, database_url))
    done = []
    for statement in (*REFUSED[role], *BOTH):
        try:
            await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError:
            continue
        except asyncpg.PostgresError as error:
            done.append((statement, str(error)))
        else:
            done.append((statement, "done"))
    await connection.close()
    assert done == []


@pytest.mark.parametrize("role", sorted(REFUSED))
async def test_a_role_that_serves_opens_a_register_that_is_begun(
    role, database_url, pack, tmp_path
):
    opened = await connect(as_role(role, database_url))
    await open_register(opened, pack, Settings(data_dir=tmp_path))
    await opened.close()


async def test_the_console_makes_tokens(database_url):
    connection = await asyncpg.connect(as_role("serving_console", database_url))
    await connection.execute(TOKEN)
    await connection.close()


async def test_the_grants_say_of_each_table_who_writes_it(database):
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(GRANTS.glob("grants*.sql")))
    async with database.connection() as connection:
        tables = await connection.fetch(
            "select relname from pg_class"
            " where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
    unsaid = {row["relname"] for row in tables} - set(re.findall(r"\w+", text))
    assert unsaid == set(), "say in deploy/database/grants.sql whether the API writes them"


async def test_grants_can_be_given_again_and_take_back_what_was_given_before(
    database, database_url
):
    text = (GRANTS / "grants.sql").read_text(encoding="utf-8")
    async with database.transaction() as connection:
        await connection.execute("grant all on all tables in schema public to serving")
        await connection.execute("grant delete, update on token to serving")
        await connection.execute(text)
        for right in ("insert", "update", "delete"):
            held = await connection.fetchval(
                "select has_table_privilege('serving', 'token', $1)", right
            )
            assert not held, right
