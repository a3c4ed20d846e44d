"""Every tampering of the catalogue, made in a register that is then started again and audited.

Each is named by an address, or refused with the log, or keeps a register from starting, or answers
nothing. `tests/attacks/test_tamperings.py` has `registry log verify` name all of them by their
tables. Many are made at once that do not hide one another: each is of another agency, register or
import, so that an address that differs says of which it is.
"""

# ruff: noqa: S608  names of tables and columns are those of the catalogue

import asyncio
import datetime as dt
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from urllib.parse import urlsplit

import asyncpg
import pytest

from registry.api import log_files
from registry.errors import NotFound, Unavailable
from registry.ledger.published_log import LogTree
from registry.log.files import LogRefused
from registry.log.replay import LogReplay
from registry.record.pack import Agency, load_pack
from registry.record.validate import validate
from registry.services.context import ServiceContext
from registry.services.filing.drafts import Precondition
from registry.services.importing.matching import ForeignFiling
from registry.services.operations.startup import open_register
from registry.services.people.access import Actor
from registry.services.people.agencies import add_agency, complete_pack
from registry.services.statements import attestation, redaction, withdrawal
from registry.settings import Settings
from registry.store.database import connect
from registry.store.log_checks import PROJECTED
from registry.verify.log import verify_log
from registry.worker.runner import publish as publish_log
from tests.attacks.tamperings import Tampering, tamperings
from tests.conftest import MIGRATED, NOW, accept_dates, amended, make_record
from tests.crash.register import Register
from tests.imported import import_filings
from tests.prepared import make_folder
from tests.published import given_times, publish_alone
from tests.served import UNLIMITED, Served, until_live

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("audit campaign")]

LATER = NOW + dt.timedelta(days=1)
ADDRESS = "https://algorithms.example"
AGENCIES = [f"demo-c{number:02}" for number in range(28)]
WITHDRAWN, ERASED, ATTESTING = AGENCIES[:5], AGENCIES[5:10], AGENCIES[10:18]
ORIGINS = ["us", "ca", "nz", "za", "ie", "be", "ch", "at"]
SEAS = [*(f"us.sea{number}" for number in range(6)), *(f"{code}.sea" for code in ORIGINS[1:])]
CONTROL = {"demo": AGENCIES[-1], "imports": "imports/1", "register": "at-register"}
"""Of which nothing is altered: an address that differs of these, too, says of nobody else."""


def acting(name, agency=None, scopes=("redact",)):
    return Actor(name=name, agency=agency, scopes=frozenset(scopes), token=1, request="r")


def row_of(agency):
    names = {"name_fr": f"Agence {agency}", "name_ar": f"وكالة {agency}", "name_en": agency}
    return {"id": agency, **names, "kind": "demonstration", "parent": "", "region": "",
            "website": "", "fictitious": "yes"}  # fmt: skip


def of_sea(pack, agency, name):
    document = {
        "id": f"{agency}/rain",
        "schema_version": "1.0",
        "name": {"en": name},
        "languages": {"source": "en"},
        "source_id": agency,
    }
    return ForeignFiling(
        document=document,
        agency=Agency(
            id=agency, name={"en": agency}, kind="foreign", origin=f"{agency[:2]}-register"
        ),
        verdict=validate(document, profile="foreign", pack=pack, today=NOW.date()),
        source_row={"Name": name},
        source_id=agency,
        changed_on=None,
    )


