"""An older state of the database was restored: nothing is signed, then all of it comes back."""

import datetime as dt
import json

import msgspec
import pytest

from registry.ledger import key
from registry.ledger.proofs import write_contents
from registry.ledger.verify_database import check_database
from registry.log.blob import content_path
from registry.log.files import LogRefused, read_checkpoint
from registry.record.pack import Agency
from registry.record.validate import validate
from registry.services.filing.drafts import Precondition
from registry.services.importing.matching import ForeignFiling
from registry.services.log.key_rotation import rotate
from registry.services.log.recovery import heal_log
from registry.services.people.access import Actor
from registry.services.people.agencies import name_agencies
from registry.services.statements import act_review, attestation, redaction, withdrawal
from registry.services.statements.erasure import erase_published
from registry.store import agencies, checkpoints, imports, log, records
from registry.verify.fsck import fsck, read_from
from registry.verify.log import verify_log
from tests.imported import import_filings

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
AGENCY = Actor(
    name="demo-sante", agency="demo-sante", scopes=frozenset({"file"}), token=1, request="r"
)
REVIEWER = Actor(name="office", agency=None, scopes=frozenset({"review"}), token=1)


def quiet(_done, _total):
    pass


@pytest.fixture
def actor():
    def make(name):
        return Actor(
            name=name,
            agency=None,
            scopes=frozenset({"redact", "admin"}),
            token=1,
            request="r",
        )

    return make


@pytest.fixture
def database(logged):
    return logged


async def size_of(database):
    async with database.connection() as connection:
        return (await log.read_state(connection)).range.size


async def test_what_was_lost_with_a_rotation_comes_back_without_the_old_key(
    backup, context, database, settings, publish, record, publish_it, pack
):
    await publish(record)
    await publish_it()
    await backup.keep()
    first = key.read(settings.key_file)
    await rotate(context, settings, made=None, now=NOW)
    await publish_it()
    later = NOW + dt.timedelta(days=100)
    await publish(record | {"id": "demo-sante/other"}, now=later)
    await publish_it()
    settings.key_file.unlink()
    note = read_checkpoint(settings.log_dir)

    await backup.restore()
    with pytest.raises(LogRefused, match="knows of 4 entries, the database has 2"):
        await publish_it()
    assert await heal_log(context, settings, now=later, progress=quiet) == 2
    assert (await check_database(database, settings, progress=quiet)).size == 4
    await publish(record | {"id": "demo-sante/third"}, now=later)
    await publish_it()
    assert read_checkpoint(settings.log_dir) != note
    found = verify_log(read_from(settings.log_dir), verifier=first.verifier, progress=quiet)
    assert len(found.keys.keys) == 2


async def test_what_was_lost_comes_back_and_the_log_goes_on(
    backup, context, database, settings, publish, record, publish_it, pack
):
    await publish(record)
    await publish_it()
    await backup.keep()

    await publish(record | {"summary": {"fr": "Un autre résumé.", "ar": "ملخص آخر"}})
    await publish(record | {"id": "demo-sante/other", "name": {"fr": "Autre", "ar": "آخر"}})
    async with database.connection() as connection:
        tag = (await records.read(connection, record["id"])).register.hash[:16]
    # By two: what the entry says of the second one comes back with it.
    waiting = await withdrawal.withdraw(
        msgspec.structs.replace(context, review="required"),
        AGENCY,
        record["id"],
        {"reason": "filed_in_error", "note": {"fr": "Deux fois", "ar": "مكرر"}},
        precondition=Precondition(tag=tag),
        now=NOW,
    )
    await act_review.approve(context, REVIEWER, waiting.act, now=NOW)
    await attestation.attest(
        context,
        AGENCY,
        "demo-sante",
        {
            "day": "2026-11-01",
            "systems_total": 3,
            "contact": {"email": "a@demo-sante.example"},
        },
        now=NOW,
    )
    await publish_it()
    async with database.connection() as connection:
        before = [await records.read(connection, record["id"], version) for version in (1, 2)]
        signed = await checkpoints.read_last(connection)
    note = read_checkpoint(settings.log_dir)
    assert signed.size == 6

    await backup.restore()
    assert await size_of(database) == 2
    with pytest.raises(LogRefused, match="knows of 6 entries, the database has 2"):
        await publish_it()
    assert await heal_log(context, settings, now=NOW, progress=quiet) == 4
    assert await heal_log(context, settings, now=NOW, progress=quiet) == 0
    async with database.connection() as connection:
        after = [await records.read(connection, record["id"], version) for version in (1, 2)]
    assert after == before
    assert (await check_database(database, settings, progress=quiet)).size == 6
    async with database.connection() as connection:
        assert (await checkpoints.read_last(connection)).note == signed.note
    assert (await publish_it()).note == signed.note
    assert await publish_it() is None
    assert read_checkpoint(settings.log_dir) == note
    await publish(record | {"id": "demo-sante/third", "name": {"fr": "Tiers", "ar": "ثالث"}})
    assert (await publish_it()).size == 7
    fsck(settings.log_dir, verifier=None, progress=quiet)


def foreign(pack, slug, agency, name, changed_on=None):
    document = {
        "id": f"{agency.id}/{slug}",
        "schema_version": "1.0",
        "name": {"en": name},
        "languages": {"source": "en"},
        "source_id": slug,
    }
    return ForeignFiling(
        document=document,
        agency=agency,
        verdict=validate(document, profile="foreign", pack=pack, today=NOW.date()),
        source_row={"Name": name},
        source_id=slug,
        changed_on=changed_on,
    )


