"""The table of forgeries: each is made as who runs the database may, and found by a command.

One small register serves for the whole table: forge, check, undo. `registry audit` asks it over
HTTP as a stranger, `registry log verify` looks into its database, `registry log fsck` at its files.
"""

# ruff: noqa: S608  the names are our own

import asyncio
import re
import shutil

import asyncpg
import msgspec
import pytest

from registry.ledger.replay import LogInconsistent
from registry.ledger.verify_database import check_all
from registry.pages.audit import audit_register
from registry.store.database import connect
from tests.guides import fences
from tests.served import ROOT, served

CHANGED = "demo-sante/chaine-froid-vaccins"
WITHDRAWN = "demo-sante/stocks-medicaments"
_FILES = ("chaine-froid-vaccins.1", "chaine-froid-vaccins", "prevision-lits", "stocks-medicaments")
INDEXED = "update search_state set epoch = epoch + 1"
"""As after a restart with an index made anew: what is stored is what is answered."""
COUNTED = "insert into erasure (redaction, entries) values (-1, '{}')"
"""As on another host, which has no answer of before."""

# What is forged: the statements, the tables, and what `log verify` and `audit` must say first.
ROWS = {
    "a risk code in the search rows": (
        ["""update search_version set codes = replace(codes, '"risk":["minimal"]',
        '"risk":["high"]') where codes like '%"risk":["minimal"]%'""", INDEXED],
        ["search_version"],
        r"table search_version, .* codes, risk is \[\"high\"\], and \[\"minimal\"\] follows",
        r"/api/v1/records\?.*: risk, high is \d, and \d follows from the log",
    ),
    "a sector in the search rows": (
        ["""update search_version set codes = replace(codes, '"sector":["health"]',
        '"sector":["justice"]') where codes like '%"sector":["health"]%'""", INDEXED],
        ["search_version"],
        r"table search_version, .* codes, sector is ",
        r"/api/v1/records\?.*: sector, health is 0, and \d follows from the log",
    ),
    "an agency in the search rows": (
        ["""update search_version set codes = replace(codes, '"agency":["demo-sante"]',
        '"agency":["demo-services"]')""", INDEXED],
        ["search_version"],
        r"table search_version, .* codes, agency is ",
        r"/api/v1/records\?.*: agency, demo-sante is 0, and \d follows from the log",
    ),
    "a status in the search rows": (
        ["""update search_version set codes = replace(codes, '"status":["in_use"]',
        '"status":["retired"]')""", INDEXED],
        ["search_version"],
        r"table search_version, .* codes, status is ",
        r"/api/v1/records\?.*: status, in_use is 0, and \d follows from the log",
    ),
    "a figure": (
        ["update figure set sector = 'justice' where sector = 'health'", COUNTED],
        ["figure", "erasure"],
        r"table figure, .* sector is \"justice\", and \"health\" follows",
        r"/api/v1/statistics\?.*: local, groups, .* follows from the log",
    ),
    "an attestation's number": (
        ["update attestation set systems_total = 4"],
        ["attestation"],
        r"table attestation, demo-sante, .*: systems_total is 4, and 9 follows",
        r"/api/v1/attestations\?agency=demo-sante.*: items, 0, systems_total is 4, and 9 follows",
    ),
    "a withdrawal's reason": (
        ["update withdrawal set reason = 'other'"],
        ["withdrawal"],
        r"table withdrawal, .*: reason is \"other\", and ",
        r"/api/v1/records/.*: tombstone, reason is \"other\", and ",
    ),
    "the findings": (
        ["update version set findings = '[]' where findings <> '[]'"],
        ["version"],
        r"table version, .*: findings and missing is \"0 and ",
        r"content/1.json, entry 1: its verdict is not what the entry commits to",
    ),
    "the completeness": (
        ["update version set completeness = 100"],
        ["version"],
        r"table version, .*: completeness is 100, and \d+ follows",
        r"/api/v1/records/.*: register, completeness is 100, and \d+ follows",
    ),
    "what is missing": (
        ["update version set missing = '{}' where missing <> '{}'"],
        ["version"],
        r"table version, .*: findings and missing is ",
        r"content/1.json, entry 1: its verdict is not what the entry commits to",
    ),
    "where a record stands": (
        [f"update record set state = 'published' where id = '{WITHDRAWN}'"],
        ["record"],
        rf"entry \d+: {WITHDRAWN} stands otherwise than its entries say",
        None,  # no answer is made of it alone
    ),
    "a version dropped": (
        [f"delete from version where record = '{CHANGED}' and version = 1"],
        ["version"],
        r"entry \d+: its version is missing",
        r"content/1.json, entry 1: it does not have ",
    ),
    "two versions swapped": (
        [f"update version set version = version + 10 where record = '{CHANGED}'",
         f"update version set version = 13 - version where record = '{CHANGED}'"],
        ["version"],
        r"entry \d+: its version is of another version",
        r"content/1.json, entry 1: it does not have ",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    """Records of one agency, one with two versions, one withdrawn; foreign ones; an attestation."""
    folder = tmp_path_factory.mktemp("forged")
    records = folder / "records"
    for name in _FILES:
        (records / "demo-sante").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / f"records/demo-sante/{name}.json", records / "demo-sante")
    for kind, body in reversed(list(fences(ROOT / "docs/importing.md"))):
        if kind in {"json", "csv"}:  # the page's first example stays
            (folder / f"city.{kind}").write_text(body, encoding="utf-8")
    with served(workers=1) as running:
        run = running.register.run
        contact = ("--contact", "registre@demo-sante.example")
        note = ("--reason", "filed_in_error", "--note", "fr=Erreur.", "--note", "ar=خطأ")
        for command in (
            ("load", records),
            ("withdraw", WITHDRAWN, *note),
            ("import", folder / "city.json", folder / "city.csv"),
            ("attest", "demo-sante", "--systems", "9", *contact),
            ("log", "publish"),
        ):
            done = run(*command)
            assert done.returncode == (command[0] == "import"), f"{command}: {done.stderr}"
        yield running


def audited(register):
    return audit_register(
        register.url, verifier=None, progress=lambda *_: None, sleep=lambda _: None
    )


def told(register):
    """What an audit says first."""
    report = audited(register)
    if report.refused is not None:
        return report.refused
    return "\n".join(f"{one.at}: {one.why}" for one in report.differences) or None


async def verified(database_url, pack):
    """What `registry log verify` says of the database."""
    database = await connect(database_url)
    try:
        async with database.snapshot() as connection:
            await check_all(connection, pack, {}, lambda *_: None)
    except LogInconsistent as error:
        return error.detail
    finally:
        await database.close()


async def forge(database_url, statements, tables, check):
    """Forge with every trigger bypassed, check what is found, and undo it."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("set session_replication_role = replica")
        for table in tables:
            await connection.execute(f"create temp table kept_{table} as table {table}")
        for statement in statements:
            done = await connection.execute(statement)
            assert not done.endswith(" 0"), statement
        found = await check()
        for table in tables:
            await connection.execute(f"delete from {table}")
            await connection.execute(f"insert into {table} table kept_{table}")
        await connection.execute(INDEXED)
        return found
    finally:
        await connection.close()


def test_each_forgery_of_a_row_is_found_by_the_commands_named(register, pack):
    url = register.register.database_url
    assert told(register) is None

    async def check():
        return await verified(url, pack), await asyncio.to_thread(told, register)

    wrong = []
    for forgery, (statements, tables, by_verify, by_audit) in ROWS.items():
        found = asyncio.run(forge(url, statements, tables, check))
        for command, expected, said in zip(
            ("log verify", "audit"), (by_verify, by_audit), found, strict=True
        ):
            if expected is None:
                continue
            if said is None or not re.match(f"(?s).*?{expected}", said):
                wrong.append(f"{forgery}, {command}: {said}")
    assert not wrong, "\n".join(wrong)
    assert told(register) is None


def test_the_command_gives_one_verdict(register):
    run = register.register.run
    done = run("audit", f"{register.url}/", "--json")
    report = msgspec.json.decode(done.stdout)
    assert (done.returncode, report["verdict"]) == (0, "in order"), done.stdout + done.stderr
    assert run("audit", f"{register.url}/log").returncode == 0
    other = "other.example/log+9a2d1c5f+AQ" + "A" * 43
    assert run("audit", register.url, "--key", other).returncode == 2
    assert run("audit", "ftp://register.example").returncode == 2
    assert run("audit", "http://127.0.0.1:9").returncode == 3
