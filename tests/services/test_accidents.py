"""The operator's accidents: a database older than the log, and clocks that do not agree."""

import datetime as dt
import json
import secrets

import msgspec
import pytest

from registry.clock import utc_now
from registry.errors import ClockDiffers, RegisterBehind
from registry.ledger.export import export_log
from registry.ledger.guard import LogGuard, LogMemory, SeenLog
from registry.ledger.proofs import read_history
from registry.ledger.targets import Folder
from registry.ledger.verify_database import check_database
from registry.log.files import LogRefused
from registry.services.context import ServiceContext
from registry.services.filing.drafts import Precondition
from registry.services.log.recovery import discard_entries, heal_log, plan_discard
from registry.services.operations.startup import find_doubts, open_register
from registry.services.people.access import Actor
from registry.services.statements import attestation, redaction, withdrawal
from registry.store import discards, log, records, redactions
from registry.store.database import connect
from registry.verify.fsck import fsck
from tests.crash.invariants import broken_laws
from tests.services.conftest import Backup

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
AGENCY = Actor(name="demo-sante", agency="demo-sante", scopes=frozenset({"file"}), token=1)


@pytest.fixture
async def logged(migrated_url, pack, settings):
    """A register that was begun just now."""
    opened = await connect(migrated_url)
    await open_register(opened, pack, settings)
    yield opened
    await opened.close()


@pytest.fixture
def database(logged):
    return logged


@pytest.fixture
def process(database, pack, settings):
    """Start a process of the register: what it remembers, and its clock, are its own."""

    def start(host=None, clock=utc_now):
        path = settings.seen_file if host is None else settings.data_dir / host
        return ServiceContext(
            database=database,
            pack=pack,
            random=secrets.token_bytes,
            guard=LogGuard(LogMemory(path), clock=clock),
        )

    return start


async def attest(context, systems=3):
    """Append an entry, and return its receipt."""
    statement = {
        "day": "2026-11-01",
        "systems_total": 10 + systems,
        "contact": {"email": "registre@demo-sante.example"},
    }
    return await attestation.attest(context, AGENCY, "demo-sante", statement, now=utc_now())


async def size_of(database):
    async with database.connection() as connection:
        return (await log.read_state(connection)).range.size


async def fail_over(database):
    """Let PostgreSQL say that it is on another timeline."""
    async with database.connection() as connection:
        await connection.execute(
            "create or replace function database_incarnation() returns text language sql"
            " as 'select ''1/00000002/3'''"
        )


@pytest.fixture
async def older(database, process, publish_it):
    """A database with one entry, of which four were acknowledged and three were signed."""
    context = process()
    await publish_it()
    backup = Backup(database)
    await backup.keep()
    await attest(context, 1)
    await attest(context, 2)
    await publish_it()
    signed = backup.restore
    await signed()
    return backup


def quiet(_done, _total):
    pass


async def test_an_older_database_takes_nothing_from_a_process_that_starts_on_the_same_host(
    older, process, database, settings
):
    with pytest.raises(RegisterBehind, match="3 entries were acknowledged, and the database has 1"):
        await attest(process())
    assert await find_doubts(process())
    context = process()
    assert await heal_log(context, settings, now=utc_now(), progress=quiet) == 2
    assert await size_of(database) == 3
    assert (await attest(context)).entry == 3
    assert await find_doubts(context) == []


async def test_what_the_publisher_refuses_stops_hosts_that_know_nothing(
    older, process, database, settings, publish_it
):
    with pytest.raises(LogRefused, match="knows of 3 entries, the database has 1"):
        await publish_it()
    with pytest.raises(RegisterBehind, match="3 entries were signed, and the database has 1"):
        await attest(process("elsewhere"))
    assert await heal_log(process(), settings, now=utc_now(), progress=quiet) == 2
    assert (await attest(process("elsewhere"))).entry == 3
    assert (await publish_it()).size == 4


async def test_after_a_change_of_the_timeline_nothing_is_published_before_the_log_is_confirmed(
    older, process, database, settings, publish_it
):
    await fail_over(database)
    with pytest.raises(RegisterBehind, match="another server has taken over"):
        await attest(process("elsewhere"))
    assert await size_of(database) == 1
    with pytest.raises(LogRefused):
        await publish_it()
    assert await heal_log(process(), settings, now=utc_now(), progress=quiet) == 2
    await publish_it()
    assert (await attest(process("elsewhere"))).entry == 3