async def fill(url, settings):
    """Make a register with entries of every kind, most of them of an agency of their own."""
    database, pack = await connect(url), load_pack("ma")
    await open_register(database, pack, settings, now=NOW)
    await accept_dates(database)

    async def opened():
        known = await complete_pack(database, pack)
        return ServiceContext(
            database=database, pack=known, random=secrets.token_bytes, guard=given_times()
        )

    context = await opened()
    for agency in AGENCIES:
        await add_agency(context, settings, row_of(agency), now=NOW)
    context = await opened()
    documents = {agency: make_record() | {"id": f"{agency}/rain"} for agency in AGENCIES}
    for document in documents.values():
        await publish_alone(context, document, now=NOW)
    for number, (agency, document) in enumerate(documents.items()):
        # Of some the review is overdue.
        due = {"last_reviewed_on": "2025-10-01", "next_review_on": f"202{6 + number % 2 * 2}-03-01"}
        later = amended(
            document,
            system_version=f"2.{number}",
            lifecycle=document["lifecycle"] | due,
        )
        receipt = await publish_alone(context, later, now=LATER)
        if agency in WITHDRAWN:
            await withdrawal.withdraw(
                context,
                acting(agency, agency, ("file",)),
                document["id"],
                {"reason": "other", "note": {"fr": "Fini.", "ar": "انتهى"}},
                precondition=Precondition(tag=receipt.hash[:16]),
                now=LATER,
            )
    for agency in ATTESTING:
        said = {"day": "2026-11-01", "systems_total": 9, "contact": {"email": "a@demo.example"}}
        await attestation.attest(
            context, acting(agency, agency, ("file",)), agency, said, now=LATER
        )
    for agency in ERASED:
        asked = {"record": f"{agency}/rain", "pointers": ["/contact/phone"],
                 "basis": "data_protection", "authority": "CNDP"}  # fmt: skip
        made = await redaction.request(context, acting("one"), asked, now=LATER)
        await redaction.confirm(context, acting("another"), made.redaction, now=LATER)
    seas = [of_sea(pack, agency, f"Rain {agency}") for agency in SEAS]
    for origin in ORIGINS:
        of_it = [one for one in seas if one.agency.id.startswith(origin)]
        for filings in (of_it, of_it[2:], of_it[4:], of_it[3:]) if of_it[1:] else (of_it, of_it):
            await import_filings(
                context, filings, origin=f"{origin}-register", complete=True, gone_anyway=True,
                now=lambda: LATER,
            )  # fmt: skip
    await publish_log(settings, context)
    await database.close()


@pytest.fixture(scope="module")
def register(copied):
    """The database to copy, and the folder with the keys and the log, of a register at rest."""
    folder = make_folder("c")
    with copied(MIGRATED) as url:
        asyncio.run(fill(url, Settings(data_dir=folder, base_url=ADDRESS)))
        yield SimpleNamespace(folder=folder, url=url, copied=copied)
    shutil.rmtree(folder)


@contextmanager
def copy_of(register):
    with register.copied(urlsplit(register.url).path[1:]) as url:
        yield url


@contextmanager
def started(register, url):
    """Serve a database by a process that was just started, and has nothing of before."""
    folder = make_folder("c")
    shutil.copytree(register.folder, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / "search", ignore_errors=True)
    running = Served(Register(folder, workers=1, database_url=url, base_url=ADDRESS, **UNLIMITED))
    running.register.start()
    try:
        until_live(running)
        yield running
    finally:
        running.close()
        running.register.end()
        shutil.rmtree(folder)


OF_ENTRY = "(select split_part(e.record, '/', 1) from log_entry as e where e.index = {})"
SUBJECT = {
    "agency": "id",
    "agency_entry": "agency",
    "attestation": "agency",
    "origin": "split_part(code, '-', 1) || '.sea'",
    "import_run": "'imports/' || id",
    "record": "split_part(id, '/', 1)",
    "search_version": OF_ENTRY.format("ord"),
    "erasure": OF_ENTRY.format("redaction"),
}
"""Whose the rows of a table are; of others a record's agency."""

OF_FILES = {
    "section": None,
    "entry_section": None,
    "erased_member": None,
    "redaction": {"verdicts", None},
    "version": {"record", "version", "entry", "missing", "findings", "verdict_salt",
                "verdict_redaction", None},
    "log_entry": {"index", "bytes", "leaf", None},
    "log_state": None,
}  # fmt: skip
"""What the log's own files are made of."""

NAMED = re.compile(
    "|".join({*AGENCIES[:-1], *(f"{code}-register" for code in ORIGINS[:-1]), *SEAS} - {SEAS[5]})
    + r"|imports/([2-9]|\d\d)"
)

IN_FORCE = "ord in (select entry from record where state = 'published' and origin is null)"

FORGERIES = [
    Tampering(
        "forged",
        "source_event",
        "entry",
        "update source_event set entry = entry + 100003 where {rows}",
        "true",
    )
] + [
    Tampering(
        "forged",
        "search_version",
        column,
        f"update search_version set {column} = {value} where {{rows}}",
        IN_FORCE,
    )
    for column, value in {
        "codes": """jsonb_set(codes::jsonb, '{risk}', '["unacceptable"]')::text""",
        "rest": "'{}'",
        "card": """replace(card, '"risk":"', '"risk":"none","was":"')""",
    }.items()
]
"""What somebody would make of a row who knows what it answers."""