async def test_what_imports_said_comes_back_and_their_numbers_are_not_given_again(
    backup, context, database, settings, pack, publish_it
):
    skies = Agency(id="us.skies", name={"en": "Skies"}, kind="foreign", origin="us-register")
    sea = msgspec.structs.replace(skies, id="us.sea", name={"en": "Sea"})

    async def bring(*filings):
        return await import_filings(context, filings, complete=True, now=lambda: NOW)

    async def facts():
        async with database.snapshot() as connection:
            found = [
                await records.read(connection, name, version)
                for name, version in (("us.skies/1", 1), ("us.skies/1", 2), ("us.skies/2", 1))
            ]
            said = await connection.fetch("select * from source_event order by entry")
            known = await imports.read_known(connection, "us-register")
        # When each was last met without a change is in no entry, nor are the rows that are kept.
        known = [msgspec.structs.replace(one, run=None, row_sha256=None) for one in known]
        told = [msgspec.to_builtins(one.register.source) | {"register": None} for one in found]
        return told, [tuple(row) for row in said], known

    one, two = foreign(pack, "1", skies, "Rain", "2026-01"), foreign(pack, "2", skies, "Wind")
    await bring(one, two)
    await publish_it()
    await backup.keep()
    await bring(one)
    await bring(one, two)
    moved = foreign(pack, "1", sea, "Rain and snow", "2026-01")
    assert (await bring(moved)).run == 4
    assert await name_agencies(context, now=NOW) == 0
    size = (await publish_it()).size
    before = await facts()
    [_, second, _], _, _ = before
    assert (second["moved_from"], second["undated"], second["run"]) == ("us.skies", True, 4)

    await backup.restore()
    async with database.connection() as connection:
        # As a database that was dumped: it knows neither the agency nor how far it had counted.
        await connection.execute("delete from agency where id = 'us.sea'")
        await connection.execute("alter table import_run alter column id restart with 2")
    assert await heal_log(context, settings, now=NOW, progress=quiet) == 8
    assert await facts() == before
    async with database.connection() as connection:
        assert (await agencies.read(connection, "us.sea")).agency == sea
    assert (await check_database(database, settings, progress=quiet)).size == size
    again = await bring(moved)
    assert (again.run, again.counts.unchanged) == (5, 1)
    async with database.connection() as connection:
        assert (await imports.read_source_row(connection, "us.skies/1")).run == 5
    assert await size_of(database) == size + 1, "the import says that it has ended"


async def test_what_was_erased_since_is_erased_again(
    backup, context, database, settings, publish, record, publish_it, actor, pack
):
    phone = "0537-000-123"
    record = record | {"contact": record["contact"] | {"phone": phone}}
    await publish(record)
    await publish_it()
    await backup.keep()
    # One version that the backup knows, one that it does not.
    await publish(record | {"summary": {"fr": "Un autre résumé.", "ar": "ملخص آخر"}})
    await publish_it()
    asked = await redaction.request(
        context,
        actor("one"),
        {
            "record": record["id"],
            "pointers": ["/contact/phone"],
            "basis": "data_protection",
            "authority": "CNDP",
        },
        now=NOW,
    )
    await redaction.confirm(context, actor("two"), asked.redaction, now=NOW)

    async def erase():
        signed = await publish_it()

        async def write(entries):
            await write_contents(database, settings.log_dir, entries)

        await erase_published(database, size=signed.size, write_contents=write)

    await erase()
    for index in (1, 2):
        assert phone not in (settings.log_dir / content_path(index)).read_text()
    await backup.restore()
    assert phone in json.dumps(await _documents(database, record["id"]))
    assert await heal_log(context, settings, now=NOW, progress=quiet) == 2
    assert phone not in json.dumps(await _documents(database, record["id"]))
    assert (await check_database(database, settings, progress=quiet)).size == 4
    await publish_it()
    fsck(settings.log_dir, verifier=None, progress=quiet)


async def test_a_register_that_went_on_after_a_restore_is_not_healed(
    backup, context, database, settings, publish, record, publish_it
):
    await publish_it()
    await backup.keep()
    await publish(record)
    await publish(record | {"id": "demo-sante/other", "name": {"fr": "Autre", "ar": "آخر"}})
    await publish_it()
    await backup.restore()
    await publish(record)
    with pytest.raises(LogRefused, match="gone on otherwise"):
        await heal_log(context, settings, now=NOW, progress=quiet)
    await publish(record | {"id": "demo-sante/other", "name": {"fr": "Autre", "ar": "آخر"}})
    # Just as long as what was signed, and another.
    with pytest.raises(LogRefused):
        await publish_it()
    assert await size_of(database) == 3


async def test_nothing_comes_back_of_damaged_files(
    backup, context, database, settings, publish, record, publish_it, subtests
):
    await publish(record)
    await publish_it()
    await backup.keep()
    await publish(record | {"id": "demo-sante/other", "name": {"fr": "Autre", "ar": "آخر"}})
    await publish_it()
    await backup.restore()
    for path in ("content/2.json", "tile/entries/000.p/3", "tile/0/000.p/3"):
        file = settings.log_dir / path
        content = file.read_bytes()
        changed = bytearray(content)
        changed[-9] ^= 1
        for damaged in (None, bytes(changed)):
            with subtests.test(path=path, lost=damaged is None):
                file.unlink()
                if damaged is not None:
                    file.write_bytes(damaged)
                with pytest.raises(LogRefused):
                    await heal_log(context, settings, now=NOW, progress=quiet)
                assert await size_of(database) == 2
            file.unlink(missing_ok=True)
            file.write_bytes(content)
    assert await heal_log(context, settings, now=NOW, progress=quiet) == 1


async def _documents(database, record):
    async with database.connection() as connection:
        lines = await records.read_versions(connection, record)
        found = [await records.read(connection, record, line.version) for line in lines]
    return [one.document.decode() for one in found]
