"""The table of forgeries: each is made as who runs the database may, and found by a command.

One small register serves for the whole table: forge, check, undo. `registry log verify` looks into
its database, `registry log fsck` at its files.
"""

# ruff: noqa: S608  the names are our own

import asyncio
import re
import shutil
from functools import partial

import asyncpg
import pytest

from registry.ledger.verify_database import check_all
from registry.log.replay import LogInconsistent
from registry.store.database import connect
from registry.verify.fsck import fsck
from tests.guides import fences
from tests.served import ROOT, served

CHANGED = "demo-sante/chaine-froid-vaccins"
WITHDRAWN = "demo-sante/stocks-medicaments"
_FILES = ("chaine-froid-vaccins.1", "chaine-froid-vaccins", "prevision-lits", "stocks-medicaments")
INDEXED = "update search_state set epoch = epoch + 1"
"""As after an index made anew, which `checked` has: what is stored is what is answered."""
COUNTED = "insert into erasure (redaction, entries) values (-1, '{}')"
"""As on another host, which has no answer of before."""

# What is forged: the statements, the tables, and what `log verify` must say first.
ROWS = {
    "a risk code in the search rows": (
        ["""update search_version set codes = replace(codes, '"risk":["minimal"]',
        '"risk":["high"]') where codes like '%"risk":["minimal"]%'""", INDEXED],
        ["search_version"],
        r'table search_version, .* codes is .*"risk":\["high"\].*, and .*"risk":\["minimal"\]',
    ),
    "a sector in the search rows": (
        ["""update search_version set codes = replace(codes, '"sector":["health"]',
        '"sector":["justice"]') where codes like '%"sector":["health"]%'""", INDEXED],
        ["search_version"],
        r'table search_version, .* codes is .*"justice"',
    ),
    "an agency in the search rows": (
        ["""update search_version set codes = replace(codes, '"agency":["demo-sante"]',
        '"agency":["demo-services"]')""", INDEXED],
        ["search_version"],
        r'table search_version, .* codes is .*"demo-services"',
    ),
    "a status in the search rows": (
        ["""update search_version set codes = replace(codes, '"status":["in_use"]',
        '"status":["retired"]')""", INDEXED],
        ["search_version"],
        r'table search_version, .* codes is .*"retired"',
    ),
    "a figure": (
        ["update figure set sector = 'justice' where sector = 'health'", COUNTED],
        ["figure", "erasure"],
        r"table figure, .* sector is \"justice\", and \"health\" follows",
    ),
    "an attestation's number": (
        ["update attestation set systems_total = 4"],
        ["attestation"],
        r"table attestation, demo-sante, .*: systems_total is 4, and 9 follows",
    ),
    "a withdrawal's reason": (
        ["update withdrawal set reason = 'other'"],
        ["withdrawal"],
        r"table withdrawal, .*: reason is \"other\", and ",
    ),
    "the findings": (
        ["update version set findings = '[]' where findings <> '[]'"],
        ["version"],
        r"table version, .*: its verdict is not what the entry commits to",
    ),
    "the completeness": (
        ["update version set completeness = 100"],
        ["version"],
        r"table version, .*: completeness is 100, and \d+ follows",
    ),
    "what is missing": (
        ["update version set missing = '{}' where missing <> '{}'"],
        ["version"],
        r"table version, .*: its verdict is not what the entry commits to",
    ),
    "an agency's name": (
        ["update agency set document = replace(document, 'Santé', 'Paix') where id = 'demo-sante'"],
        ["agency"],
        r"table agency, demo-sante: document is .*Paix.*, and .*Santé",
    ),
    "where a record stands": (
        [f"update record set state = 'published' where id = '{WITHDRAWN}'"],
        ["record"],
        rf'table record, {WITHDRAWN}, entry \d+: state is "published", and "withdrawn" follows',
    ),
    "a version dropped": (
        [f"delete from version where record = '{CHANGED}' and version = 1"],
        ["version"],
        r"table version, .*, entry \d+: its version is missing",
    ),
    "a short code": (
        [f"update short_code set code = 'AAAAAAA' where record = '{CHANGED}'"],
        ["short_code"],
        r"table short_code, .*: code is \"AAAAAAA\", and \"[0-9A-Z]{7}\" follows",
    ),
    "two versions swapped": (
        [f"update version set version = version + 10 where record = '{CHANGED}'",
         f"update version set version = 13 - version where record = '{CHANGED}'"],
        ["version"],
        r"table version, .*, entry \d+: version is 2, and 1 follows",
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
    (records / "withdrawals.csv").write_text(
        f"id,reason,note_ar,note_fr,after_version\n{WITHDRAWN},filed_in_error,خطأ,Erreur.,1\n",
        encoding="utf-8",
    )
    for kind, body in reversed(list(fences(ROOT / "docs/importing.md"))):
        if kind in {"json", "csv"}:  # the page's first example stays
            (folder / f"city.{kind}").write_text(body, encoding="utf-8")
    with served(workers=1) as running:
        run = running.register.run
        shutil.rmtree(running.register.data / "site")  # where there is none yet
        contact = ("--contact", "registre@demo-sante.example")
        for command in (
            ("load", records),
            ("import", folder / "city.json", folder / "city.csv"),
            ("attest", "demo-sante", "--systems", "9", *contact),
            ("log", "publish"),
            ("site", "build"),
        ):
            done = run(*command)
            assert done.returncode == (command[0] == "import"), f"{command}: {done.stderr}"
        yield running


def rebuild(register):
    """Make the index anew of the rows as they are."""
    done = register.register.run("search", "rebuild")
    assert done.returncode == 0, done.stderr


async def checked(register, pack, statements):
    """What `log verify` says, once the index is of what statements forged."""
    if INDEXED in statements:
        await asyncio.to_thread(rebuild, register)
    return await verified(register.register.database_url, pack)


async def verified(database_url, pack):
    """What `registry log verify` says of the database."""
    database = await connect(database_url)
    try:
        async with database.snapshot() as connection:
            await check_all(connection, {}, lambda *_: None)
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


def test_each_forgery_of_a_row_is_found_by_the_command(register, pack):
    url = register.register.database_url
    wrong = []
    for forgery, (statements, tables, expected) in ROWS.items():
        check = partial(checked, register, pack, statements)
        said = asyncio.run(forge(url, statements, tables, check))
        if INDEXED in statements:
            rebuild(register)
        if said is None or not re.match(f"(?s).*?{expected}", said):
            wrong.append(f"{forgery}: {said}")
    assert not wrong, "\n".join(wrong)
    assert asyncio.run(verified(url, pack)) is None


@pytest.mark.parametrize("analysis", ["null", "'another'"])
def test_a_forged_row_of_another_analysis_is_no_fault_and_answers_nothing(register, pack, analysis):
    url = register.register.database_url
    forged = f"""update search_version set name = '{{}}', rest = '{{}}', analysis = {analysis},
        codes = replace(replace(codes, 'minimal', 'high'), 'demo-sante', 'demo-services'),
        card = replace(card, 'minimal', 'high')"""

    statements = [forged, INDEXED]
    check = partial(checked, register, pack, statements)
    found = asyncio.run(forge(url, statements, ["search_version"], check))
    assert found is None
    rebuild(register)


def alter(path, old, new):
    """Alter a file, and return how to undo it; others may be links to the same."""
    before = path.read_bytes()
    assert old in before, path
    path.unlink()
    path.write_bytes(before.replace(old, new, 1))

    def undo():
        path.unlink()
        path.write_bytes(before)

    return undo


def test_what_no_entry_states_is_said_not_to_be_checked(register):
    done = register.register.run("log", "verify")
    assert done.returncode == 0, done.stderr
    assert [
        line.partition(": ")[2].partition(" ")[0]
        for line in done.stderr.splitlines()
        if line.startswith("not checked, for no entry states it")
    ] == ["2"]  # rows of the other register


def test_a_byte_of_a_bundle_is_found_by_fsck_and_reaches_no_reader(register, pack):
    folder = register.register.data / "log"
    [bundle] = folder.glob("tile/entries/000.p/*")
    alter(bundle, b'"risk":"minimal"', b'"risk":"minimum"')
    # Readers are answered from the database.
    assert "minimum" not in str(register.client.get("/api/v1/changes").content)
    with pytest.raises(LogInconsistent, match=r"tile/entries/000.p/\d+"):
        fsck(folder, verifier=None, progress=lambda *_: None)
    # The database has all of it still, of which the folder is made anew.
    assert asyncio.run(verified(register.register.database_url, pack)) is None
    shutil.rmtree(folder)
    assert register.register.run("log", "publish").returncode == 0
    fsck(folder, verifier=None, progress=lambda *_: None)