OF_ROWS = ("a row gone", "a row invented", "rows swapped")

DERIVED = ("codes", "card", "name", "summary", "rest")
"""Columns of search rows: what cannot be read of them is derived again."""

OF_DECISIONS = ("record", "versions", "pointers", "basis", "authority", "reference",
                "requested_by", "confirmed_by", "entries", "replaced")  # fmt: skip
"""Columns of redactions, of which entries and contents are answered."""

OF_STATE = ("last_at", "erasures", "replaced", "fault", "incarnation", "stopped", "discards",
            "dated_ahead")  # fmt: skip
"""Columns of the log's state, by which a register knows whether it may append."""

ANSWERS_NOTHING = {
    ("section", "commitment"),
    ("entry_section", "commitment"),
    ("redaction", None, "a row gone"),
    *(("log_state", column) for column in OF_STATE),
    ("agency_entry", "document"),
    ("attestation", "actor"),
    ("attestation", "approved_by"),
    ("blocking_key", "key"),
    ("blocking_key", "record"),
    ("erasure", "redaction"),
    ("erasure", "entries"),
    ("foreign_record", None, "a row invented"),
    ("erasure", "settled"),
    ("origin", None, "a row invented"),
    ("record", "entry"),
    ("record", "version"),
    *(("redaction", column) for column in OF_DECISIONS),
    ("search_version", "analysis"),
    ("source_event", "at"),
    ("version", "actor"),
    ("version", "rule_set"),
    ("version", "schema_version"),
    ("withdrawal", "actor"),
    *(("search_version", column, deed) for column in DERIVED for deed in ("emptied", "no JSON")),
    *((table, None, deed) for table in ("blocking_key", "erasure") for deed in OF_ROWS),
    ("search_version", "card", "changed"),
    ("search_version", None, "a row invented"),
}
"""What no public answer depends on, as a test proves: columns, and deeds on them or on rows."""

UNSTATED = {(table, column) for table, one in PROJECTED.items() for column in one.unstated}
"""What no entry states, as an audit says: `not_covered`."""

NOTHING_STARTS = {
    ("log_state", "size"),
    ("log_state", "peaks"),
    ("log_state", "pack"),
    ("log_state", None),
}
"""Without which a register does not start, and says why."""

SELDOM = {
    ("search_version", "name", "changed"),
    ("search_version", "summary", "changed"),
    ("search_version", "rest", "changed"),
    ("source_event", "entry", "changed"),
}
"""One word less to search for, or an entry later: `log verify` names it, and an audit where it
draws that word or asks for that moment. Of the same columns there are `FORGERIES`.
"""

LISTED = {
    ("agency", None, "a row invented"): r"/api/v1/agencies: .*{}",
    ("import_run", None, "a row invented"): r"/api/v1/imports: ",
    ("log_entry", None, "a row invented"): r"/api/v1/catalogue: .*modified is",
    ("record", None, "rows swapped"): r"/api/v1/codes/\S+: agency is \"{}\"",
    ("search_version", "rest", "forged"): r"/api/v1/records\?q=\S+: .*{}",
}
"""What shows at an address that is of nobody, or in searches for its words: the difference."""

APART = {
    ("figure", "until_at"): "of its end",
    ("figure", "until_entry"): "of its end",
    ("import_run", "counts"): "of its end",
    **{("agency", column): "whose" for column in ("id", "document", "origin", "fictitious", None)},
    **{("origin", column): "whose" for column in ("code", "document", None)},
}
"""What breaks off answers about others as well: it is altered apart, so that it hides nothing."""

ANSWERED = {
    ("figure", "record"): """until_entry is not null and origin is null
        and record in (select id from record where state = 'published')""",
    # What is overdue is counted.
    ("figure", "next_review_on", "changed"): "next_review_on > now()",
    ("figure", "next_review_on", "emptied"): "next_review_on < now() and until_entry is null",
    ("figure", "next_review_on", "gone"): "next_review_on < now() and until_entry is null",
    ("figure", "risk_before"): "risk_change is not null",
    ("log_entry", "kind"): "kind <> 'version'",
    ("log_entry", "record"): "kind <> 'version'",
    ("record", "agency"): "state = 'published'",
    **{
        ("version", column): "entry in (select entry from figure where origin is not null)"
        for column in ("changed_on", "moved_from", "source_log")
    },
    ("version", "completeness"): "entry in (select entry from figure where risk <> 'not_stated')",
}
"""The rows of which a column is answered."""