async def test_a_failover_that_lost_nothing_goes_on_once_it_is_confirmed(
    process, database, publish_it
):
    context = process()
    await attest(context, 1)
    await publish_it()
    assert await publish_it() is None
    await fail_over(database)
    with pytest.raises(RegisterBehind):
        await attest(context, 2)
    assert (await publish_it()).size == 2
    assert (await attest(context, 2)).entry == 2
    # Again a server of which the publisher knows nothing.
    async with database.connection() as connection:
        await connection.execute("update log_state set incarnation = 'other'")
    with pytest.raises(RegisterBehind):
        await attest(context, 3)


async def test_what_was_acknowledged_and_never_signed_is_missed_as_well(
    process, database, publish_it, settings
):
    context = process()
    await attest(context, 1)
    await publish_it()
    backup = Backup(database)
    await backup.keep()
    await attest(context, 2)
    await backup.restore()
    with pytest.raises(RegisterBehind, match="3 entries were acknowledged"):
        await attest(context, 3)
    await fail_over(database)
    with pytest.raises(LogRefused, match="3 entries were acknowledged, and the database has 2"):
        await publish_it()
    with pytest.raises(RegisterBehind, match="3 entries were acknowledged"):
        await attest(process("elsewhere"), 3)


async def test_a_log_that_has_gone_on_otherwise_is_told_by_its_last_entry(
    process, database, publish_it
):
    context = process()
    await publish_it()
    backup = Backup(database)
    await backup.keep()
    await attest(context, 1)
    await backup.restore()
    await attest(process("elsewhere"), 1)
    await attest(process("elsewhere"), 2)
    with pytest.raises(RegisterBehind, match="entry 1 is another than was acknowledged"):
        await attest(context, 3)
    async with database.connection() as connection:
        _, is_stopped = await context.guard.look(connection)
    assert is_stopped
    assert context.guard.memory.last.size == 2


async def test_only_what_was_committed_is_remembered(process, database):
    context = process()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  the block is what ends
        async with context.transaction() as connection:
            state = await context.guard.lock(connection, now=utc_now())
            entry = log.Entry(
                index=9, kind="x", record=None, at=state.clock, content=b"", leaf=bytes(32)
            )
            context.guard.wrote(connection, state, entry)
            raise ZeroDivisionError
    assert context.guard.memory.last == SeenLog()
    receipt = await attest(context)
    assert context.guard.memory.last == SeenLog(0, 2, bytes.fromhex(receipt.hash))


async def test_a_host_remembers_what_it_is_asked_of_its_health(process, database):
    await attest(process("one"))
    other = process("two")
    async with database.connection() as connection:
        _, is_stopped = await other.guard.look(connection)
    assert not is_stopped
    assert other.guard.memory.last == process("one").guard.memory.last


def test_the_memory_of_a_host_only_grows(tmp_path):
    path = tmp_path / "var" / "log-seen"
    one, two = LogMemory(path), LogMemory(path)
    one.note(SeenLog(0, 5, b"a" * 32))
    two.note(SeenLog(0, 3, b"b" * 32))
    assert two.last == one.last == LogMemory(path).last == SeenLog(0, 5, b"a" * 32)
    two.note(SeenLog(1, 2, b"c" * 32))
    assert one.last == SeenLog(1, 2, b"c" * 32)
    path.write_bytes(b"torn")
    assert LogMemory(path).last == SeenLog()
    assert one.last == SeenLog(1, 2, b"c" * 32)
    path.unlink()
    path.mkdir()
    one.note(SeenLog(1, 3, b"d" * 32))
    assert one.last.size == 3


@pytest.mark.parametrize("days", [20, -20])
async def test_a_clock_that_is_wrong_publishes_nothing(process, database, days):
    wrong = process(clock=lambda: utc_now() + dt.timedelta(days=days))
    more = "behind" if days > 0 else "ahead of"
    with pytest.raises(ClockDiffers, match=f"20 days, 0:00:00 {more} this server's"):
        await attest(wrong)
    assert "the database's clock is 20 days" in (await find_doubts(wrong))[0]
    assert await size_of(database) == 1
    await attest(process(clock=lambda: utc_now() + 3 * SECOND))


async def test_entries_have_the_time_of_the_database(process, database):
    for off in (-3, 3):
        context = process(clock=lambda off=off: utc_now() + off * SECOND)
        before = utc_now().replace(microsecond=0)
        receipt = await attest(context, off + 4)
        assert before <= receipt.filed_at <= utc_now()
    async with database.connection() as connection:
        content = await connection.fetchval("select bytes from log_entry where index = 2")
    assert json.loads(content)["at"] == f"{receipt.filed_at:%Y-%m-%dT%H:%M:%SZ}"


