"""Every forgery of a row that an answer is made of is found, by the owner of the database too."""

import json
import re

import pytest

from registry.ledger.verify_database import (
    check_all,
    check_database,
    check_rows_from,
)
from registry.log.files import LogRefused
from registry.log.replay import LogInconsistent
from registry.record.pack import Agency
from registry.record.short_code import candidates
from registry.record.validate import validate
from registry.services.filing.drafts import Precondition
from registry.services.importing.matching import ForeignFiling
from registry.services.log.recovery import heal_rows
from registry.services.people.access import Actor
from registry.services.people.agencies import name_agencies
from registry.services.statements import attestation, withdrawal
from registry.store import log_checks
from registry.store.log_checks import PROJECTED
from tests.conftest import NOW, ROOT, amended
from tests.imported import import_filings

ID = "demo-sante/prevision-lits"
AGENCY = Actor(
    name="demo-sante", agency="demo-sante", scopes=frozenset({"file"}), token=1, request="r"
)
SEA = Agency(id="us.sea", name={"en": "Sea"}, kind="foreign", origin="us-register")

FORGERIES = {
    "a risk code in the search rows": (
        """update search_version set codes = replace(codes, '"risk":["minimal"]', '"risk":["high"]')
        where ord = 2""",
        r'table search_version, .*entry 2: codes is .*"risk":\["high"\].*, and .*:\["minimal"\]',
    ),
    "a sector in the search rows": (
        """update search_version set codes = replace(codes, '"sector":["health"]',
        '"sector":["justice"]') where ord = 2""",
        r"table search_version, .*entry 2: codes is ",
    ),
    "an agency in the search rows": (
        """update search_version set codes = replace(codes, '"agency":["demo-sante"]',
        '"agency":["demo-services"]') where ord = 2""",
        r"table search_version, .*entry 2: codes is .*demo-services.*, and .*demo-sante",
    ),
    "a status in the search rows": (
        """update search_version set codes = replace(codes, '"status":["', '"status":["ex-')
        where ord = 2""",
        r"table search_version, .*entry 2: codes is .*ex-",
    ),
    "a risk on the card of a list": (
        """update search_version set card = replace(card, '"risk":"minimal"', '"risk":"limited"')
        where ord = 2""",
        r'table search_version, .*entry 2: card is .*"risk":"limited".*, and .*"risk":"minimal"',
    ),
    "a word of search": (
        "update search_version set rest = '{}' where ord = 1",
        r"table search_version, .*entry 1: rest is .{}., and ",
    ),
    "a figure": (
        "update figure set personal_data = 'none' where entry = 1",
        r'table figure, demo-sante/prevision-lits, entry 1: personal_data is "none", and ',
    ),
    "when a version ended": (
        "update figure set until_entry = null, until_at = null where entry = 1",
        r"table figure, .*entry 1: until_entry is null, and 2 follows from the log",
    ),
    "a lowering that was none": (
        "update figure set risk_before = 'high', risk_change = 'lowered' where entry = 1",
        r'table figure, .*entry 1: risk_before is "high", and null follows',
    ),
    "an attestation's number": (
        "update attestation set systems_total = 4",
        r"table attestation, demo-sante, entry 4: systems_total is 4, and 9 follows from the log",
    ),
    "an attestation's day": (
        "update attestation set day = day - 1",
        r'table attestation, demo-sante, entry 4: day is "2026-10-31", and "2026-11-01" follows',
    ),
    "a withdrawal's reason": (
        "update withdrawal set reason = 'filed_in_error'",
        r'table withdrawal, .*entry 5: reason is "filed_in_error", and "other" follows',
    ),
    "a withdrawal's actor": (
        "update withdrawal set actor = 'somebody'",
        r'table withdrawal, .*entry 5: actor is "somebody", and "demo-sante" follows',
    ),
    "the findings": (
        "update version set findings = '[]' where entry = 2",
        r"table version, .*entry 2: its verdict is not what the entry commits to",
    ),
    "a word of a finding": (
        "update version set findings = replace(findings, '.', '!') where entry = 2",
        r"table version, .*entry 2: its verdict is not what the entry commits to",
    ),
    "completeness": (
        "update version set completeness = 100 where entry = 2",
        r"table version, .*entry 2: completeness is 100, and \d\d follows from the log",
    ),
    "accountability": (
        "update version set accountability = 7 where entry = 2",
        r"table version, .*entry 2: accountability is 7, and \d+ follows from the log",
    ),
    "what is missing": (
        "update version set missing = '{}' where entry = 2",
        r"table version, .*entry 2: its verdict is not what the entry commits to",
    ),
    "the salt of a verdict": (
        "update version set verdict_salt = sha256(''), findings = '[]' where entry = 2",
        r"table version, .*entry 2: its verdict is not what the entry commits to",
    ),
    "the redaction that left a verdict": (
        "update version set verdict_redaction = 5 where entry = 2",
        r"table version, .*entry 2: verdict_redaction is 5, and null follows",
    ),
    "the note beside a version": (
        """update version set change_note = '{"fr":"Rien."}' where entry = 2""",
        r"table version, .*entry 2: change_note is .*Rien.*, and ",
    ),
    "who filed a version": (
        "update version set actor = 'somebody' where entry = 2",
        r'table version, .*entry 2: actor is "somebody", and "demo-sante" follows',
    ),
    "that somebody approved a version": (
        "update version set approved_by = 'somebody' where entry = 2",
        r'table version, .*entry 2: approved_by is "somebody", and null follows from the log',
    ),
    "record.state": (
        "update record set state = 'withdrawn' where id = 'demo-sante/prevision-lits'",
        r'table record, .*entry 2: state is "withdrawn", and "published" follows',
    ),
    "record.agency": (
        "update record set agency = 'demo-services' where id = 'demo-sante/prevision-lits'",
        r'table record, .*entry 2: agency is "demo-services", and "demo-sante" follows',
    ),
    "a record's row": (
        "delete from record where id = 'demo-sante/prevision-lits'",
        r"table record, .*entry 2: is missing, and follows from the log",
    ),
    "the name of an agency": (
        "update agency set document = replace(document, 'Santé', 'Paix') where id = 'demo-sante'",
        r"table agency, demo-sante: document is .*Paix.*, and .*Santé",
    ),
    "the name of another register's agency": (
        "update agency set document = replace(document, 'Sea', 'Land') where id = 'us.sea'",
        r'table agency, us.sea: document is .*"Land".*, and .*"Sea"',
    ),
    "both, as the log has the name": (
        """update agency set document = replace(document, 'Sea', 'Land') where id = 'us.sea';
        update agency_entry set document = replace(document, 'Sea', 'Land')
        where agency = 'us.sea'""",
        r"table agency_entry, us.sea, entry 7: document is .*Land.*, and .*Sea",
    ),
    "what an entry says of an agency": (
        "update agency_entry set agency = 'us.sea' where agency = 'demo-sante'",
        r"table agency_entry, .*entry 12: agency is .us.sea., and .demo-sante. follows",
    ),
    "an agency": (
        "delete from agency where id = 'us.sea'",
        r"table agency, us.sea: is missing, and follows from the log",
    ),
    "a version": (
        "delete from version where entry = 1",
        r"table version, .*entry 1: its version is missing",
    ),
    "two versions swapped": (
        """update version set version = -1 where entry = 1;
        update version set version = 1 where entry = 2;
        update version set version = 2 where entry = 1""",
        r"table version, .*entry 1: version is 2, and 1 follows",
    ),
    "two entries swapped": (
        """update log_entry set index = -1 where index = 1;
        update log_entry set index = 1 where index = 2;
        update log_entry set index = 2 where index = -1""",
        r"entry 1: ",
    ),
    "where a record stands at its source": (
        "update source_event set state = 'present' where entry = 10",
        r'table source_event, us.sea/1 1, entry 10: state is "present", and "gone" follows',
    ),
    "the import of a version": (
        "update version set run = 9 where entry = 8",
        r"table version, .*entry 8: run is 9, and 1 follows from the log",
    ),
    "that a record is foreign": (
        "update foreign_record set origin = 'elsewhere'",
        r'table foreign_record, us.sea/1: origin is "elsewhere", and "us-register"',
    ),
    "the size of the log": (
        "update log_state set size = size - 1",
        r"table log_state, .*: size is 12, and 13 follows",
    ),
    "a section of a version": (
        """update section set value = replace(value, '":"', '":"X') where key = 'summary'""",
        r"entry 1: section summary is not what the entry commits to",
    ),
    "a section of a withdrawal": (
        "update entry_section set value = replace(value, 'Fini', 'Vendu')",
        r"entry 5: section note is not what the entry commits to",
    ),
    "a key of duplicate names": (
        "delete from blocking_key where record = 'demo-sante/prevision-lits'",
        r"table blocking_key, demo-sante/prevision-lits: is missing, and follows",
    ),
    "a search row too many": (
        """insert into search_version (ord, codes, card, name, summary, rest)
        select 5, codes, card, name, summary, rest from search_version where ord = 2""",
        r"table search_version, .*entry 5: is stored, and no such row follows from the log",
    ),
    "a code": (
        "update short_code set code = 'AAAAAAA' where entry = 1",
        r'table short_code, .*entry 1: code is "AAAAAAA", and "[0-9A-Z]{7}" follows',
    ),
    "two codes swapped": (
        """update short_code set record = 'x' where entry = 1;
        update short_code set record = 'demo-sante/prevision-lits' where entry = 3;
        update short_code set record = 'demo-sante/autre' where entry = 1""",
        r'table short_code, .*, entry 1: record is "demo-sante/autre", and ',
    ),
    "a code that is gone": (
        "delete from short_code where entry = 3",
        r"table short_code, demo-sante/autre, entry 3: is missing, and follows from the log",
    ),
    "a code of a record that has none": (
        "insert into short_code values (8, 'us.sea/1', 'AAAAAAA')",
        r"table short_code, us.sea/1.*entry 8: is stored, and no such row follows from the log",
    ),
    "a code of no entry": (
        "insert into short_code values (99, 'us.sea/1', 'AAAAAAA')",
        r"table short_code, us.sea/1, entry 99: is stored, and no such row follows from the log",
    ),
    "what an import counted": (
        """update import_run set counts = replace(counts, '"added":1', '"added":4')""",
        r'table import_run, 1: counts is .*"added":4.*, and .*"added":1.* follows from the log',
    ),
    "the register of an import": (
        """insert into origin values ('elsewhere', '{}');
        update import_run set origin = 'elsewhere'""",
        r'table import_run, 1: origin is "elsewhere", and "us-register" follows from the log',
    ),
    "a row of no entry": (
        "insert into attestation values (99, 'demo-sante', '2026-11-24', 1, now(), 'me')",
        r"table attestation, demo-sante, entry 99: is stored, and no such row follows from the log",
    ),
}