async def opened(url):
    connection = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")
    for table in ("redaction", "import_run"):
        await connection.execute(f"alter table {table} alter column id drop identity if exists")
    return connection


async def read_tamperings(url):
    connection = await asyncpg.connect(url)
    found = await tamperings(connection)
    await connection.close()
    return found


def is_of(one, table):
    """Return whether a case is in a table of columns and cases."""
    return not {(one.table, one.column), (one.table, one.column, one.deed)}.isdisjoint(table)


def is_shown(one):
    """Return whether a case shows in answers that are about its subject, and about nobody else."""
    columns = OF_FILES.get(one.table, ())
    return (
        columns is not None
        and one.column not in columns
        and not is_of(one, ANSWERS_NOTHING | NOTHING_STARTS | SELDOM | LISTED.keys())
        and (one.table, one.column) not in UNSTATED
    )


async def tamper(url, cases):
    """Alter a column, or a row, for each case as far as there are subjects for it.

    Return the cases with theirs, and those that are left for another register. What the database
    refuses without any trigger is none.
    """
    made, left, used = [], [], set()
    connection = await opened(url)
    for one in cases:
        subject = SUBJECT.get(one.table, "split_part(record, '/', 1)")
        answered = ANSWERED.get((one.table, one.column), "true")
        answered = ANSWERED.get((one.table, one.column, one.deed), answered)
        rows = await connection.fetch(
            f"select distinct {subject} as of, md5($1 || {subject}) from {one.table}"
            f" where {one.rows} and {answered} order by 2",
            f"{one.deed} {one.column}",
        )
        number = 2 if one.deed == "rows swapped" else 1
        known = [row[0] for row in rows if NAMED.fullmatch(row[0] or "")]
        chosen = [name for name in known if name not in used][:number]
        if len(chosen) < number:
            left += [one] * (len(known) >= number)
            continue
        try:
            async with connection.transaction():
                names = ", ".join(map(repr, chosen))
                done = await connection.execute(one.of(f"{subject} in ({names}) and {answered}"))
        except asyncpg.IntegrityConstraintViolationError:
            continue
        if not done.endswith(" 0"):
            used.update(chosen)
            made.append((one, chosen))
    await connection.execute("update search_state set epoch = epoch + 1")
    await connection.close()
    return made, left


def plain(address):
    """Return an address without language and moment, of which not each is asked of everybody."""
    return re.sub(r"as_of=entry:\d+", "", re.sub(r"^(/feeds)?/(ar|fr|zgh|en)/", r"\1/", address))


def is_named(subject, addresses):
    """Return whether an address shows what is wrong of a subject, and of nobody else."""
    other = CONTROL.get(re.split(r"[-./]", subject)[0 if subject[2] != "-" else 1], SEAS[5])
    return any(
        re.search(rf"\b{subject}\b", one) and one.replace(subject, other) not in addresses
        for one in addresses
    )


async def alter_everywhere(url):
    """Alter what answers nothing: columns in all rows, and one row of each table."""
    cases = await read_tamperings(url)
    connection = await opened(url)
    for one in cases:
        if one.column is None and is_of(one, ANSWERS_NOTHING):
            await connection.execute(one.of())
        elif (one.table, one.column, one.deed) in ANSWERS_NOTHING or (
            (one.table, one.column) in ANSWERS_NOTHING and one.deed == "changed"
        ):
            # Beyond all keys that are there.
            value = re.sub(r"\+ 1$", "+ 100003", one.value)
            await connection.execute(f'update "{one.table}" set "{one.column}" = {value}')
    await connection.execute("update search_state set epoch = epoch + 1")
    await connection.close()


def test_no_answer_depends_on_what_answers_nothing(register, audited):
    with copy_of(register) as url:
        asyncio.run(alter_everywhere(url))
        with started(register, url) as running:
            report = audited(running.url, share=1)
    assert not report.differences, report.differences
    assert report.verdict == "in order"
    assert report.not_covered