async def test_a_log_that_was_dated_ahead_stops_until_somebody_accepts_it(process, database):
    ahead = utc_now() + dt.timedelta(days=20)
    given = msgspec.structs.replace(process(), guard=LogGuard(LogMemory(), clock=None))
    statement = {"day": "2026-11-01", "systems_total": 1, "contact": {"email": "a@b.example"}}
    await attestation.attest(given, AGENCY, "demo-sante", statement, now=ahead)
    context = process()
    with pytest.raises(ClockDiffers, match="ahead of the database's clock"):
        await attest(context, 2)
    assert "accepts such dates" in (await find_doubts(context))[0]
    async with database.transaction() as connection:
        await log.accept_dates(connection)
    receipt = await attest(context, 3)
    assert receipt.filed_at == ahead.replace(microsecond=0)
    assert (await attest(context, 4)).filed_at == receipt.filed_at


async def test_what_a_server_does_not_tell_is_said(process, database):
    async with database.connection() as connection:
        assert "-" not in (await log.read_guarded(connection)).database.split("/")
        # As a role that may not ask.
        await connection.execute("revoke execute on function pg_walfile_name(pg_lsn) from public")
        await connection.execute("revoke execute on function pg_control_system() from public")
        await connection.execute("create role plain")
        await connection.execute("grant all on all tables in schema public to plain")
        await connection.execute("set role plain")
        told = await connection.fetchval("select database_incarnation()")
        await connection.execute("reset role; drop owned by plain; drop role plain")
        await connection.execute("grant execute on function pg_walfile_name(pg_lsn) to public")
        await connection.execute("grant execute on function pg_control_system() to public")
        oid = await connection.fetchval("select 'log_state'::regclass::oid")
        assert told == f"-/-/{oid}"
        await connection.execute("update log_state set incarnation = $1", told)
        await connection.execute(
            "create or replace function database_incarnation() returns text language sql"
            f" as 'select ''-/-/{oid}'''"
        )
    assert "does not tell" in (await find_doubts(process()))[0]
    await attest(process())


async def test_a_log_that_went_on_after_a_restore_is_cut_back_and_healed(
    context, database, settings, publish, record, publish_it, process, migrated_url, pack
):
    """Before the guard: filings on an older database, which nothing could heal any more."""
    other = record | {"id": "demo-sante/other", "name": {"fr": "Autre", "ar": "آخر"}}
    await publish(record)
    await publish(other)
    await publish_it()
    backup = Backup(database)
    await backup.keep()
    await publish(record | {"summary": {"fr": "Un autre résumé.", "ar": "ملخص آخر"}})
    await attest(process(), 1)
    signed = await publish_it()
    healthy = await facts(database)
    await backup.restore()
    lone = record | {"id": "demo-sante/lone", "name": {"fr": "Seul", "ar": "وحيد"}}
    await publish(record | {"summary": {"fr": "Un troisième résumé.", "ar": "ملخص ثالث"}})
    await publish(lone)
    await publish(lone | {"summary": {"fr": "Encore un résumé.", "ar": "ملخص رابع"}})
    async with database.connection() as connection:
        tag = (await records.read(connection, other["id"])).register.hash[:16]
    await withdrawal.withdraw(
        msgspec.structs.replace(context, guard=LogGuard(LogMemory(), clock=None)),
        AGENCY,
        other["id"],
        {"reason": "filed_in_error", "note": {"fr": "Deux fois", "ar": "مكرر"}},
        precondition=Precondition(tag=tag),
        now=NOW,
    )
    assert await size_of(database) == 7 > signed.size
    with pytest.raises(LogRefused, match="gone on otherwise"):
        await publish_it()
    with pytest.raises(RegisterBehind):
        await attest(process("elsewhere"), 2)
    with pytest.raises(LogRefused, match="agree up to entry 3"):
        await plan_discard(process(), settings, 4)

    operator = process()
    planned = await plan_discard(operator, settings, 3)
    assert [(one.entry, one.kind, one.subject, one.version) for one in planned.receipts] == [
        (3, "version", record["id"], 2),
        (4, "version", lone["id"], 1),
        (5, "version", lone["id"], 2),
        (6, "withdrawal", other["id"], 1),
    ]
    assert planned.lost is None
    kept = await discard_entries(operator, settings, planned, now=NOW)
    lines = [json.loads(line) for line in kept.read_bytes().splitlines()]
    assert [line["leaf"] for line in lines] == [one.hash.hex() for one in planned.receipts]
    assert json.loads(lines[1]["entry"])["id"] == lone["id"]
    assert lines[1]["content"]["sections"]

    assert await heal_log(operator, settings, now=NOW, progress=quiet) == 2
    assert await facts(database) == healthy
    assert (await check_database(database, settings, progress=quiet)).size == signed.size
    # The trail keeps what was done, though its entries are gone.
    broken = await broken_laws(migrated_url, pack)
    assert [law for law in broken if "audit trail" not in law] == []
    assert (await attest(process("elsewhere"), 2)).entry == 5
    assert (await publish_it()).size == 6
    fsck(settings.log_dir, verifier=None, progress=quiet)
    async with database.connection() as connection:
        [incident] = (await read_history(connection)).incidents
    said = json.loads(bytes(incident.said))
    assert (incident.kind, said["from"], len(said["receipts"])) == ("discarded", 3, 4)
    exported = settings.data_dir / "exported"
    await export_log(database, Folder(exported, strip="log/"), site=None, progress=quiet)
    fsck(exported, verifier=None, progress=quiet)