@pytest.fixture
def database(logged):
    return logged


@pytest.fixture
async def filed(context, publish, record, pack):
    """Two versions, another record that is withdrawn, an attestation, a foreign record, gone."""
    other = amended(record, id="demo-sante/autre", source_id="A-2", name={"fr": "Lits", "ar": "أ"})
    await publish(record, code=next(candidates(record["id"])))
    await publish(amended(record, system_version="1.3"))
    [published] = await publish(other, code=next(candidates(other["id"])))
    said = {"day": "2026-11-01", "systems_total": 9, "contact": {"email": "a@demo.example"}}
    await attestation.attest(context, AGENCY, "demo-sante", said, now=NOW)
    statement = {"reason": "other", "note": {"fr": "Fini.", "ar": "انتهى"}}
    await withdrawal.withdraw(
        context,
        AGENCY,
        other["id"],
        statement,
        precondition=Precondition(tag=published.hash[:16]),
        now=NOW,
    )
    foreign = {
        "id": "us.sea/1",
        "schema_version": "1.0",
        "name": {"en": "Rain"},
        "languages": {"source": "en"},
        "source_id": "1",
    }
    filing = ForeignFiling(
        document=foreign,
        agency=SEA,
        verdict=validate(foreign, profile="foreign", pack=pack, today=NOW.date()),
        source_row={"Name": "Rain"},
        source_id="1",
        changed_on=None,
    )
    await import_filings(context, [filing], complete=True, now=lambda: NOW)
    await import_filings(context, [], origin="us-register", complete=True, now=lambda: NOW)
    assert await name_agencies(context, now=NOW) == 1