def test_each_tampering_with_an_answer_is_named_by_its_address(register, audited):
    known = asyncio.run(read_tamperings(register.url))
    cases = [one for one in [*known, *FORGERIES] if is_shown(one)]
    turns = [[one for one in [*known, *FORGERIES] if is_of(one, LISTED)]] + [
        [one for one in cases if APART.get((one.table, one.column)) == apart]
        for apart in ("of its end", "whose", None)
    ]
    tried, unnamed = 0, []
    while any(turns):
        left = turns.pop()
        with copy_of(register) as url:
            made, left = asyncio.run(tamper(url, left))
            names = {name for _, subjects in made for name in subjects}
            listed = ["agencies", "catalogue", "imports", "codes", "q="] * (made[0][0] not in cases)
            with started(register, url) as running:
                report = audited(
                    running.url, share=1, about=[*names, *CONTROL.values(), SEAS[5], *listed]
                )
        assert report.verdict == "differs", report.refused
        addresses = {plain(one.at) for one in report.differences}
        said = "\n".join(f"{one.at}: {one.why}" for one in report.differences)
        tried += len(made)
        for one, subjects in made:
            shown = LISTED.get((one.table, one.column, one.deed))
            if not any(
                re.search(shown.format(name), said) if shown else is_named(name, addresses)
                for name in subjects
            ):
                unnamed.append((one.table, one.column, one.deed, subjects))
        turns += [left] * bool(left)
    assert tried >= 150
    assert not unnamed, unnamed


async def read_verdicts(url, cases):
    """Make each alteration for a moment; return those that are made, and why the log is refused."""
    await (await opened(url)).close()
    database, loop, found = await connect(url), asyncio.get_running_loop(), []

    def verify(connection):
        tree, files = LogTree(), {}

        async def make(path):
            # What fails ends no transaction, as in a server.
            async with connection.transaction():
                return await log_files._make_file(connection, tree, path)

        def read(path):
            try:
                files[path] = asyncio.run_coroutine_threadsafe(make(path), loop).result()
            except NotFound as error:
                raise FileNotFoundError(path) from error
            except Exception as error:
                raise Unavailable(f"{path} answers 500") from error
            return files[path]

        try:
            verify_log(read, verifier=None, progress=lambda *_: None, replay=LogReplay())
        except (LogRefused, Unavailable) as error:
            return error.detail
        return files

    async with database.connection() as connection:
        await connection.execute("set session_replication_role = replica")
        in_order = await asyncio.to_thread(verify, connection)
        for one in cases:
            transaction = connection.transaction()
            await transaction.start()
            with suppress(asyncpg.IntegrityConstraintViolationError):
                done = await connection.execute(one.of())
                if not done.endswith(" 0"):
                    said = await asyncio.to_thread(verify, connection)
                    found.append((one, "in order" if said == in_order else str(said)))
            await transaction.rollback()
    await database.close()
    return found


def test_each_tampering_with_the_log_itself_is_refused_by_its_place(register):
    cases = [
        one
        for one in asyncio.run(read_tamperings(register.url))
        if one.table in OF_FILES
        and (OF_FILES[one.table] is None or one.column in OF_FILES[one.table])
    ]
    with copy_of(register) as url:
        found = asyncio.run(read_verdicts(url, cases))
    assert len(found) > 60
    wrong = [
        (one.table, one.column, one.deed, said)
        for one, said in found
        if not re.match(r"(content|tile)/\S+", said)
        and not is_of(one, ANSWERS_NOTHING | NOTHING_STARTS | LISTED.keys())
    ]
    assert not wrong, wrong


async def alter(url, one):
    """Alter a row; return whether the database let it happen."""
    connection = await opened(url)
    done = ""
    with suppress(asyncpg.IntegrityConstraintViolationError):
        done = await connection.execute(one.of())
    await connection.close()
    return done not in {"", "UPDATE 0"}


def test_each_tampering_without_which_nothing_starts_is_said_where_it_starts(register):
    for one in asyncio.run(read_tamperings(register.url)):
        if not is_of(one, NOTHING_STARTS) or one.deed in {"gone", "a row invented"}:
            continue
        with copy_of(register) as url:
            if not asyncio.run(alter(url, one)):
                continue
            folder = make_folder("c")
            shutil.copytree(register.folder, folder, dirs_exist_ok=True)
            done = Register(folder, database_url=url, base_url=ADDRESS).run("serve", "--port", 1)
            shutil.rmtree(folder)
        assert done.returncode == 2, (one, done.stderr)
        assert "Traceback" not in done.stderr
        assert re.search(
            "log_state|country pack|entries were signed", done.stderr.replace("\n", " ")
        )