async def test_what_is_nowhere_is_given_up_and_all_hosts_go_on(
    process, database, settings, publish_it
):
    context, elsewhere = process(), process("elsewhere")
    await attest(context, 1)
    await publish_it()
    backup = Backup(database)
    await backup.keep()
    await attest(elsewhere, 2)
    await attest(context, 3)
    await backup.restore()
    with pytest.raises(LogRefused, match="heal --discard-from 2"):
        await publish_it()
    planned = await plan_discard(context, settings, 2)
    assert (planned.receipts, planned.lost) == ([], (2, 3))
    assert await discard_entries(context, settings, planned, now=NOW) is None
    assert (await publish_it()) is not None
    assert (await attest(elsewhere, 4)).entry == 2
    assert (await attest(context, 5)).entry == 3
    await backup.restore()
    with pytest.raises(RegisterBehind, match="from before entries were given up"):
        await attest(elsewhere, 6)


async def test_redactions_whose_entries_are_given_up_wait_to_be_confirmed_again(
    process, database, publish, record, publish_it
):
    """Of attestations, too: that a request named an entry that was gone made it an error."""
    context = process()
    attested = await attest(context)
    record["purpose"]["goal"]["fr"] = "Un modèle de Rachida Azizabad."
    await publish(record)
    await publish_it()
    async with database.connection() as connection:
        before = (await log.read_state(connection)).range
    one, two = (
        Actor(name=name, agency=None, scopes=frozenset({"redact"}), token=1, request="r")
        for name in ("one", "two")
    )
    decided = {"basis": "data_protection", "authority": "CNDP"}
    numbers = []
    for named in (
        {"entry": attested.entry, "pointers": ["/contact"]},
        {"record": record["id"], "pointers": ["/purpose/goal"], "words": ["Rachida Azizabad"]},
    ):
        asked = await redaction.request(context, one, named | decided, now=utc_now())
        numbers.append(asked.redaction)
    async with database.connection() as connection:
        waiting = [await redactions.read(connection, number) for number in numbers]
    assert waiting[1].replaced
    for number in numbers:
        await redaction.confirm(context, two, number, now=utc_now())
    async with database.transaction() as connection:
        await log.lock_state(connection)
        await discards.discard(connection, before, discards=1)
        assert [await redactions.read(connection, number) for number in numbers] == waiting
    for number in numbers:
        await redaction.confirm(context, two, number, now=utc_now())
    assert await size_of(database) == before.size + 2


async def test_what_was_signed_is_never_given_up(process, database, settings, publish_it):
    context = process()
    await attest(context, 1)
    await attest(context, 2)
    await publish_it()
    for start in (1, 2, 4):
        with pytest.raises(LogRefused, match="agree up to entry 3"):
            await plan_discard(context, settings, start)


async def facts(database):
    """Return rows that follow from entries, as they stand."""
    tables = ("record", "version", "figure", "search_version", "withdrawal", "blocking_key")
    async with database.connection() as connection:
        return {
            table: sorted(
                str(tuple(row))
                for row in await connection.fetch(f"select * from {table}")  # noqa: S608  our own
            )
            for table in tables
        }