async def check(database, settings, pack):
    return await check_database(database, settings, progress=lambda *_: None)


async def test_a_register_in_order_is_found_so(filed, database, settings, pack):
    found = await check(database, settings, pack)
    assert (found.size, found.outdated) == (13, 0)
    # What is said not to be checked.
    assert found.source_rows == 1
    await check_rows_from(database, settings, 0)
    await check_rows_from(database, settings, 3, most=2)


async def test_a_lowering_under_another_id_is_stated_by_the_entry(
    database, settings, pack, publish, record
):
    await publish(record, lowered_from="high")
    await publish(amended(record, system_version="1.3"))
    await check(database, settings, pack)
    async with database.connection() as connection:
        said = await connection.fetch("select bytes from log_entry where kind = 'version'")
        counted = await connection.fetch(
            "select risk_before, risk_change from figure order by entry"
        )
    assert [json.loads(one["bytes"]).get("lowered_from") for one in said] == ["high", None]
    assert [tuple(row) for row in counted] == [("high", "lowered"), ("minimal", None)]


async def test_each_forgery_is_found_with_its_first_row(filed, database, settings, pack):
    wrong = []
    for forgery, (statement, expected) in FORGERIES.items():
        async with database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                # As a superuser, with every trigger bypassed.
                await connection.execute("set local session_replication_role = replica")
                done = await connection.execute(statement)
                assert not done.endswith(" 0"), forgery
                await check_all(connection, {}, lambda *_: None)
                wrong.append(f"{forgery}: not found")
            except LogInconsistent as error:
                if not re.search(expected, error.detail, re.DOTALL):
                    wrong.append(f"{forgery}: {error.detail}")
            finally:
                await transaction.rollback()
    assert not wrong, "\n".join(wrong)


HEALED = [
    *(name for name in FORGERIES if "search" in name or "figure" in name),
    "a risk on the card of a list", "when a version ended", "a lowering that was none",
    "record.state", "record.agency", "a record's row", "a key of duplicate names",
    "the name of an agency", "the name of another register's agency",
]  # fmt: skip


async def test_what_is_derived_is_written_anew_by_a_command_and_nothing_else(
    filed, context, database, settings
):
    async def heal():
        return await heal_rows(context, settings, now=NOW, progress=lambda *_: None)

    async def forge(name):
        async with database.transaction() as connection:
            await connection.execute("set local session_replication_role = replica")
            await connection.execute(FORGERIES[name][0])

    async def rows():
        async with database.connection() as connection:
            return {
                table: await connection.fetch(f"select t::text from {table} as t order by 1")  # noqa: S608
                for table in PROJECTED
                if table != "log_state"
            }

    assert not await heal()
    before = await rows()
    for name in HEALED:
        await forge(name)
        # A row of no analysis is derived anew before anything is checked.
        assert await heal() == ("too many" not in name), name
        assert await rows() == before, name
    await forge("a figure")
    await forge("completeness")
    with pytest.raises(LogInconsistent, match="completeness is 100"):
        await heal()
    async with database.connection() as connection:
        assert "completeness" in await log_checks.read_fault(connection)
        acts = await connection.fetch("select subject from audit where action = 'rewrite_rows'")
    assert len(acts) == len(HEALED)
    assert sum("table figure" in act["subject"] for act in acts) == 3


async def test_what_is_found_stops_publication_until_it_is_mended(
    filed, database, settings, pack, publish_it
):
    for find in (check, lambda *given: check_rows_from(*given[:2], 0)):
        async with database.connection() as connection:
            await connection.execute("update figure set sector = 'justice' where entry = 1")
        with pytest.raises(LogInconsistent, match="sector"):
            await find(database, settings, pack)
        async with database.connection() as connection:
            assert "table figure" in await log_checks.read_fault(connection)
        with pytest.raises(LogRefused, match="table figure"):
            await publish_it()
        async with database.connection() as connection:
            await connection.execute("update figure set sector = 'health' where entry = 1")
        await check(database, settings, pack)
        async with database.connection() as connection:
            assert await log_checks.read_fault(connection) is None
    assert (await publish_it()).size == 13


OFFICE = {
    "member", "token", "sign_in_link", "sign_in_attempt", "mail_request", "address_change",
    "console_session", "kept_form", "console_secret", "answer",
    "allowance", "draft", "preview_link", "pending_act", "notice",
    "audit", "audit_link", "audit_unchained", "heartbeat", "migration", "search_state", "witness",
    "publishing_target", "purge_waiting", "link_state", "peer", "peer_subject", "peer_quarantine",
}  # fmt: skip
"""What is never answered to the public, or is counted and kept for the register's own work."""

OUTSIDE = {"checkpoint", "cosignature", "published_file", "peer_checkpoint", "peer_evidence"}
"""What proves itself by a signature."""

UNSTATED = {"source_row", "log_incident"}
"""What is answered and no entry states, as `registry log verify` and its page say."""


async def test_each_table_is_projected_or_of_the_office_or_of_the_outside(database):
    async with database.connection() as connection:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    sorted_in = [*PROJECTED, "erasure", *OFFICE, *OUTSIDE, *UNSTATED]
    assert sorted(sorted_in) == sorted(row["tablename"] for row in rows)


async def test_the_page_about_the_log_says_of_each_table_what_protects_it(database):
    page = (ROOT / "docs/transparency-log.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (.+) \| (.*)\|$", page, re.MULTILINE)
    listed = {
        table: (protected, shown)
        for tables, protected, shown in rows
        for table in re.findall(r"`(\w+)`", tables)
    }
    async with database.connection() as connection:
        found = await connection.fetch(
            "select c.relname, exists (select from pg_trigger as t where t.tgrelid = c.oid"
            " and t.tgfoid = 'refuse_change'::regproc) as is_kept from pg_class as c"
            " where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
        )
    tables = {row["relname"]: row["is_kept"] for row in found}
    of_tables = {table: said for table, said in listed.items() if table in tables}
    assert sorted(tables.keys() - of_tables.keys()) == []
    for table in log_checks.PROJECTED:
        assert "registry log verify" in of_tables[table][1], table
    # What is said to be append-only has the trigger that makes it so.
    assert [
        table
        for table, (protected, _) in of_tables.items()
        if "append-only" in protected and not tables[table] and table != "log_state"
    ] == []
